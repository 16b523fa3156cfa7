"""Breaking the glass: a right for a limited time, with a reason, on the record, and looked at afterwards (mission 7.6).

asked ──approve──► in force ──clock, or ended──► over ──review──► closed
  └──refuse──► refused                            ▲ taken at once: in force first, the justification is owed
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec
from msgspec import Struct

from sev1.access.model import Principal, Role, one_line
from sev1.engine import audit
from sev1.engine.errors import Forbidden, Invalid, NotFound, Refused

DEFAULT_MIN = 60
REMIND_EVERY = timedelta(hours=24)
TEXT_MAX = 2_000
Verdict = Literal["right", "wrong", "follow-up"]
Phase = Literal["asked", "refused", "in force", "over", "closed"]
_COLUMNS = (
    "id, actor, name, role, incident, reason, minutes, at_once, requested_at, decided_by, refused, starts_at, ends_at,"
    " ended_at, justification, verdict, verdict_note, reviewer, reviewed_at"
)


class Request(Struct, frozen=True, kw_only=True):
    id: int
    actor: str
    name: str
    role: Role | None
    incident: str | None
    reason: str
    minutes: int
    at_once: bool
    requested_at: datetime
    decided_by: str | None
    refused: bool
    starts_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    justification: str
    verdict: Verdict | None
    verdict_note: str
    reviewer: str | None
    reviewed_at: datetime | None

    @property
    def what(self) -> str:
        return f"access to {self.incident}" if self.incident else f"the rights of {self.role}"

    @property
    def subject(self) -> str:
        return f"break-glass:{self.id}"

    def phase(self, now: datetime) -> Phase:
        if self.verdict:
            return "closed"
        if self.refused:
            return "refused"
        if self.starts_at is None or self.ends_at is None:
            return "asked"
        return "over" if self.ended_at or self.ends_at <= now else "in force"

    def owes(self) -> bool:
        return self.at_once and not self.justification


class Use(Struct, frozen=True, kw_only=True):
    at: datetime
    method: str
    path: str


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either the rights of a higher role, or one restricted incident."""

    reason: str
    role: Role | None = None
    incident: str | None = None
    minutes: int = DEFAULT_MIN
    at_once: bool = False
    """True: in force now, and justified afterwards. False: once another person approves it."""


async def ask(conn: asyncpg.Connection, wanted: Wanted, *, by: Principal, longest_min: int, now: datetime) -> Request:
    """Raises Invalid, Refused, Forbidden. Whether the incident exists is not said: who may not see it may not know."""
    if by.kind not in {"user", "token"}:
        raise Forbidden("Sign in to ask for a right.")
    reason = one_line(wanted.reason, what="reason", longest=TEXT_MAX)
    if not 1 <= wanted.minutes <= longest_min:
        raise Invalid(f"Ask for 1 to {longest_min} minutes.", field="minutes")
    if (wanted.role is None) == (wanted.incident is None):
        raise Invalid("Ask for the rights of a role or for one incident, one at a time.")
    if wanted.incident is not None and not _is_key(wanted.incident):
        raise Invalid("Name the incident like INC-7.", field="incident")
    if wanted.role is not None and wanted.role <= by.role:
        raise Refused(f"You have the rights of {wanted.role} already.")
    if wanted.at_once:
        _may_take(wanted, by)
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('break-glass ' || $1))", by.actor)
    open_already = await conn.fetchval(
        "SELECT id FROM break_glass WHERE actor = $1 AND role IS NOT DISTINCT FROM $2 AND incident IS NOT DISTINCT FROM $3"
        " AND NOT refused AND ended_at IS NULL AND verdict IS NULL AND (ends_at IS NULL OR ends_at > $4)",
        by.actor, wanted.role, wanted.incident, now,
    )  # fmt: skip
    if open_already:
        raise Refused(f"You asked for that already: number {open_already}.")
    starts, ends = (now, now + timedelta(minutes=wanted.minutes)) if wanted.at_once else (None, None)
    row = await conn.fetchrow(
        "INSERT INTO break_glass (actor, name, role, incident, reason, minutes, at_once, requested_at, starts_at, ends_at)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {_COLUMNS}",
        by.actor, by.display, wanted.role, wanted.incident, reason, wanted.minutes, wanted.at_once, now, starts, ends,
    )  # fmt: skip
    made = _request(row)
    data: dict[str, str | int] = {"what": made.what, "minutes": made.minutes, "reason": reason}
    await _record(conn, made, "taken" if wanted.at_once else "asked", by, now, data)
    return made


def _may_take(wanted: Wanted, by: Principal) -> None:
    """At once goes one step up, and to a restricted incident for administrators only."""
    if wanted.incident is not None and by.role < Role.ADMIN:
        raise Refused("Only an administrator takes access to an incident at once. Ask for it, and another approves.")
    if wanted.role is not None and wanted.role.rank > by.role.rank + 1:
        raise Refused(f"At once goes one step up. Ask for {wanted.role}, and another person approves.")


def _is_key(text: str) -> bool:
    number = text.removeprefix("INC-")
    return text.startswith("INC-") and number.isascii() and number.isdigit() and len(number) <= 18


async def decide(conn: asyncpg.Connection, number: int, *, approved: bool, by: Principal, now: datetime) -> Request:
    """Approves or refuses. Of two decisions at once the first counts. Raises NotFound, Forbidden, Refused."""
    asked = await _locked(conn, number)
    await _must_be_another(conn, asked, by, "approve")
    if asked.phase(now) != "asked":
        raise Refused(f"Number {number} was decided already.")
    starts, ends = (now, now + timedelta(minutes=asked.minutes)) if approved else (None, None)
    await conn.execute(
        "UPDATE break_glass SET decided_by = $2, refused = $3, starts_at = $4, ends_at = $5 WHERE id = $1",
        number, by.actor, not approved, starts, ends,
    )  # fmt: skip
    return await _after(conn, asked, "approved" if approved else "refused", by, now)


async def end(conn: asyncpg.Connection, number: int, *, by: Principal, now: datetime) -> Request:
    """Gives it back before its time, by whoever has it or by an administrator."""
    held = await _locked(conn, number)
    if by.actor != held.actor and not by.may("access:write"):
        raise NotFound(f"There is no request {number}.")
    if held.phase(now) != "in force":
        raise Refused(f"Number {number} is not in force.")
    await conn.execute("UPDATE break_glass SET ended_at = $2 WHERE id = $1", number, now)
    return await _after(conn, held, "ended", by, now)


async def justify(conn: asyncpg.Connection, number: int, text: str, *, by: Principal, now: datetime) -> Request:
    """What was done with it, written by whoever had it; once. Raises NotFound, Invalid, Refused."""
    held = await _locked(conn, number)
    if by.actor != held.actor:
        raise NotFound(f"There is no request {number}.")
    if held.starts_at is None:
        raise Refused(f"Number {number} was never in force.")
    if held.justification:
        raise Refused(f"Number {number} is justified already.")
    words = one_line(" ".join(text.split()), what="justification", longest=TEXT_MAX)
    await conn.execute("UPDATE break_glass SET justification = $2 WHERE id = $1", number, words)
    return await _after(conn, held, "justified", by, now, {"justification": words})


async def review(
    conn: asyncpg.Connection, number: int, verdict: Verdict, note: str, *, by: Principal, now: datetime
) -> Request:
    """Closes it: another person says whether it was right. Raises NotFound, Forbidden, Invalid, Refused."""
    held = await _locked(conn, number)
    await _must_be_another(conn, held, by, "review")
    if held.phase(now) != "over":
        raise Refused(f"Number {number} is {held.phase(now)}. A review follows when it is over.")
    if held.owes():
        raise Refused(f"{held.name} has not written yet what it was for. Ask them to.")
    note = one_line(" ".join(note.split()), what="note", longest=TEXT_MAX, may_be_empty=verdict == "right")
    await conn.execute(
        "UPDATE break_glass SET verdict = $2, verdict_note = $3, reviewer = $4, reviewed_at = $5 WHERE id = $1",
        number, verdict, note, by.actor, now,
    )  # fmt: skip
    return await _after(conn, held, "reviewed", by, now, {"verdict": verdict, "note": note})


async def _must_be_another(conn: asyncpg.Connection, asked: Request, by: Principal, what: str) -> None:
    """Never whoever asked, nor a token of theirs, nor whoever made the token that asked."""
    makers = {
        f"token:{row['name']}": row["created_by"]
        for row in await conn.fetch(
            "SELECT name, created_by FROM api_tokens WHERE name = ANY($1::text[])",
            [asked.actor.removeprefix("token:"), by.actor.removeprefix("token:")],
        )
    }
    theirs = {asked.actor, makers.get(asked.actor, asked.actor)}
    mine = {by.actor, makers.get(by.actor, by.actor)}
    if theirs & mine - {"operator:cli"}:
        raise Forbidden(f"Another person has to {what} it: you asked for it.")


async def get(conn: asyncpg.Connection, number: int, *, by: Principal) -> Request:
    """One's own, and for those who may read the audit log everybody's. Raises NotFound."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM break_glass WHERE id = $1", number)
    if row is None or (row["actor"] != by.actor and not by.may("audit:read")):
        raise NotFound(f"There is no request {number}.")
    return _request(row)


async def latest(conn: asyncpg.Connection, *, by: Principal, limit: int = 100) -> list[Request]:
    """The same, newest first."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM break_glass WHERE $1 OR actor = $2 ORDER BY id DESC LIMIT $3",
        by.may("audit:read"), by.actor, limit,
    )  # fmt: skip
    return [_request(row) for row in rows]


async def uses(conn: asyncpg.Connection, numbers: Sequence[int], *, most: int = 1_000) -> dict[int, list[Use]]:
    """The requests that were made while each was in force, oldest first; of each the first `most`."""
    rows = await conn.fetch(
        """
        SELECT wanted.number, used.at, used.data FROM unnest($1::bigint[]) AS wanted (number)
        CROSS JOIN LATERAL (
            SELECT id, at, data FROM audit_log
            WHERE subject = 'break-glass:' || wanted.number AND action = 'break_glass.used' ORDER BY id LIMIT $2
        ) used ORDER BY used.id
        """,
        list(numbers), most,
    )  # fmt: skip
    found: dict[int, list[Use]] = {number: [] for number in numbers}
    for row in rows:
        data = row["data"]
        found[row["number"]].append(Use(at=row["at"], method=data["method"], path=data["path"]))
    return found


async def note_use(conn: asyncpg.Connection, principal: Principal, method: str, path: str, now: datetime) -> None:
    """Before the request is answered: method and path, never what was sent."""
    for number in principal.grants:
        data = {"method": method, "path": path[:500]}
        await audit.record(
            conn, actor=principal.actor, action="break_glass.used", subject=f"break-glass:{number}", data=data, now=now
        )


async def to_remind(conn: asyncpg.Connection, now: datetime) -> list[Request]:
    """Whose justification is owed and was not asked for in the last day; marks them as reminded."""
    rows = await conn.fetch(
        "UPDATE break_glass SET reminded_at = $1 WHERE at_once AND justification = '' AND verdict IS NULL"
        f" AND ends_at <= $1 AND (reminded_at IS NULL OR reminded_at <= $2) RETURNING {_COLUMNS}",
        now, now - REMIND_EVERY,
    )  # fmt: skip
    return [_request(row) for row in rows]


async def _locked(conn: asyncpg.Connection, number: int) -> Request:
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM break_glass WHERE id = $1 FOR UPDATE", number)
    if row is None:
        raise NotFound(f"There is no request {number}.")
    return _request(row)


async def _after(
    conn: asyncpg.Connection,
    request: Request,
    what: str,
    by: Principal,
    now: datetime,
    data: dict[str, str | int] | None = None,
) -> Request:
    await _record(conn, request, what, by, now, data or {})
    return await _locked(conn, request.id)


async def _record(
    conn: asyncpg.Connection, request: Request, what: str, by: Principal, now: datetime, data: dict[str, str | int]
) -> None:
    await audit.record(
        conn, actor=by.actor, action=f"break_glass.{what}", subject=request.subject, data=dict(data), now=now
    )


def _request(row: asyncpg.Record) -> Request:
    return msgspec.convert(dict(row), Request)
