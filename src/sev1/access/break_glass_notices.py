"""Who is told that somebody breaks the glass: every administrator, at once; and whoever owes the justification (7.6)."""

from datetime import datetime

import asyncpg

from sev1.access.break_glass import Request
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog
from sev1.notify import contacts, store
from sev1.notify.model import Notice


async def announce(conn: asyncpg.Connection, request: Request, catalog: Catalog, url: str, now: datetime) -> None:
    """To all administrators but whoever asks, in the caller's transaction: what, for how long, why."""
    admins = await conn.fetch("SELECT email FROM users WHERE role = 'admin' AND NOT disabled ORDER BY id")
    did = "takes" if request.at_once else "asks for"
    ask = "It is in force." if request.at_once else "Another person has to approve it."
    title = f"Break-glass: {request.name} {did} {request.what} for {request.minutes} min"
    for row in admins:
        if row["email"] != request.actor:
            await _tell(conn, row["email"], request, title, f"{request.reason}\n\n{ask}", catalog, url, now)


async def remind(conn: asyncpg.Connection, request: Request, catalog: Catalog, url: str, now: datetime) -> None:
    """Whoever took a right at once is asked what it was for, until they have written it."""
    if not request.actor.startswith("token:"):
        title = f"Break-glass: write down what you needed {request.what} for"
        await _tell(conn, request.actor, request, title, request.reason, catalog, url, now)


async def _tell(
    conn: asyncpg.Connection,
    email: str,
    request: Request,
    title: str,
    body: str,
    catalog: Catalog,
    url: str,
    now: datetime,
) -> None:
    """As they want to be reached; an account that is nobody in the catalog by its mail address."""
    about = f"break-glass-{request.id}"
    link = f"{url}/break-glass#request-{request.id}"
    notice = Notice(kind="announcement", about=about, title=title, url=link, body=body)
    person = catalog.person_by_email(email)
    if person:
        methods = (await contacts.read(conn, [person.name])).of(person, notice.urgency)
        await store.enqueue(conn, about=about, person=person.name, methods=methods, notice=notice, now=now)
    else:
        by_mail = (EmailMethod(address=email),)
        await store.enqueue(conn, about=about, person=None, methods=by_mail, notice=notice, now=now)
