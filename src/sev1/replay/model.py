"""What a replay reads and what it tells."""

from collections import Counter
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from sev1.catalog.model import Catalog

Answers = Literal["as-recorded", "nobody"]
"""How people answer: each page as quickly as the alert's page was answered then, or never."""

NIGHT = frozenset({22, 23, 0, 1, 2, 3, 4, 5, 6})
"""Local hours that count as night: 22:00 to 07:00."""
MOST_EXAMPLES = 50

MODEL = (
    "An answer comes as long after the page as it came then; a page that is new is answered after the median of then.",
    "Whoever answered attends: acknowledged pages are not paged again for being unattended.",
    "Each stored alert is one signal: that a problem went on for an hour after its page was resolved pages nobody.",
    "A silence counts for alerts that come while it is in force, and when it ends; one made later ends no page.",
    "Incidents, snoozes, reassignments and people who could not be reached are not replayed.",
)
"""What the simulation leaves out, to be shown with its figures."""


class Past(Struct, frozen=True, kw_only=True):
    """A stored alert: what came, and what became of it then."""

    id: int
    key_id: int
    fingerprint: str
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    received_at: datetime
    resolved_at: datetime | None
    tier: str | None
    held: bool = False
    page: str | None
    answered_after_s: float | None = None
    """Seconds from the opening of its page to the first acknowledgement."""


class Tally(Struct, kw_only=True):
    """What a time cost. `asked` counts each time that a person was asked, so an escalation counts again."""

    pages: int = 0
    tiers: dict[str, int] = field(default_factory=Counter)
    """Alerts by tier: page, ticket, fyi."""
    held: int = 0
    """Alerts that were held at first: silenced, in maintenance, inhibited, flapping."""
    asked: dict[str, int] = field(default_factory=Counter)
    nights: dict[str, int] = field(default_factory=Counter)
    """Of `asked`, those between 22:00 and 07:00 of the person's own time."""
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    """Of `asked`, by hour of day of the person's own time."""
    unanswered: int = 0
    """Pages whose policy ran out before anybody answered."""

    def ask(self, person: str, at: datetime, catalog: Catalog) -> None:
        known = catalog.people.get(person)
        hour = at.astimezone(ZoneInfo(known.time_zone if known else "UTC")).hour
        self.asked[person] = self.asked.get(person, 0) + 1
        self.hours[hour] += 1
        if hour in NIGHT:
            self.nights[person] = self.nights.get(person, 0) + 1


class Difference(Struct, frozen=True, kw_only=True):
    alert: str
    at: datetime
    summary: str
    reason: str
    """Why it pages nobody now, or whom it goes to."""


class Differences(Struct, kw_only=True):
    count: int = 0
    examples: list[Difference] = field(default_factory=list)
    """The first 50."""

    def add(self, past: Past, reason: str) -> None:
        self.count += 1
        if len(self.examples) < MOST_EXAMPLES:
            found = Difference(alert=f"A-{past.id}", at=past.received_at, summary=past.summary, reason=reason)
            self.examples.append(found)


class Report(Struct, kw_only=True):
    since: datetime
    until: datetime
    answers: Answers
    alerts: int = 0
    recorded: Tally = field(default_factory=Tally)
    """As it was."""
    in_force: Tally = field(default_factory=Tally)
    """The same history through the catalog in force: how far it differs from `recorded` is how far to trust the rest."""
    changed: Tally = field(default_factory=Tally)
    missed: Differences = field(default_factory=Differences)
    """Alerts that paged then and would not now."""
    new: Differences = field(default_factory=Differences)
    """Alerts that did not page then and would now."""
    model: tuple[str, ...] = MODEL
