"""The step that brings accepted risks to mind before they end, and when they have: to whoever decided, and to who is on call."""

from datetime import datetime, timedelta

import asyncpg

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.command.people import on_call_for
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.notify import contacts, store
from sev1.notify.model import Notice
from sev1.risk import risks
from sev1.risk.acceptance import Risk, next_reminder

BATCH = 50


class RiskStep:
    """`await step()` reminds of what is due; True when there was something. What it told and when it tells again is one
    transaction, so nothing is told twice and nothing is forgotten.
    """

    def __init__(self, db: Database, catalogs: CatalogCache, clock: Clock, url: str) -> None:
        self._db = db
        self._catalogs = catalogs
        self._clock = clock
        self._url = url

    async def __call__(self) -> bool:
        now = self._clock.now()
        async with self._db.transaction() as conn:
            found = await risks.due(conn, now, limit=BATCH)
            catalog = await self._catalogs.current(conn)
            for risk in found:
                await self._remind(conn, catalog, risk, now)
        return bool(found)

    async def _remind(self, conn: asyncpg.Connection, catalog: Catalog, risk: Risk, now: datetime) -> None:
        people = [risk.renewals[-1].by if risk.renewals else risk.decided_by]
        if risk.service:
            people += [one.person for one in (await on_call_for(conn, catalog, (risk.service,), now))[:1]]
        notice = Notice(
            kind="task",
            about=risk.key,
            title=title_of(risk, now),
            url=f"{self._url}/risks#{risk.key}",
            service=catalog.services[risk.service].title if risk.service in catalog.services else risk.service,
            body=f"{risk.risk}\n\nAccepted because: {risk.reason}\nWatched: {risk.monitoring}",
        )
        reach = await contacts.read(conn, people)
        for name in dict.fromkeys(people):
            if person := catalog.people.get(name):
                methods = reach.of(person, notice.urgency)
                await store.enqueue(conn, about=risk.key, person=name, methods=methods, notice=notice, now=now)
        again = next_reminder(risk.until, now, catalog.organisation.risk_reminders_days)
        await risks.reminded(conn, risk, again)


def title_of(risk: Risk, now: datetime) -> str:
    if risk.has_ended(now):
        return f"{risk.key} is no longer accepted: renew it with a reason, or close it. {risk.risk}"
    days = -(-(risk.until - now) // timedelta(days=1))
    return f"{risk.key} is accepted for {days} more day{'s' if days != 1 else ''}: {risk.risk}"
