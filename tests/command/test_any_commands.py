"""Any sequence of any commands: what is refused changes nothing, and the events alone make the state again."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.store import as_incident
from sev1.engine.decider import TIMER, Actor, Fact, fold
from sev1.engine.errors import Sev1Error

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
INCIDENTS = IncidentAggregate()
PEOPLE = tuple(Actor(id=name, name=name.title(), via="web") for name in ("ana", "bo", "gus"))
WORDS = (
    "x",
    "ana",
    "bo",
    "gus",
    "1",
    "H1",
    "T1",
    "W1",
    "M1",
    "N1",
    "D1",
    "INC-1",
    "INC-2",
    "sev-2",
    "",
    "\u202e<b>é</b> 🚨",
)
"""People, references to what may be there, and texts: also such as nobody would write."""
MOMENTS = tuple((T0 + timedelta(minutes=n)).isoformat() for n in (-30, 0, 5, 60, 1500))


def values_of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """JSON that may or may not be a value of this type; `msgspec.convert` decides."""
    match kind:
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([values_of(one) for one in types])
        case inspect.StrType(pattern=pattern):
            fitting = [word for word in WORDS if re.search(pattern or "", word)]
            return st.sampled_from(fitting) if fitting else st.from_regex(pattern or "")
        case inspect.IntType() | inspect.FloatType():
            return st.integers(0, 7)
        case inspect.BoolType():
            return st.booleans()
        case inspect.DateTimeType():
            return st.sampled_from(MOMENTS)
        case inspect.NoneType():
            return st.none()
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return st.lists(values_of(item), max_size=3)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(values_of(key), values_of(value), max_size=3)
        case inspect.StructType(fields=fields, tag=tag, tag_field=tag_field):
            needed = {one.encode_name: values_of(one.type) for one in fields if one.required}
            may_be = {one.encode_name: values_of(one.type) for one in fields if not one.required}
            named = {tag_field: st.just(tag)} if tag_field else {}
            return st.fixed_dictionaries(named | needed, optional=may_be)
        case inspect.EnumType(cls=cls):
            return st.sampled_from([one.value for one in cls])
    raise AssertionError(f"a command has a field of a kind that nobody has thought of: {kind}")


OF_PEOPLE = {kind.__name__: values_of(inspect.type_info(kind)) for kind in get_args(m.ResponderCommand)}
ONE = st.sampled_from(sorted(OF_PEOPLE)).flatmap(
    lambda name: st.tuples(st.just(name), OF_PEOPLE[name], st.sampled_from(PEOPLE), st.integers(0, 15))
)
KINDS = {kind.__name__: kind for kind in get_args(m.ResponderCommand)}
KNOWN = m.Known(on_call=("gus",), promises=())


def test_every_command_of_every_part_can_be_made() -> None:
    """Else the sequences below would not hold it: of each, some of what is drawn is a command."""
    made = set()

    @settings(max_examples=40, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.fixed_dictionaries(OF_PEOPLE))
    def draw(drawn: dict[str, Any]) -> None:
        made.update(name for name, given in drawn.items() if command_of(name, given) is not None)

    draw()
    assert made == set(KINDS)


def command_of(name: str, given: Any) -> m.ResponderCommand | None:
    try:
        return msgspec.convert(given, KINDS[name], strict=True)
    except msgspec.ValidationError:
        return None


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ONE, min_size=25, max_size=50))
def test_the_events_make_the_state_again_and_what_is_refused_changes_nothing(drawn: list[Any]) -> None:
    state, now, facts = INCIDENTS.initial("INC-1"), T0, list[Fact[Any]]()

    def do(command: Any, by: Actor) -> None:
        nonlocal state
        before = msgspec.json.encode(state)
        refused: Sev1Error | None = None
        events: list[m.IncidentEvent] = []
        known = msgspec.structs.replace(KNOWN, record=tuple(facts))
        try:
            events = INCIDENTS.decide(state, m.Informed(command=command, known=known), now, by)
        except Sev1Error as error:
            refused = error
        if refused is not None:
            assert 400 <= refused.status < 500
            assert " " in refused.message, "no sentence"
            assert msgspec.json.encode(state) == before
            return
        for event in events:
            fact = Fact(version=len(facts) + 1, at=now, by=by, event=event)
            facts.append(fact)
            state = INCIDENTS.evolve(state, fact)

    do(m.Declare(title="Card payments fail"), PEOPLE[0])
    for name, given_fields, by, minutes in drawn:
        now += timedelta(minutes=minutes)
        for kind, due in sorted(INCIDENTS.timers(state).items()):
            if due <= now:
                do(INCIDENTS.timer_command(kind, due), TIMER)
        command = command_of(name, given_fields)
        if command is not None:
            do(command, by)
    stored = [
        msgspec.structs.replace(fact, event=msgspec.json.decode(msgspec.json.encode(fact.event), type=m.IncidentEvent))
        for fact in facts
    ]
    assert fold(INCIDENTS, "INC-1", stored) == state
    assert as_incident(msgspec.json.encode(state)) == state
