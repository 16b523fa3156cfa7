"""`/incidents/INC-1/evidence`: what is kept with an incident, and who had it in hands (mission 3.4). Works without scripts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Stream, Template
from msgspec import Struct

from sev1.access.declare import as_is, needs, takes_files
from sev1.command.sight import must_see
from sev1.engine.commands import Commands
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Invalid, Refused, Sev1Error, TooLarge
from sev1.engine.settings import Settings
from sev1.evidence import store
from sev1.evidence.model import ACTION_WORDS, NOTE_MAX, Custody, Described, Piece, size_in_words
from sev1.evidence.receive import receive, spool
from sev1.surfaces.api.evidence import FORM_MAX, hand_out
from sev1.surfaces.injected import Config, Db, Doing, Now, SignedIn
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

READ_AT_ONCE = 256 * 1024


class CustodyRow(Struct, frozen=True, kw_only=True):
    entry: Custody
    did: str
    told: str
    """What else it says: a reason, to whom."""


class PieceRow(Struct, frozen=True, kw_only=True):
    piece: Piece
    size: str
    custody: tuple[CustodyRow, ...]


@get("/incidents/{key:str}/evidence", opt=needs("incidents:write"), include_in_schema=False)
async def show_evidence(
    key: FromPath[str], db: Db, visit: Here, settings: Config, check: FromQuery[str] = ""
) -> Template:
    """With `check=yes` all content and all custody is read again."""
    return await _page(key, db, visit, settings, check=check == "yes")


@post(
    "/incidents/{key:str}/evidence",
    opt=needs("incidents:write") | takes_files(),
    include_in_schema=False,
    request_max_body_size=FORM_MAX,
    status_code=200,
)
async def add_evidence(
    key: FromPath[str], request: SignedIn, db: Db, commands: Doing, visit: Here, settings: Config
) -> Response[Any]:
    """A file, or the text of the excerpt. A refusal shows the form again with what was typed; nothing is kept then."""
    async with db.connection() as conn:
        await must_see(conn, visit.sight, key)
    fields = await fields_of(request)
    form = await request.form()
    file = form.get("file")
    try:
        piece = await _add(key, fields, file if isinstance(file, UploadFile) else None, commands, visit, settings)
    except (Invalid, Refused, TooLarge) as error:
        kept = {name: text for name, text in fields.items() if name != "csrf"}
        typed = Typed(form="evidence", fields=kept, error=error.message, status=error.status)
        return await _page(key, db, visit, settings, typed=typed)
    return go_to(f"/incidents/{key}/evidence#{piece.key}")


async def _add(
    key: str, fields: dict[str, str], file: UploadFile | None, commands: Commands, visit: Visit, settings: Settings
) -> Piece:
    excerpt = fields.get("excerpt", "")
    named = file.filename if file and file.filename else ""
    if named and excerpt.strip():
        raise Invalid("Choose a file or paste an excerpt, one at a time.", field="file")
    for field, most in (("origin", 300), ("note", NOTE_MAX)):
        if len(fields.get(field, "")) > most:
            raise Invalid(f"The {field} is longer than {most:,} characters.", field=field)
    described = Described(
        name=named or "excerpt.txt",
        media_type=(file.content_type if file and named else "text/plain")[:300],
        origin=fields.get("origin", "").strip(),
        note=fields.get("note", "").strip(),
        collected_at=_moment(fields.get("collected_at", "")),
    )
    parts = _read(file) if file and named else _once(excerpt.encode())
    with spool() as place:
        sha256 = fields.get("sha256", "").strip()
        received = await receive(parts, place, longest=settings.evidence_max_bytes, sha256=sha256)
        async with commands.db.transaction() as conn:
            piece, change = await store.add(
                commands, conn, key, described, received, by=visit.actor, actor=visit.principal.actor,
                keep_days=settings.evidence_days,
            )  # fmt: skip
    commands.tell(change)
    return piece


async def _read(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(READ_AT_ONCE):
        yield part


async def _once(text: bytes) -> AsyncIterator[bytes]:
    yield text


def _moment(wall_time: str) -> datetime | None:
    """The form labels it as UTC."""
    if not wall_time:
        return None
    try:
        return datetime.fromisoformat(wall_time).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("The time is not readable. Write it like 2026-03-02 03:14.", field="collected_at") from None


@get("/evidence/{piece:str}/content", opt=needs("incidents:write") | as_is(), include_in_schema=False)
async def download_evidence(piece: FromPath[str], request: SignedIn, db: Db, visit: Here) -> Stream:
    return await hand_out(db, piece, request, visit.sight, visit.now)


@post(
    "/evidence/{piece:str}/commands",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def command_evidence(
    piece: FromPath[str], request: SignedIn, db: Db, visit: Here, settings: Config, clock: Now
) -> Response[Any]:
    """A hold, its end, a transfer, another retention."""
    fields = await fields_of(request)
    async with db.connection() as conn:
        incident = (await store.get(conn, piece, visit.sight)).incident
    try:
        await _do(piece, fields, db, visit, clock.now())
    except Sev1Error as error:
        typed = Typed(form=f"{fields.get('type', '')}-{piece}", fields=fields, error=error.message, status=error.status)
        return await _page(incident, db, visit, settings, typed=typed)
    return go_to(f"/incidents/{incident}/evidence#{piece}")


async def _do(piece: str, fields: dict[str, str], db: Database, visit: Visit, now: datetime) -> None:
    reason, kind = fields.get("reason", "").strip(), fields.get("type", "")
    if not 0 < len(reason) <= NOTE_MAX:
        raise Invalid("Say why, in a sentence.", field="reason")
    if kind in {"release", "retention"} and not visit.may("evidence:write"):
        raise Forbidden("Only an administrator lifts a hold or changes how long evidence is kept.")
    actor = visit.principal.actor
    async with db.transaction() as conn:
        match kind:
            case "hold":
                await store.set_hold(conn, piece, visit.sight, reason=reason, actor=actor, now=now)
            case "release":
                await store.lift_hold(conn, piece, visit.sight, reason=reason, actor=actor, now=now)
            case "retention":
                until = _moment(fields.get("until", ""))
                if until is None:
                    raise Invalid("Say until when it is kept.", field="until")
                await store.retain(conn, piece, visit.sight, until=until, reason=reason, actor=actor, now=now)
            case "transfer":
                to = fields.get("to", "").strip()
                if not 0 < len(to) <= 300:
                    raise Invalid("Say to whom it goes.", field="to")
                await store.transfer(conn, piece, visit.sight, to=to, reason=reason, actor=actor, now=now)
            case _:
                raise Invalid("Nothing was changed: this form asks for something that does not exist. Reload the page.")


async def _page(
    key: str, db: Database, visit: Visit, settings: Settings, *, check: bool = False, typed: Typed | None = None
) -> Template:
    async with db.connection() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        pieces = await store.of_incident(conn, key)
        chains = await store.chains(conn, pieces)
        findings = await store.verify(conn, visit.sight, key) if check else None
        await must_see(conn, visit.sight, key)
    return show(
        visit,
        "evidence.html",
        section="incidents",
        key=key,
        rows=[_row(piece, chain) for piece, chain in zip(pieces, chains, strict=True)],
        findings=findings,
        most=size_in_words(settings.evidence_max_bytes),
        days=settings.evidence_days,
        typed=typed,
    )


def _row(piece: Piece, chain: list[Custody]) -> PieceRow:
    return PieceRow(
        piece=piece,
        size=size_in_words(piece.size),
        custody=tuple(CustodyRow(entry=one, did=ACTION_WORDS[one.action], told=_told(one)) for one in chain),
    )


def _told(entry: Custody) -> str:
    data = msgspec.json.decode(entry.data)
    wanted = ("to", "until", "reason", "because") if entry.action != "collected" else ("origin", "note")
    return " · ".join(str(data[name]) for name in wanted if data.get(name))


ROUTES: list[HTTPRouteHandler] = [show_evidence, add_evidence, download_evidence, command_evidence]
