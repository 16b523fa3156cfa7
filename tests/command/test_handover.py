"""Command changes hands: given events, when a command, expect events. There is always exactly one commander."""

import random
from datetime import timedelta
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import fields
from tests.command.test_decide import ANA, BO, INCIDENTS, T0, History

from sev1.command import model as m
from sev1.command import succession
from sev1.command.briefing import MOST_LINES, briefing
from sev1.command.parts import handover as h
from sev1.command.parts import reach as r
from sev1.command.parts.board import PutOnBoard
from sev1.command.parts.mitigations import AddMitigation
from sev1.command.parts.needs import RaiseNeed
from sev1.command.parts.tasks import GiveTask
from sev1.command.parts.workstreams import OpenWorkstream
from sev1.command.store import as_incident
from sev1.engine.decider import TIMER, Actor
from sev1.engine.errors import Invalid, Refused, Sev1Error

GUS = Actor(id="gus", name="Gus", via="web")
ALL_FIVE = tuple(h.POINTS)
SAID = "Card payments fail, Bo rolls back, the next update is due at 03:44"


def offered() -> History:
    history = History()
    history.when(h.OfferCommand(person="bo", note="my shift ends"))
    return history


def called() -> History:
    """Ana commands on purpose, and Bo had her called."""
    history = History()
    history.when(m.AssignRole(role="ic", person="ana"))
    assert not history.state.commander_is_temporary
    history.when(r.CallCommander(ask="the failover"), by=BO, answer_within_s=180)
    return history


# --- hand-over --------------------------------------------------------------------------------------------------------


def test_an_offer_changes_nothing_until_it_is_read_back():
    history = offered()
    assert history.state.commander == "ana"
    assert history.state.handover.offer == h.Offer(
        person="bo", by="ana", at=T0, until=T0 + timedelta(minutes=15), note="my shift ends"
    )


def test_command_changes_in_one_event_when_all_five_points_are_confirmed_and_read_back():
    history = offered()
    [event] = history.when(h.AcceptCommand(points=ALL_FIVE, read_back=SAID), by=BO, after_min=2)
    assert isinstance(event, h.CommandHandedOver)
    assert (event.previous, event.person, event.read_back, event.points) == ("ana", "bo", SAID, ALL_FIVE)
    assert [heading for heading, _ in event.briefing] == list(h.POINTS.values())
    assert history.state.roles["ic"] == ("bo",)
    assert not history.state.commander_is_temporary
    assert history.state.handover.offer is None


def test_a_point_that_is_not_confirmed_leaves_command_where_it_is_and_is_named():
    history = offered()
    with pytest.raises(Refused, match="Still to confirm: what is decided, and what is open") as refused:
        history.when(h.AcceptCommand(points=("impact", "state", "people", "next"), read_back=SAID), by=BO)
    assert refused.value.data["missing"] == ["decisions"]
    assert history.state.commander == "ana"


def test_a_nod_is_no_read_back():
    with pytest.raises(Invalid, match="Say back in a sentence"):
        offered().when(h.AcceptCommand(points=ALL_FIVE, read_back="   ok    "), by=BO)


def test_only_the_one_who_was_asked_answers():
    history = offered()
    with pytest.raises(Refused, match="offered to @bo"):
        history.when(h.AcceptCommand(points=ALL_FIVE, read_back=SAID), by=GUS)
    with pytest.raises(Refused, match="offered to @bo"):
        history.when(h.DeclineCommand(reason="no"), by=GUS)
    with pytest.raises(Refused, match="Nobody has offered"):
        History().when(h.AcceptCommand(points=ALL_FIVE, read_back=SAID), by=BO)


def test_a_declined_offer_says_why_and_the_commander_goes_on():
    history = offered()
    assert history.when(h.DeclineCommand(reason="up for 20 hours"), by=BO) == [
        h.CommandDeclined(person="bo", reason="up for 20 hours")
    ]
    assert (history.state.commander, history.state.handover.offer) == ("ana", None)


def test_an_offer_nobody_answers_runs_out_once():
    history = offered()
    due = T0 + timedelta(minutes=15)
    assert INCIDENTS.timers(history.state)["offer"] == due
    assert history.when(h.ExpireOffer(), by=TIMER, after_min=14) == []
    assert history.when(h.ExpireOffer(), by=TIMER, after_min=1) == [h.OfferExpired(person="bo", by="ana")]
    assert history.when(h.ExpireOffer(), by=TIMER) == []
    assert "offer" not in INCIDENTS.timers(history.state)


def test_the_offer_is_taken_back_by_who_made_it_or_commands_and_by_nobody_else():
    history = offered()
    with pytest.raises(Refused, match="They can take it back"):
        history.when(h.WithdrawOffer(), by=BO)
    assert history.when(h.WithdrawOffer()) == [h.OfferWithdrawn(person="bo")]
    assert history.when(h.WithdrawOffer()) == []


def test_asking_somebody_else_takes_the_earlier_offer_back():
    history = offered()
    events = history.when(h.OfferCommand(person="gus"))
    assert [type(event) for event in events] == [h.OfferWithdrawn, h.CommandOffered]
    assert history.when(h.OfferCommand(person="gus")) == []
    with pytest.raises(Refused, match="commands already"):
        history.when(h.OfferCommand(person="ana"))


def test_giving_the_role_outright_and_the_end_both_end_the_offer():
    history = offered()
    history.when(m.AssignRole(role="ic", person="gus"))
    assert history.state.handover.offer is None
    history = offered()
    history.when(m.CloseFalseAlarm())
    assert history.state.handover.offer is None


def test_in_a_restricted_incident_the_successor_is_let_in_to_read_the_briefing():
    history = History(m.Declare(title="A breach", restricted=True))
    history.when(h.OfferCommand(person="bo"))
    assert "bo" in history.state.insiders


# --- briefing ---------------------------------------------------------------------------------------------------------


def test_the_briefing_says_what_the_state_says():
    history = History(m.Declare(title="Card payments fail", services=("checkout",)))
    history.when(m.PostUpdate(condition="42 % fail", actions="rolling back"))
    history.when(m.RecordDecision(decision="roll back", reason="errors began with it"))
    history.when(PutOnBoard(kind="known", text="began at 03:05"))
    history.when(PutOnBoard(kind="hypothesis", text="the pool is full", disproof="idle connections"))
    history.when(RaiseNeed(text="a DBA"))
    history.when(OpenWorkstream(title="Database", goal="safe standby", lead="gus"))
    history.when(GiveTask(text="measure the lag", owner="bo", due_at=T0 + timedelta(minutes=5)))
    history.when(AddMitigation(text="retries are off", owner="bo", remove_by=T0 + timedelta(hours=9)))
    told = dict(briefing(history.state, T0 + timedelta(minutes=70)))
    assert told["What is broken, and whom it hurts"].splitlines() == [
        "Card payments fail",
        "Since 2026-03-02 03:14 UTC, for 1 h 10 min.",
        "Affected: checkout.",
        "Latest update: 42 % fail",
        "Being done: rolling back",
        "Not answered yet: how far it reaches, when it began, what changed before, who else must know.",
        "Known: began at 03:05",
    ]
    assert told["Severity and stage"].splitlines()[0] == "SEV-1, assumed: nobody has confirmed it."
    assert told["Who does what"].splitlines() == [
        "Incident Commander: @ana.",
        "W1 Database, @gus: safe standby",
        "T1 @bo: measure the lag (by 2026-03-02 03:19 UTC, late)",
    ]
    assert told["What is decided, and what is open"].splitlines() == [
        "D1 roll back because errors began with it",
        "H2 Guess: the pool is full, wrong if idle connections",
        "N1 Needed: a DBA (nobody sees to it yet)",
        "M1 Temporary: retries are off (@bo, remove by 2026-03-02 12:14 UTC)",
    ]
    assert told["When the next update is due, and to whom"] == "Those who work on it: by 2026-03-02 03:44 UTC, late."


def test_a_briefing_stays_short_and_counts_what_it_leaves_out():
    history = History()
    for number in range(MOST_LINES + 3):
        history.when(PutOnBoard(kind="unknown", text=f"question {number}"))
    told = dict(briefing(history.state, T0))["What is decided, and what is open"]
    assert told.splitlines()[-1] == "and 3 more"
    assert len(told.splitlines()) == MOST_LINES + 1


# --- take-over --------------------------------------------------------------------------------------------------------


def test_a_commander_who_is_called_has_the_time_of_the_severity_and_never_less_than_two_minutes():
    assert called().state.reach.call == r.Call(person="ana", by="bo", at=T0, answer_by=T0 + timedelta(minutes=3))
    assert r.answer_time(0) == timedelta(minutes=2)
    assert r.answer_time(None) == timedelta(minutes=15)


def test_there_is_nothing_to_take_while_the_commander_can_be_reached():
    history = History()
    with pytest.raises(Refused, match="only for now"):
        history.when(r.TakeCommand(person="bo", reason="x"), by=BO)
    history.when(m.AssignRole(role="ic", person="gus"))
    with pytest.raises(Refused, match="was not called"):
        history.when(r.TakeCommand(person="bo", reason="x"), by=BO)
    with pytest.raises(Refused, match="You command"):
        history.when(r.CallCommander(), by=GUS)
    history = called()
    with pytest.raises(Refused, match="has until 2026-03-02 03:17 UTC"):
        history.when(r.TakeCommand(person="bo", reason="x"), by=BO)


def test_an_answer_ends_the_call():
    history = called()
    answered = history.when(r.CheckReach(), by=TIMER, after_min=3, call_answered=True)
    assert answered == [r.CommanderAnswered(person="ana")]
    assert history.state.reach == r.Reach()


def test_whoever_writes_is_there():
    history = called()
    history.when(m.AddNote(text="I am here"), by=ANA)
    assert history.state.reach == r.Reach()
    assert "reach" not in INCIDENTS.timers(history.state)


def test_without_an_answer_command_is_offered_down_the_line_one_after_the_other():
    history = called()
    history.when(m.AssignRole(role="comms", person="cho"), by=BO)
    history.when(m.AssignRole(role="ops", person="bo"), by=BO)
    assert history.when(r.CheckReach(), by=TIMER, after_min=2) == []
    events = history.when(r.CheckReach(), by=TIMER, after_min=1, on_call=("eve", "bo"), answer_within_s=180)
    later = T0 + timedelta(minutes=6)
    assert events == [
        r.CommanderUnreachable(person="ana", line=("bo", "cho", "eve")),
        r.TakeoverOffered(person="bo", until=later),
    ]
    assert INCIDENTS.timers(history.state)["reach"] == later
    assert history.when(r.CheckReach(), by=TIMER, after_min=3, answer_within_s=180) == [
        r.TakeoverOffered(person="cho", until=T0 + timedelta(minutes=9))
    ]
    assert history.when(r.CheckReach(), by=TIMER, after_min=3) == [r.TakeoverOffered(person="eve", until=None)]
    assert "reach" not in INCIDENTS.timers(history.state)
    assert history.state.commander == "ana"


def test_a_late_answer_ends_the_search_for_another():
    history = called()
    history.when(m.AssignRole(role="ops", person="bo"), by=BO)
    history.when(r.CheckReach(), by=TIMER, after_min=3, on_call=("eve",))
    with pytest.raises(Refused, match="has answered the call"):
        history.when(r.TakeCommand(person="bo", reason="x"), by=BO, call_answered=True)
    assert history.when(r.CheckReach(), by=TIMER, after_min=5, call_answered=True) == [
        r.CommanderAnswered(person="ana")
    ]


def test_anybody_may_take_over_then_and_it_is_one_event_with_the_reason():
    history = called()
    history.when(r.CheckReach(), by=TIMER, after_min=3)
    [taken] = history.when(r.TakeCommand(person="gus", reason="Ana does not answer"), by=GUS)
    assert isinstance(taken, r.CommandTaken)
    assert (taken.previous, taken.person, taken.reason) == ("ana", "gus", "Ana does not answer")
    assert history.state.roles["ic"] == ("gus",)
    assert history.state.reach == r.Reach()


def test_a_commander_for_now_who_does_not_answer_is_taken_over_from_as_well():
    history = History()
    history.when(r.CallCommander(), by=BO)
    history.when(r.CheckReach(), by=TIMER, after_min=5, on_call=("gus",))
    history.when(r.TakeCommand(person="gus", reason="Ana does not answer"), by=GUS)
    assert history.state.commander == "gus"


def test_who_commands_for_now_may_take_command_on_purpose_once():
    history = History()
    [assigned] = history.when(m.AssignRole(role="ic", person="ana"))
    assert assigned == m.RoleAssigned(role="ic", person="ana", previous="ana", was_temporary=True)
    assert history.when(m.AssignRole(role="ic", person="ana")) == []


def test_the_line_of_a_restricted_incident_has_nobody_from_outside():
    history = History(m.Declare(title="A breach", restricted=True))
    history.when(m.AssignRole(role="security", person="dana"))
    assert succession.in_line(history.state, ("eve",)) == ("dana",)


# --- for any sequence -------------------------------------------------------------------------------------------------

PEOPLE = ("ana", "bo", "gus")
WORDS = ("it is so", "look into it", "🔥", "ok", "x" * 200)
_PERSONS = {"person", "owner", "lead", "commander"}


def any_command(rng: random.Random) -> Any:
    """One of all the commands that people and timers may give, with fields that may fit."""
    kind = rng.choice([*get_args(m.ResponderCommand), *get_args(m.TimerCommand)])
    hints = get_type_hints(kind, include_extras=False)
    given: dict[str, Any] = {}
    for field in fields(kind):
        if field.required or rng.random() < 0.6:
            given[field.name] = _value(field.name, hints[field.name], rng)
    return kind(**given)


def _value(name: str, hint: Any, rng: random.Random) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _value(name, get_args(hint)[0], rng)
    if origin in (Union, UnionType):
        return _value(name, rng.choice([one for one in get_args(hint) if one is not type(None)]), rng)
    if origin is Literal:
        return rng.choice(get_args(hint))
    if origin is tuple:
        if name == "points":
            return ALL_FIVE if rng.random() < 0.7 else ALL_FIVE[:2]
        return tuple(_value(name, get_args(hint)[0], rng) for _ in range(2))
    if hint is bool:
        return rng.random() < 0.5
    if hint is int:
        return rng.randint(1, 4)
    if hint is str:
        named = {
            "severity": "sev-2",
            "page": "P-1",
            "parent": "INC-9",
            "audience": "internal",
            "url": "https://x.example",
        }
        return rng.choice(PEOPLE) if name in _PERSONS else named.get(name, rng.choice(WORDS))
    return T0 + timedelta(minutes=rng.randint(-60, 600))


@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=80))
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_exactly_one_person_commands_from_the_declaration_to_the_end(seed: int, length: int):
    rng = random.Random(seed)
    history = History(m.Declare(title="Card payments fail", restricted=rng.random() < 0.3))
    for _ in range(length):
        by = Actor(id=rng.choice(PEOPLE), name="Somebody", via="web")
        known = {
            "call_answered": rng.random() < 0.2,
            "on_call": ("gus",),
            "worst_severity": "sev-1",
        }
        before = history.state
        try:
            history.when(any_command(rng), by, after_min=rng.choice((0, 1, 20)), **known)
        except Sev1Error:
            assert history.state == before
        assert len(history.state.roles["ic"]) == 1
        assert history.state.commander in PEOPLE
        for kind in INCIDENTS.timers(history.state):
            INCIDENTS.timer_command(kind, history.now)
    assert as_incident(json.encode(history.state)) == history.state
