"""Who sees a restricted incident: the rules, given events, when a command, expect events."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.parts import privacy as p
from sev1.command.parts.tasks import GiveTask
from sev1.command.sight import NOBODY, SHELL, Sight
from sev1.command.withhold import OVER, page_facts_without, page_without
from sev1.engine.decider import SYSTEM, Actor, Fact, fold
from sev1.engine.errors import Refused
from sev1.paging import model as paging

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
RULES = IncidentAggregate()
ANA, BO, DANA = (Actor(id=name, name=name.capitalize(), via="api") for name in ("ana", "bo", "dana"))


def after(*commands: Any, restricted: bool = True, by: Actor = ANA) -> m.Incident:
    facts: list[Fact[m.IncidentEvent]] = []
    for command in (m.Declare(title="A breach", restricted=restricted), *commands):
        events = decided(fold(RULES, "INC-1", facts), command, by=by)
        facts += [Fact(version=len(facts) + n, at=NOW, by=by, event=event) for n, event in enumerate(events, start=1)]
    return fold(RULES, "INC-1", facts)


def decided(state: m.Incident, command: Any, *, by: Actor = ANA) -> list[m.IncidentEvent]:
    return RULES.decide(state, m.Informed(command=command, known=m.Known()), NOW, by)


def test_it_is_restricted_in_the_moment_in_which_it_is_declared():
    first = decided(m.Incident(key="INC-1"), m.Declare(title="A breach", restricted=True, commander="ana"))
    assert isinstance(first[0], m.IncidentDeclared)
    assert first[1:] == [p.IncidentRestricted(admitted=("ana",))]


def test_those_with_a_role_and_the_admitted_see_it_and_nobody_else():
    state = after(p.Admit(person="gus"), m.AssignRole(role="security", person="dana"))
    assert [name for name in ("ana", "bo", "dana", "gus", "") if Sight(me=name).sees(state)] == ["ana", "dana", "gus"]
    assert not NOBODY.sees(state)
    assert SHELL.sees(state)
    assert Sight(me="bo", opened=frozenset({"INC-1"})).sees(state)
    assert not Sight(me="bo", opened=frozenset({"INC-11"})).sees(state)
    assert NOBODY.sees(after(restricted=False))


def test_whoever_gets_a_role_or_is_asked_for_is_admitted_and_stays_so():
    state = after()
    assert decided(state, m.AssignRole(role="ops", person="bo"))[0] == p.PersonAdmitted(person="bo")
    assert decided(state, m.PageResponder(person="bo", ask="look"))[0] == p.PersonAdmitted(person="bo")
    state = after(m.AssignRole(role="ops", person="bo"), m.AssignRole(role="ops", person="dana"))
    assert state.insiders == ("ana", "bo", "dana")


def test_work_is_given_to_those_only_who_see_it():
    with pytest.raises(Refused, match="/admit @bo"):
        decided(after(), GiveTask(text="rotate the keys", owner="bo"))
    assert decided(after(p.Admit(person="bo")), GiveTask(text="rotate the keys", owner="bo"))
    assert decided(after(restricted=False), GiveTask(text="rotate the keys", owner="bo"))


def test_who_only_looks_may_be_admitted_and_nothing_else():
    with pytest.raises(Refused, match="Be admitted first"):
        decided(after(), m.AddNote(text="hello"), by=BO)
    assert decided(after(), p.Admit(person="bo"), by=BO) == [p.PersonAdmitted(person="bo")]
    assert decided(after(), m.AddNote(text="due"), by=SYSTEM)


def test_a_holder_of_a_role_is_not_removed_before_laying_it_down():
    state = after(m.AssignRole(role="security", person="dana"))
    with pytest.raises(Refused, match="/release security @dana"):
        decided(state, p.Remove(person="dana"))
    with pytest.raises(Refused, match="Hand command over"):
        decided(state, p.Remove(person="ana"))
    gone = after(p.Admit(person="bo"), p.Remove(person="bo"))
    assert gone.insiders == ("ana",)
    assert decided(gone, p.Remove(person="bo")) == []


def test_the_restriction_is_lifted_by_commander_or_security_lead():
    state = after(m.AssignRole(role="security", person="dana"), p.Admit(person="bo"))
    lifted = [p.RestrictionLifted(reason="told")]
    assert decided(state, p.Unrestrict(reason="told"), by=DANA) == lifted
    assert decided(state, p.Unrestrict(reason="told"), by=ANA) == lifted
    with pytest.raises(Refused, match="Security lead"):
        decided(state, p.Unrestrict(reason="told"), by=BO)


def test_what_is_so_already_decides_nothing_and_an_open_incident_admits_nobody():
    assert decided(after(), p.Restrict(reason="again")) == []
    assert decided(after(), p.Admit(person="ana")) == []
    assert decided(after(restricted=False), p.Unrestrict(reason="told")) == []
    with pytest.raises(Refused, match="Everybody may see"):
        decided(after(restricted=False), p.Admit(person="bo"))


def test_it_can_be_restricted_after_its_end_and_who_asks_for_that_is_in():
    state = after(m.CloseFalseAlarm(), restricted=False)
    assert decided(state, p.Restrict(reason="a breach after all"), by=BO) == [
        p.IncidentRestricted(reason="a breach after all", admitted=("ana", "bo"))
    ]


def test_a_page_tells_nothing_of_a_hidden_incident_and_of_others_what_it_says():
    asked = paging.Page(key="P-1", title="INC-1: look", why="in INC-1: A breach", group_key="INC-1/bo/1",
                        incident="INC-1", resolution="INC-1 is over.")  # fmt: skip
    shown = page_without(asked, {"INC-1"})
    assert (shown.incident, shown.group_key, shown.resolution) == (None, "", OVER)
    assert "INC-1" not in f"{shown.title}{shown.why}"
    assert page_without(asked, {"INC-11"}) == asked
    linked = [Fact(version=1, at=NOW, by=SYSTEM, event=paging.IncidentLinked(incident="INC-1"))]
    assert page_facts_without(linked, {"INC-1"}) == []
    assert page_facts_without(linked, {"INC-11"}) == linked
