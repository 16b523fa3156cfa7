"""What Opsgenie's clients read back: the fate of a request, and an alert (`GET /v2/alerts…`, at the root and below a key).

What they post goes to intake (`intake/formats/opsgenie.py`) and never comes here. A key sees the alerts that came through
it and nothing else.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import asyncpg
import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from sev1.access.declare import with_integration_key
from sev1.access.keys import IntegrationKey
from sev1.engine.errors import Forbidden, NotFound, Sev1Error, SignInNeeded, TooMany
from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.opsgenie import DEFAULT_PRIORITY, Asked, Opsgenie, error, genie_key
from sev1.surfaces.injected import Db, Keys
from sev1.triage.alerts import get_alert, latest_named, transitions
from sev1.triage.model import AlertRow

NEAR = timedelta(seconds=10)
"""A request's number holds when it came; it was stored within this time, or asked to be sent again."""
_NOT_YET = "Request not found. It might not be processed, yet."
_PRIORITIES = frozenset({"P1", "P2", "P3", "P4", "P5"})

Asking = Request[Any, Any, Any]
Json = Response[bytes]


@get("/v2/alerts/requests/{request_id:str}", opt=with_integration_key(), include_in_schema=False)
async def get_request_status(request_id: FromPath[str], request: Asking, db: Db, keyring: Keys) -> Json:
    """What became of a request: 404 until it is processed, as at Opsgenie."""
    key = await _key(keyring, request)
    async with db.connection() as conn:
        asked, at = await _request(conn, key, request_id)
        alert = await latest_named(conn, key.id, asked.alias)
    found = alert is not None
    return _json(
        {
            "success": found,
            "isSuccess": found,
            "action": asked.what.title(),
            "processedAt": _instant(at),
            "integrationId": str(key.id),
            "status": _status(asked, alert),
            "alertId": _id(alert) if alert else "",
            "alias": asked.alias,
        },
        request_id,
    )


@get("/v2/alerts/{rest:path}", opt=with_integration_key(), include_in_schema=False)
async def get_one(request: Asking, db: Db, keyring: Keys) -> Json:
    """An alert by its id, alias or tiny id; of several with one alias the newest."""
    key = await _key(keyring, request)
    # As it was sent: an alias may hold slashes, which the decoded path has lost among its own.
    raw: bytes = request.scope["raw_path"]
    identifier = unquote(raw.partition(b"?")[0].decode("latin-1").partition("/v2/alerts/")[2]).replace("\0", "\ufffd")
    kind = request.query_params.get("identifierType", "id").lower()
    async with db.connection() as conn:
        alert = await _find(conn, key, identifier, kind)
        if alert is None:
            raise NotFound(f"No alert exists with {kind} [{identifier[:100]}].")
        seen = {transition.what for transition in await transitions(conn, alert.id)}
    return _json(_view(alert, key, acknowledged="acknowledged" in seen), str(uuid.uuid4()))


async def _key(keyring: Keys, request: Asking) -> IntegrationKey:
    """The key in the address, else in the header. Raises SignInNeeded, Forbidden, TooMany."""
    secret = request.path_params.get("secret") or genie_key(request.headers.get("authorization", ""))
    key = await keyring.load(secret) if secret else None
    if key is None:
        raise SignInNeeded(Opsgenie.unknown_key)
    if key.kind != Opsgenie.name:
        raise Forbidden(f"This key was made for {key.kind}. The Alert API needs a key for {Opsgenie.name}.")
    if not keyring.allows(key):
        raise TooMany("You are making too many requests! Try again in a moment.", retry_after_s=1)
    return key


async def _request(conn: asyncpg.Connection, key: IntegrationKey, request_id: str) -> tuple[Asked, datetime]:
    """A stored request that triage has taken, by its number. Raises NotFound."""
    try:
        number = uuid.UUID(request_id)
        at = datetime.fromtimestamp((number.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise NotFound(_NOT_YET) from None
    rows = await conn.fetch(
        "SELECT raw, received_at FROM inbox LEFT JOIN inbox_cursors AS cursor USING (writer)"
        " WHERE received_at BETWEEN $1 AND $2 AND key_id = $3 AND format = $4 AND position($5::bytea IN raw) > 0"
        # A writer without a cursor has ended and was read to its end.
        " AND (cursor.writer IS NULL OR inbox.id <= cursor.position) LIMIT 10",
        at - NEAR,
        at + NEAR,
        key.id,
        Opsgenie.name,
        str(number).encode(),
    )
    for row in rows:
        try:
            asked = FORMATS[Opsgenie.name].decode(bytes(row["raw"]))
        except Misunderstood:
            continue
        # Its number may stand in another one's text as well.
        if asked.request_id == str(number):
            return asked, row["received_at"]
    raise NotFound(_NOT_YET)


async def _find(conn: asyncpg.Connection, key: IntegrationKey, identifier: str, kind: str) -> AlertRow | None:
    number = identifier.removeprefix("A-") if kind == "id" and identifier.startswith("A-") else identifier
    if (kind == "tiny" or number != identifier) and number.isascii() and number.isdigit() and len(number) <= 18:
        alert = await get_alert(conn, int(number))
        return alert if alert and alert.key_id == key.id else None
    return None if kind == "tiny" else await latest_named(conn, key.id, identifier)


def _id(alert: AlertRow) -> str:
    """The alias where it was chosen here, which is a UUID; else the alert's own."""
    try:
        uuid.UUID(alert.fingerprint)
    except ValueError:
        return alert.key
    return alert.fingerprint


def _status(asked: Asked, alert: AlertRow | None) -> str:
    if alert is None:
        return "Alert does not exist"
    return {"create": "Created alert", "close": "Closed alert", "delete": "Closed alert; it is kept on record"}.get(
        asked.what, "Processed"
    )


def _view(alert: AlertRow, key: IntegrationKey, *, acknowledged: bool) -> dict[str, Any]:
    word = alert.severity or ""
    return {
        "id": _id(alert),
        "tinyId": str(alert.id),
        "alias": alert.fingerprint,
        "message": alert.summary,
        "status": "open" if alert.status == "firing" else "closed",
        "acknowledged": acknowledged,
        "isSeen": acknowledged,
        "snoozed": False,
        "tags": [tag for tag in alert.labels.get("tags", "").split(",") if tag],
        "count": alert.times,
        "lastOccurredAt": _instant(alert.updated_at),
        "createdAt": _instant(alert.starts_at),
        "updatedAt": _instant(alert.updated_at),
        "source": alert.labels.get("source", ""),
        "owner": "",
        "priority": word if word in _PRIORITIES else DEFAULT_PRIORITY,
        "responders": [],
        "integration": {"id": str(key.id), "name": key.name, "type": "API"},
        "entity": alert.labels.get("entity", ""),
        "description": alert.annotations.get("description", ""),
        "details": {
            name: text for name, text in alert.annotations.items() if name not in {"description", "responders", "user"}
        },
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(data: dict[str, Any], request_id: str) -> Json:
    body = msgspec.json.encode({"data": data, "took": 0.0, "requestId": request_id})
    return Response(body, media_type="application/json")


def _refuse(request: Asking, refused: Sev1Error) -> Json:  # noqa: ARG001 - the signature of an exception handler
    answer = error(refused.status, refused.message)
    headers = {"Retry-After": str(refused.retry_after_s)} if isinstance(refused, TooMany) else {}
    return Response(answer.body, media_type="application/json", status_code=answer.status, headers=headers)


def _router(path: str) -> Router:
    return Router(path, route_handlers=[get_request_status, get_one], exception_handlers={Sev1Error: _refuse})


ROUTES = [_router("/"), _router("/integrations/{secret:str}")]
