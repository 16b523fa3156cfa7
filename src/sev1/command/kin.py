"""The incidents around one: what the rules need to know of them, and what follows in them (missions 1.5, 15.5).

What one incident decides about another happens in one transaction. Every incident that may be written in it is locked
before the first decision, all at once and in one order (`streams_with`), so that two never wait for each other.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

from sev1.command import model as m
from sev1.command.merge import handed_on
from sev1.command.parts import family as f
from sev1.command.parts.merging import MergedInto, MergeInto
from sev1.command.parts.needs import DropNeed, MeetNeed, NeedDropped, NeedMet
from sev1.command.store import as_incident
from sev1.command.terms import Kin
from sev1.engine import event_log
from sev1.engine.commands import Change, Commands
from sev1.engine.errors import NotFound

FAMILIES = "incident-family"
"""Locked by whoever changes which incident is under which: a circle could otherwise close in two halves at once."""

_ABOVE = """
    WITH RECURSIVE up (id, parent, step) AS (
        SELECT id, parent, 0 FROM incidents WHERE id = $1
        UNION ALL SELECT i.id, i.parent, up.step + 1 FROM incidents i JOIN up ON i.id = up.parent WHERE up.step < 10
    ) SELECT id FROM up ORDER BY step
"""
_BELOW = """
    WITH RECURSIVE down (id, step) AS (
        SELECT $1::text, 0
        UNION ALL SELECT i.id, down.step + 1 FROM incidents i JOIN down ON i.parent = down.id WHERE down.step < 10
    ) SELECT id, step FROM down ORDER BY step, id
"""


async def above(conn: asyncpg.Connection, key: str) -> tuple[str, ...]:
    """The incident, its parent, and so on up to the topmost."""
    return tuple(row["id"] for row in await conn.fetch(_ABOVE, key))


async def tree(conn: asyncpg.Connection, key: str) -> list[str]:
    """Every incident of the family of `key`, from its topmost parent down."""
    line = await above(conn, key)
    return [row["id"] for row in await conn.fetch(_BELOW, line[-1] if line else key)]


async def around(conn: asyncpg.Connection, key: str, parent: str | None) -> list[m.Incident]:
    """The parent, if there is one, and everything under the incident, by number; at most 200."""
    rows = await conn.fetch(
        f"SELECT state::text FROM incidents WHERE id = $2 OR (id <> $1 AND id IN (SELECT id FROM ({_BELOW}) AS below))"
        " ORDER BY number LIMIT 200",
        key, parent,
    )  # fmt: skip
    return [as_incident(row["state"]) for row in rows]


async def streams_with(conn: asyncpg.Connection, commands: Mapping[str, Any]) -> Iterable[str]:
    """The further streams that the reactions to these commands may write."""
    keys: set[str] = set()
    others: set[str] = set()
    for key, command in commands.items():
        match command:
            case MergeInto(into=other):
                keys |= {key, other, *await tree(conn, key), *await tree(conn, other)}
                others.add(FAMILIES)
            case f.SetParent(parent=parent) | m.Declare(parent=str(parent)):
                keys |= {key, parent, *await tree(conn, key), *await tree(conn, parent)}
                others.add(FAMILIES)
            case f.DeclareChild() | f.LeaveParent():
                keys |= {*await tree(conn, key)}
                others.add(FAMILIES)
            case f.EscalateNeed() | MeetNeed() | DropNeed():
                keys |= {*await tree(conn, key)}
    return [*others, *(event_log.stream_name("incident", key) for key in keys)]


async def lock(conn: asyncpg.Connection, key: str, command: Any) -> None:
    """Before anything else is locked, by who declares in a transaction of their own."""
    await event_log.lock_streams(conn, await streams_with(conn, {key: command}))


async def kin_of(conn: asyncpg.Connection, state: m.Incident, command: Any, *, allocate: bool) -> Kin:
    """What the rules need to know of the incidents around `state`.

    `allocate` takes the number for a child; without it, it is only looked at. Raises NotFound for a parent that was
    never declared, and the same for a restricted one: it stands alone.
    """
    match command:
        case f.SetParent(parent=parent) | m.Declare(parent=str(parent)):
            row = await conn.fetchrow("SELECT title, status FROM incidents WHERE id = $1 AND NOT restricted", parent)
            if row is None:
                raise NotFound(f"There is no incident {parent}.")
            return Kin(
                key=state.key,
                above=await above(conn, parent),
                below=await _levels_below(conn, state.key),
                parent_title=row["title"],
                parent_status=row["status"],
            )
        case MergeInto(into=other):
            row = await conn.fetchrow("SELECT title, status FROM incidents WHERE id = $1 AND NOT restricted", other)
            if row is None:
                raise NotFound(f"There is no incident {other}.")
            return Kin(
                key=state.key,
                above=(await above(conn, state.key))[1:],
                open_children=await _open_children(conn, state.key),
                other_title=row["title"],
                other_status=row["status"],
            )
        case f.DeclareChild():
            line = await above(conn, state.key)
            number = await _number(conn, allocate=allocate)
            return Kin(key=state.key, above=line[1:], next_key=f"INC-{number}")
        case m.ResolveIncident() | m.CloseFalseAlarm():
            return Kin(key=state.key, open_children=await _open_children(conn, state.key))
        case _:
            return Kin(key=state.key)


async def _open_children(conn: asyncpg.Connection, key: str) -> tuple[str, ...]:
    rows = await conn.fetch("SELECT id FROM incidents WHERE parent = $1 AND status = 'open' ORDER BY number", key)
    return tuple(row["id"] for row in rows)


async def _levels_below(conn: asyncpg.Connection, key: str) -> int:
    return max((row["step"] for row in await conn.fetch(_BELOW, key)), default=0)


async def _number(conn: asyncpg.Connection, *, allocate: bool) -> int:
    if allocate:
        return await event_log.next_number(conn, "incident")
    last: int | None = await conn.fetchval("SELECT value FROM counters WHERE name = 'incident'")
    return (last or 0) + 1


class KinEffects:
    """A reaction: the other side of what an incident decided about its parent or its children."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def __call__(self, conn: asyncpg.Connection, change: Change[m.Incident]) -> None:
        for fact in change.facts:
            for key, command in follows(change.before, change.after, fact.event):
                await self._commands.run_in(conn, "incident", key, command, by=fact.by)


def follows(before: m.Incident, after: m.Incident, event: m.IncidentEvent) -> list[tuple[str, m.IncidentCommand]]:
    """(incident, command): what has to happen elsewhere because of `event`. Pure."""
    match event:
        case f.ParentSet(parent=parent):
            return [(parent, f.AddChild(child=after.key, title=after.title))]
        case f.ParentLeft(parent=parent):
            return [(parent, f.RemoveChild(child=after.key))]
        case f.ChildDeclared(child=child, title=title, severity=severity, commander=commander):
            declared = m.Declare(title=title, severity=severity, commander=commander, parent=after.key)
            return [(child, declared)]
        case f.NeedEscalated(number=number, text=text, parent=parent):
            return [(parent, f.AcceptNeed(child=after.key, need=number, text=text))]
        case MergedInto(into=into, reason=reason):
            return [handed_on(before, into, reason)]
        case NeedMet(number=number, outcome=outcome):
            return _answers(before, number, met=True, outcome=outcome)
        case NeedDropped(number=number, reason=reason):
            return _answers(before, number, met=False, outcome=reason)
        case _:
            return []


def _answers(incident: m.Incident, number: int, *, met: bool, outcome: str) -> list[tuple[str, m.IncidentCommand]]:
    """To every child that asked for it, and to the parent that it was raised to."""
    found: list[tuple[str, m.IncidentCommand]] = []
    for ref, own in incident.family.asked.items():
        child, _, need = ref.partition("/N")
        if own == number:
            found.append((child, f.SettleNeed(other=incident.key, need=int(need), met=met, outcome=outcome)))
    if incident.family.parent and number in incident.family.raised:
        settled = f.SettleNeed(other=incident.key, need=number, theirs=True, met=met, outcome=outcome)
        found.append((incident.family.parent, settled))
    return found
