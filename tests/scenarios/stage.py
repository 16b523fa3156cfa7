"""The stage of the scenarios: the whole product on a real database, a clock that is moved by hand, real mail.

Work is done by calling the steps until none has work, so a scenario of an hour runs in a second and never sleeps.
"""

import asyncio
from datetime import UTC, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import httpx
from aiosmtpd.controller import Controller

from sev1.access import keys, tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.engine import worker
from sev1.engine.clock import FakeClock
from sev1.engine.decider import fold
from sev1.engine.event_log import read, stream_name


class Post(Controller):
    """A real SMTP server on loopback. Addresses in `refused` do not exist."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refused: set[str] = set()
        super().__init__(self, hostname="127.0.0.1", port=0)

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(cast("EmailMessage", message_from_bytes(envelope.content, policy=default)))
        return "250 kept"


class Stage:
    def __init__(self, node: Node, clock: FakeClock, post: Post, http: httpx.AsyncClient) -> None:
        self.node = node
        self.clock = clock
        self.post = post
        self.http = http
        self.key = ""
        self.pagerduty_key = ""
        self._token = ""

    async def prepare(self) -> None:
        now = self.clock.now()
        key = await keys.create(self.node.db, kind="prometheus", by=OPERATOR, now=now, name="prometheus")
        other = await keys.create(self.node.db, kind="pagerduty", by=OPERATOR, now=now, service="checkout")
        token = await tokens.create(self.node.db, name="test", role=Role.ADMIN, by=OPERATOR, now=now)
        self.key, self.pagerduty_key, self._token = key.secret, other.secret, token.token

    # --- the world ----------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Everything that can happen now has happened."""
        node = self.node
        await worker.drain(
            node.triage, node.expire, node.recheck, node.timer, node.diagnose, node.declares, node.deliver, limit=200
        )

    async def later(self, **delta: float) -> None:
        """Time passes, in steps small enough that timers fire in their order."""
        end = self.clock.now() + timedelta(**delta)
        while self.clock.now() < end:
            self.clock.jump_to(min(end, self.clock.now() + timedelta(seconds=20)))
            await self.settle()

    def alert(self, name: str = "CheckoutErrors", **changes: Any) -> dict[str, Any]:
        """An alert as Prometheus posts it, re-sent for a long time."""
        labels = {"alertname": name, "service": "checkout", "severity": "critical", "env": "prod"}
        annotations = {"summary": "Card payments fail: 42 % errors", "impact": "Customers cannot pay"}
        labels |= changes.get("labels", {})
        annotations |= changes.get("annotations", {})
        now = self.clock.now()
        began, ends = changes.get("began", now - timedelta(minutes=2)), changes.get("ends", now + timedelta(days=2))
        return {
            "labels": labels,
            "annotations": annotations,
            "startsAt": rfc3339(began),
            "endsAt": rfc3339(ends),
            "generatorURL": "https://prometheus.example/graph",
        }

    async def prometheus_sends(self, *alerts: dict[str, Any]) -> httpx.Response:
        answer = await self.http.post(f"/integrations/{self.key}/api/v2/alerts", json=list(alerts))
        await self.settle()
        return answer

    async def fires(self, name: str = "CheckoutErrors", **changes: Any) -> dict[str, Any]:
        alert = self.alert(name, **changes)
        answer = await self.prometheus_sends(alert)
        assert answer.status_code == 200, answer.text
        return alert

    async def ends(self, alert: dict[str, Any]) -> None:
        await self.prometheus_sends({**alert, "endsAt": rfc3339(self.clock.now())})

    # --- people -------------------------------------------------------------------------------------------------------

    async def api(self, method: str, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        answer = await self.ask(method, path, body)
        if expect is None:
            assert answer.is_success, f"{answer.status_code} {answer.text}"
        else:
            assert answer.status_code == expect, f"{answer.status_code} {answer.text}"
        await self.settle()
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request as it is answered; nothing else happens before or after."""
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self.http.request(method, f"/api/v1{path}", json=body, headers=headers)

    async def page(self, key: str = "P-1") -> Any:
        return await self.api("GET", f"/pages/{key}")

    async def answers(self, key: str, kind: str, **fields: Any) -> Any:
        return await self.api("POST", f"/pages/{key}/commands", {"type": kind, **fields})

    async def declares(self, title: str = "Card payments fail", **fields: Any) -> Any:
        return await self.api("POST", "/incidents", {"type": "declare", "title": title, **fields})

    async def does(self, key: str, kind: str, *, expect: int | None = None, **fields: Any) -> Any:
        return await self.api("POST", f"/incidents/{key}/commands", {"type": kind, **fields}, expect=expect)

    async def says(self, key: str, *lines: str, expect: int | None = None) -> Any:
        """Lines of the grammar, one after the other; the answer to the last."""
        answer = None
        for line in lines:
            answer = await self.api("POST", f"/incidents/{key}/lines", {"line": line}, expect=expect)
        return answer

    def mailed(self, subject: str = "") -> list[str]:
        """Recipients of the mails whose subject has `subject`, in order."""
        return [str(mail["To"]) for mail in self.post.mails if subject in str(mail["Subject"])]

    # --- what must hold after every scenario --------------------------------------------------------------------------

    async def check_replay(self) -> None:
        """Replay equals projection: every row and every timer is what its events add up to."""
        async with self.node.db.connection() as conn:
            streams = [row["stream"] for row in await conn.fetch("SELECT DISTINCT stream FROM events")]
            for stream in streams:
                kind, key = stream.split("/", 1)
                aggregate = self.node.commands.aggregate(kind)
                facts = await read(conn, stream_name(kind, key), aggregate.event_type)
                state = fold(aggregate, key, facts)
                table = {"page": "pages", "incident": "incidents"}[kind]
                row = await conn.fetchrow(f"SELECT version, status, $2::jsonb = state AS same FROM {table} WHERE id = $1",
                                          key, state)  # fmt: skip
                assert row["same"], f"{stream}: the row differs from the replay"
                assert row["version"] == len(facts)
                assert row["status"] == state.status
                timers = await conn.fetch("SELECT kind, due_at FROM timers WHERE stream = $1", stream)
                wanted = dict(aggregate.timers(state))
                assert {timer["kind"]: timer["due_at"] for timer in timers} == wanted, f"{stream}: timers differ"


def rfc3339(at: Any) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def until(condition: Any, what: str, *, tries: int = 500) -> None:
    """Waits for something that another thread does, bounded."""
    for _ in range(tries):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"did not happen: {what}")
