"""Applies a mapping of the catalog to a payload: any sender's JSON becomes ours, before it is stored."""

from typing import Any

import msgspec

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Mapping
from sev1.engine.cel import CelFailed, CelInvalid, Evaluator
from sev1.engine.database import Database
from sev1.engine.errors import NotFound, Unavailable
from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.mapped import Mapped
from sev1.intake.formats.reading import read
from sev1.intake.inbox import DATABASE_ERRORS

_FIELDS = ("summary", "key", "status", "severity", "service", "starts_at")
_LABEL = "labels."
_WORDS = {"ok": "resolved", "triggered": "firing", "acked": "acknowledged"}
_decode = msgspec.json.Decoder(dict[str, Any] | list[Any]).decode


class Mapper:
    """`await mapper(name, raw)` gives the payload to store, in the format `mapped`."""

    def __init__(self, db: Database, catalogs: CatalogCache, evaluator: Evaluator) -> None:
        self._db = db
        self._catalogs = catalogs
        self._evaluator = evaluator

    async def __call__(self, name: str, raw: bytes) -> bytes:
        """Raises NotFound when there is no such mapping, Misunderstood when it cannot read the payload, Unavailable."""
        format_ = Mapped()
        try:
            async with self._db.connection() as conn:
                mapping = (await self._catalogs.current(conn)).mappings.get(name)
        except DATABASE_ERRORS as error:
            raise Unavailable("The database cannot be reached. Nothing was kept: send it again.") from error
        if mapping is None:
            raise NotFound(
                f'The catalog has no mapping "{name[:63]}". Add it (`kind: mapping`) or correct the address.'
            )
        try:
            payload = read(_decode, raw)
            found = await self._evaluator.evaluate(_expressions(mapping), {"payload": payload}, each=mapping.each or "")
            events = [_event(values) for values in found]
            whole = raw if _is_json(raw) else msgspec.json.encode(payload)
        except (CelFailed, CelInvalid) as error:
            raise format_.misunderstood(f'The mapping "{name}" cannot read this: {error.message}') from error
        except ValueError as error:
            raise format_.misunderstood(str(error)) from error
        if not events:
            raise format_.misunderstood(f'The mapping "{name}" finds no event in this payload.')
        stored = msgspec.json.encode({"mapping": name, "events": events, "payload": msgspec.Raw(whole)})
        try:
            format_.decode(stored)
        except Misunderstood as error:
            raise format_.misunderstood(f'What the mapping "{name}" gives cannot be used: {error.sentence}') from error
        return stored


def _expressions(mapping: Mapping) -> dict[str, str]:
    written = {field: text for field in _FIELDS if (text := getattr(mapping, field)) is not None}
    return written | {_LABEL + label: text for label, text in mapping.labels.items()}


def _event(values: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for field in _FIELDS:
        value = values.get(field)
        if value is None or value == "":
            continue
        event[field] = value if field == "starts_at" and isinstance(value, int | float) else _text(value)
    if status := event.get("status"):
        event["status"] = _WORDS.get(status.lower(), status.lower())
    labels = {
        name.removeprefix(_LABEL): _text(v) for name, v in values.items() if name.startswith(_LABEL) and v is not None
    }
    return {**event, "labels": labels}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _is_json(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw)
    except ValueError:
        return False
    return True
