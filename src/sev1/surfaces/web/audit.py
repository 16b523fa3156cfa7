"""`/audit`: the audit log for admins, its state, and the whole of it as a file (mission T.5)."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream, Template

from sev1.access.declare import needs
from sev1.engine import audit, audit_chain
from sev1.surfaces.api.audit import Before, Text, exported
from sev1.surfaces.injected import Db, Now
from sev1.surfaces.web.visit import Here, show

SHOWN = 50
Check = Annotated[str, QueryParameter(max_length=3)]


@get("/audit", opt=needs("audit:read"), include_in_schema=False)
async def show_audit(
    db: Db,
    visit: Here,
    actor: Text = "",
    action: Text = "",
    subject: Text = "",
    before: Before = None,
    check: Check = "",
) -> Template:
    """With `check=yes` the whole chain is read, which takes about a second for a hundred thousand entries."""
    async with db.connection() as conn:
        found = await audit.entries(conn, actor=actor, action=action, subject=subject, before=before, limit=SHOWN + 1)
        head = await audit_chain.head(conn)
        verdict = await audit_chain.verify(conn) if check == "yes" else None
    shown = found[:SHOWN]
    filters = {"actor": actor, "action": action, "subject": subject}
    older = urlencode({**filters, "before": shown[-1].id}) if len(found) > SHOWN else ""
    return show(
        visit,
        "audit.html",
        section="settings",
        entries=[(entry, msgspec.json.encode(entry.data).decode() if entry.data else "") for entry in shown],
        filters=filters,
        older=older,
        before=before,
        head=head,
        verdict=verdict,
    )


@get("/audit/export", opt=needs("audit:read"), include_in_schema=False)
async def download_audit(db: Db, clock: Now) -> Stream:
    return exported(db, clock)


ROUTES: list[HTTPRouteHandler] = [show_audit, download_audit]
