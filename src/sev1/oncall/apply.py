"""Applying a catalog: refused when its schedules break limits that the present ones keep, unless a reason is given."""

from datetime import datetime

import asyncpg

from sev1.catalog import store as catalogs
from sev1.catalog.model import Catalog
from sev1.catalog.plan import Plan
from sev1.engine import audit
from sev1.oncall.limits import Breach, catalog_breaches, newly_broken
from sev1.oncall.resolve import in_force
from sev1.oncall.store import Unhealthy, overrides_at

SAID_MAX = 10
"""Sentences of a refusal; its data has all."""


async def apply(conn: asyncpg.Connection, catalog: Catalog, *, actor: str, now: datetime, anyway: str = "") -> Plan:
    """`catalogs.write` for a catalog whose shifts are healthy. Call it in a transaction: an error must undo it.

    Raises `Unhealthy` for a change that breaks a limit of a team or makes a breach worse; `anyway`, a reason, lets it
    through and stays in the audit log with what is broken. What was broken before does not stop other changes.
    """
    # The lock of `write`, taken before: no other apply may come between the comparison and the change.
    await conn.execute("SELECT pg_advisory_xact_lock($1)", catalogs.APPLY_LOCK)
    before = await broken(conn, await catalogs.read(conn), now)
    done = await catalogs.write(conn, catalog, actor=actor, now=now)
    if done.empty:
        return done
    found = newly_broken(before, await broken(conn, catalog, now))
    if not found:
        return done
    said = [one.sentence for one in found]
    if not anyway.strip():
        more = f" And {len(said) - SAID_MAX} more." if len(said) > SAID_MAX else ""
        raise Unhealthy(
            f"{' '.join(said[:SAID_MAX])}{more} Nothing was changed. Change the schedule, or give the reason why it must "
            "be with --override-limits.",
            limits=said,
        )
    data = {"limits": said, "anyway": anyway.strip()}
    subject = f"catalog {await catalogs.read_version(conn)}"
    await audit.record(conn, actor=actor, action="catalog.apply.unhealthy", subject=subject, data=data, now=now)
    return done


async def broken(conn: asyncpg.Connection, catalog: Catalog, now: datetime) -> list[Breach]:
    """The limits that `catalog` would break from now on, with the overrides and the leave that are stored."""
    exceptions = await overrides_at(conn, now)
    return catalog_breaches(catalog, now, {name: in_force(held, catalog) for name, held in exceptions.items()})
