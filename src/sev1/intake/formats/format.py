"""What a format is: how to read its payloads, and how its vendor words an answer.

A payload is read twice. The request only decodes it, which checks everything that could make it unusable, and answers;
triage decodes the stored bytes again and turns them into events. Both begin with the same `decode`, so they refuse the
same payloads, and making events of what was decoded never fails.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from sev1.intake.keys import Key
from sev1.intake.model import InboundEvent, Parsed

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
    """Where it is received, below `/integrations/{key}/`."""
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
    def events(self, decoded: D, received_at: datetime) -> Iterable[InboundEvent]:
        """What was decoded, as events. Never raises."""

    def glances(self, decoded: D, received_at: datetime) -> Iterable[tuple[str, Problem]]:
        """What fires, by a glance: its severity word and which problem it is. Looked at only while the inbox is long."""
        for event in self.events(decoded, received_at):
            if event.action == "firing":
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
        return Parsed(
            events=tuple(self.events(decoded, received_at)),
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
        )


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
    413: "too_large",
    415: "unsupported",
    429: "too_many",
    503: "unavailable",
}
