"""What needs me now, in the order in which it needs me. Pure (design: Now)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import Exceptions, on_call
from sev1.paging import model as p
from sev1.surfaces.web.incident_view import expected_of
from sev1.surfaces.web.moments import shift_end


class MyIncident(Struct, frozen=True, kw_only=True):
    incident: m.Incident
    roles: tuple[str, ...]
    expected: str


class NowView(Struct, frozen=True, kw_only=True):
    waiting: tuple[p.Page, ...]
    """Pages that wait for my answer."""
    other_pages: tuple[p.Page, ...]
    mine: tuple[MyIncident, ...]
    """Incidents in which I hold a role, with what that role owes next."""
    other_incidents: tuple[m.Incident, ...]
    duties: tuple[str, ...]
    """`You are on call for Payments until Mon 09:00.`"""

    @property
    def shows_restricted(self) -> bool:
        """Whether somebody else at this device must not find what is shown: then no copy of it is kept."""
        mine = (row.incident for row in self.mine)
        return any(incident.privacy.restricted for incident in (*mine, *self.other_incidents))

    @property
    def is_quiet(self) -> bool:
        return not (self.waiting or self.mine)


def now_view(
    pages: Sequence[p.Page],
    incidents: Sequence[m.Incident],
    catalog: Catalog,
    overrides: Mapping[str, Exceptions],
    me: str,
    zone: str,
    now: datetime,
) -> NowView:
    """`pages` and `incidents` are those that are not over."""
    waiting = tuple(page for page in pages if _waits_for(page, me))
    mine, others = [], []
    for incident in incidents:
        roles = tuple(m.ROLE_TITLES[role] for role, held in incident.roles.items() if me in held)
        if roles:
            mine.append(MyIncident(incident=incident, roles=roles, expected=expected_of(incident, me, catalog, now)))
        else:
            others.append(incident)
    return NowView(
        waiting=waiting,
        other_pages=tuple(page for page in pages if page not in waiting),
        mine=tuple(sorted(mine, key=lambda row: _urgency(row.incident, now))),
        other_incidents=tuple(sorted(others, key=lambda incident: _urgency(incident, now))),
        duties=duties(catalog, overrides, me, zone, now),
    )


def _waits_for(page: p.Page, me: str) -> bool:
    return page.status == "triggered" and any(paged.person == me for paged in page.people)


def _urgency(incident: m.Incident, now: datetime) -> tuple[bool, bool, str, datetime]:
    """Open before resolved, late updates before others, worse before less bad, older before newer."""
    late = incident.next_update_at is not None and incident.next_update_at <= now
    return (not incident.is_open, not late, incident.severity, incident.declared_at or now)


def duties(catalog: Catalog, overrides: Mapping[str, Exceptions], me: str, zone: str, now: datetime) -> tuple[str, ...]:
    found = []
    for schedule in sorted(catalog.schedules.values(), key=lambda s: s.title):
        shift = on_call(schedule, now, in_force(overrides.get(schedule.name, ()), catalog))
        if shift and shift.person == me:
            title = schedule.duty
            found.append(f"You are on call for {title} until {shift_end(shift.end, now, zone)}.")
    return tuple(found)
