"""Alertmanager's API v2 as its readers see it. Statuses, codes and words were seen with Alertmanager 0.25."""

import uuid
from datetime import timedelta
from typing import Any

from .door import Door, Holder
from .world import print_of

CHECKOUT = {"alertname": "HighErrors", "service": "checkout", "severity": "critical", "env": "prod"}
OTHER = {"alertname": "Slow", "service": "search", "severity": "warning", "env": "staging"}
APP = {"alertname": "AppDown", "severity": "critical", "kind": "app", "env": "prod", "region": "eu"}
DB_DOWN = {"alertname": "DbDown", "severity": "critical", "env": "prod", "region": "eu"}


def silence(name: str = "alertname", value: str = "HighErrors", **changes: Any) -> dict[str, Any]:
    return {
        "matchers": [{"name": name, "value": value, "isRegex": False}],
        "startsAt": "2026-03-02T03:14:00Z",
        "endsAt": "2026-03-02T05:14:00+01:00",
        "createdBy": "me",
        "comment": "reason",
    } | changes


async def add(key: Holder, **changes: Any) -> str:
    answer = await key.post("silences", silence(**changes))
    assert answer.status_code == 200, answer.text
    identity: str = answer.json()["silenceID"]
    return identity


async def test_an_alert_has_the_shape_of_alertmanagers(door: Door):
    key = await door.key()
    await key.fire(CHECKOUT)
    (found,) = await key.read("alerts")
    assert found == {
        "annotations": {},
        "endsAt": "2026-03-02T03:19:00.000Z",
        "fingerprint": print_of(CHECKOUT),
        "receivers": [{"name": "payments-primary"}],
        "startsAt": "2026-03-02T03:14:00.000Z",
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "updatedAt": "2026-03-02T03:14:00.000Z",
        "labels": CHECKOUT,
        "generatorURL": "http://prometheus.test/graph",
    }


async def test_a_resolved_alert_is_not_listed(door: Door):
    key = await door.key()
    await key.fire(CHECKOUT)
    door.world.clock.advance(minutes=6)
    await door.world.triage()
    assert await key.read("alerts") == []


ASKED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["HighErrors", "Slow"]),
    ({"filter": 'alertname="Slow"'}, ["Slow"]),
    ({"filter": ['env=~"prod|staging"', "alertname!=Slow"]}, ["HighErrors"]),
    ({"filter": 'team=""'}, ["HighErrors", "Slow"]),
    ({"filter": '{"env"="prod"}'}, ["HighErrors"]),
    ({"receiver": "payments.*"}, ["HighErrors"]),
    ({"receiver": "payments"}, []),
    ({"receiver": "ticket"}, ["Slow"]),
    ({"active": "false"}, []),
    ({"active": "maybe"}, []),
    ({"active": "true", "unprocessed": "true", "no-such-parameter": "x"}, ["HighErrors", "Slow"]),
]


async def test_alerts_are_filtered_as_asked(door: Door):
    key = await door.key()
    await key.fire(CHECKOUT, OTHER)
    for params, names in ASKED:
        assert sorted(a["labels"]["alertname"] for a in await key.read("alerts", **params)) == names, params


async def test_suppressed_alerts_say_by_what_and_are_left_out_on_request(door: Door):
    key = await door.key()
    await key.fire(CHECKOUT, DB_DOWN)
    await key.fire(APP)
    identity = await add(key)
    found = {a["labels"]["alertname"]: a for a in await key.read("alerts")}
    assert found["HighErrors"]["status"] == {"state": "suppressed", "silencedBy": [identity], "inhibitedBy": []}
    assert found["AppDown"]["status"] == {
        "state": "suppressed", "silencedBy": [], "inhibitedBy": [print_of(DB_DOWN)],
    }  # fmt: skip
    for params, names in (
        ({"silenced": "false"}, {"AppDown", "DbDown"}),
        ({"inhibited": "false"}, {"HighErrors", "DbDown"}),
        ({"silenced": "false", "inhibited": "false"}, {"DbDown"}),
        ({"active": "false"}, {"HighErrors", "AppDown"}),
    ):
        assert {a["labels"]["alertname"] for a in await key.read("alerts", **params)} == names


async def test_groups_are_those_by_which_triage_opens_pages(door: Door):
    key = await door.key()
    await key.fire(*({**CHECKOUT, "instance": name} for name in "ab"), OTHER)
    groups = await key.read("alerts/groups")
    assert [(g["labels"], g["receiver"], len(g["alerts"])) for g in groups] == [
        ({"alertname": "HighErrors", "service": "checkout"}, {"name": "payments-primary"}, 2),
        ({"alertname": "Slow", "service": "search"}, {"name": "ticket"}, 1),
    ]
    assert [g["receiver"]["name"] for g in await key.read("alerts/groups", receiver="ticket")] == ["ticket"]


async def test_status_and_receivers_name_what_the_catalog_has(door: Door):
    key = await door.key()
    status = await key.read("status")
    assert status["cluster"] == {"status": "disabled", "peers": []}
    assert set(status["versionInfo"]) == {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}
    assert "receiver: everyone" in status["config"]["original"]
    assert status["uptime"].endswith("Z")
    names = [receiver["name"] for receiver in await key.read("receivers")]
    assert names == ["everyone", "payments-primary", "ticket", "fyi", "nobody"]


async def test_health_is_answered_below_the_prefix(door: Door):
    key = await door.key()
    for path in ("-/healthy", "-/ready"):
        answer = await door.http.get(f"{key.path}/{path}")
        assert (answer.status_code, answer.text) == (200, "OK")


# silences -------------------------------------------------------------------------------------------------------------


async def test_a_silence_is_made_read_and_ended(door: Door):
    key = await door.key()
    identity = await add(key)
    assert await key.read(f"silence/{identity}") == {
        "id": identity,
        "status": {"state": "active"},
        "updatedAt": "2026-03-02T03:14:00.000Z",
        "comment": "reason",
        "createdBy": "me",
        "endsAt": "2026-03-02T04:14:00.000Z",
        "matchers": [{"name": "alertname", "value": "HighErrors", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-03-02T03:14:00.000Z",
    }
    assert [s["id"] for s in await key.read("silences")] == [identity]
    assert (await key.delete(f"silence/{identity}")).status_code == 200
    assert (await key.read(f"silence/{identity}"))["status"] == {"state": "expired"}
    assert (await key.delete(f"silence/{identity}")).status_code == 200


async def test_silences_in_force_come_first_and_old_ones_are_not_listed(door: Door):
    key = await door.key()
    over = await add(key, endsAt="2026-03-02T03:20:00Z")
    door.world.clock.advance(minutes=10)
    active = await add(key)
    pending = await add(key, startsAt="2026-03-02T04:00:00Z")
    assert [s["id"] for s in await key.read("silences")] == [active, pending, over]
    assert [s["status"]["state"] for s in await key.read("silences")] == ["active", "pending", "expired"]
    door.world.clock.advance(days=6)
    assert await key.read("silences") == []


async def test_silences_are_filtered_by_the_matchers_that_they_have(door: Door):
    key = await door.key()
    one = await add(key)
    two = await add(key, name="env", value="prod")
    assert [s["id"] for s in await key.read("silences", filter='env="prod"')] == [two]
    assert [s["id"] for s in await key.read("silences", filter='alertname="HighErrors"')] == [one]
    assert await key.read("silences", filter='alertname=~"HighErrors"') == []


async def test_prolonging_a_silence_keeps_its_id_and_other_matchers_make_a_new_one(door: Door):
    key = await door.key()
    identity = await add(key)
    stored = await key.read(f"silence/{identity}")
    door.world.clock.advance(minutes=5)
    longer = await key.post("silences", stored | {"endsAt": "2026-03-02T09:00:00Z"})
    assert longer.json() == {"silenceID": identity}
    assert (await key.read(f"silence/{identity}"))["endsAt"] == "2026-03-02T09:00:00.000Z"
    other = (await key.post("silences", silence(value="Slow", id=identity))).json()["silenceID"]
    assert other != identity
    states = {s["id"]: s["status"]["state"] for s in await key.read("silences")}
    assert states == {other: "active", identity: "expired"}


REFUSED: list[tuple[Any, int, Any]] = [
    (b"", 422, {"code": 602, "message": "silence in body is required"}),
    ({}, 422, {"code": 602, "message": "comment in body is required"}),
    (silence(createdBy=None), 422, {"code": 602, "message": "createdBy in body is required"}),
    (silence(matchers=[]), 422, {"code": 612, "message": "matchers in body should have at least 1 items"}),
    (silence(id="abc"), 422, {"code": 601, "message": 'id in body must be of type uuid: "abc"'}),
    (silence(id=str(uuid.UUID(int=1))), 404, "silence not found"),
    (silence(value=""), 400, "At least one matcher must not match the empty string."),
    (silence(comment=" "), 400, "A silence needs a comment: why may these alerts be quiet?"),
    (silence(createdBy=""), 400, "A silence needs an owner: who made it?"),
    (silence(endsAt="2026-03-02T03:00:00Z"), 400, "The end of a silence cannot be in the past."),
    (
        silence(startsAt="2026-03-02T05:00:00Z", endsAt="2026-03-02T04:00:00Z"),
        400,
        "A silence must end after it starts.",
    ),
    (silence(endsAt="9999-12-31T23:59:59-12:00"), 400, "A silence must end before the year 9000."),
    (silence(comment="x" * 2_001), 400, "A comment has at most 2000 characters, an owner 200."),
]
MALFORMED = [b"{", b"[]", b"null", silence(startsAt="2018"), silence(startsAt="2026-03-02T03:14:00"), b'{"matchers":5}']


async def test_a_silence_that_breaks_a_rule_is_refused_and_not_kept(door: Door):
    key = await door.key()
    for body, status, answer in REFUSED:
        refused = await key.post("silences", body)
        assert (refused.status_code, refused.json()) == (status, answer)
    assert await key.read("silences") == []


async def test_a_body_that_is_no_silence_is_malformed(door: Door):
    key = await door.key()
    for body in MALFORMED:
        refused = await key.post("silences", body)
        assert (refused.status_code, refused.json()["code"]) == (400, 400), body
        assert refused.json()["message"].startswith('parsing silence body from "" failed')


async def test_a_bad_regular_expression_is_refused_with_a_sentence(door: Door):
    key = await door.key()
    for pattern in ("(", "a" * 1_001):
        matcher = {"name": "alertname", "value": pattern, "isRegex": True}
        refused = await key.post("silences", silence(matchers=[matcher]))
        assert refused.status_code == 400
        assert "regular expression" in refused.json()


async def test_what_is_not_there_is_answered_as_alertmanager_does(door: Door):
    key = await door.key()
    unknown = uuid.uuid4()
    found = await key.get(f"silence/{unknown}")
    assert (found.status_code, found.content) == (404, b"")
    ended = await key.delete(f"silence/{unknown}")
    assert (ended.status_code, ended.json()) == (404, "silence not found")
    bad = await key.get("silence/abc")
    assert (bad.status_code, bad.json()) == (
        422, {"code": 601, "message": 'silenceID in path must be of type uuid: "abc"'},
    )  # fmt: skip


async def test_a_bad_filter_is_answered_with_a_sentence(door: Door):
    key = await door.key()
    for path in ("alerts", "alerts/groups"):
        for params in ({"filter": "{{"}, {"filter": 'a=~"("'}, {"receiver": "("}):
            refused = await key.get(path, **params)
            assert refused.status_code == 400, (path, params)
            assert isinstance(refused.json(), str)


# scope ----------------------------------------------------------------------------------------------------------------


async def test_a_key_sees_and_silences_only_what_came_through_it(door: Door):
    one, two = await door.key(), await door.key()
    await one.fire(CHECKOUT)
    await two.fire(CHECKOUT, OTHER)
    assert [a["labels"]["alertname"] for a in await one.read("alerts")] == ["HighErrors"]
    identity = await add(one)
    assert {a["status"]["state"] for a in await one.read("alerts")} == {"suppressed"}
    assert {a["status"]["state"] for a in await two.read("alerts")} == {"active"}
    assert await two.read("silences") == []
    assert (await two.get(f"silence/{identity}")).status_code == 404
    assert (await two.delete(f"silence/{identity}")).status_code == 404
    assert (await two.post("silences", silence(id=identity))).status_code == 404
    assert (await one.read(f"silence/{identity}"))["status"] == {"state": "active"}


async def test_a_cause_that_came_through_another_key_is_named_without_its_fingerprint(door: Door):
    one, two = await door.key(), await door.key()
    await one.fire(DB_DOWN)
    await two.fire(APP)
    (found,) = await two.read("alerts")
    assert found["status"] == {"state": "suppressed", "silencedBy": [], "inhibitedBy": ["A-1"]}


async def test_a_silence_of_everybody_holds_and_is_not_the_keys_to_end(door: Door):
    key = await door.key()
    await key.fire(CHECKOUT)
    made = await door.world.silence('env="prod"')
    (found,) = await key.read("alerts")
    assert found["status"]["silencedBy"] == [str(made.id)]
    assert (await key.delete(f"silence/{made.id}")).status_code == 404


async def test_an_unknown_key_reads_nothing(door: Door):
    stranger = Holder(door, "x" * 32, 0)
    for path in ("status", "receivers", "alerts", "alerts/groups", "silences", f"silence/{uuid.uuid4()}"):
        refused = await stranger.get(path)
        assert refused.status_code == 401, path
        assert isinstance(refused.json(), str)


async def test_a_key_for_another_format_reads_nothing(door: Door):
    key = await door.key("pagerduty")
    refused = await key.get("alerts")
    assert (refused.status_code, refused.json()) == (
        403, "This key was made for pagerduty. The Alertmanager API needs a key for prometheus.",
    )  # fmt: skip


async def test_who_made_and_ended_a_silence_is_on_the_audit_log(door: Door):
    key = await door.key()
    identity = await add(key)
    door.world.clock.advance(minutes=1)
    await key.delete(f"silence/{identity}")
    lines = await door.world.rows(
        "SELECT actor, action, subject, data FROM audit_log WHERE action LIKE 'silence.%' ORDER BY id"
    )
    assert [(line["action"], line["subject"]) for line in lines] == [
        ("silence.created", f"silence:{identity}"),
        ("silence.ended", f"silence:{identity}"),
    ]
    assert lines[0]["actor"].startswith("key:")
    assert (lines[0]["data"]["owner"], lines[0]["data"]["comment"]) == ("me", "reason")


async def test_a_silence_made_with_a_key_holds_back_the_page(door: Door):
    key = await door.key()
    await add(key)
    await key.fire(CHECKOUT)
    assert await door.world.pages() == []
    for _ in range(21):
        door.world.clock.advance(minutes=3)
        await key.fire(CHECKOUT)
    assert len(await door.world.pages()) == 1
    assert door.world.clock.now() - (await door.world.page()).opened_at <= timedelta(minutes=3)
