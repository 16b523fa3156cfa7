"""Accepting a risk: why, what is watched meanwhile, who decided, and until when (mission 7.5). Pure.

An accepted risk is never accepted for ever: it is brought to mind before it ends, and at the end somebody renews it with a
reason or closes it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.catalog.matchers import MatcherInvalid, parse
from sev1.catalog.model import Catalog
from sev1.command.terms import IncidentKey, Name, Prose
from sev1.engine.errors import Conflict, Invalid
from sev1.risk.decide import check_service, line, prose

RiskState = Literal["accepted", "closed"]
AFTER_THE_END = timedelta(days=7)
"""So often it is brought to mind that a risk has outlived its acceptance."""


class NewRisk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    risk: Annotated[str, Meta(min_length=1, max_length=300)]
    """What may happen, in one line."""
    reason: Prose
    """Why it is accepted."""
    monitoring: Prose
    """What is watched, so that it is noticed when it happens."""
    until: datetime
    service: Name | None = None
    incident: IncidentKey | None = None
    """Where it came up."""
    match: Annotated[tuple[Annotated[str, Meta(max_length=500)], ...], Meta(max_length=10)] = ()
    """Alertmanager matchers of the alerts that would tell."""


class Renewal(Struct, frozen=True, kw_only=True):
    by: str
    at: datetime
    until: datetime
    reason: str


class Renewing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    until: datetime
    reason: Prose


class Closing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outcome: Prose
    """What became of it: removed, happened, or no longer possible."""


class Risk(Struct, frozen=True, kw_only=True):
    number: int
    risk: str
    reason: str
    monitoring: str
    match: tuple[str, ...]
    service: str | None
    incident: str | None
    decided_by: str
    decided_at: datetime
    until: datetime
    renewals: tuple[Renewal, ...]
    remind_at: datetime | None
    state: RiskState
    outcome: str
    closed_by: str | None
    closed_at: datetime | None

    @property
    def key(self) -> str:
        return f"RISK-{self.number}"

    def has_ended(self, now: datetime) -> bool:
        """Whether its time is over and nobody has renewed or closed it."""
        return self.state == "accepted" and self.until <= now


def checked(new: NewRisk, catalog: Catalog, now: datetime) -> NewRisk:
    """As it is kept. Raises Invalid for an unknown service, matchers that cannot be read, and a time that is no limit."""
    check_service(new.service, catalog)
    check_until(new.until, catalog, now)
    for matcher in new.match:
        try:
            parse(matcher)
        except MatcherInvalid as error:
            raise Invalid(f'"{matcher}" is no matcher: {error}', field="match") from None
    return replace(
        new,
        risk=line(new.risk, "risk"),
        reason=prose(new.reason, "reason"),
        monitoring=prose(new.monitoring, "monitoring"),
        service=new.service or None,
    )


def check_until(until: datetime, catalog: Catalog, now: datetime) -> None:
    """Raises Invalid for a time that has passed or lies beyond the organisation's limit."""
    most = catalog.organisation.risk_max_days
    if until <= now:
        raise Invalid("That time has passed. Accept the risk until one that lies ahead.", field="until")
    if until > now + timedelta(days=most):
        raise Invalid(f"A risk is accepted for at most {most} days here; then it is looked at again.", field="until")


def check_reminds(new: NewRisk, by: str, catalog: Catalog) -> None:
    """Raises Invalid for a risk of which nobody would be reminded: a program decides, and no service has anybody on call."""
    if new.service is None and by not in catalog.people:
        raise Invalid(
            "Name the service that it is about: you are no person of the catalog, and somebody has to be reminded.",
            field="service",
        )


def check_accepted(risk: Risk) -> None:
    """Raises Conflict for one that is closed."""
    if risk.state == "closed":
        raise Conflict(f"{risk.key} is closed already; nothing was changed.")


def next_reminder(until: datetime, after: datetime, days_before: Sequence[int]) -> datetime:
    """When a risk that is accepted until `until` is brought to mind next after the instant `after`."""
    before = [until - timedelta(days=days) for days in days_before]
    ahead = [at for at in (*before, until) if at > after]
    return min(ahead) if ahead else after + AFTER_THE_END
