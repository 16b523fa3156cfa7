"""Whatever is commanded in whatever order: nothing is paged after an answer, timers lie ahead, turns are fair."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    Hold,
    Person,
    PersonTarget,
    Restriction,
    Step,
    WaitBySeverity,
    When,
)
from sev1.engine.decider import TIMER, Actor, Fact, fold
from sev1.engine.errors import Invalid, Refused
from sev1.paging import model as m
from sev1.paging.decide import PageAggregate
from sev1.paging.eligible import Absent, eligible
from sev1.paging.fix import Firing, FixDue, WatchFix

T0 = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
PAGES = PageAggregate()
NAMES = ("ana", "bo", "cem", "dee")
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin")
CATALOG = Catalog(
    people={
        name: Person(
            name=name,
            full_name=name,
            email=f"{name}@x.test",
            time_zone=zone,
            contact=(EmailMethod(address=f"{name}@x.test"),),
        )
        for name, zone in zip(NAMES, ZONES, strict=True)
    }
)
SEVERITIES = st.sampled_from([None, "sev-0", "sev-1", "sev-3", "sev-5"])
WHENS = st.sampled_from(
    [
        None,
        When(severity_at_least="sev-1"),
        When(severity_at_most="sev-3"),
        When(hours=(Restriction(start=time(9), end=time(17)),), hours_of="person"),
    ]
)
STEPS = st.builds(
    Step,
    targets=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(
        lambda names: tuple(PersonTarget(name=name) for name in names)
    ),
    wait_s=st.integers(10, 600),
    wait_s_by_severity=st.sampled_from([None, WaitBySeverity(sev_1=30)]),
    when=WHENS,
    round_robin=st.booleans(),
    prefer=st.sampled_from([None, "awake"]),
)
POLICIES = st.builds(
    EscalationPolicy,
    name=st.just("p"),
    title=st.just("P"),
    steps=st.lists(STEPS, min_size=1, max_size=4).map(tuple),
    repeat=st.integers(0, 2),
    pause_s=st.sampled_from([0, 600]),
    hold=st.sampled_from([None, Hold()]),
    unattended_after_s=st.sampled_from([0, 1800]),
)
FIRES = (Firing(alert=1, summary="s", times=1, ends=True),)
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["due", "due", "due", "late", "acknowledge", "escalate", "reassign", "snooze", "resolve", "unreachable", "join", "link", "fix"]
        ),
        st.sampled_from(NAMES),
        st.integers(0, 4000),
    ),
    max_size=30,
)  # fmt: skip


def _command(
    state: m.Page, deed: str, name: str, now: datetime, old: list[tuple[str, datetime]]
) -> m.PageCommand | None:
    who = eligible(state.policy, CATALOG, now, {}, state.severity) if state.policy else ()
    match deed:
        case "due" | "late":
            timers = list(PAGES.timers(state).items()) if deed == "due" else old
            if not timers:
                return None
            command = PAGES.timer_command(*min(timers, key=lambda timer: timer[1]))
            if isinstance(command, FixDue):
                return FixDue(due=command.due, alerts=FIRES if name == "ana" else ())
            assert isinstance(command, m.EscalationDue | m.UnattendedDue | m.SnoozeDue)
            return type(command)(due=command.due, who=who)
        case "fix":
            return WatchFix(note=name)
        case "acknowledge":
            return m.Acknowledge()
        case "escalate":
            return m.EscalateTo(who=who)
        case "reassign":
            return m.Reassign(person=name)
        case "snooze":
            return m.Snooze(until=now + timedelta(minutes=30))
        case "resolve":
            return m.Resolve()
        case "unreachable":
            return m.ReportUnreachable(person=name, error="x", who=who)
        case "join":
            worse = "sev-1"
            found = eligible(state.policy, CATALOG, now, {}, worse) if state.policy else ()
            return m.JoinAlerts(count=1, summary="s", severity=worse, who=found)
    return m.LinkIncident(incident="INC-1")


@settings(max_examples=300, deadline=None)
@given(policy=POLICIES, severity=SEVERITIES, deeds=DEEDS)
def test_no_sequence_of_commands_breaks_a_page(
    policy: EscalationPolicy, severity: str | None, deeds: list[tuple[str, str, int]]
):
    """Answered pages ask nobody unless asked to; what is due lies ahead; an open page waits for something or says why not."""
    now, facts, old = T0, [], []
    state = PAGES.initial("P-1")
    who = eligible(policy, CATALOG, now, {}, severity)
    command: m.PageCommand | None = m.Open(title="t", group_key="g", policy=policy, why="r", severity=severity, who=who)
    for deed, name, seconds in [("open", "ana", 0), *deeds]:
        if deed != "open":
            timers = PAGES.timers(state)
            due = min(timers.values(), default=now)
            now = max(now, due) if deed == "due" else now + timedelta(seconds=seconds)
            command = _command(state, deed, name, now, old)
            old += list(timers.items())
        if command is None:
            continue
        by = TIMER if deed in {"due", "late"} else Actor(id=name, name=name, via="web")
        try:
            events = PAGES.decide(state, command, now, by)
        except (Refused, Invalid):
            assert state.status == "resolved" or deed == "escalate"
            continue
        answered = state.status in {"acknowledged", "snoozed", "resolved"}
        before = state
        for event in events:
            fact = Fact(version=len(facts) + 1, at=now, by=by, event=event)
            facts.append(fact)
            state = PAGES.evolve(state, fact)
        starts = [e for e in events if isinstance(e, m.StepStarted)]
        assert len(starts) <= 1
        if starts and answered:
            lost = any(isinstance(e, m.PageUnattended | m.SnoozeEnded) for e in events)
            assert before.status != "resolved"
            assert lost or deed in {"escalate", "join"}, f"{deed} paged although somebody has it"
        new = {kind: due for kind, due in PAGES.timers(state).items() if PAGES.timers(before).get(kind) != due}
        assert all(due > now for due in new.values()), f"{new} at {now}"
        if state.status == "triggered":
            assert state.exhausted or "escalate" in PAGES.timers(state)
        assert fold(PAGES, "P-1", facts) == state


@settings(max_examples=100, deadline=None)
@given(
    pages=st.integers(1, 40),
    away=st.lists(st.sets(st.sampled_from(NAMES), max_size=2), min_size=40, max_size=40),
    order=st.permutations(NAMES),
)
def test_turns_are_fair(pages: int, away: list[set[str]], order: list[str]):
    """Nobody who was there all the time is asked more than once more often than another; who is away never is."""
    policy = EscalationPolicy(
        name="p", title="P", steps=(Step(targets=tuple(PersonTarget(name=n) for n in order), round_robin=True),)
    )
    taken: dict[str, int] = {}
    turns: Counter[str] = Counter()
    for number in range(pages):
        absent = Absent(away=dict.fromkeys(away[number], "on leave"))
        (here,) = eligible(policy, CATALOG, T0, {}, "sev-2", {("p", 0): taken}, absent)
        person = here.people[0].person
        assert person not in away[number]
        taken[person] = number + 1
        turns[person] += 1
    always = [name for name in NAMES if not any(name in gone for gone in away[:pages])]
    counts = [turns[name] for name in always]
    assert not counts or max(counts) - min(counts) <= 1
