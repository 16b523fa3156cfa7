"""What goes out: a notice to one person (or one place), tried over their contact methods in order."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from sev1.catalog.model import ContactMethod, Link


class Notice(Struct, frozen=True, kw_only=True):
    """A message before it takes a channel's form. For a page it answers the first five questions (mission 5.7)."""

    kind: Literal["page", "page-resolved", "announcement", "all-clear", "ask"]
    about: str
    """`P-1` or `INC-1`."""
    title: str
    """What broke, in one line."""
    url: str
    """Where to answer: opens a page with a button, never acts by itself."""
    severity: str | None = None
    service: str | None = None
    impact: str = ""
    verify: tuple[Link, ...] = ()
    first: str = ""
    """What to try first."""
    stuck: tuple[str, ...] = ()
    """Whom to call when stuck, in order."""
    since: datetime | None = None
    why: str = ""
    """Why this person gets this."""
    body: str = ""
    """Free text: an announcement's own words."""
    drill: bool = False


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
    repeat: bool
    """An earlier attempt was cut off after it may have gone out: this one says that it is a repeat."""
    created_at: datetime
    log: list[dict[str, Any]]
