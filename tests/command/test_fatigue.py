"""The fatigue clock: given what is known of somebody, how tired they are; given events, what is proposed and when."""

from datetime import datetime, timedelta

import pytest
from tests.command.test_decide import ANA, BO, INCIDENTS, T0, History

from sev1.command import model as m
from sev1.command.fatigue import Limits, fatigue, successors
from sev1.command.parts import handover as h
from sev1.command.parts import pace as p
from sev1.engine.decider import TIMER
from sev1.engine.errors import Invalid, Refused

LIMITS = Limits(command_h=4, break_every_h=2)
AWAKE = (p.Condition(person="ana"), p.Condition(person="bo"))


def after(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def stint(**more: int) -> p.Stint:
    return p.Stint(since=T0, last_at=T0, rested_at=T0, **more)


def looked(history: History, conditions: tuple[p.Condition, ...] = AWAKE, **known: object) -> list[m.IncidentEvent]:
    """The next look at the clocks, when it is due."""
    due = INCIDENTS.timers(history.state)["pace"]
    minutes = (due - history.now).total_seconds() / 60
    return history.when(p.CheckPace(), by=TIMER, after_min=minutes, conditions=conditions, **known)


@pytest.mark.parametrize(
    ("hours", "known", "awake", "level", "because"),
    [
        (1, {}, True, "fresh", ""),
        (1.9, {}, True, "fresh", ""),
        (2, {}, True, "tiring", "2 h in this incident"),
        (4, {}, True, "tired", "4 h in this incident; the limit is 4 h"),
        (0.5, {}, False, "fresh", ""),
        (1, {}, False, "tiring", "usually asleep at this time"),
        (2, {}, False, "tired", "usually asleep at this time"),
        (0.1, {"pages_24h": 3}, True, "tiring", "paged 3 times in a day"),
        (0.1, {"night_pages_7d": 4}, True, "tiring", "woken 4 times in a week"),
        (1, {"pages_24h": 3, "night_pages_7d": 3}, False, "tired", "usually asleep at this time"),
        (0.1, {"pages_24h": 2, "night_pages_7d": 2}, True, "fresh", ""),
    ],
)
def test_how_tired_somebody_is_has_reasons(hours, known, awake, level, because):
    found = fatigue(stint(**known), after(hours), LIMITS, awake=awake)
    assert found.level == level
    assert (because in found.reasons) if because else found.reasons == ()


def test_a_break_is_missed_only_by_who_is_not_on_one():
    working = p.Stint(since=T0, last_at=T0, rested_at=T0)
    resting = p.Stint(since=T0, last_at=T0, rested_at=T0, break_until=after(3))
    wide = Limits(command_h=24, break_every_h=2)
    assert fatigue(working, after(2.5), wide, awake=True).reasons == ("no break for 2 h 30 min",)
    assert fatigue(resting, after(2.5), wide, awake=True).reasons == ()


def test_a_break_is_proposed_once_when_it_is_due_and_again_after_the_next_stretch():
    history = History()
    history.when(m.AssignRole(role="ops", person="bo"))
    proposed = []
    while history.now < after(5):
        proposed += [event for event in looked(history, command_h=24) if isinstance(event, p.BreakProposed)]
    assert [event.person for event in proposed] == ["ana", "bo"]
    assert {event.worked_min for event in proposed} == {120}
    history.when(p.TakeBreak(person="bo", minutes=20))
    history.when(p.BreaksOver(), by=TIMER, after_min=20)
    again = []
    while history.now < after(9):
        again += [event for event in looked(history, command_h=24) if isinstance(event, p.BreakProposed)]
    assert [event.person for event in again] == ["bo"]


def test_a_hand_over_is_proposed_half_an_hour_before_the_limit_and_once_more_at_it():
    history = History()
    proposed: list[tuple[datetime, p.HandoverProposed]] = []
    fresh = (
        p.Fresh(person="bo", awake=False, local="03:14 in Europe/Berlin", role="Operations lead"),
        p.Fresh(person="kim", awake=True, local="12:14 in Australia/Sydney", role="on call for Checkout"),
        p.Fresh(person="ana", awake=True, local="03:14 in UTC"),
    )
    while history.now < after(6):
        found = looked(history, command_h=4, fresh=fresh)
        proposed += [(history.now, event) for event in found if isinstance(event, p.HandoverProposed)]
    assert [(at, event.past) for at, event in proposed] == [(after(3.5), False), (after(4), True)]
    first = proposed[0][1]
    assert [one.person for one in first.successors] == ["kim", "bo"]
    assert first.successors[0].because == "12:14 in Australia/Sydney, on call for Checkout"
    assert "3 h 30 min in this incident" in first.because


def test_who_commands_at_night_is_asked_to_hand_over_before_the_limit():
    history = History()
    night = (p.Condition(person="ana", awake=False),)
    while not (found := [e for e in looked(history, night, command_h=4) if isinstance(e, p.HandoverProposed)]):
        assert history.now < after(4)
    assert history.now == after(2)
    assert "usually asleep" in found[0].because


def test_after_a_hand_over_the_clock_of_the_new_commander_runs():
    history = History()
    history.when(m.AddNote(text="x"), after_min=200)
    history.when(h.OfferCommand(person="bo"))
    history.when(h.AcceptCommand(points=tuple(h.POINTS), read_back="It is all quite clear to me"), by=BO)
    assert history.state.pace.stints["bo"].commands_since == history.now
    assert history.state.pace.stints["ana"].commands_since is None
    assert [e for e in looked(history, command_h=4) if isinstance(e, p.HandoverProposed)] == []


def test_it_is_looked_at_every_hour_at_least_and_no_more_after_the_end():
    history = History()
    assert INCIDENTS.timers(history.state)["pace"] == after(0.5)
    assert history.when(p.CheckPace(), by=TIMER, after_min=29) == []
    [checked] = looked(history)
    assert isinstance(checked, p.PaceChecked)
    assert checked.next_at == after(1.5)
    history.when(m.CloseFalseAlarm())
    assert "pace" not in INCIDENTS.timers(history.state)


def test_what_is_known_at_a_look_is_kept_until_the_next():
    history = History()
    looked(history, (p.Condition(person="ana", pages_24h=5, night_pages_7d=2),))
    kept = history.state.pace.stints["ana"]
    assert (kept.pages_24h, kept.night_pages_7d) == (5, 2)


def test_whoever_went_and_comes_back_begins_anew_and_who_holds_a_role_does_not():
    history = History()
    history.when(m.AddNote(text="x"), by=BO)
    history.when(m.AddNote(text="y"), by=BO, after_min=180)
    history.when(m.AddNote(text="z"), by=ANA)
    assert history.state.pace.stints["bo"].since == after(3)
    assert history.state.pace.stints["ana"].since == T0


def test_breaks_have_an_end_and_somebody_who_covers_for_the_commander():
    history = History()
    with pytest.raises(Refused, match="say who covers"):
        history.when(p.TakeBreak(person="ana"))
    with pytest.raises(Invalid, match="Nobody covers for themselves"):
        history.when(p.TakeBreak(person="ana", owner="ana"))
    history.when(p.TakeBreak(person="bo"))
    with pytest.raises(Refused, match="@bo is on a break themselves"):
        history.when(p.TakeBreak(person="ana", owner="bo"))
    history.when(p.TakeBreak(person="ana", minutes=30, owner="cho"))
    assert history.state.commander == "ana"
    assert INCIDENTS.timers(history.state)["break"] == T0 + timedelta(minutes=20)
    assert history.when(p.BreaksOver(), by=TIMER, after_min=20) == [p.BreakEnded(person="bo")]
    assert history.when(p.EndBreak(person="ana")) == [p.BreakEnded(person="ana", cover="cho")]
    assert history.when(p.EndBreak(person="ana")) == []
    assert "break" not in INCIDENTS.timers(history.state)


def test_at_most_three_successors_are_named_those_who_are_awake_first():
    many = [p.Fresh(person=f"p{n}", awake=n % 2 == 0, local="") for n in range(6)]
    assert [one.person for one in successors(many, "p0")] == ["p2", "p4", "p1"]
