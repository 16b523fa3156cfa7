"""Somebody says that the fix is in; sev1 watches the page's alerts and says whether it helped (mission 5.6)."""

from typing import Any

import pytest
from typer.testing import CliRunner

from sev1.access.model import Role
from sev1.cli import respond
from sev1.cli.main import app as cli
from tests.live.shared_app import app_of
from tests.live.someone import Someone, signed_in
from tests.scenarios.stage import Stage


@pytest.fixture
async def ana(stage: Stage) -> Someone:
    return await signed_in(stage.node, app_of(stage.node), "ana")


async def says_fixed(stage: Stage, ana: Someone, note: str = "rolled back") -> None:
    answer = await ana.send("/pages/P-1/commands", on="/pages/P-1", form="fix", type="report_fix", note=note)
    assert answer.status_code == 303, answer.text
    await stage.settle()


async def pagerduty(stage: Stage) -> None:
    """A sender that never says that it is over."""
    event = {
        "routing_key": stage.pagerduty_key,
        "event_action": "trigger",
        "dedup_key": "db-1",
        "payload": {"summary": "Disk full on db-1", "source": "db-1", "severity": "critical"},
    }
    assert (await stage.http.post("/v2/enqueue", json=event)).status_code == 202
    await stage.settle()


async def test_a_fix_that_did_not_help_is_told_to_whoever_made_it_as_urgently_as_the_page(stage: Stage, ana: Someone):
    await stage.fires()
    await says_fixed(stage, ana)
    page = await stage.page()
    assert (page["status"], page["acknowledged_by"], page["fix"]["outcome"]) == ("acknowledged", "ana", "watched")
    assert "Watching until 03:19 UTC whether your fix helps." in await ana.see("/pages/P-1")
    await stage.later(minutes=4, seconds=50)
    assert stage.mailed("[Still firing]") == []
    await stage.later(seconds=20)
    assert stage.mailed("[Still firing] checkout: Card payments fail") == ["ana@nordlicht.example"]
    mail = stage.post.mails[-1]
    assert mail["Importance"] == "high"
    assert "5 min after your fix one alert still fires" in str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    html = await ana.see("/pages/P-1")
    assert "Your fix at 03:14 UTC did not help: one alert still fires." in html
    assert "It is over — resolve the page" not in html
    explained = str(await stage.api("GET", "/explanations?about=P-1"))
    assert "said that the fix is in: rolled back (web)" in explained
    assert "The fix did not help: one alert still fires after 5 min: Card payments fail: 42 % errors." in explained


async def test_what_stays_quiet_is_proposed_to_be_resolved_with_the_note_as_the_reason(stage: Stage, ana: Someone):
    await pagerduty(stage)
    await says_fixed(stage, ana, "freed 40 GB")
    await stage.later(minutes=5, seconds=20)
    assert (await stage.page())["fix"]["outcome"] == "helped"
    assert stage.mailed("[Quiet]") == ["ana@nordlicht.example"]
    html = await ana.see("/pages/P-1")
    assert "Quiet since your fix at 03:14 UTC." in html
    assert 'name="reason" value="Fixed: freed 40 GB"' in html
    await stage.answers("P-1", "resolve", reason="Fixed: freed 40 GB")
    page = await stage.page()
    assert (page["status"], page["resolution"]) == ("resolved", "Fixed: freed 40 GB")


async def test_what_never_ends_by_itself_and_comes_again_says_that_it_did_not_help(stage: Stage, ana: Someone):
    await pagerduty(stage)
    await says_fixed(stage, ana)
    await stage.later(minutes=2)
    await pagerduty(stage)
    await stage.later(minutes=3, seconds=20)
    assert (await stage.page())["fix"]["outcome"] == "did-not-help"
    assert len(stage.mailed("[Still firing]")) == 1


async def test_alerts_that_end_during_the_watch_end_the_page_and_the_watch(stage: Stage, ana: Someone):
    alert = await stage.fires()
    await says_fixed(stage, ana)
    await stage.later(minutes=2)
    await stage.ends(alert)
    page = await stage.page()
    assert (page["status"], page["resolution"]) == ("resolved", "All alerts resolved.")
    await stage.later(minutes=10)
    assert stage.mailed("[Still firing]") == stage.mailed("[Quiet]") == []


async def test_nobody_is_paged_again_for_being_quiet_while_a_fix_is_watched(stage: Stage, ana: Someone):
    await pagerduty(stage)
    await says_fixed(stage, ana)
    await stage.later(minutes=34)
    assert (await stage.page())["status"] == "acknowledged"
    await stage.later(minutes=2)
    assert (await stage.page())["status"] == "triggered"


async def test_a_viewer_sees_what_became_of_a_fix_and_cannot_report_one(stage: Stage, ana: Someone):
    await stage.fires()
    await says_fixed(stage, ana)
    viewer = await signed_in(stage.node, app_of(stage.node), "bo", Role.VIEWER)
    html = await viewer.see("/pages/P-1")
    assert "Watching until 03:19 UTC whether Ana Ribeiro’s fix helps." in html
    assert "report_fix" not in html
    answer = await viewer.send("/pages/P-1/commands", type="report_fix")
    assert answer.status_code == 403


async def test_a_note_that_is_too_long_is_refused_with_what_was_typed_kept(stage: Stage, ana: Someone):
    await stage.fires()
    answer = await ana.send("/pages/P-1/commands", on="/pages/P-1", form="fix", type="report_fix", note="x" * 501)
    assert answer.status_code == 400
    assert "the note is longer than 500 characters" in answer.text
    assert "x" * 501 in answer.text
    assert (await stage.page())["status"] == "triggered"


async def test_the_fix_is_reported_from_a_terminal_with_the_same_words(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    await stage.fires()
    sent: list[Any] = []

    def call(method: str, path: str, body: Any = None) -> Any:
        sent.append((method, path, body))
        return {"fix": {"until": "2026-03-02T03:19:00Z"}}

    monkeypatch.setattr(respond, "call", call)
    result = CliRunner().invoke(cli, ["fixed", "P-1", "--note", "rolled back"])
    assert result.output == "watched until 2026-03-02T03:19:00Z\n"
    [(method, path, body)] = sent
    after = await stage.api(method, path.removeprefix("/api/v1"), body)
    assert after["fix"]["note"] == "rolled back"
    await stage.api("POST", "/pages/P-1/commands", {"type": "report_fix", "alerts": []}, expect=400)
    await stage.api("POST", "/pages/P-9/commands", {"type": "report_fix"}, expect=404)
