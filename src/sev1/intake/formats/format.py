"""What a format is: how to read its payloads, and how its vendor words an answer.

A payload is read twice. The request only decodes it, which checks everything that could make it unusable, and answers;
triage decodes the stored bytes again and turns them into events. Both begin with the same `decode`, so they refuse the
same payloads, and making events of what was decoded never fails.

A format whose meaning is partly in the request (a method, a header, the rest of the path) sets `sees_request`. The edge
then hands it the `Request`: it finds the key there, may check it against the outside, and says what to store, which is
what `decode` gets. Formats that do not need this cost nothing more than before.
"""

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from sev1.intake.keys import Key
from sev1.intake.model import Inbound, InboundChange, InboundEvent, Parsed
from sev1.intake.outside import Outside
from sev1.intake.request import CREDENTIAL, Request

JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"

Problem = tuple[str, str]
"""Name of the alert and of its service: enough to tell something new from more of the same."""


def problem_of(event: InboundEvent) -> Problem:
    return event.labels.get("alertname") or event.summary, event.labels.get("service", "")


class Answer(Struct, frozen=True, kw_only=True):
    """Status and body exactly as the imitated vendor sends them."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON


class Accepted(Struct, frozen=True, kw_only=True):
    """A payload that can be stored: what to store, and what to answer once it is."""

    raw: bytes
    """The payload, completed by what we had to choose for the sender (a deduplication key)."""
    events: int
    """How many events it holds; with none there is nothing to store."""
    answer: Answer
    secret: str | None = None
    """The integration key, for formats that carry it in the body."""


class Misunderstood(Exception):
    """A payload that cannot be used. `sentence` says why and what to do; `answer` is what the vendor would say."""

    def __init__(self, sentence: str, answer: Answer) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.answer = answer


D = TypeVar("D")


class Format(ABC, Generic[D]):
    """One sender's language. `D` is the decoded payload. Formats hold no state: one object serves all requests."""

    name: ClassVar[str]
    """Also the kind of the keys that may send it and the `source` of its events."""
    title: ClassVar[str]
    paths: ClassVar[tuple[str, ...]]
    """Where it is received, below `/integrations/{key}/`; one that ends with `/*` means all that is below it too."""
    direct: ClassVar[tuple[str, ...]] = ()
    """Where it is received at the root, for clients that set only a host; the key is then in the request."""
    methods: ClassVar[frozenset[str]] = frozenset({"POST"})
    shares_paths: ClassVar[bool] = False
    """Whether other methods of its addresses belong to the API behind intake."""
    also_keys: ClassVar[tuple[str, ...]] = ()
    """Kinds of keys that may send it beside its own. A format that names one has no kind of its own to make keys of."""
    setup: ClassVar[str] = ""
    """What to paste at the sender: `{url}` is this server, `{key}` the key, `{address}` the first of its paths."""
    sees_request: ClassVar[bool] = False
    signs: ClassVar[bool] = False
    """Whether its senders sign with a secret that a key may hold."""
    unknown_key: ClassVar[str] = (
        "This integration key is not known. It may have been revoked: make one with `sev1 key create`."
    )

    @abstractmethod
    def decode(self, raw: bytes) -> D:
        """Reads and checks a payload. Raises Misunderstood."""

    @abstractmethod
    def accepted(self, decoded: D, raw: bytes) -> Accepted:
        """What to store and to answer. Never raises."""

    @abstractmethod
    def events(self, decoded: D, received_at: datetime) -> Iterable[Inbound]:
        """What was decoded, as events and changes. Never raises."""

    def secret(self, request: Request) -> str | None:
        """The integration key, for a request whose address holds none. The body is not read yet."""
        return basic_password(request) or request.query.get(CREDENTIAL)

    async def check(self, request: Request, key: Key, outside: Outside) -> Request:  # noqa: ARG002 - most need no check
        """Whether it is what it claims to be, and the request with what had to be looked up.

        Raises Misunderstood, or a Sev1Error, which `refusal` words.
        """
        return request

    def stored(self, request: Request) -> bytes:
        """What to store of a request, and what `decode` reads: the bare body, or `pack`ed with its head."""
        return request.body

    def address(self, url: str, key: str) -> str:
        """Where a sender with this key posts to; `url` is this server's."""
        return f"{url}/integrations/{key}/{self.paths[0]}"

    def how_to(self, url: str, key: str) -> str:
        """What to paste at the sender, for whoever made the key."""
        # Not `format`: templates for JSON are full of braces.
        return (
            self.setup.replace("{address}", self.address(url, key))
            .replace("{host}", url.partition("://")[2])
            .replace("{url}", url)
            .replace("{key}", key)
        )

    def glances(self, decoded: D, received_at: datetime) -> Iterable[tuple[str, Problem]]:
        """What fires, by a glance: its severity word and which problem it is. Looked at only while the inbox is long."""
        for event in self.events(decoded, received_at):
            if isinstance(event, InboundEvent) and event.action == "firing":
                yield event.labels.get("severity", ""), problem_of(event)

    def refusal(self, status: int, sentence: str) -> Answer:
        """How this vendor words a refusal. Ours is the default: RFC 9457."""
        return problem(status, sentence)

    def misunderstood(self, sentence: str) -> Misunderstood:
        return Misunderstood(sentence, self.refusal(400, sentence))

    def accept(self, raw: bytes) -> Accepted:
        """Checks a payload without making events of it. Raises Misunderstood and nothing else."""
        return self.accepted(self.decode(raw), raw)

    def parse(self, raw: bytes, received_at: datetime, key: Key | None = None) -> Parsed:  # noqa: ARG002 - see below
        """The events of a payload and its answer. Raises Misunderstood and nothing else.

        `raw` is what `accept` gave to be stored and `received_at` the instant it was stored with, so that the same
        payload gives the same events each time. No format needs the sender's key so far: the service that a key
        stands for is triage's default, because a label nobody sent would change what a silence matches.
        """
        decoded = self.decode(raw)
        answer = self.accepted(decoded, raw).answer
        found = list(self.events(decoded, received_at))
        return Parsed(
            events=tuple(event for event in found if isinstance(event, InboundEvent)),
            changes=tuple(change for change in found if isinstance(change, InboundChange)),
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
        )


def basic_password(request: Request) -> str | None:
    """The password of HTTP basic authentication (RFC 7617), in which such senders carry the key."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2] or None
    except ValueError:
        return None


def problem(status: int, sentence: str) -> Answer:
    """An error in our own words: problem JSON, as the rest of the API answers."""
    code = CODES.get(status, "invalid")
    body = msgspec.json.encode({"status": status, "code": code, "detail": sentence})
    return Answer(status=status, body=body, content_type=PROBLEM_JSON)


CODES = {
    401: "sign_in_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "refused",
    413: "too_large",
    415: "unsupported",
    429: "too_many",
    503: "unavailable",
}
