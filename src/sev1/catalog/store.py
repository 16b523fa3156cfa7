"""The catalog in the database: one row an object, one number that says which catalog this is."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog.check import require_valid
from sev1.catalog.convert import known_part
from sev1.catalog.model import DEFAULT_SEVERITIES, KINDS, Catalog
from sev1.catalog.plan import Plan, objects, plan
from sev1.catalog.stored import as_stored, as_written
from sev1.engine import audit

APPLY_LOCK = 0x5E_0002
"""Key of the advisory lock under which one apply at a time reads, compares and writes."""


async def read_version(conn: asyncpg.Connection) -> int:
    """The number of the current catalog; 0 before the first apply."""
    version: int = await conn.fetchval("SELECT coalesce(max(version), 0) FROM catalog_version")
    return version


async def read(conn: asyncpg.Connection) -> Catalog:
    """The whole catalog with its version. An empty database holds no objects but the default severities."""
    # One statement, so that objects and version belong together whatever is applied meanwhile.
    rows = await conn.fetch(
        """
        SELECT v.version, o.kind, o.name, o.spec
        FROM (SELECT coalesce(max(version), 0) AS version FROM catalog_version) v
        LEFT JOIN catalog_objects o ON true
        ORDER BY o.kind, o.name
        """
    )
    fields: dict[str, Any] = {"version": rows[0]["version"]}
    for row in rows:
        if row["kind"] not in KINDS:
            # Nothing stored yet, or a kind that a newer release knows and this one does not.
            continue
        attribute, wanted = KINDS[row["kind"]]
        value = _restored(row["spec"], wanted)
        if row["kind"] == "organisation":
            fields[attribute] = value
        else:
            fields.setdefault(attribute, {})[row["name"]] = value
    fields.setdefault("severities", dict(DEFAULT_SEVERITIES))
    return Catalog(**fields)


async def write(conn: asyncpg.Connection, catalog: Catalog, *, actor: str, now: datetime) -> Plan:
    """Makes the stored catalog equal to `catalog`, all of it or (on an error) nothing of it.

    Returns what changed. The version grows by one when something did, and an audit line says who did it; when nothing
    changed, nothing is written. Raises `CatalogInvalid` for a catalog that breaks a rule. Two applies at once wait for
    each other: the second compares with what the first left.
    """
    require_valid(catalog)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock($1)", APPLY_LOCK)
        changes = plan(await read(conn), catalog)
        if changes.empty:
            return changes
        await _replace_all(conn, objects(catalog), now)
        version = await read_version(conn) + 1
        await conn.execute("DELETE FROM catalog_version")
        await conn.execute("INSERT INTO catalog_version (version) VALUES ($1)", version)
        await audit.record(
            conn,
            actor=actor,
            action="catalog.apply",
            subject=f"catalog {version}",
            data={"summary": changes.summary, **msgspec.to_builtins(changes)},
            now=now,
        )
    return changes


async def _replace_all(conn: asyncpg.Connection, wanted: dict[tuple[str, str], Struct], now: datetime) -> None:
    """Rows equal to `wanted`. Only rows whose value differs are touched, so `updated_at` tells when each changed."""
    kinds, names = [kind for kind, _ in wanted], [name for _, name in wanted]
    await conn.execute(
        """
        DELETE FROM catalog_objects
        WHERE (kind, name) NOT IN (SELECT * FROM unnest($1::text[], $2::text[]))
        """,
        kinds,
        names,
    )
    await conn.execute(
        """
        INSERT INTO catalog_objects (kind, name, spec, updated_at)
        SELECT kind, name, spec, $4 FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS given (kind, name, spec)
        ON CONFLICT (kind, name) DO UPDATE SET spec = excluded.spec, updated_at = excluded.updated_at
        WHERE catalog_objects.spec IS DISTINCT FROM excluded.spec
        """,
        kinds,
        names,
        [as_stored(value) for value in wanted.values()],
        now,
    )


def _restored(spec: dict[str, Any], wanted: type[Struct]) -> Struct:
    """The object a row holds. Fields that another release wrote and this one does not know are passed over.

    During a rolling upgrade an older node reads what a newer one stored; refusing it would stop paging there.
    """
    spec = as_written(spec)
    try:
        return msgspec.convert(spec, wanted)
    except msgspec.ValidationError:
        return msgspec.convert(known_part(spec, wanted), wanted)
