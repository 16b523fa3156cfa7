"""What breaks, and what is written down about it: services, runbooks, response plans (missions 4.2, 4.4, 5.8)."""

from typing import Annotated

from msgspec import Meta

from sev1.catalog.model.diagnostics import Diagnostic
from sev1.catalog.model.fields import Link, Object, Slug, Text


class Service(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    description: str = ""
    owner: Slug
    """The owning team."""
    tier: Annotated[int, Meta(ge=1, le=4)] = 3
    """1 is what the business stops without, 4 is nice to have."""
    depends_on: tuple[Slug, ...] = ()
    policy: Slug | None = None
    """The escalation policy; without one the route's applies."""
    runbook: Slug | None = None
    links: tuple[Link, ...] = ()
    impact: str = ""
    """What users feel when it is down, in their words: shown on the page that wakes somebody."""
    diagnostics: Annotated[tuple[Diagnostic, ...], Meta(max_length=10)] = ()
    """What a responder may have asked from a page about it, by a button."""
    inhibit_dependents: bool | None = None
    """Whether its paging alerts hold the alerts of what depends on it. Unset: as the organisation says."""


class Runbook(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Markdown file; `name` is the file's stem, `title` its first heading."""

    title: Text
    body: str

    @property
    def first_step(self) -> str:
        """The first checklist or list item: what to try first."""
        for line in self.body.splitlines():
            text = line.strip()
            for lead in ("- [ ] ", "- [x] ", "- ", "* ", "1. "):
                if text.startswith(lead):
                    return text.removeprefix(lead).strip()
        return ""


class ResponsePlan(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known about alerts of one type, for whoever is woken by one. Figures from history stand beside it."""

    title: Text
    order: Annotated[int, Meta(ge=0, le=100000)] = 100
    """Plans are tried by `order`, then name; the first that matches is shown."""
    match: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)]
    """Alertmanager matchers, all of which must hold."""
    check_first: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    """What to look at before anything else, in order."""
    known_issues: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    steady_state: Annotated[str, Meta(max_length=500)] = ""
    """What normal looks like, in numbers."""
    false_positives: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    """When it fired and nothing was wrong, and how to tell."""
    experts: Annotated[tuple[Slug, ...], Meta(max_length=20)] = ()
    dashboards: Annotated[tuple[Link, ...], Meta(max_length=10)] = ()
