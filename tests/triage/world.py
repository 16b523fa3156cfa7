"""An organisation, the three steps of triage over a real database, and senders in three formats."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from sev1.catalog import store as catalog_store
from sev1.catalog.cache import CatalogCache
from sev1.catalog.contact import EmailMethod
from sev1.catalog.matchers import parse
from sev1.catalog.model import (
    DEFAULT_SEVERITIES,
    Catalog,
    EscalationPolicy,
    InhibitRule,
    Organisation,
    Person,
    PersonTarget,
    Rotation,
    Route,
    Schedule,
    ScheduleTarget,
    Service,
    Step,
    Team,
)
from sev1.engine import worker
from sev1.engine.clock import FakeClock
from sev1.engine.commands import Commands
from sev1.engine.database import Database
from sev1.engine.decider import Actor
from sev1.engine.news import News
from sev1.intake.formats.labels import fingerprint
from sev1.paging import model as paging
from sev1.paging import store as page_store
from sev1.paging.decide import PageAggregate
from sev1.paging.model import Page
from sev1.paging.react import PreparePage
from sev1.triage import alerts, silences
from sev1.triage.expire import ExpireStep
from sev1.triage.model import AlertRow, Silence
from sev1.triage.recheck import RecheckStep
from sev1.triage.step import TriageStep

ANA = Actor(id="ana", name="Ana Ruiz", via="web")


def organisation(**changes: Any) -> Catalog:
    """Payments own checkout; search has no policy of its own; what nobody claims goes to everyone."""
    people = {
        name: Person(
            name=name,
            full_name=full,
            email=f"{name}@example.org",
            contact=(EmailMethod(address=f"{name}@example.org"),),
        )
        for name, full in (("ana", "Ana Ruiz"), ("bo", "Bo Lind"))
    }
    catalog = Catalog(
        organisation=Organisation(name="organisation", title="Shop", fallback_policy="everyone"),
        people=people,
        teams={"payments": Team(name="payments", title="Payments", members=("ana", "bo"))},
        services={
            "checkout": Service(name="checkout", title="Checkout", owner="payments", policy="payments-primary"),
            "search": Service(name="search", title="Search", owner="payments"),
        },
        severities=dict(DEFAULT_SEVERITIES),
        schedules={
            "payments": Schedule(
                name="payments", title="Payments", rotation=Rotation(people=("ana",), starts=date(2026, 1, 5))
            )
        },
        policies={
            "payments-primary": EscalationPolicy(
                name="payments-primary",
                title="Payments primary",
                steps=(Step(targets=(ScheduleTarget(name="payments"),)),),
            ),
            "everyone": EscalationPolicy(
                name="everyone", title="Everyone", steps=(Step(targets=(PersonTarget(name="bo"),)),)
            ),
        },
        routes={
            "prod-critical": Route(
                name="prod-critical",
                order=10,
                match=('env="prod"', 'severity="critical"'),
                tier="page",
                severity="sev-1",
            ),
            "batch": Route(name="batch", order=20, match=('team="batch"',), tier="ticket", policy="everyone"),
        },
        inhibit_rules={
            "db-down-hides-apps": InhibitRule(
                name="db-down-hides-apps",
                source=('alertname="DbDown"',),
                target=('kind="app"',),
                equal=("env", "region"),
            )
        },
    )
    return msgspec.structs.replace(catalog, **changes)


class World:
    """`await world.prometheus(…)` sends, `await world.triage()` lets it take effect."""

    def __init__(self, db: Database, clock: FakeClock) -> None:
        self.db = db
        self.clock = clock
        self.news = News()
        self.catalogs = CatalogCache()
        self.commands = Commands(db, clock, self.news)
        self.commands.register(
            PageAggregate(), page_store.project, prepare=PreparePage(self.catalogs), snapshots=page_store.snapshots
        )
        self.step = TriageStep(db, self.commands, self.catalogs, clock)
        self.expire = ExpireStep(db, self.commands, self.catalogs, clock, grace=timedelta(0))
        self.recheck = RecheckStep(db, self.commands, self.catalogs, clock)
        self._writer = 0
        self._last = 0

    async def apply(self, catalog: Catalog) -> None:
        async with self.db.transaction() as conn:
            await catalog_store.write(conn, catalog, actor="ana", now=self.clock.now())

    async def key(self, kind: str = "prometheus", service: str | None = None) -> int:
        async with self.db.connection() as conn:
            key_id: int = await conn.fetchval(
                "INSERT INTO integration_keys (name, kind, service, secret_hash, hint, created_by, created_at)"
                " VALUES ($1, $2, $3, sha256(random()::text::bytea), 'abcd', 'ana', $4) RETURNING id",
                f"{kind} key", kind, service, self.clock.now(),
            )  # fmt: skip
        return key_id

    async def put(self, format_: str, raw: bytes, *, key: int = 1, received_at: datetime | None = None) -> None:
        """A payload in the inbox, as intake leaves it."""
        async with self.db.connection() as conn:
            if not self._writer:
                self._writer = await conn.fetchval(
                    "INSERT INTO inbox_cursors (started_at) VALUES ($1) RETURNING writer", self.clock.now()
                )
            self._last += 1
            await conn.execute(
                "INSERT INTO inbox (writer, id, received_at, key_id, format, raw) VALUES ($1, $2, $3, $4, $5, $6)",
                self._writer, self._last, received_at or self.clock.now(), key, format_, raw,
            )  # fmt: skip

    async def prometheus(self, *alerts: dict[str, str], key: int = 1, over: bool = False, ends_in_s: int = 240) -> None:
        """One request of Prometheus; each alert is its labels. `summary` becomes an annotation."""
        now = self.clock.now()
        body = [
            {
                "labels": {name: value for name, value in labels.items() if name != "summary"},
                "annotations": {"summary": labels["summary"]} if "summary" in labels else {},
                "startsAt": now - timedelta(seconds=60),
                "endsAt": now - timedelta(seconds=1) if over else now + timedelta(seconds=ends_in_s),
                "generatorURL": "http://prometheus.example/graph",
            }
            for labels in alerts
        ]
        await self.put("prometheus", msgspec.json.encode(body), key=key)

    async def pagerduty(self, action: str, dedup_key: str, *, severity: str = "critical", key: int = 2) -> None:
        event: dict[str, Any] = {"routing_key": "k" * 32, "event_action": action, "dedup_key": dedup_key}
        if action == "trigger":
            event["payload"] = {"summary": f"{dedup_key} is broken", "source": "host", "severity": severity}
        await self.put("pagerduty", msgspec.json.encode(event), key=key)

    async def triage(self) -> int:
        """Runs the three steps until none has work."""
        return await worker.drain(self.step, self.expire, self.recheck)

    async def say(self, page: str, command: paging.PageCommand, by: Actor = ANA) -> None:
        await self.commands.run("page", page, command, by=by)

    async def silence(self, matchers: str, *, minutes: int = 60, key: int | None = None) -> Silence:
        now = self.clock.now()
        async with self.db.transaction() as conn:
            return await silences.create(
                conn,
                matchers=parse(matchers),
                starts_at=now,
                ends_at=now + timedelta(minutes=minutes),
                created_by="Ana",
                comment="planned migration",
                now=now,
                key_id=key,
            )

    async def alerts(self, **where: Any) -> list[AlertRow]:
        """Oldest first."""
        async with self.db.connection() as conn:
            return (await alerts.list_alerts(conn, limit=1000, **where)).alerts[::-1]

    async def alert(self, **where: Any) -> AlertRow:
        (only,) = await self.alerts(**where)
        return only

    async def history(self, alert_id: int) -> list[str]:
        async with self.db.connection() as conn:
            return [line.what for line in await alerts.transitions(conn, alert_id)]

    async def pages(self) -> list[Page]:
        """Oldest first."""
        async with self.db.connection() as conn:
            return (await page_store.recent_pages(conn))[::-1]

    async def page(self) -> Page:
        (only,) = await self.pages()
        return only

    async def rows(self, query: str, *values: Any) -> list[Any]:
        async with self.db.connection() as conn:
            return await conn.fetch(query, *values)


def print_of(labels: dict[str, str]) -> str:
    return fingerprint({name: value for name, value in labels.items() if name != "summary"})
