"""`/api/v1/audit`: the audit log, whether its chain holds, and the whole of it to take along (mission T.5)."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from sev1.access.declare import needs
from sev1.engine import audit, audit_chain
from sev1.engine.audit import Entry
from sev1.engine.audit_chain import Verdict
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.surfaces.injected import Db, Now

Limit = Annotated[int, QueryParameter(ge=1, le=1_000)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)]
Text = Annotated[str, QueryParameter(max_length=300)]


@get("/api/v1/audit", opt=needs("audit:read"), tags=["audit"])
async def list_audit(
    db: Db, actor: Text = "", action: Text = "", subject: Text = "", before: Before = None, limit: Limit = 50
) -> list[Entry]:
    """The latest entries, newest first; each filter is a part of its text, `before` the id of the last one seen."""
    async with db.connection() as conn:
        return await audit.entries(conn, actor=actor, action=action, subject=subject, before=before, limit=limit)


@get("/api/v1/audit/verify", opt=needs("audit:read"), tags=["audit"])
async def verify_audit(db: Db, expect: FromQuery[str] = "") -> Verdict:
    """Reads the whole chain and names the first entry that breaks it. `expect` is a head (`position:hash`) noted before."""
    expected = audit_chain.parse_head(expect) if expect else None
    async with db.connection() as conn:
        return await audit_chain.verify(conn, expected)


@get("/api/v1/audit/export", opt=needs("audit:read"), tags=["audit"], media_type="application/x-ndjson")
async def export_audit(db: Db, clock: Now) -> Stream:
    """All of it as lines of JSON, which `sev1 audit verify FILE` checks without this server."""
    return exported(db, clock)


def exported(db: Database, clock: Clock) -> Stream:
    async def lines() -> AsyncIterator[bytes]:
        async with db.connection() as conn:
            async for line in audit_chain.export(conn, clock.now()):
                yield line

    name = f"sev1-audit-{clock.now():%Y-%m-%d}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(lines, media_type="application/x-ndjson", headers=headers)


ROUTES: list[HTTPRouteHandler] = [list_audit, verify_audit, export_audit]
