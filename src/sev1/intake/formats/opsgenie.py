"""Opsgenie's Alert API, for clients that already speak it: `Authorization: GenieKey <key>`, `/v2/alerts…`.

Rules from Opsgenie's documentation: creating answers 202 with the number of the request and is done right after; one
alert is open for an alias, and one without alias has its id for one; `identifierType` (id, alias, tiny) says what the
address names. Here an alert's fingerprint is its alias, its tiny id the number of `A-17`, its id `A-17` or, where we had
to choose an alias, that. Closing and deleting resolve it: nothing is deleted from the record. What sev1 has no like of
(snoozing or assigning an alert: that is done to its page, by somebody) is refused with 422 and says so.

Limits are Opsgenie's for what identifies (alias 512); prose is cut at ours, because an alert is worth more than its
length. A priority that is not given is no severity: Opsgenie would say P3, and nobody meant it.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote

import msgspec
from msgspec import Raw, Struct

from sev1.engine.errors import NotFound
from sev1.intake.formats import links
from sev1.intake.formats.details import annotations_of
from sev1.intake.formats.format import Accepted, Answer, Format, Misunderstood
from sev1.intake.formats.limits import cut, fitting, one_line
from sev1.intake.formats.reading import clean, read
from sev1.intake.keys import Key
from sev1.intake.model import Action, InboundEvent
from sev1.intake.outside import Outside
from sev1.intake.request import Request, pack, unpack

ALIAS_MAX = 512
DESCRIPTION_MAX = 15_000
TAGS_MAX, TAG_MAX = 20, 50
RESPONDERS_MAX = 50
ENTITY_MAX = 512
SOURCE_MAX = 100
NOTE_MAX = 2_000
DEFAULT_PRIORITY = "P3"
_NUMBER = re.compile(r"(?:A-)?([0-9]{1,18})")
_ACTIONS: dict[str, Action] = {
    "create": "firing",
    "acknowledge": "acknowledged",
    "close": "resolved",
    "delete": "resolved",
    "notes": "noted",
}
_CANNOT = {
    "snooze": "sev1 snoozes pages, not alerts: snooze the alert's page there.",
    "unacknowledge": "sev1 does not take an acknowledgement back: escalate the alert's page there.",
    "assign": "sev1 assigns by schedule and policy, not by alert: add a responder to the page or the incident there.",
    "escalate": "sev1 escalates by the policy of its route: escalate the alert's page there.",
}
_PROCESSED = "Request will be processed"


class OpsgenieAlert(Struct, gc=False):
    """A create, or the body of an action: its `user` and `note`."""

    message: str | None = None
    alias: str | None = None
    description: str | None = None
    responders: list[Raw] | None = None
    tags: list[str] | None = None
    details: Raw = Raw(b"null")
    entity: str | None = None
    source: str | None = None
    priority: str | None = None
    user: str | None = None
    note: str | None = None


class Asked(NamedTuple):
    what: str
    alias: str
    alert: OpsgenieAlert
    request_id: str


_decode = msgspec.json.Decoder(OpsgenieAlert).decode


class Opsgenie(Format[Asked]):
    name: ClassVar[str] = "opsgenie"
    title: ClassVar[str] = "Opsgenie Alert API"
    paths: ClassVar[tuple[str, ...]] = ("v2/alerts", "v2/alerts/", "v2/alerts/*")
    direct: ClassVar[tuple[str, ...]] = paths
    methods: ClassVar[frozenset[str]] = frozenset({"POST", "DELETE"})
    shares_paths: ClassVar[bool] = True
    sees_request: ClassVar[bool] = True
    unknown_key: ClassVar[str] = "Could not authenticate"
    setup: ClassVar[str] = (
        "Or keep your client: set its host (api.opsgenie.com) to {url} and its API key to {key}\n"
        "In alertmanager.yml:\n  opsgenie_configs:\n    - api_url: {url}/\n      api_key: {key}"
    )

    def secret(self, request: Request) -> str | None:
        return genie_key(request.headers.get("authorization", ""))

    async def check(self, request: Request, key: Key, outside: Outside) -> Request:
        """Gives the request its number, a new alert its alias, and finds the alias of what the address names."""
        request = request.with_known(request_id=new_request_id(outside.now()))
        what, identifier = _what(request)
        if what == "create" or what not in _ACTIONS:
            return request.with_known(alias=request.known["request_id"])
        kind = request.query.get("identifierType", "id").lower()
        number = _NUMBER.fullmatch(identifier)
        if kind == "tiny" or (kind == "id" and number and identifier.startswith("A-")):
            alias = await outside.find_alert(key.id, number[1]) if number else None
            if alias is None:
                raise NotFound(f"No alert exists with {kind} id [{identifier[:100]}].")
            return request.with_known(alias=alias)
        return request.with_known(alias=identifier)

    def stored(self, request: Request) -> bytes:
        return pack(request)

    def decode(self, raw: bytes) -> Asked:
        try:
            request = unpack(raw)
            alert = read(_decode, request.body) if request.body.strip() else OpsgenieAlert()
        except ValueError as error:
            sentence = str(error)
            if "valid JSON" in sentence or "without the head" in sentence:
                raise self.misunderstood(sentence) from error
            raise _unprocessable({"body": sentence}) from error
        what, _ = _what(request)
        if why := _CANNOT.get(what):
            raise _unprocessable({"action": why})
        if what not in _ACTIONS:
            raise _unprocessable({"action": f"sev1 does not know what {what[:50]!r} would be."})
        alias = ((alert.alias or "").strip() if what == "create" else "") or request.known.get("alias", "")
        request_id = request.known.get("request_id", "")
        if not request_id:
            raise self.misunderstood("This was stored without the number of its request.")
        if not 0 < len(alias) <= ALIAS_MAX:
            raise _unprocessable({"alias": f"must have 1 to {ALIAS_MAX} characters"})
        if what == "create" and not (alert.message or "").strip():
            raise _unprocessable({"message": "may not be empty"})
        if what == "notes" and not (alert.note or "").strip():
            raise _unprocessable({"note": "may not be empty"})
        return Asked(what, alias, alert, request_id)

    def accepted(self, decoded: Asked, raw: bytes) -> Accepted:
        body = {"result": _PROCESSED, "took": 0.0, "requestId": decoded.request_id}
        return Accepted(raw=raw, events=1, answer=Answer(status=202, body=msgspec.json.encode(body)))

    def events(self, decoded: Asked, received_at: datetime) -> Iterator[InboundEvent]:
        alert = decoded.alert
        yield InboundEvent(
            action=_ACTIONS[decoded.what],
            fingerprint=decoded.alias,
            source=self.name,
            summary=one_line(alert.message or "") or one_line(decoded.alias) or "An alert without words",
            labels=_labels(alert) if decoded.what == "create" else {},
            annotations=(annotations := _annotations(alert) if decoded.what == "create" else {}),
            links=links.links(*links.from_annotations(annotations, None)),
            starts_at=received_at,
            note=_note(decoded),
        )

    def refusal(self, status: int, sentence: str) -> Answer:
        return error(status, sentence)


def genie_key(authorization: str) -> str | None:
    """The key in an `Authorization` header, or None."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() or None if scheme.lower() == "geniekey" else None


def error(status: int, sentence: str, **more: Any) -> Answer:
    """An error as Opsgenie words it."""
    body = {"message": sentence, **more, "took": 0.0, "requestId": str(uuid.uuid4())}
    return Answer(status=status, body=msgspec.json.encode(body))


def new_request_id(now: datetime) -> str:
    """A UUID of version 7 (RFC 9562): it holds the time in milliseconds, by which the request is found again."""
    random = uuid.uuid4().int
    stamp = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    number = (stamp << 80) | (0x7 << 76) | (random & (0xFFF << 64)) | (0b10 << 62) | (random & ((1 << 62) - 1))
    return str(uuid.UUID(int=number))


def _unprocessable(errors: dict[str, str]) -> Misunderstood:
    sentence = "; ".join(f"{name}: {wrong}" for name, wrong in errors.items())
    answer = error(422, "Request body is not processable. Please check the errors.", errors=errors)
    return Misunderstood(sentence, answer)


def _what(request: Request) -> tuple[str, str]:
    """(what to do, what the address names)."""
    parts = [clean(unquote(part)) for part in request.path.strip("/").split("/")[2:]]
    if request.method == "DELETE":
        return ("delete", parts[0]) if len(parts) == 1 else ("DELETE " + "/".join(parts[1:]), "")
    if not parts:
        return "create", ""
    return ("/".join(parts[1:]) or "POST", parts[0])


def _labels(alert: OpsgenieAlert) -> dict[str, str]:
    details = annotations_of(alert.details)
    labels = {
        "severity": alert.priority,
        "entity": (alert.entity or "")[:ENTITY_MAX],
        "source": (alert.source or "")[:SOURCE_MAX],
        "service": details.get("service", ""),
        "tags": ",".join(tag[:TAG_MAX] for tag in (alert.tags or ())[:TAGS_MAX] if tag.strip()),
    }
    return {name: cut(value) for name, value in labels.items() if value}


def _annotations(alert: OpsgenieAlert) -> dict[str, str]:
    said = {
        "description": cut(alert.description or "", DESCRIPTION_MAX),
        "responders": ", ".join(_responders(alert)),
        "user": alert.user or "",
        **annotations_of(alert.details),
    }
    return fitting({name: text for name, text in said.items() if text})


def _responders(alert: OpsgenieAlert) -> Iterator[str]:
    """Their names. Whom sev1 wakes is said by its routes, not by the sender."""
    for responder in (alert.responders or ())[:RESPONDERS_MAX]:
        found = annotations_of(responder)
        if name := found.get("name") or found.get("username") or found.get("id"):
            yield f"{found.get('type', 'responder')} {name}"


def _note(asked: Asked) -> str:
    note = (asked.alert.note or "").strip()
    if asked.what == "delete":
        note = note or "Its sender deleted it; sev1 keeps it on record."
    if note and asked.alert.user:
        note = f"{one_line(asked.alert.user)[:100]}: {note}"
    return cut(note, NOTE_MAX)
