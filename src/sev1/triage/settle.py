"""A page ends when nothing on it should keep anybody awake any more."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import asyncpg

from sev1.engine.commands import Change
from sev1.triage import silences, store
from sev1.triage.assign import Pages
from sev1.triage.pipeline import silenced_by

ALL_OVER = "All alerts resolved."


async def settle(conn: asyncpg.Connection, pages: Pages, open_pages: Iterable[str], now: datetime) -> list[Change[Any]]:
    """Resolves those of `open_pages`, which the caller locked, whose alerts are all over, or held back.

    A page whose alerts all fire silenced ends with the silence as its reason; when the silence ends first, those that
    still fire open the next one.
    """
    quiet = await store.quiet_pages(conn, open_pages)
    changes = []
    for page, held_by in sorted(quiet.items()):
        changes.append(await pages.resolve(conn, page, reason=await _reason(conn, held_by, now)))
    return changes


async def _reason(conn: asyncpg.Connection, held_by: str | None, now: datetime) -> str:
    if held_by is None:
        return ALL_OVER
    for silence in await silences.in_force(conn, now):
        if str(silence.id) == held_by:
            return f"{silenced_by(silence, now)}."
    return f"What still fires is held back by {held_by}."
