"""What holds for the whole organisation."""

from typing import Annotated

from msgspec import Meta

from sev1.catalog.audience import SHIPPED as SHIPPED_AUDIENCES
from sev1.catalog.audience import Audience
from sev1.catalog.contact import ContactMethod
from sev1.catalog.model.fields import Object, Slug, Text


class Organisation(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    announce: tuple[ContactMethod, ...] = ()
    """Where declarations, updates and the all-clear of incidents are announced."""
    fallback_policy: Slug | None = None
    """Who is paged for what no route and no service claims. A required safety net once any route pages."""
    silence_warns_from_percent: Annotated[int, Meta(ge=1, le=100)] = 20
    """A silence that hid alerts of this share of the services in the last week needs a confirmation."""
    fallback_owner: Slug | None = None
    """The team that gives a home to what nobody routes."""
    inhibit_dependents: bool = False
    """While a service's alert pages, alerts of what depends on it are held. Off unless asked: it trusts `depends_on`."""
    inhibit_worst: bool = False
    """Hold as well what suggests SEV-0 or SEV-1, and alerts of tier-1 services. Off: those page whatever their cause."""
    inhibit_hops: Annotated[int, Meta(ge=1, le=10)] = 3
    """How many dependencies away a cause may be."""
    risk_max_days: Annotated[int, Meta(ge=1, le=730)] = 90
    """For how long a risk may be accepted at once; then it is looked at again (mission 7.5)."""
    risk_reminders_days: Annotated[tuple[Annotated[int, Meta(ge=0, le=90)], ...], Meta(max_length=5)] = (7, 1)
    """So many days before it ends an accepted risk is brought to mind."""
    security_runbooks: Annotated[tuple[Slug, ...], Meta(max_length=10)] = ()
    """Runbooks that restricted incidents are offered first: what responders and security do together (mission 3.3)."""
    audiences: Annotated[tuple[Audience, ...], Meta(max_length=20)] = SHIPPED_AUDIENCES
    """Who is told how an incident goes besides those who work on it, each in a rhythm of their own."""
