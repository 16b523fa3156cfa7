"""What sev1 notices by itself goes the way of every alert: inbox, triage, page, and it can be explained."""

from datetime import timedelta

import aiosmtplib
import msgspec
import pytest

from sev1.access import keys
from sev1.access.model import OPERATOR
from sev1.catalog import store
from sev1.catalog.load import load
from sev1.catalog.model import Composite, Heartbeat
from sev1.cli.demo import SAMPLE

BACKUP = Heartbeat(name="order-export", service="checkout", every_s=60, grace_s=30, severity="critical")
BOTH = Composite(name="both", summary="Two at once", match=('alertname="One"', 'alertname="Two"'), severity="critical")


@pytest.fixture
async def secret(stage) -> str:
    """The key for heartbeats, with a heartbeat and a composite in the catalog."""
    now = stage.clock.now()
    catalog = msgspec.structs.replace(load(SAMPLE), heartbeats={BACKUP.name: BACKUP}, composites={BOTH.name: BOTH})
    async with stage.node.db.connection() as conn:
        await store.write(conn, catalog, actor="test", now=now)
    return (await keys.create(stage.node.db, kind="heartbeat", by=OPERATOR, now=now)).secret


async def later(stage, seconds: int) -> None:
    end = stage.clock.now() + timedelta(seconds=seconds)
    while True:
        while await stage.node.watch():
            pass
        await stage.settle()
        if stage.clock.now() >= end:
            return
        stage.clock.advance(seconds=min(10, (end - stage.clock.now()).total_seconds()))


async def test_a_missed_heartbeat_wakes_who_is_on_call_and_its_return_ends_the_alert(stage, secret):
    url = f"/heartbeat/{secret}/order-export"
    assert (await stage.http.get(url)).text == "ok\n"
    await later(stage, 80)
    assert await stage.api("GET", "/pages") == []
    await later(stage, 20)
    [page] = await stage.api("GET", "/pages")
    assert page["title"] == "The heartbeat order-export was missed"
    [alert] = (await stage.api("GET", "/alerts?status=firing"))["alerts"]
    assert alert["labels"]["watch"] == "heartbeat"
    assert [s["name"] for s in alert["verdict"]["stages"]] == ["dedup", "silence", "inhibit", "tier", "route", "group"]
    assert stage.mailed("order-export")
    [watch] = [w for w in (await stage.api("GET", "/watch"))["watches"] if w["name"] == "order-export"]
    assert (watch["status"], watch["firing"]) == ("trouble", True)
    assert watch["why"].startswith("Missed: expected every 60 s")
    assert (await stage.http.post(url)).status_code == 200
    await later(stage, 1)
    assert (await stage.api("GET", "/alerts?status=firing"))["alerts"] == []
    assert (await stage.api("GET", "/watch"))["state"] == "ok"


async def test_a_head_request_is_no_sign_of_life(stage, secret):
    assert (await stage.http.head(f"/heartbeat/{secret}/order-export")).status_code == 405
    [watch] = [w for w in (await stage.api("GET", "/watch"))["watches"] if w["kind"] == "heartbeat"]
    assert watch["last_seen"] is None


async def test_a_wrong_key_a_key_of_another_kind_and_an_unknown_name_are_no_sign_of_life(stage, secret):
    assert (await stage.http.get("/heartbeat/wrong/order-export")).status_code == 401
    assert (await stage.http.get(f"/heartbeat/{stage.key}/order-export")).status_code == 403
    assert (await stage.http.get(f"/heartbeat/{secret}/nothing")).status_code == 404
    assert (await stage.http.get(f"/heartbeat/{secret}/{'x' * 5000}")).status_code == 404


async def test_a_key_that_beats_too_fast_is_asked_to_slow_down(stage, secret, monkeypatch):
    monkeypatch.setattr(stage.node.keyring, "allows", lambda _: False)
    answer = await stage.http.get(f"/heartbeat/{secret}/order-export")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_token_can_give_a_sign_of_life_too(stage, secret):
    await stage.api("POST", "/heartbeats/order-export", expect=204)
    await stage.node.watch()
    [watch] = [w for w in (await stage.api("GET", "/watch"))["watches"] if w["kind"] == "heartbeat"]
    assert watch["status"] == "ok"


async def test_two_alerts_at_once_are_one_more_alert_and_it_ends_with_one_of_them(stage, secret):
    one = await stage.fires("One", labels={"severity": "info"})
    await later(stage, 10)
    assert await stage.api("GET", "/pages") == []
    await stage.fires("Two", labels={"severity": "info"})
    await later(stage, 10)
    assert [page["title"] for page in await stage.api("GET", "/pages")] == ["Two at once"]
    await stage.ends(one)
    await later(stage, 10)
    firing = (await stage.api("GET", "/alerts?status=firing"))["alerts"]
    assert "both" not in {alert["labels"]["alertname"] for alert in firing}


async def test_counted_events_add_up_in_the_alert(stage, secret):
    key = await keys.create(stage.node.db, kind="json", by=OPERATOR, now=stage.clock.now())
    for count in (3, 4):
        body = {"summary": "Errors in the log", "key": "log", "severity": "info", "count": count}
        assert (await stage.http.post(f"/integrations/{key.secret}/events", json=body)).status_code == 202
        await stage.settle()
    [alert] = (await stage.api("GET", "/alerts?status=firing"))["alerts"]
    assert alert["times"] == 7


async def test_a_mail_wakes_somebody_and_its_recovery_ends_it(stage, secret):
    node = stage.node
    key = await keys.create(node.db, kind="mail", by=OPERATOR, now=stage.clock.now(), service="checkout")
    await node.mail_in.start(port=0)
    for subject, firing in (("CRITICAL: Payments fail", 1), ("OK: Payments fail", 0)):
        mail = f"From: mon@x.example\r\nSubject: {subject}\r\n\r\n42 % fail\r\n".encode()
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=node.mail_in.port, start_tls=False)
        await client.connect()
        await client.sendmail("mon@x.example", [f"{key.secret}@sev1.test"], mail)
        await client.quit()
        await stage.settle()
        assert len((await stage.api("GET", "/alerts?status=firing"))["alerts"]) == firing
    assert stage.mailed("Payments fail")
