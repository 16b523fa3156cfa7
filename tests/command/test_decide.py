from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.engine.decider import Actor, Fact
from sev1.engine.errors import Invalid, NotFound, Refused, Sev1Error

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
ANA = Actor(id="ana", name="Ana", via="web")
BO = Actor(id="bo", name="Bo", via="web")
INCIDENTS = IncidentAggregate()


class History:
    """An incident on which commands are tried, with what is known of the world beside each."""

    def __init__(self, declare: m.Declare | None = None, **known: object) -> None:
        self.state = INCIDENTS.initial("INC-1")
        self.now = T0
        self.version = 0
        self.when(declare or m.Declare(title="Card payments fail"), **known)

    def when(
        self, command: m.Declare | m.ResponderCommand, by: Actor = ANA, *, after_min: float = 0, **known: object
    ) -> list[m.IncidentEvent]:
        self.now += timedelta(minutes=after_min)
        informed = m.Informed(command=command, known=m.Known(**known))
        events = INCIDENTS.decide(self.state, informed, self.now, by)
        for event in events:
            self.version += 1
            self.state = INCIDENTS.evolve(self.state, Fact(version=self.version, at=self.now, by=by, event=event))
        return events

    def pass_gate(self) -> None:
        for criterion in m.CRITERIA:
            self.when(m.ConfirmCriterion(criterion=criterion))


def test_one_line_declares_and_who_declares_commands_for_now():
    incident = History().state
    assert incident.status == "open"
    assert incident.commander == "ana"
    assert incident.commander_is_temporary


def test_unknown_impact_starts_at_the_worst_plausible_severity():
    incident = History(worst_severity="sev-1").state
    assert incident.severity == "sev-1"
    assert incident.severity_assumed


def test_declared_from_an_alert_the_times_come_from_the_alert_and_the_page():
    known = {
        "started_at": T0 - timedelta(minutes=9),
        "detected_at": T0 - timedelta(minutes=5),
        "page_acknowledged_at": T0 - timedelta(minutes=3),
    }
    incident = History(**known).state
    assert incident.started_at == T0 - timedelta(minutes=9)
    assert incident.detected_at == T0 - timedelta(minutes=5)
    assert incident.acknowledged_at == T0 - timedelta(minutes=3)


def test_a_start_in_the_future_is_refused():
    with pytest.raises(Invalid, match="future"):
        History(m.Declare(title="x", started_at=T0 + timedelta(hours=1)))


def test_handing_command_over_leaves_exactly_one_commander():
    incident = History()
    events = incident.when(m.AssignRole(role="ic", person="bo"))
    assert events == [m.RoleAssigned(role="ic", person="bo", previous="ana", was_temporary=True)]
    assert incident.state.roles["ic"] == ("bo",)
    assert not incident.state.commander_is_temporary


def test_command_cannot_be_laid_down_only_handed_over():
    with pytest.raises(Refused, match="hand it over"):
        History().when(m.ReleaseRole(role="ic", person="ana"))


def test_several_experts_may_help_at_once():
    incident = History()
    incident.when(m.AssignRole(role="sme", person="bo"))
    incident.when(m.AssignRole(role="sme", person="cem"))
    assert incident.state.roles["sme"] == ("bo", "cem")
    incident.when(m.ReleaseRole(role="sme", person="bo"))
    assert incident.state.roles["sme"] == ("cem",)


def test_raising_the_severity_needs_no_reason():
    incident = History(m.Declare(title="x", severity="sev-3"))
    incident.when(m.SetSeverity(severity="sev-1"))
    assert incident.state.severity == "sev-1"


def test_an_assumed_severity_can_be_confirmed_once():
    incident = History(worst_severity="sev-1")
    assert incident.when(m.SetSeverity(severity="sev-1"))
    assert not incident.state.severity_assumed
    assert incident.when(m.SetSeverity(severity="sev-1")) == []


def test_lowering_the_severity_asks_what_makes_us_certain():
    incident = History(m.Declare(title="x", severity="sev-1"))
    with pytest.raises(Invalid, match="what makes us certain"):
        incident.when(m.SetSeverity(severity="sev-2", reason="  "))
    incident.when(m.SetSeverity(severity="sev-2", reason="only one region, measured"))
    assert incident.state.severity == "sev-2"


def test_raising_the_severity_never_makes_the_next_update_later():
    incident = History(m.Declare(title="x", severity="sev-3"), update_every_min=20)
    due = incident.state.next_update_at
    incident.when(m.SetSeverity(severity="sev-1"), after_min=1, update_every_min=30)
    assert incident.state.next_update_at == due


def test_an_update_promises_the_next_one():
    incident = History(update_every_min=30)
    incident.when(m.PostUpdate(condition="42 % errors", needs="a DBA"), after_min=10, update_every_min=30)
    assert incident.state.next_update_at == T0 + timedelta(minutes=40)
    incident.when(m.PostUpdate(condition="better", next_update_in_min=15))
    assert incident.state.next_update_at == T0 + timedelta(minutes=25)


def test_stages_move_both_ways_while_it_is_open():
    incident = History()
    incident.when(m.SetStage(stage="mitigation"))
    incident.when(m.SetStage(stage="investigation"))
    assert incident.state.stage == "investigation"


@pytest.mark.parametrize("stage", ["recovery", "analysis"])
def test_recovery_cannot_be_reached_around_the_gate(stage: m.Stage):
    with pytest.raises(Refused, match="four criteria"):
        History().when(m.SetStage(stage=stage))


def test_working_on_the_full_fix_means_that_the_impact_is_mitigated():
    incident = History()
    incident.when(m.SetStage(stage="resolution"), after_min=20)
    assert incident.state.mitigated_at == T0 + timedelta(minutes=20)


def test_resolving_names_the_criteria_that_nobody_confirmed():
    incident = History()
    incident.when(m.ConfirmCriterion(criterion="restored"))
    with pytest.raises(Refused, match="customers feel nothing") as refused:
        incident.when(m.ResolveIncident())
    assert refused.value.data["missing"] == ["impact_ended", "stable", "no_residual"]


def test_with_all_four_criteria_it_resolves_and_recovery_begins():
    incident = History()
    incident.pass_gate()
    incident.when(m.ResolveIncident(), after_min=45)
    assert incident.state.status == "resolved"
    assert incident.state.stage == "recovery"
    assert incident.state.resolved_at == T0 + timedelta(minutes=45)


def test_stable_cannot_be_confirmed_while_an_alert_of_it_fires():
    incident = History()
    with pytest.raises(Refused, match="A-7"):
        incident.when(m.ConfirmCriterion(criterion="stable"), firing=(7,))


def test_a_criterion_may_be_overridden_with_a_reason_that_stays_on_record():
    incident = History()
    incident.when(m.OverrideCriterion(criterion="stable", reason="A-7 is the known flapping probe"), BO)
    mark = incident.state.gate["stable"]
    assert (mark.by, mark.override) == ("bo", "A-7 is the known flapping probe")


def test_a_criterion_that_no_longer_holds_is_withdrawn():
    incident = History()
    incident.pass_gate()
    incident.when(m.WithdrawCriterion(criterion="stable", reason="errors are back"))
    with pytest.raises(Refused, match="no alert of it fires"):
        incident.when(m.ResolveIncident())


def test_the_all_clear_follows_the_resolution():
    incident = History()
    with pytest.raises(Refused, match="follows the resolution"):
        incident.when(m.GiveAllClear())
    incident.pass_gate()
    incident.when(m.ResolveIncident())
    incident.when(m.GiveAllClear(message="Payments work again."))
    assert (incident.state.status, incident.state.stage) == ("closed", "analysis")


def test_a_false_alarm_closes_without_the_gate():
    incident = History()
    incident.when(m.CloseFalseAlarm(note="a test card"))
    assert incident.state.status == "false_alarm"


def test_reopening_keeps_the_history_and_empties_the_gate():
    incident = History()
    incident.pass_gate()
    incident.when(m.ResolveIncident())
    incident.when(m.Reopen(reason="errors are back"))
    assert incident.state.is_open
    assert incident.state.gate == {}
    assert incident.state.resolved_at is None


def test_an_ended_incident_still_takes_notes_but_no_updates():
    incident = History()
    incident.when(m.CloseFalseAlarm())
    assert incident.when(m.AddNote(text="seen again in the log"))
    with pytest.raises(Refused, match="Reopen"):
        incident.when(m.PostUpdate(condition="x"))


def test_times_corrected_later_must_make_sense():
    incident = History()
    incident.when(m.CorrectTimes(started_at=T0 - timedelta(minutes=30), reason="deploy log"))
    assert incident.state.started_at == T0 - timedelta(minutes=30)
    with pytest.raises(Invalid, match="before it began"):
        incident.when(m.CorrectTimes(started_at=T0 + timedelta(minutes=1), reason="x"))


def test_an_incident_that_was_never_declared_takes_no_command():
    with pytest.raises(NotFound):
        INCIDENTS.decide(INCIDENTS.initial("INC-9"), m.Informed(command=m.AddNote(text="x"), known=m.Known()), T0, ANA)


PEOPLE = st.sampled_from(["ana", "bo", "cem"])
ROLES = st.sampled_from(list(m.ROLE_TITLES))
COMMANDS = st.one_of(
    st.builds(m.AssignRole, role=ROLES, person=PEOPLE),
    st.builds(m.ReleaseRole, role=ROLES, person=PEOPLE),
    st.builds(m.SetSeverity, severity=st.sampled_from(["sev-1", "sev-2", "sev-3"]), reason=st.sampled_from(["", "r"])),
    st.builds(m.SetStage, stage=st.sampled_from(m.STAGES)),
    st.builds(m.PostUpdate, condition=st.just("c")),
    st.builds(m.ConfirmCriterion, criterion=st.sampled_from(list(m.CRITERIA))),
    st.builds(m.WithdrawCriterion, criterion=st.sampled_from(list(m.CRITERIA)), reason=st.just("r")),
    st.builds(m.MarkMitigated),
    st.builds(m.ResolveIncident),
    st.builds(m.GiveAllClear),
    st.builds(m.CloseFalseAlarm),
    st.builds(m.Reopen, reason=st.just("r")),
)


@given(st.lists(COMMANDS, max_size=40))
def test_whatever_happens_there_is_exactly_one_commander_and_no_way_around_the_gate(commands: list[m.ResponderCommand]):
    incident = History()
    for command in commands:
        before = incident.state
        try:
            incident.when(command, after_min=1)
        except Sev1Error:
            assert incident.state == before
        assert len(incident.state.roles["ic"]) == 1
        if incident.state.status in {"resolved", "closed"}:
            assert not incident.state.missing
            assert incident.state.resolved_at is not None
            assert incident.state.mitigated_at is not None
