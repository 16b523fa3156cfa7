"""Reads what the stages look at, once a batch and in the batch's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg

from sev1.catalog.matchers import Matcher, all_match
from sev1.triage import silences, store
from sev1.triage.fold import Episode
from sev1.triage.model import Source
from sev1.triage.pipeline import Context
from sev1.triage.rules import CompiledInhibit, Rules

Sources = Mapping[str, Mapping[tuple[str, ...], tuple[Source, ...]]]


async def read(conn: asyncpg.Connection, rules: Rules, episodes: Sequence[Episode], now: datetime) -> Context:
    """The context in which `episodes` are judged."""
    return Context(
        now=now,
        rules=rules,
        silences=await silences.in_force(conn, now),
        sources=await _sources(conn, rules, episodes),
        open_pages=await store.open_pages(conn),
    )


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
