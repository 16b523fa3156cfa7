"""Who looks, and what a restricted incident shows them: nothing, unless it is theirs (mission 3.3).

Every reader asks here, and asks *after* it read: an incident that is declared or restricted while somebody reads is then
withheld too. Who may not see an incident gets the answer that an unknown one gets.
"""

import asyncpg
from msgspec import Struct

from sev1.command.model import Incident
from sev1.engine.errors import NotFound


class Sight(Struct, frozen=True, kw_only=True):
    me: str = ""
    """As whom one appears in incidents; empty for one who cannot be in any."""
    opened: frozenset[str] = frozenset()
    """Incidents opened to them for a limited time."""
    everything: bool = False
    """Whoever has a shell on the server reads the database anyway."""

    def sees(self, incident: Incident) -> bool:
        return (
            not incident.privacy.restricted
            or self.everything
            or incident.key in self.opened
            or (self.me != "" and self.me in incident.insiders)
        )


SHELL = Sight(everything=True)
NOBODY = Sight()


def condition(first: int, table: str = "incidents") -> str:
    """SQL: the incident is visible to the sight whose `values` are the parameters from `$first` on."""
    return (
        f"(NOT {table}.restricted OR ${first}::boolean OR ${first + 1}::text = ANY({table}.visible_to)"
        f" OR {table}.id = ANY(${first + 2}::text[]))"
    )


def values(sight: Sight) -> tuple[bool, str, list[str]]:
    return sight.everything, sight.me, sorted(sight.opened)


async def must_see(conn: asyncpg.Connection, sight: Sight, key: str) -> None:
    """Raises NotFound for an incident that does not exist, or not for them."""
    visible = f"SELECT EXISTS (SELECT FROM incidents WHERE id = $1 AND {condition(2)})"
    if not await conn.fetchval(visible, key, *values(sight)):
        raise unknown(key)


def unknown(key: str) -> NotFound:
    return NotFound(f"There is no incident {key}.")


async def withheld(conn: asyncpg.Connection, sight: Sight) -> frozenset[str]:
    """The incidents that they may not see; of the restricted ones only, so there are few."""
    rows = await conn.fetch(f"SELECT id FROM incidents WHERE restricted AND NOT {condition(1)}", *values(sight))
    return frozenset(row["id"] for row in rows)
