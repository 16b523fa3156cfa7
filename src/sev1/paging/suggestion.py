"""That a page looks like an incident: what a declaration policy found. Kept on the page, decided by people (mission 3.1)."""

from datetime import datetime

from msgspec import Struct

from sev1.paging.terms import Command, Event


class Suggestion(Struct, frozen=True, kw_only=True):
    policy: str
    title: str
    """Why, in the words of the policy."""
    severity: str | None
    restricted: bool
    at: datetime


class SuggestIncident(Command, frozen=True, kw_only=True, tag="suggest_incident"):
    policy: str
    title: str
    severity: str | None = None
    restricted: bool = False


class IncidentSuggested(Event, frozen=True, kw_only=True, tag="incident_suggested"):
    policy: str
    title: str
    severity: str | None = None
    restricted: bool = False
