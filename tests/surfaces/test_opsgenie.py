"""The Alert API from outside, as an Opsgenie client uses it: posted to intake, triaged, read back."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sev1.access import keys
from sev1.access.model import OPERATOR
from sev1.app import Node
from sev1.engine.clock import FakeClock
from sev1.engine.settings import Settings
from sev1.intake import misunderstood
from sev1.triage import alerts
from sev1.triage.model import AlertRow
from tests.live.shared_app import asgi_of


@pytest.fixture
async def node(fresh_database_url: str, clock: FakeClock) -> AsyncIterator[Node]:
    async with Node(Settings(public_url="http://sev1.test"), fresh_database_url, clock=clock) as node:
        yield node


class Client:
    """What an Opsgenie client does, by its answers."""

    def __init__(self, node: Node, http: httpx.AsyncClient, key: str) -> None:
        self.node = node
        self.http = http
        self.key = key
        self.headers = {"Authorization": f"GenieKey {key}"}

    async def call(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        return await self.http.request(method, path, json=body, params=query, headers=self.headers)

    async def does(self, method: str, path: str, body: object = None, **query: str) -> str:
        """Number of the request, once it is processed."""
        answer = await self.call(method, path, body, **query)
        assert answer.status_code == 202, answer.text
        said = answer.json()
        assert set(said) == {"result", "took", "requestId"}
        assert said["result"] == "Request will be processed"
        await self.triage()
        return said["requestId"]

    async def triage(self) -> None:
        while await self.node.triage():
            pass

    async def status(self, request_id: str) -> dict[str, object]:
        answer = await self.call("GET", f"/v2/alerts/requests/{request_id}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["requestId"] == request_id
        return answer.json()["data"]

    async def alerts(self) -> list[AlertRow]:
        async with self.node.db.connection() as conn:
            return (await alerts.list_alerts(conn)).alerts[::-1]

    async def history(self, alert_id: int) -> list[tuple[str, str]]:
        async with self.node.db.connection() as conn:
            return [(line.what, line.reason) for line in await alerts.transitions(conn, alert_id)]


@pytest.fixture
async def client(node: Node, clock: FakeClock) -> AsyncIterator[Client]:
    issued = await keys.create(node.db, kind="opsgenie", by=OPERATOR, now=clock.now())
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        yield Client(node, http, issued.secret)


async def test_a_request_is_found_by_its_number_once_it_is_processed(client: Client):
    answer = await client.call("POST", "/v2/alerts", {"message": "Disk full", "alias": "db-1/disk", "priority": "P1"})
    number = answer.json()["requestId"]
    early = await client.call("GET", f"/v2/alerts/requests/{number}")
    assert (early.status_code, early.json()["message"]) == (404, "Request not found. It might not be processed, yet.")
    await client.triage()
    said = await client.status(number)
    assert (said["isSuccess"], said["alias"], said["alertId"]) == (True, "db-1/disk", "A-1")
    for wrong in ("nothing", number[:-1] + ("0" if number[-1] != "0" else "1")):
        assert (await client.call("GET", f"/v2/alerts/requests/{wrong}")).status_code == 404


async def test_an_alert_is_read_by_id_alias_and_tiny_id(client: Client):
    await client.does("POST", "/v2/alerts", {
        "message": "Disk full", "alias": "db-1/disk", "priority": "P2", "tags": ["disk", "db"], "entity": "db-1",
        "description": "99 %", "details": {"mount": "/var"}, "source": "netdata",
    })  # fmt: skip
    found = [
        (await client.call("GET", "/v2/alerts/A-1")).json()["data"],
        (await client.call("GET", "/v2/alerts/db-1%2Fdisk", identifierType="alias")).json()["data"],
        (await client.call("GET", "/v2/alerts/1", identifierType="tiny")).json()["data"],
        (await client.call("GET", f"/integrations/{client.key}/v2/alerts/1", identifierType="tiny")).json()["data"],
    ]
    assert found[0] == found[1] == found[2] == found[3]
    said = found[0]
    assert (said["message"], said["status"], said["priority"], said["tags"]) == (
        "Disk full", "open", "P2", ["disk", "db"],
    )  # fmt: skip
    assert (said["entity"], said["description"], said["details"]) == ("db-1", "99 %", {"mount": "/var"})
    missing = await client.call("GET", "/v2/alerts/A-9")
    assert missing.status_code == 404
    assert set(missing.json()) == {"message", "took", "requestId"}


async def test_one_alert_is_open_for_an_alias_and_a_closed_one_opens_anew(client: Client):
    for _ in range(2):
        await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    (one,) = await client.alerts()
    assert one.times == 2
    await client.does("POST", "/v2/alerts/disk/close", {"user": "script", "note": "cleaned"}, identifierType="alias")
    (one,) = await client.alerts()
    assert one.status == "resolved"
    assert ("noted", "script: cleaned") in await client.history(one.id)
    await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    assert [alert.status for alert in await client.alerts()] == ["resolved", "firing"]


async def test_without_an_alias_the_id_is_the_alias(client: Client):
    for _ in range(2):
        number = await client.does("POST", "/v2/alerts", {"message": "Disk full"})
    said = await client.status(number)
    assert said["alias"] == said["alertId"]
    assert len(await client.alerts()) == 2, "two alerts: nothing says that they are one"
    await client.does("POST", f"/v2/alerts/{said['alertId']}/close")
    assert [alert.status for alert in await client.alerts()] == ["firing", "resolved"]


@pytest.mark.parametrize(("identifier", "kind"), [("A-1", "id"), ("1", "tiny"), ("disk", "alias")])
async def test_an_alert_is_acknowledged_and_closed_by_whatever_names_it(client: Client, identifier: str, kind: str):
    await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    await client.does("POST", f"/v2/alerts/{identifier}/acknowledge", {}, identifierType=kind)
    said = (await client.call("GET", "/v2/alerts/A-1")).json()["data"]
    assert (said["acknowledged"], said["status"]) == (True, "open")
    await client.does("POST", f"/v2/alerts/{identifier}/close", None, identifierType=kind)
    said = (await client.call("GET", "/v2/alerts/A-1")).json()["data"]
    assert said["status"] == "closed"


async def test_notes_are_kept_in_the_alerts_history(client: Client):
    await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    await client.does("POST", "/v2/alerts/A-1/notes", {"user": "ana", "note": "looking\0 at it"})
    assert ("noted", "ana: looking\ufffd at it") in await client.history(1)
    (alert,) = await client.alerts()
    assert (alert.status, alert.times, alert.summary) == ("firing", 1, "Disk full"), "a note changes nothing"
    empty = await client.call("POST", "/v2/alerts/A-1/notes", {"note": " "})
    assert (empty.status_code, empty.json()["errors"]) == (422, {"note": "may not be empty"})


async def test_deleting_resolves_and_says_that_it_is_kept(client: Client):
    await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    await client.does("DELETE", "/v2/alerts/disk", identifierType="alias")
    (alert,) = await client.alerts()
    assert alert.status == "resolved"
    assert ("noted", "Its sender deleted it; sev1 keeps it on record.") in await client.history(alert.id)


@pytest.mark.parametrize("action", ["snooze", "unacknowledge", "assign", "escalate", "tags", "actions/restart", ""])
async def test_what_sev1_cannot_do_is_said_and_kept(client: Client, action: str):
    await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    answer = await client.call("POST", f"/v2/alerts/A-1/{action}", {"endTime": "2026-03-03T00:00:00Z"})
    assert answer.status_code == 422
    assert "sev1" in answer.json()["errors"]["action"]
    async with client.node.db.connection() as conn:
        assert len(await misunderstood.list_open(conn)) == 1


async def test_an_action_on_an_alert_that_does_not_exist_is_not_found(client: Client):
    for path, kind in (("A-7", "id"), ("7", "tiny"), ("x", "tiny")):
        answer = await client.call("POST", f"/v2/alerts/{path}/close", {}, identifierType=kind)
        assert answer.status_code == 404
        assert set(answer.json()) == {"message", "took", "requestId"}


async def test_a_key_sees_and_touches_only_what_came_through_it(client: Client, node: Node, clock: FakeClock):
    await client.does("POST", "/v2/alerts", {"message": "Disk full", "alias": "disk"})
    other = await keys.create(node.db, kind="opsgenie", by=OPERATOR, now=clock.now())
    stranger = Client(node, client.http, other.secret)
    for path, kind in (("A-1", "id"), ("1", "tiny"), ("disk", "alias")):
        assert (await stranger.call("GET", f"/v2/alerts/{path}", identifierType=kind)).status_code == 404
    assert (await stranger.call("POST", "/v2/alerts/A-1/close", {})).status_code == 404
    await stranger.does("POST", "/v2/alerts/disk/close", {}, identifierType="alias")
    assert [alert.status for alert in await client.alerts()] == ["firing"]


@pytest.mark.parametrize("authorization", [None, "GenieKey", "GenieKey nobody", "Bearer x", "Basic eDp5"])
async def test_without_a_key_nothing_opens(client: Client, authorization: str | None):
    client.headers = {"Authorization": authorization} if authorization else {}
    for method, path in (("POST", "/v2/alerts"), ("GET", "/v2/alerts/1"), ("GET", "/v2/alerts/requests/x")):
        answer = await client.call(method, path, {"message": "x"} if method == "POST" else None)
        assert (answer.status_code, answer.json()["message"]) == (401, "Could not authenticate")


async def test_a_key_in_the_address_needs_no_header(client: Client):
    client.headers = {}
    answer = await client.call("POST", f"/integrations/{client.key}/v2/alerts", {"message": "x", "alias": "x"})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [({"alias": "x"}, "message"), ({"message": "x", "alias": "y" * 513}, "alias"), ({"message": 7}, "body")],
)
async def test_what_is_wrong_with_a_body_is_said_by_field(client: Client, body: object, field: str):
    answer = await client.call("POST", "/v2/alerts", body)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


async def test_the_limits_of_an_alert_cut_prose_and_count(client: Client):
    await client.does("POST", "/v2/alerts", {
        "message": "m" * 2_000, "alias": "a" * 512, "description": "d" * 20_000, "entity": "e" * 600, "source": "s" * 200,
        "tags": [f"{n:02}" + "t" * 60 for n in range(30)], "responders": [{"name": f"r{n}", "type": "team"} for n in range(60)],
    })  # fmt: skip
    (alert,) = await client.alerts()
    assert (len(alert.annotations["description"]), len(alert.labels["entity"]), len(alert.labels["source"])) == (
        15_000, 512, 100,
    )  # fmt: skip
    tags = alert.labels["tags"].split(",")
    assert (len(tags), len(tags[0])) == (20, 50)
    assert alert.annotations["responders"].count("team r") == 50
