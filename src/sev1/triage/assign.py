"""From verdicts to pages: one open page a group, joined by what belongs to it.

`Pages` is what triage asks of paging; see `pages.py`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import asyncpg
from msgspec import Struct, field
from msgspec.structs import replace

from sev1.catalog.model import EscalationPolicy
from sev1.catalog.response_plans import plan_for
from sev1.engine.commands import Change
from sev1.engine.decider import Actor
from sev1.intake.model import InboundLink
from sev1.triage.alike import Alike
from sev1.triage.fold import Episode
from sev1.triage.model import OpenPage, Verdict
from sev1.triage.pipeline import Context, with_page, without_page

BREATH = 50
"""Alerts judged between two turns of the event loop, so that intake answers meanwhile (some 2 ms)."""


class NewPage(Struct, frozen=True, kw_only=True):
    """What opens a page: the first alert of a group, and how many came with it."""

    title: str
    group_key: str
    policy: EscalationPolicy
    why: str
    service: str | None
    severity: str | None
    alert_count: int
    since: datetime
    annotations: dict[str, str]
    links: tuple[InboundLink, ...]
    plan: str = ""
    """Name of the response plan that is for the first alert."""


class Joining(Struct, frozen=True, kw_only=True):
    """The alerts of a batch that join one open page."""

    count: int
    summary: str
    severity: str | None
    """The worst that they suggest."""


class Pages(Protocol):
    """Commands to pages, each in the caller's transaction."""

    async def lock(self, conn: asyncpg.Connection, pages: Iterable[str]) -> set[str]:
        """Keeps everybody else from changing them until the transaction ends; returns those that are open."""
        ...

    async def open(self, conn: asyncpg.Connection, pages: Sequence[NewPage]) -> list[Change[Any]]: ...

    async def join(self, conn: asyncpg.Connection, joining: Mapping[str, Joining]) -> list[Change[Any]]:
        """`joining` says what joins which page."""
        ...

    async def acknowledge(self, conn: asyncpg.Connection, page: str, *, by: Actor) -> Change[Any]: ...

    async def resolve(self, conn: asyncpg.Connection, page: str, *, reason: str) -> Change[Any]: ...


class Assigned(Struct, frozen=True, kw_only=True):
    changes: list[Change[Any]] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)
    """Page -> the incident that it belongs to."""
    open_pages: set[str] = field(default_factory=set)
    """Of the pages that were locked, those that are open."""


async def assign(
    conn: asyncpg.Connection, pages: Pages, episodes: Sequence[Episode], context: Context, *, also: Iterable[str] = ()
) -> Assigned:
    """Judges `episodes`, opens and joins pages for them, and leaves each with its final verdict.

    `also` names pages that the caller is going to change as well: all locks are taken here, in sorted order, so that
    two transactions never wait for each other.
    """
    judged = [episode for episode in episodes if episode.judge]
    still_open = await _judge_under_lock(conn, pages, judged, context, set(also))
    for episode in judged:
        if not episode.firing and episode.resolved_at and episode.verdict.stages[-1].outcome in {"opens", "joins"}:
            lasted = (episode.resolved_at - episode.starts_at).total_seconds()
            episode.verdict = without_page(episode.verdict, max(lasted, 0))
    changes = [
        *await _join(conn, pages, [e for e in judged if _outcome(e) == "joins"]),
        *await _open(conn, pages, [e for e in judged if _outcome(e) == "opens"], context),
    ]
    incidents = {page.key: page.incident for page in context.open_pages.values() if page.incident}
    return Assigned(changes=changes, incidents=incidents, open_pages=still_open)


async def _judge_under_lock(
    conn: asyncpg.Connection, pages: Pages, judged: Sequence[Episode], context: Context, also: set[str]
) -> set[str]:
    """Judges until every page that is joined is both open and locked: somebody may resolve one while we look.

    Without this an alert could join a page that nobody looks at any more.
    """
    while True:
        await _judge(judged, context)
        wanted = {e.verdict.page for e in judged if e.verdict.page}
        still_open = await pages.lock(conn, sorted(wanted | also))
        closed = wanted - still_open
        if not closed:
            return still_open
        remaining = {key: page for key, page in context.open_pages.items() if page.key not in closed}
        context = replace(context, open_pages=remaining)
        for episode in judged:
            if episode.before and episode.before.page in closed and episode.before.page_resolved_at is None:
                episode.before = replace(episode.before, page_resolved_at=context.now)
                episode.again = episode.again or "Its page was resolved meanwhile."


async def _judge(episodes: Sequence[Episode], context: Context) -> None:
    by_dependency = any(route.group_by_dependency for route in context.rules.catalog.routes.values())
    alike = Alike(context)
    for number, episode in enumerate(episodes, 1):
        episode.verdict = alike.judge(episode)
        if by_dependency and _outcome(episode) == "opens" and episode.verdict.group_key not in context.open_pages:
            context = _with_opening(context, episode)
            alike = Alike(context)
        if number % BREATH == 0:
            await asyncio.sleep(0)


def _with_opening(context: Context, episode: Episode) -> Context:
    """What comes later in the batch may belong to the page that this one opens."""
    verdict, key = episode.verdict, episode.verdict.group_key or ""
    page = OpenPage(key="", group_key=key, service=verdict.service, policy=verdict.policy, severity=verdict.severity)
    return replace(context, open_pages={**context.open_pages, key: page})


def _outcome(episode: Episode) -> str:
    return episode.verdict.stages[-1].outcome


async def _join(conn: asyncpg.Connection, pages: Pages, joining: Sequence[Episode]) -> list[Change[Any]]:
    by_page = _by(joining, lambda e: e.verdict.page or "")
    return await pages.join(
        conn,
        {
            page: Joining(count=len(members), summary=_summary(members), severity=_worst(members))
            for page, members in by_page.items()
        },
    )


async def _open(
    conn: asyncpg.Connection, pages: Pages, opening: Sequence[Episode], context: Context
) -> list[Change[Any]]:
    groups = _by(opening, lambda e: e.verdict.group_key or "")
    changes = await pages.open(conn, [_new_page(key, members, context) for key, members in groups.items()])
    for change, members in zip(changes, groups.values(), strict=True):
        last: Verdict | None = None
        for episode in members:
            # One object for what is alike, as `Alike` made them: it is then written once.
            if episode.verdict is not last:
                last = episode.verdict
                joined = with_page(last, change.key, opened=False)
            episode.verdict = with_page(last, change.key, opened=True) if episode is members[0] else joined
    return changes


def _new_page(group_key: str, members: Sequence[Episode], context: Context) -> NewPage:
    first = members[0]
    verdict = first.verdict
    tier, route = verdict.stage("tier"), verdict.stage("route")
    assert tier is not None
    assert route is not None
    plan = plan_for(context.rules.catalog, first.labels)
    return NewPage(
        title=first.summary,
        group_key=group_key,
        policy=context.rules.catalog.policies[verdict.policy or ""],
        why=f"{tier.reason} {route.reason}",
        service=verdict.service,
        severity=_worst(members),
        alert_count=len(members),
        since=first.starts_at,
        annotations=first.annotations,
        links=first.links,
        plan=plan.name if plan else "",
    )


def _summary(members: Sequence[Episode]) -> str:
    more = len(members) - 1
    return members[0].summary + (f" and {more} more" if more else "")


def _worst(members: Sequence[Episode]) -> str | None:
    """The worst severity that they suggest: `sev-0` sorts first."""
    return min((e.verdict.severity for e in members if e.verdict.severity), default=None)


def _by(episodes: Iterable[Episode], name: Any) -> Mapping[str, list[Episode]]:
    groups: dict[str, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(name(episode), []).append(episode)
    return groups
