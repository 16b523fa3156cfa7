"""`/api/v1/evidence`: files and excerpts kept with an incident, with their chain of custody (mission 3.4).

Seen by responders who see the incident. The content goes out as a file and never as a page.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct

from sev1.access.declare import as_is, needs, takes_files
from sev1.command.sight import Sight, must_see
from sev1.engine.database import Database
from sev1.evidence import store
from sev1.evidence.model import MOST_BYTES, NOTE_MAX, Custody, Described, Finding, Piece
from sev1.evidence.receive import receive, spool
from sev1.surfaces.actor import actor_of
from sev1.surfaces.api.on_call import aware
from sev1.surfaces.injected import Catalogs, Config, Db, Doing, Looks, Now, SignedIn

Name = Annotated[str, QueryParameter(min_length=1, max_length=1000)]
Short = Annotated[str, QueryParameter(max_length=300)]
Note = Annotated[str, QueryParameter(max_length=NOTE_MAX)]
Reason = Annotated[str, Meta(min_length=1, max_length=NOTE_MAX)]
FORM_MAX = MOST_BYTES + 64 * 1024
"""The framework's own limit; that of the setting is held while reading."""


class Why(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class Transfer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to: Annotated[str, Meta(min_length=1, max_length=300)]
    reason: Reason


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    until: datetime
    reason: Reason


class Verification(Struct, frozen=True, kw_only=True):
    intact: bool
    pieces: list[Finding]


@post(
    "/api/v1/incidents/{key:str}/evidence",
    opt=needs("incidents:write") | takes_files(),
    tags=["evidence"],
    status_code=201,
    request_max_body_size=FORM_MAX,
)
async def add_evidence(
    key: FromPath[str],
    name: Name,
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    settings: Config,
    sight: Looks,
    origin: Short = "",
    note: Note = "",
    sha256: Short = "",
    collected_at: FromQuery[datetime | None] = None,
) -> Piece:
    """Keeps the body of the request, byte for byte. `sha256`: what it has to be, or nothing is kept."""
    async with commands.db.connection() as conn:
        await must_see(conn, sight, key)
        by = actor_of(request.user, await catalogs.current(conn), "api")
    described = Described(
        name=name,
        media_type=request.headers.get("content-type", "")[:300],
        origin=origin,
        note=note,
        collected_at=aware(collected_at, "collected_at") if collected_at else None,
    )
    with spool() as file:
        received = await receive(request.stream(), file, longest=settings.evidence_max_bytes, sha256=sha256)
        async with commands.db.transaction() as conn:
            piece, change = await store.add(
                commands, conn, key, described, received, by=by, actor=request.user.actor,
                keep_days=settings.evidence_days,
            )  # fmt: skip
    commands.tell(change)
    return piece


@get("/api/v1/incidents/{key:str}/evidence", opt=needs("incidents:write"), tags=["evidence"])
async def list_evidence(key: FromPath[str], db: Db, sight: Looks) -> list[Piece]:
    """What is kept with the incident, oldest first."""
    async with db.connection() as conn:
        found = await store.of_incident(conn, key)
        await must_see(conn, sight, key)
    return found


@get("/api/v1/evidence/verification", opt=needs("incidents:write"), tags=["evidence"])
async def verify_evidence(
    db: Db, sight: Looks, incident: Annotated[str, QueryParameter(max_length=63)] = ""
) -> Verification:
    """Reads all content and all custody again: of one incident, or of all that the caller sees."""
    async with db.connection() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        found = await store.verify(conn, sight, incident)
    return Verification(intact=all(one.intact for one in found), pieces=found)


@get("/api/v1/evidence/{key:str}", opt=needs("incidents:write"), tags=["evidence"])
async def get_evidence(key: FromPath[str], db: Db, sight: Looks) -> Piece:
    async with db.connection() as conn:
        return await store.get(conn, key, sight)


@get("/api/v1/evidence/{key:str}/custody", opt=needs("incidents:write"), tags=["evidence"])
async def get_custody(key: FromPath[str], db: Db, sight: Looks) -> list[Custody]:
    """Who had it in hands when, oldest first."""
    async with db.connection() as conn:
        (chain,) = await store.chains(conn, [await store.get(conn, key, sight)])
    return chain


@get("/api/v1/evidence/{key:str}/content", opt=needs("incidents:write") | as_is(), tags=["evidence"])
async def download_evidence(
    key: FromPath[str], request: SignedIn, db: Db, clock: Now, sight: Looks, to: Short = ""
) -> Stream:
    """The content as a file; it is written down that it was taken. `to`: to whom it is exported."""
    return await hand_out(db, key, request, sight, clock.now(), to=to)


@post("/api/v1/evidence/{key:str}/transfer", opt=needs("incidents:write"), tags=["evidence"], status_code=200)
async def transfer_evidence(
    key: FromPath[str], data: JSONBody[Transfer], request: SignedIn, db: Db, clock: Now, sight: Looks
) -> Piece:
    """Writes down that somebody else has it in hands now."""
    return await _then(db, key, sight, store.transfer, request, clock.now(), to=data.to, reason=data.reason)


@post("/api/v1/evidence/{key:str}/hold", opt=needs("incidents:write"), tags=["evidence"], status_code=200)
async def hold_evidence(
    key: FromPath[str], data: JSONBody[Why], request: SignedIn, db: Db, clock: Now, sight: Looks
) -> Piece:
    """Sets a legal hold: it is kept whatever its retention says."""
    return await _then(db, key, sight, store.set_hold, request, clock.now(), reason=data.reason)


@post("/api/v1/evidence/{key:str}/release", opt=needs("evidence:write"), tags=["evidence"], status_code=200)
async def release_evidence(
    key: FromPath[str], data: JSONBody[Why], request: SignedIn, db: Db, clock: Now, sight: Looks
) -> Piece:
    """Lifts the legal hold: its retention counts again."""
    return await _then(db, key, sight, store.lift_hold, request, clock.now(), reason=data.reason)


@post("/api/v1/evidence/{key:str}/retention", opt=needs("evidence:write"), tags=["evidence"], status_code=200)
async def retain_evidence(
    key: FromPath[str], data: JSONBody[Retention], request: SignedIn, db: Db, clock: Now, sight: Looks
) -> Piece:
    """Says until when the content is kept."""
    until = aware(data.until, "until")
    return await _then(db, key, sight, store.retain, request, clock.now(), until=until, reason=data.reason)


async def _then(db: Database, key: str, sight: Sight, does: Any, request: SignedIn, now: datetime, **how: Any) -> Piece:
    """The piece after one thing was done to it."""
    async with db.transaction() as conn:
        await does(conn, key, sight, actor=request.user.actor, now=now, **how)
        return await store.get(conn, key, sight)


async def hand_out(db: Database, key: str, request: SignedIn, sight: Sight, now: datetime, *, to: str = "") -> Stream:
    """The content as a download. It is on record before the first byte leaves."""
    async with db.transaction() as conn:
        piece = await store.hand_out(conn, key, sight, to=to, actor=request.user.actor, now=now)

    async def parts() -> AsyncIterator[bytes]:
        async for part in store.content(db, piece):
            yield part

    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in piece.name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(piece.name, safe='')}",
        "Content-Length": str(piece.size),
        "X-Sev1-Sha256": piece.sha256,
    }
    return Stream(parts(), media_type="application/octet-stream", headers=headers)


ROUTES: list[HTTPRouteHandler] = [
    add_evidence,
    list_evidence,
    verify_evidence,
    get_evidence,
    get_custody,
    download_evidence,
    transfer_evidence,
    hold_evidence,
    release_evidence,
    retain_evidence,
]
