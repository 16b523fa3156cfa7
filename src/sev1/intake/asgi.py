"""The hot way in, as a bare ASGI application in front of the rest: path, key, decode, store, answer.

    POST /integrations/{key}/api/v2/alerts     Prometheus
    POST /integrations/{key}/events            our JSON
    POST /integrations/{key}/mapped/{mapping}  any JSON, by a mapping of the catalog
    POST /v2/enqueue                           PagerDuty Events v2, key in the body
    POST /v2/alerts                            Opsgenie, key in a header
    …                                          each format names its addresses itself

`-` for the key means that the request holds it elsewhere. Everything else goes to the next application. A body is answered with success only after its commit; one that cannot be
read is kept for people to look at and answered as its vendor would; Content-Type is not looked at.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from prometheus_client import Counter

from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Sev1Error, SignInNeeded, TooMany, Unavailable
from sev1.engine.settings import Settings
from sev1.intake import misunderstood
from sev1.intake.body import SenderGone, read_body
from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Answer, Format, Misunderstood
from sev1.intake.formats.mapped import Mapped
from sev1.intake.formats.pagerduty import PagerDuty, find_routing_key
from sev1.intake.inbox import DATABASE_ERRORS, Inbox
from sev1.intake.keys import Key, Keys
from sev1.intake.lookout import Lookout
from sev1.intake.outside import Outside, nothing_outside
from sev1.intake.request import request_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]
Map = Callable[[str, bytes], Awaitable[bytes]]
"""A mapping's name and a payload -> what to store. Raises Misunderstood, Sev1Error."""

log = logging.getLogger(__name__)

PREFIX = "/integrations/"
MAPPED = "mapped/"
ELSEWHERE = "-"
"""In place of the key: it is in the request, as the password of basic authentication or wherever the format says."""
RETRY_AFTER_S = 1
_KEPT_STATUSES = frozenset({400, 403, 404, 413, 415, 422})
"""Refusals that sending the same again does not cure: somebody has to look."""
_RETRIED_STATUSES = frozenset({429, 503})
_RETRY_AFTER: Headers = ((b"retry-after", b"%d" % RETRY_AFTER_S),)
_NO_LENGTH = (b"content-length", b"0")

REFUSED = Counter("sev1_intake_refused_total", "Payloads that were not accepted", ["format", "status"])


class IntakeApp:
    """Answers the intake addresses itself and passes all else on."""

    def __init__(
        self,
        next_app: App,
        *,
        inbox: Inbox,
        keys: Keys,
        settings: Settings,
        clock: Clock,
        db: Database,
        map_: Map | None = None,
        lookout: Lookout | None = None,
        outside: Outside | None = None,
    ) -> None:
        """`outside` is what a few formats ask beyond their payload; without it those answer 503."""
        self._next = next_app
        self._map = map_
        self._inbox = inbox
        self._lookout = lookout
        self._keys = keys
        self._max_bytes = settings.intake_max_bytes
        self._clock = clock
        self._db = db
        self._outside = outside or nothing_outside(clock.now)
        self._by_path = {path: format_ for format_ in FORMATS.values() for path in format_.paths}
        self._by_root = {f"/{path}": format_ for format_ in FORMATS.values() for path in format_.direct}
        self._below = [(path[:-1], format_) for path, format_ in self._by_path.items() if path.endswith("/*")]
        self._below_root = [(path[:-1], format_) for path, format_ in self._by_root.items() if path.endswith("/*")]
        self._pagerduty = FORMATS[PagerDuty.name]
        # A flood of broken payloads must not take the pool's connections from everybody else.
        self._keeping = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            secret: str | None = None
            format_: Format[Any] | None = None
            if path.startswith(PREFIX):
                _, _, secret, *rest = path.split("/", 3)
                if rest and self._map is not None and rest[0].startswith(MAPPED):
                    if scope["method"] != "POST":
                        return await _refuse_method(FORMATS[Mapped.name], send)
                    mapping = rest[0].removeprefix(MAPPED)
                    return await self._answer(FORMATS[Mapped.name], secret, scope, receive, send, mapping)
                if rest:
                    format_ = self._by_path.get(rest[0]) or _below(rest[0], self._below)
            else:
                format_ = self._by_root.get(path) or _below(path, self._below_root)
            if format_ is not None:
                if scope["method"] in format_.methods:
                    if format_.sees_request:
                        return await self._answer_request(format_, secret, scope, receive, send)
                    return await self._answer(format_, secret, scope, receive, send)
                if not format_.shares_paths:
                    return await _refuse_method(format_, send)
        await self._next(scope, receive, send)
        return None

    async def _answer(
        self,
        format_: Format[Any],
        secret: str | None,
        scope: Scope,
        receive: Receive,
        send: Send,
        mapping: str | None = None,
    ) -> None:
        key: Key | None = None
        raw = b""
        try:
            if secret is not None:
                key = self._keys.get_cached(secret) or await self._load(secret, format_)
            raw = await read_body(scope, receive, limit=self._max_bytes)
            if key is not None:
                self._admit(key, format_)
            given = raw if mapping is None or self._map is None else await self._map(mapping, raw)
            decoded = format_.decode(given)
            accepted = format_.accepted(decoded, given)
            if key is None:
                secret = accepted.secret or ""
                key = self._keys.get_cached(secret) or await self._load(secret, format_)
                self._admit(key, format_)
            if accepted.events:
                await self._store(format_, key, accepted.raw, decoded if accepted.raw is given else None)
        except SenderGone:
            return
        except (Misunderstood, Sev1Error) as error:
            await self._refuse(format_, key, raw, error, send)
        else:
            await _send(send, accepted.answer)

    async def _answer_request(
        self, format_: Format[Any], secret: str | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """The same for a format that looks at more than the body, and may have to check it with the outside."""
        key: Key | None = None
        raw = b""
        try:
            request = request_of(scope, _rest_of(scope, in_path=secret is not None))
            if secret is None or secret == ELSEWHERE:
                secret = format_.secret(request) or ""
            key = self._keys.get_cached(secret) or await self._load(secret, format_)
            raw = await read_body(scope, receive, limit=self._max_bytes)
            request = msgspec.structs.replace(request, body=raw)
            self._admit(key, format_)
            raw = format_.stored(request)
            request = await format_.check(request, key, self._outside)
            accepted = format_.accept(format_.stored(request))
            if accepted.events:
                await self._store(format_, key, accepted.raw)
        except SenderGone:
            return
        except (Misunderstood, Sev1Error) as error:
            await self._refuse(format_, key, raw, error, send)
        except DATABASE_ERRORS:
            unavailable = Unavailable("The database cannot be reached. Nothing was kept: send it again.")
            await self._refuse(format_, key, raw, unavailable, send)
        else:
            await _send(send, accepted.answer)

    async def _store(self, format_: Format[Any], key: Key, raw: bytes, decoded: Any = None) -> None:
        """Returns after the commit. While triage is far behind, what cannot wait is noted for the express lane.

        `decoded` is what `raw` says, where that is known already: reading it twice is what a storm cannot afford.
        """
        now = self._clock.now()
        address = await self._inbox.submit(key.id, format_.name, raw, now)
        if self._lookout is not None and self._lookout.is_needed:
            self._lookout.look(
                key.id, format_.glances(format_.decode(raw) if decoded is None else decoded, now), address
            )

    async def _load(self, secret: str, format_: Format[Any]) -> Key:
        """The key when it is not in memory: made a moment ago, perhaps on another node, or not a key at all."""
        try:
            key = await self._keys.load(secret) if secret else None
        except DATABASE_ERRORS as error:
            raise Unavailable("The database cannot be reached. Nothing was kept: send it again.") from error
        if key is None:
            raise SignInNeeded(format_.unknown_key)
        return key

    def _admit(self, key: Key, format_: Format[Any]) -> None:
        """Whether this key may send this format now. Raises TooMany, Forbidden."""
        if not self._keys.allows(key):
            raise TooMany("This key sends more than it may. Send it again in a moment.", retry_after_s=RETRY_AFTER_S)
        if key.kind != format_.name and key.kind not in format_.also_keys:
            raise Forbidden(_wrong_kind(key, format_))

    async def _refuse(
        self, format_: Format[Any], key: Key | None, raw: bytes, error: Misunderstood | Sev1Error, send: Send
    ) -> None:
        """Keeps what sending it again would not cure, then says why, as this vendor does."""
        if isinstance(error, Misunderstood):
            sentence, answer = error.sentence, error.answer
        else:
            sentence, answer = error.message, format_.refusal(error.status, error.message)
        if answer.status in _KEPT_STATUSES and not isinstance(error, SignInNeeded):
            key = key or await self._sender(raw)
            if key is not None and not await self._keep(format_, key, raw, sentence):
                sentence = "The database cannot be reached. Send it again."
                answer = format_.refusal(Unavailable.status, sentence)
        REFUSED.labels(format_.name, str(answer.status)).inc()
        await _send(send, answer, _RETRY_AFTER if answer.status in _RETRIED_STATUSES else ())

    async def _sender(self, raw: bytes) -> Key | None:
        """Whose payload this is, when its key is inside and the rest could not be read."""
        secret = find_routing_key(raw)
        if secret is None:
            return None
        try:
            key = self._keys.get_cached(secret) or await self._load(secret, self._pagerduty)
            self._admit(key, self._pagerduty)
        except Sev1Error:
            return None
        return key

    async def _keep(self, format_: Format[Any], key: Key, raw: bytes, sentence: str) -> bool:
        """False when it cannot be kept now."""
        try:
            async with self._keeping:
                await misunderstood.keep(
                    self._db,
                    key_id=key.id,
                    format_=format_.name,
                    raw=raw,
                    error=sentence,
                    received_at=self._clock.now(),
                )
        except DATABASE_ERRORS:
            log.exception("a payload that was not understood could not be kept")
            return False
        return True


def _wrong_kind(key: Key, format_: Format[Any]) -> str:
    sentence = f"This address takes {format_.title}, and this key was made for "
    right = FORMATS.get(key.kind)
    if key.kind == Mapped.name:
        return f"{sentence}{Mapped.title}: send that to {PREFIX}<key>/{MAPPED}<mapping>."
    if right is None or not right.paths:
        return f"{sentence}something else. Make a key for {format_.name}."
    return f"{sentence}{right.title}: send that to {PREFIX}<key>/{right.paths[0]}, or make a key for {format_.name}."


def _below(path: str, prefixes: list[tuple[str, Format[Any]]]) -> Format[Any] | None:
    for prefix, format_ in prefixes:
        if path.startswith(prefix):
            return format_
    return None


def _rest_of(scope: Scope, *, in_path: bool) -> str:
    """The path behind the key, or behind the first slash, as it was sent."""
    # Not the decoded path: an id may hold %2F.
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    return path.split("/", 3)[3] if in_path and path.count("/") >= 3 else path.removeprefix("/")


async def _refuse_method(format_: Format[Any], send: Send) -> None:
    allowed = ", ".join(sorted(format_.methods))
    answer = format_.refusal(405, f"This address takes {allowed} only.")
    await _send(send, answer, ((b"allow", allowed.encode()),))


async def _send(send: Send, answer: Answer, extra: Headers = ()) -> None:
    body = answer.body
    headers = (
        [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(body)), *extra]
        if body
        else [_NO_LENGTH, *extra]
    )
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
