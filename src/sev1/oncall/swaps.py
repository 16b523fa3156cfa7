"""Swaps: one person asks, the other answers. An accepted swap is overrides, so the final schedule knows no other rule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import asyncpg
from msgspec import Struct

from sev1.catalog.model import Catalog, Override
from sev1.engine import audit
from sev1.engine.errors import Conflict, Forbidden, Invalid, NotFound
from sev1.oncall import store

Answer = Literal["accepted", "declined", "withdrawn"]


class NewSwap(Struct, frozen=True, kw_only=True):
    schedule: str
    asked_of: str
    start: datetime
    end: datetime
    """What the other person is to take."""
    back_start: datetime | None = None
    back_end: datetime | None = None
    """What whoever asks takes in return."""


class Swap(NewSwap, frozen=True, kw_only=True):
    id: int
    asked_by: str
    state: str


async def ask(conn: asyncpg.Connection, catalog: Catalog, swap: NewSwap, *, asked_by: str, now: datetime) -> int:
    """Asks the other person and returns the swap's id; nothing changes until they accept.

    Raises `Invalid` for times and people that cannot be, `NotFound` for an unknown schedule.
    """
    if asked_by not in catalog.people:
        raise Invalid("Only a person of the catalog can swap shifts.")
    if swap.asked_of == asked_by:
        raise Invalid("Choose somebody else to swap with.", field="person")
    for override in _overrides(swap, asked_by):
        store.check_override(catalog, swap.schedule, override, now)
    number: int = await conn.fetchval(
        """
        INSERT INTO shift_swaps (schedule, asked_by, asked_of, starts_at, ends_at, back_starts_at, back_ends_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
        """,
        swap.schedule, asked_by, swap.asked_of, swap.start, swap.end, swap.back_start, swap.back_end, now,
    )  # fmt: skip
    await _note(conn, "ask", number, swap, actor=asked_by, now=now)
    return number


async def answer(
    conn: asyncpg.Connection, catalog: Catalog, number: int, to: Answer, *, actor: str, now: datetime, anyway: str = ""
) -> Swap:
    """Accepts or declines (whoever was asked), or withdraws (whoever asked). Only the first answer counts.

    Raises `NotFound`, `Forbidden` for anybody else, `Conflict` when it was answered already, and what `add_override`
    raises for shifts that break the team's limits; `anyway` is the reason to accept those nevertheless.
    """
    # The row lock makes two answers at once wait for each other: the second finds the state of the first.
    row = await conn.fetchrow("SELECT * FROM shift_swaps WHERE id = $1 FOR UPDATE", number)
    if row is None:
        raise NotFound(f"There is no swap {number}.")
    swap = _swap(row)
    may = swap.asked_by if to == "withdrawn" else swap.asked_of
    if actor != may:
        raise Forbidden(f"Only {may} can have this swap {to}.")
    if swap.state != "asked":
        raise Conflict(f"This swap was {swap.state} already; nothing was changed.")
    if to == "accepted":
        wanted = _overrides(swap, swap.asked_by)
        for n, override in enumerate(wanted, start=1):
            await store.add_override(
                conn, catalog, swap.schedule, override,
                created_by=actor, now=now, anyway=anyway, together=wanted[n:],
            )  # fmt: skip
    await conn.execute("UPDATE shift_swaps SET state = $2, answered_at = $3 WHERE id = $1", number, to, now)
    await _note(conn, to, number, swap, actor=actor, now=now)
    return _swap({**row, "state": to})


async def asked(conn: asyncpg.Connection, now: datetime) -> list[Swap]:
    """Swaps that wait for an answer and are not over."""
    rows = await conn.fetch("SELECT * FROM shift_swaps WHERE state = 'asked' AND ends_at > $1 ORDER BY id", now)
    return [_swap(row) for row in rows]


def _overrides(swap: NewSwap, asked_by: str) -> list[Override]:
    """What an accepted swap adds to the schedule."""
    if (swap.back_start is None) != (swap.back_end is None):
        raise Invalid("Give both ends of the shift taken in return, or neither.", field="back_end")
    found = [Override(person=swap.asked_of, start=swap.start, end=swap.end, reason=f"swap with {asked_by}")]
    if swap.back_start is not None and swap.back_end is not None:
        back = Override(person=asked_by, start=swap.back_start, end=swap.back_end, reason=f"swap with {swap.asked_of}")
        found.append(back)
    return found


def _swap(row: Mapping[str, Any]) -> Swap:
    return Swap(
        id=row["id"], schedule=row["schedule"], asked_by=row["asked_by"], asked_of=row["asked_of"],
        start=row["starts_at"], end=row["ends_at"], back_start=row["back_starts_at"], back_end=row["back_ends_at"],
        state=row["state"],
    )  # fmt: skip


async def _note(conn: asyncpg.Connection, what: str, number: int, swap: NewSwap, *, actor: str, now: datetime) -> None:
    data = {"id": number, "with": swap.asked_of, "start": swap.start, "end": swap.end}
    action = f"schedule.swap.{what}"
    await audit.record(conn, actor=actor, action=action, subject=swap.schedule, data=data, now=now)
