"""A risk is accepted, brought to mind, renewed and closed, through API, page, mail and audit log (mission 7.5)."""

from datetime import timedelta
from typing import Any

from tests.scenarios.stage import Stage, rfc3339
from tests.scenarios.test_restricted_incidents import browser


async def accepts(stage: Stage, days: float = 30, **more: Any) -> Any:
    body = {
        "risk": "The standby lags behind at peak",
        "reason": "The bigger disk comes in April",
        "monitoring": "replication lag, paged above 30 s",
        "until": rfc3339(stage.clock.now() + timedelta(days=days)),
        "service": "checkout",
        **more,
    }
    return await stage.api("POST", "/risks", body)


async def jump(stage: Stage, **delta: float) -> None:
    stage.clock.jump_to(stage.clock.now() + timedelta(**delta))
    while await stage.node.risks():
        pass
    await stage.settle()


async def told(stage: Stage) -> list[str]:
    return [str(mail["Subject"]) for mail in stage.post.mails if "RISK-1" in str(mail["Subject"])]


async def test_who_decided_is_reminded_a_week_and_a_day_before_and_at_the_end(stage: Stage):
    ana = await browser(stage, "ana")
    form = {
        "form": "risk",
        "risk": "The standby lags behind at peak",
        "reason": "The bigger disk comes in April",
        "monitoring": "replication lag",
        "until": (stage.clock.now() + timedelta(days=30)).date().isoformat(),
        "csrf": ana["X-CSRF-Token"],
    }
    assert (await stage.http.post("/risks", headers=ana, data=form)).status_code == 303
    await jump(stage, days=20)
    assert await told(stage) == []
    await jump(stage, days=4)
    await jump(stage, days=6)
    await jump(stage, days=2)
    assert len(await told(stage)) == 3
    assert stage.mailed("RISK-1") == ["ana@nordlicht.example"] * 3
    assert "is accepted for 7 more days" in (await told(stage))[0]
    assert "is no longer accepted: renew it with a reason, or close it" in (await told(stage))[2]
    await jump(stage, days=6)
    assert len(await told(stage)) == 3
    await jump(stage, days=2)
    assert len(await told(stage)) == 4


async def test_a_program_names_the_service_so_that_somebody_is_reminded(stage: Stage):
    body = {"risk": "r", "reason": "r", "monitoring": "m", "until": rfc3339(stage.clock.now() + timedelta(days=9))}
    refused = await stage.api("POST", "/risks", body, expect=400)
    assert "somebody has to be reminded" in refused["detail"]
    assert await stage.api("GET", "/risks") == []


async def test_who_is_on_call_for_the_service_is_reminded_as_well(stage: Stage):
    await accepts(stage)
    await jump(stage, days=24)
    assert len(stage.mailed("RISK-1")) == 1  # the token that decided has no mail
    assert stage.mailed("RISK-1")[0].endswith("@nordlicht.example")


async def test_it_is_shown_on_the_service_and_on_incidents_of_it_renewed_and_closed(stage: Stage):
    hana = await browser(stage, "hana")
    await stage.declares("Card payments fail", services=["checkout"], commander="ana")
    risk = await accepts(stage, incident="INC-1", match=['alertname="ReplicationLag"'])
    assert risk["id"] == "RISK-1"
    for path in ("/risks", "/catalog/services/checkout", "/incidents/INC-1"):
        assert "The standby lags behind at peak" in (await stage.http.get(path, headers=hana)).text, path
    refused = await stage.api(
        "POST", "/risks/1/renew", {"until": rfc3339(stage.clock.now() + timedelta(days=99)), "reason": "x"}, expect=400
    )
    assert "at most 90 days" in refused["detail"]
    renewed = await stage.api(
        "POST", "/risks/1/renew", {"until": rfc3339(stage.clock.now() + timedelta(days=60)), "reason": "May"}
    )
    assert [one["reason"] for one in renewed["renewals"]] == ["May"]
    await jump(stage, days=40)
    assert await told(stage) == []
    await stage.api("POST", "/risks/1/close", {"outcome": "The disk is there"})
    await jump(stage, days=60)
    assert await told(stage) == []
    await stage.api("POST", "/risks/1/close", {"outcome": "again"}, expect=409)
    assert [one["action"] for one in await stage.api("GET", "/audit") if one["subject"] == "RISK-1"][::-1] == [
        "risk.accepted",
        "risk.renewed",
        "risk.closed",
    ]


async def test_a_restricted_incident_is_not_named_by_the_risk_that_came_up_in_it(stage: Stage):
    hana = await browser(stage, "hana")
    await stage.declares("Kestrel credentials were stolen", restricted=True, commander="ana")
    await accepts(stage, incident="INC-1")
    assert "INC-1" not in (await stage.http.get("/risks", headers=hana)).text
    form = {
        "form": "risk", "risk": "r", "reason": "r", "monitoring": "m", "incident": "INC-1",
        "until": (stage.clock.now() + timedelta(days=3)).date().isoformat(), "csrf": hana["X-CSRF-Token"],
    }  # fmt: skip
    answer = await stage.http.post("/risks", headers=hana, data=form)
    assert answer.status_code == 404
    assert "There is no incident INC-1." in answer.text


async def test_a_signal_becomes_a_restricted_incident_without_the_audit_log_naming_it(stage: Stage):
    await stage.api("POST", "/signals", {"text": "Odd logins at night"})
    await stage.api("POST", "/signals/1/promote", {"restricted": True})
    assert (await stage.api("GET", "/incidents/INC-1"))["restricted"] is True
    entries = [one for one in await stage.api("GET", "/audit") if one["subject"] == "SIG-1"]
    assert all("INC-1" not in str(one) for one in entries)
