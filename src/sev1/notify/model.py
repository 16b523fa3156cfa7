"""What goes out: a notice to one person (or one place), tried over their contact methods in order."""

from datetime import datetime
from typing import Literal, assert_never, cast
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from sev1.catalog.contact import (
    AppriseMethod,
    ContactMethod,
    EmailMethod,
    NtfyMethod,
    PushMethod,
    SmsMethod,
    Urgency,
    VoiceMethod,
    WebhookMethod,
)
from sev1.catalog.model import Link
from sev1.catalog.runbook import RunbookStep

MethodKind = Literal["email", "webhook", "ntfy", "push", "sms", "voice", "apprise"]
State = Literal["queued", "sending", "sent", "failed", "cancelled"]


def kind_of(method: ContactMethod) -> MethodKind:
    return cast("MethodKind", method.__struct_config__.tag)


def masked(method: ContactMethod) -> str:
    """The address as the record shows it: enough to recognise, without a stranger's mailbox or a secret path."""
    match method:
        case EmailMethod(address=address):
            local, _, domain = address.rpartition("@")
            return f"{local[:1]}…@{domain}"
        case WebhookMethod(url=url) | NtfyMethod(url=url):
            return f"{urlsplit(url).scheme}://{host_of(url)}/…"
        case SmsMethod(number=number) | VoiceMethod(number=number):
            return f"{number[:3]}…{number[-2:]}"
        case PushMethod():
            return "browsers"
        case AppriseMethod(url_env=name):
            return name
        case _ as never:
            assert_never(never)


def host_of(url: str) -> str:
    """Host and port of `url`, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def one_line(text: str, limit: int = 500) -> str:
    """`text` without line breaks and control characters, at most `limit` characters long.

    Fit for a header or a log. U+200D stays, it joins emoji; U+0000 goes, PostgreSQL refuses it.
    """
    printable = "".join(char if char.isprintable() or char == "\u200d" else " " for char in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


WAITED_FOR = frozenset({"page", "ask", "fix-failed", "test"})
"""Kinds of notice that somebody has to answer, or looks out for: they go fast."""


class Other(Struct, frozen=True, kw_only=True):
    """One of the pages that a bundle is about."""

    about: str
    title: str
    url: str
    severity: str | None = None
    service: str | None = None


class Notice(Struct, frozen=True, kw_only=True):
    """A message before it takes a channel's form. For a page it answers the first five questions (mission 5.7)."""

    kind: Literal[
        "page", "page-resolved", "announcement", "all-clear", "ask", "task", "fix-failed", "fix-helped", "test"
    ]
    about: str
    """`P-1` or `INC-1`."""
    title: str
    """What broke, in one line."""
    url: str
    """Where to answer: opens a page with a button, never acts by itself. Empty for who has no account to look with."""
    severity: str | None = None
    service: str | None = None
    impact: str = ""
    verify: tuple[Link, ...] = ()
    first: str = ""
    """What to try first."""
    steps: tuple[RunbookStep, ...] = ()
    """The first steps of the runbook, with the questions whose answers say what comes next (mission 5.6)."""
    known: tuple[str, ...] = ()
    """What may explain it: known issues and past false alarms of its response plan."""
    diagnostics: tuple[str, ...] = ()
    """What the page offers to be asked by a button."""
    stuck: tuple[str, ...] = ()
    """Whom to call when stuck, in order."""
    owner: str = ""
    """The owning team and its channel: `Payments in #payments`."""
    escalates: tuple[str, ...] = ()
    """Who is paged next when nobody answers: `after 3 min Ana Ribeiro`."""
    since: datetime | None = None
    why: str = ""
    """Why this person gets this."""
    body: str = ""
    """Free text: an announcement's own words."""
    drill: bool = False
    others: tuple[Other, ...] = ()
    """All that a bundle is about, in order of urgency; empty for a message about one thing."""

    @property
    def urgency(self) -> Urgency:
        """Which of a person's contact methods it takes: `high` for what they have to answer, unless it is known to be small."""
        return "high" if self.kind in WAITED_FOR and self.priority <= LEAST_HIGH else "low"

    @property
    def priority(self) -> int:
        """Which goes out first when many wait: 0 is a page for a SEV-0, 9 what wakes nobody.

        A page of unknown severity is taken for a SEV-2: above what is known to be small, below what is known to be bad.
        """
        if self.kind not in WAITED_FOR:
            return 9
        return int(self.severity[-1]) if self.severity else 2


LEAST_HIGH = 2
"""SEV-3 and SEV-4 are pages of low urgency: a person may want to be reached in another way for those."""

Outcome = Literal["sent", "temporary", "permanent", "skipped", "waiting", "cut-off", "cancelled"]
"""What became of one attempt:

`temporary` may work later, `permanent` will not; `skipped` went to the next method, because the
circuit breaker was open; `waiting` waits for the breaker or for a bundle (nothing went out); `cut-off` is unknown: its worker died after it may have gone out.
"""


class Attempt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a delivery's log."""

    at: datetime
    method: int
    outcome: Outcome
    kind: str = ""
    to: str = ""
    """The address, masked."""
    text: str = ""
    """The receipt, or what went wrong."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One row of the outbox, claimed by a worker."""

    id: UUID
    about: str
    person: str | None
    methods: tuple[ContactMethod, ...]
    method: int
    """Index of the contact method in use."""
    notice: Notice
    attempts: int
    """How often it was claimed to be sent. Also tells a worker's own claim from a later one by the same holder."""
    repeat: bool
    """An earlier attempt was cut off after it may have gone out: this one says that it is a repeat."""
    created_at: datetime
    log: tuple[Attempt, ...] = ()
    bundle: UUID | None = None
    """The delivery in whose message this one goes out."""

    @property
    def contact(self) -> ContactMethod:
        return self.methods[self.method]

    def attempt(self, outcome: Outcome, text: str, at: datetime) -> Attempt:
        """The line that the attempt over the current contact method leaves in the log."""
        return Attempt(
            at=at,
            method=self.method,
            outcome=outcome,
            kind=kind_of(self.contact),
            to=masked(self.contact),
            text=one_line(text),
        )


class DeliveryView(Struct, frozen=True, kw_only=True):
    """A delivery as it is shown beside the thing it was about."""

    id: UUID
    about: str
    person: str | None
    kind: str
    """Of the notice: `page`, `announcement`, …"""
    state: State
    method_kind: str
    """The contact method in use, or the one that worked; empty when there is none."""
    to: str
    attempts: int
    repeat: bool
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    receipt: str | None
    """What the other side answered on taking it over. Not a proof that anybody read it."""
    error: str | None
    log: tuple[Attempt, ...]
