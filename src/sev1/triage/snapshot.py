"""Reads what the stages look at, once a batch and in the batch's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg
from msgspec.structs import replace

from sev1.catalog.matchers import Matcher, all_match
from sev1.triage import silences, store
from sev1.triage.dependencies import causes_of, holds_dependents
from sev1.triage.flapping import LONGEST_WINDOW, History
from sev1.triage.fold import Episode
from sev1.triage.model import Source
from sev1.triage.pipeline import Context, judge
from sev1.triage.rules import CompiledInhibit, Rules, maintenance_in_force

Sources = Mapping[str, Mapping[tuple[str, ...], tuple[Source, ...]]]


async def read(conn: asyncpg.Connection, rules: Rules, episodes: Sequence[Episode], now: datetime) -> Context:
    """The context in which `episodes` are judged."""
    context = Context(
        now=now,
        rules=rules,
        silences=await silences.in_force(conn, now),
        sources=await _sources(conn, rules, episodes),
        open_pages=await store.open_pages(conn),
        maintenance=maintenance_in_force(rules.catalog, now),
        history=await _histories(conn, episodes, now),
        incidents=await store.open_incidents(conn),
    )
    return replace(context, causes=await _causes(conn, context, episodes))


async def _histories(
    conn: asyncpg.Connection, episodes: Sequence[Episode], now: datetime
) -> Mapping[tuple[int, str], History]:
    """Stored episodes and those of the batch, so that what came and went within one batch counts."""
    since = now - LONGEST_WINDOW
    found = await store.histories(conn, {(e.key_id, e.fingerprint) for e in episodes if e.judge}, since)
    changes = {who: list(at) for who, (at, _) in found.items()}
    paged = {who for who, (_, was_paged) in found.items() if was_paged}
    for episode in episodes:
        who = episode.key_id, episode.fingerprint
        own = changes.setdefault(who, [])
        if episode.before is None:
            own.append(min(episode.received_at, now))
        elif episode.before.received_at > since:
            own.append(episode.before.received_at)
            if episode.before.page:
                paged.add(who)
        if episode.resolved_at:
            own.append(min(episode.resolved_at, now))
    return {who: History(changes=tuple(at), paged=who in paged) for who, at in changes.items() if at}


async def _causes(conn: asyncpg.Connection, context: Context, episodes: Sequence[Episode]) -> Mapping[str, Source]:
    """Service -> what pages for it, for services that others of the batch depend on, where the catalog asks for it.

    A cause that arrives in the same batch counts when it would page by itself: it is judged once without causes.
    """
    catalog = context.rules.catalog
    if not any(holds_dependents(catalog, name) for name in catalog.services):
        return {}
    judged = [(e, context.rules.service_of(e.labels)[0]) for e in episodes if e.judge and e.firing]
    wanted = {cause for service in {s for _, s in judged if s} for cause in causes_of(catalog, service)}
    if not wanted:
        return {}
    over = {episode.id for episode in episodes if not episode.firing}
    stored = await store.paging_of_services(conn, sorted(wanted))
    found = {name: Source(id=a.id, labels=a.labels) for name, a in stored.items() if a.id not in over}
    for episode, service in judged:
        if service in wanted and service not in found:
            verdict = judge(episode.subject, context)
            if verdict.tier == "page" and verdict.held is None and verdict.policy:
                found[service] = Source(id=episode.id, labels=episode.labels)
    return found


async def _sources(conn: asyncpg.Connection, rules: Rules, episodes: Sequence[Episode]) -> Sources:
    """The firing alerts on the source side of each rule that could keep one of `episodes` quiet.

    Those of the batch itself count, whatever their order: a cause and its effects often arrive together.
    """
    wanted = {rule.name: rule for e in episodes if e.judge and e.firing for rule in rules.inhibitors_of(e.labels)}
    over = {episode.id for episode in episodes if not episode.firing}
    fresh = [Source(id=e.id, labels=e.labels) for e in episodes if e.firing and e.judge]
    found: dict[str, dict[tuple[str, ...], tuple[Source, ...]]] = {}
    for rule in wanted.values():
        stored = [source for source in await _firing(conn, rule.source) if source.id not in over]
        known = {source.id for source in fresh}
        stored = [source for source in stored if source.id not in known]
        found[rule.name] = _by_equal(rule, [*stored, *fresh])
    return found


def _by_equal(rule: CompiledInhibit, candidates: Iterable[Source]) -> dict[tuple[str, ...], tuple[Source, ...]]:
    found: dict[tuple[str, ...], list[Source]] = {}
    for source in candidates:
        if all_match(rule.source, source.labels):
            found.setdefault(rule.equals_of(source.labels), []).append(source)
    return {values: tuple(sources) for values, sources in found.items()}


async def _firing(conn: asyncpg.Connection, matchers: Sequence[Matcher]) -> list[Source]:
    """Firing alerts that may match: PostgreSQL compares for equality, the caller looks at the rest."""
    exact = {matcher.name: matcher.value for matcher in matchers if matcher.op == "=" and matcher.value}
    rows = await conn.fetch(
        "SELECT id, labels FROM alerts WHERE status = 'firing' AND labels @> $1::jsonb ORDER BY id", exact
    )
    return [Source(id=row["id"], labels=row["labels"]) for row in rows]
