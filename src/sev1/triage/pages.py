"""Triage's port to paging: what triage decides, as commands to pages.

The only module of triage that knows paging, which lies below it in the flow.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from sev1.catalog.model import Link
from sev1.engine import event_log
from sev1.engine.commands import Change, Commands
from sev1.engine.decider import TRIAGE, Actor
from sev1.paging import model as paging
from sev1.paging.fix import Firing
from sev1.paging.react import open_pages
from sev1.triage.assign import Joining, NewPage

RUNBOOK = "Runbook"
MOST_FIRING = 200
"""Alerts of one page that are looked at to say whether a fix helped."""
MAX_LINKS = 4
LONGEST = 500
"""Characters of a sentence in the brief; the alert's own page has all of it."""

_SPACES = re.compile(r"\s+")


class PagesByCommand:
    """Each method runs commands in the caller's transaction and returns their changes, to be told after the commit."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def lock(self, conn: asyncpg.Connection, pages: Iterable[str]) -> set[str]:
        wanted = sorted(pages)
        if not wanted:
            return set()
        await event_log.lock_streams(conn, [event_log.stream_name("page", page) for page in wanted])
        rows = await conn.fetch("SELECT id FROM pages WHERE id = ANY($1::text[]) AND status <> 'resolved'", wanted)
        return {row["id"] for row in rows}

    async def open(self, conn: asyncpg.Connection, pages: Sequence[NewPage]) -> list[Change[Any]]:
        commands = [
            paging.Open(
                title=page.title,
                group_key=page.group_key,
                policy=page.policy,
                why=page.why,
                service=page.service,
                severity=page.severity,
                alert_count=page.alert_count,
                brief=brief_of(page),
            )
            for page in pages
        ]
        return await open_pages(self._commands, conn, commands, by=TRIAGE)

    async def join(self, conn: asyncpg.Connection, joining: Mapping[str, Joining]) -> list[Change[Any]]:
        commands = {
            page: paging.JoinAlerts(count=group.count, summary=group.summary, severity=group.severity)
            for page, group in joining.items()
        }
        return await self._commands.run_many_in(conn, "page", commands, by=TRIAGE) if commands else []

    async def acknowledge(self, conn: asyncpg.Connection, page: str, *, by: Actor) -> Change[Any]:
        return await self._run(conn, page, paging.Acknowledge(), by)

    async def resolve(self, conn: asyncpg.Connection, page: str, *, reason: str) -> Change[Any]:
        return await self._run(conn, page, paging.Resolve(reason=reason), TRIAGE)

    async def _run(self, conn: asyncpg.Connection, page: str, command: paging.PageCommand, by: Actor) -> Change[Any]:
        return await self._commands.run_in(conn, "page", page, command, by=by)


async def firing_of(conn: asyncpg.Connection, pages: Collection[str]) -> dict[str, tuple[Firing, ...]]:
    """The alerts of each page that are not over, whatever holds them back: what is silenced still fires."""
    rows = await conn.fetch(
        """
        SELECT p.id AS page, a.* FROM unnest($1::text[]) AS p (id), LATERAL (
            SELECT id, summary, times, expires_at FROM alerts
            WHERE page = p.id AND status = 'firing' ORDER BY alerts.id LIMIT $2
        ) AS a
        """,
        list(pages), MOST_FIRING,
    )  # fmt: skip
    found: dict[str, tuple[Firing, ...]] = {}
    for row in rows:
        ends = row["expires_at"] is not None
        firing = Firing(alert=row["id"], summary=row["summary"], times=row["times"], ends=ends)
        found[row["page"]] = (*found.get(row["page"], ()), firing)
    return found


def brief_of(page: NewPage) -> paging.Brief:
    """What the sender wrote for whoever is woken, by the names that rule authors commonly use (mission 5.7)."""
    links = [found for link in page.links if (found := _link(link.title, link.url))]
    runbook = next((link.url for link in links if link.title == RUNBOOK), "")
    return paging.Brief(
        since=page.since,
        impact=_said(page, "impact"),
        first=_said(page, "first", "action", "first_step"),
        verify=tuple(link for link in links if link.title != RUNBOOK)[:MAX_LINKS],
        runbook_url=runbook,
        plan=page.plan,
    )


def _said(page: NewPage, *names: str) -> str:
    """The first of these annotations that says something other than the title, on one line."""
    for name in names:
        text = _SPACES.sub(" ", page.annotations.get(name, "")).strip()
        if text and text != page.title:
            return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return ""


def _link(title: str, url: str) -> Link | None:
    """None for what the catalog's type of a link refuses: events are read back through that type for ever."""
    try:
        return msgspec.convert({"title": title, "url": url}, Link)
    except msgspec.ValidationError:
        return None
