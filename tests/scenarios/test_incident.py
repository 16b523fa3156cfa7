"""An incident from declaration to the draft of its postmortem, through the API."""

from datetime import timedelta

from tests.scenarios.stage import Stage, rfc3339
from tests.scenarios.test_restricted_incidents import browser


async def declared_from_page(stage: Stage) -> str:
    """Began 2 minutes before the alert came, acknowledged after 1, declared after 2."""
    await stage.fires()
    await stage.later(minutes=1)
    await stage.answers("P-1", "acknowledge")
    await stage.later(minutes=1)
    incident = await stage.declares(page="P-1")
    return str(incident["id"])


async def test_an_incident_goes_from_the_alert_to_the_all_clear_and_leaves_its_record(stage: Stage):
    alert = await stage.fires()
    await stage.later(minutes=1)
    await stage.answers("P-1", "acknowledge")
    await stage.later(minutes=1)
    incident = await stage.declares(page="P-1")
    assert incident["id"] == "INC-1"
    assert incident["services"] == ["checkout"]
    assert incident["commander_is_temporary"]
    await stage.does("INC-1", "assign_role", role="ic", person="ana")
    await stage.does("INC-1", "assign_role", role="ops", person="bo")
    await stage.does("INC-1", "post_update", condition="42 % errors", actions="rolling back", needs="a DBA")
    await stage.does("INC-1", "record_decision", decision="Roll back the 03:05 deploy", reason="errors began with it")
    await stage.later(minutes=10)
    await stage.does("INC-1", "mark_mitigated")
    await stage.does("INC-1", "set_stage", stage="resolution")
    await stage.later(minutes=8)
    refused = await stage.does("INC-1", "confirm_criterion", criterion="stable", expect=409)
    assert "A-1" in refused["detail"]
    await stage.ends(alert)
    for criterion in ("restored", "impact_ended", "stable", "no_residual"):
        await stage.does("INC-1", "confirm_criterion", criterion=criterion)
    done = (await stage.does("INC-1", "resolve"))["incident"]
    assert (done["status"], done["stage"]) == ("resolved", "recovery")
    closed = (await stage.does("INC-1", "give_all_clear", message="Payments work again."))["incident"]
    assert closed["status"] == "closed"
    assert closed["times"] == {
        "to_detect_s": 120.0,
        "to_acknowledge_s": 60.0,
        "to_mitigate_s": 720.0,
        "to_resolve_s": 1200.0,
        "response_target_met": True,
    }
    draft = await stage.api("GET", "/incidents/INC-1/postmortem")
    for title in ("Summary", "Timeline", "Impact", "Contributing causes", "Detection", "Mitigation", "Resolution",
                  "Lessons", "Action items", "Prevention"):  # fmt: skip
        assert f". {title}\n" in draft
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    for entry in timeline:
        assert entry["at"][11:19] in draft
    assert "Decision D1: Roll back the 03:05 deploy" in draft
    assert "| acknowledge | 1 min (within the target) |" in draft
    assert "| resolve | 20 min |" in draft


async def test_declaring_and_the_all_clear_are_announced_and_responders_are_stood_down(stage: Stage):
    key = await declared_from_page(stage)
    assert stage.mailed("INC-1 SEV-1 declared") == ["incidents@nordlicht.example"]
    await stage.does(key, "assign_role", role="ic", person="ana")
    await stage.does(key, "assign_role", role="ops", person="bo")
    for criterion in ("restored", "impact_ended", "stable", "no_residual"):
        await stage.does(key, "override_criterion", criterion=criterion, reason="drill")
    await stage.does(key, "resolve")
    await stage.does(key, "give_all_clear", message="Over.")
    told = stage.mailed("All clear")
    assert set(told) == {"incidents@nordlicht.example", "ana@nordlicht.example", "bo@nordlicht.example"}
    assert (await stage.page())["status"] == "resolved"


async def test_one_line_is_enough_to_declare(stage: Stage):
    incident = await stage.declares("Something is odd with the cart")
    assert (incident["severity"], incident["severity_assumed"]) == ("sev-1", True)


async def test_a_program_that_declares_hands_command_to_who_is_on_call(stage: Stage):
    on_call = await stage.api("GET", "/on-call")
    payments = next(s for s in on_call if s["schedule"] == "payments-primary")
    incident = await stage.declares(services=["checkout"])
    assert incident["commander"] == payments["now"]["person"]


async def test_lowering_the_severity_asks_for_the_reason_and_changes_nothing_without(stage: Stage):
    await stage.declares(severity="sev-1")
    refused = await stage.does("INC-1", "set_severity", severity="sev-3", expect=400)
    assert "what makes us certain" in refused["detail"]
    assert (await stage.api("GET", "/incidents/INC-1"))["severity"] == "sev-1"
    await stage.does("INC-1", "set_severity", severity="sev-3", reason="one region only, measured")
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    assert timeline[-1]["headline"] == "Severity lowered: SEV-1 → SEV-3"


async def test_command_can_be_handed_over_but_not_laid_down(stage: Stage):
    await stage.declares(services=["checkout"])
    first = (await stage.api("GET", "/incidents/INC-1"))["commander"]
    await stage.does("INC-1", "release_role", role="ic", person=first, expect=409)
    after = (await stage.does("INC-1", "assign_role", role="ic", person="hana"))["incident"]
    assert after["roles"]["ic"] == ["hana"]


async def test_names_that_do_not_exist_are_refused_with_what_to_do(stage: Stage):
    await stage.declares()
    nobody = await stage.does("INC-1", "assign_role", role="ops", person="zoe", expect=400)
    assert "zoe" in nobody["detail"]
    service = await stage.api("POST", "/incidents", {"type": "declare", "title": "x", "services": ["nope"]}, expect=400)
    assert "nope" in service["detail"]
    assert len(await stage.api("GET", "/incidents")) == 1


async def test_a_responder_paged_from_the_incident_is_woken_and_their_page_belongs_to_it(stage: Stage):
    await stage.declares()
    await stage.does("INC-1", "page_responder", person="gus", ask="Is the standby in sync?")
    assert stage.mailed("Is the standby in sync?") == ["gus@nordlicht.example"]
    assert (await stage.page())["incident"] == "INC-1"
    await stage.later(minutes=5)
    assert len(stage.mailed("Is the standby in sync?")) == 2


async def test_alerts_that_come_later_join_the_incident_of_their_page(stage: Stage):
    await declared_from_page(stage)
    await stage.fires(labels={"instance": "checkout-7"})
    alerts = (await stage.api("GET", "/alerts"))["alerts"]
    assert {a["incident"] for a in alerts} == {"INC-1"}


async def test_a_false_alarm_is_counted_but_not_timed(stage: Stage):
    await stage.declares()
    await stage.does("INC-1", "close_false_alarm", note="A test card.")
    measures = await stage.api("GET", "/measures")
    assert (measures["incidents"], measures["false_alarms"], measures["mttr"]["count"]) == (0, 1, 0)


async def test_thirty_days_are_summed_up(stage: Stage):
    for minutes in (10, 30):
        started = stage.clock.now() - timedelta(minutes=5)
        key = (await stage.declares(started_at=rfc3339(started)))["id"]
        await stage.later(minutes=minutes)
        for criterion in ("restored", "impact_ended", "stable", "no_residual"):
            await stage.does(key, "confirm_criterion", criterion=criterion)
        await stage.does(key, "resolve")
    measures = await stage.api("GET", "/measures?days=30")
    assert measures["mttr"] == {"count": 2, "mean_s": 1200.0, "median_s": 1200.0, "longest_s": 1800.0}
    assert measures["mttd"]["mean_s"] == 300.0


async def test_an_incident_number_is_never_skipped(stage: Stage):
    await stage.declares()
    await stage.api("POST", "/incidents", {"type": "declare", "title": "x", "severity": "sev-9"}, expect=400)
    await stage.api("POST", "/incidents", {"type": "declare", "title": "x", "commander": "nobody"}, expect=400)
    assert (await stage.declares())["id"] == "INC-2"


async def test_an_unknown_command_is_refused_by_name(stage: Stage):
    await stage.declares()
    answer = await stage.does("INC-1", "explode", expect=400)
    assert "explode" in answer["detail"]


async def test_one_line_declares_from_anywhere_by_api_and_on_the_page(stage: Stage):
    made = await stage.api("POST", "/lines", {"line": "/declare Card payments fail sev 2 on checkout @bo"})
    assert (made["title"], made["severity"], made["services"], made["commander"]) == (
        "Card payments fail",
        "sev-2",
        ["checkout"],
        "bo",
    )
    refused = await stage.api("POST", "/lines", {"line": "/can it works"}, expect=400)
    assert "Outside of an incident a line declares one" in refused["detail"]
    refused = await stage.api("POST", "/lines", {"line": "/declare It is slow on chekout"}, expect=400)
    assert "Did you mean checkout?" in refused["detail"]
    ana = await browser(stage, "ana")
    form = {"form": "declare", "title": "/declare Search is slow sev 3 on search", "csrf": ana["X-CSRF-Token"]}
    assert (await stage.http.post("/incidents/new", headers=ana, data=form)).status_code == 303
    second = await stage.api("GET", "/incidents/INC-2")
    assert (second["title"], second["severity"], second["services"]) == ("Search is slow", "sev-3", ["search"])
