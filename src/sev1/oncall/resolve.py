"""From the targets of an escalation step to the people to be paged, each with the reason. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from whenever import Instant

from sev1.catalog.model import Catalog, PersonTarget, Schedule, ScheduleTarget, Target, TeamTarget
from sev1.oncall.model import EVERYBODY
from sev1.oncall.schedule import Exceptions, on_call


class Recipient(Struct, frozen=True):
    person: str
    because: str
    """Completes "paged because they are …", e.g. `on call for Payments until Mon 09:00 Europe/Berlin`."""


class Resolution(Struct, frozen=True):
    recipients: tuple[Recipient, ...]
    """Everybody once, in the order of the targets; the first reason counts."""
    nobody: tuple[str, ...] = ()
    """One sentence for each target that reaches nobody, to be shown on the page."""


def resolve(
    targets: Iterable[Target],
    catalog: Catalog,
    at: datetime,
    overrides: Mapping[str, Exceptions],
    *,
    named_in: str = "",
) -> Resolution:
    """Who is to be paged at the instant `at`.

    `overrides` are those made at run time and who is away, by schedule. `named_in` says who asks ("step 2 of payments") and becomes part
    of the reason of people who are named directly. What the catalog no longer holds is reported, never raised: a page
    that is under way must go on after an apply.
    """
    reasons: dict[str, str] = {}
    nobody: list[str] = []
    for target in targets:
        match target:
            case PersonTarget(name=name):
                found = (
                    {name: f"named in {named_in}" if named_in else "named directly"} if name in catalog.people else {}
                )
                why = f'person "{name}" is not in the catalog'
            case TeamTarget(name=name):
                found = dict(_members(name, catalog))
                why = f'team "{name}" has nobody in the catalog'
            case ScheduleTarget(name=name):
                found, why = _scheduled(name, catalog, at, overrides.get(name, ()))
        for person, because in found.items():
            reasons.setdefault(person, because)
        if not found:
            nobody.append(why)
    return Resolution(tuple(Recipient(person, because) for person, because in reasons.items()), tuple(nobody))


def _members(name: str, catalog: Catalog) -> Iterator[tuple[str, str]]:
    if name in catalog.teams:
        for member in catalog.teams[name].members:
            if member in catalog.people:
                yield member, f"in team {name}"


def _scheduled(name: str, catalog: Catalog, at: datetime, exceptions: Exceptions) -> tuple[dict[str, str], str]:
    schedule = catalog.schedules.get(name)
    if schedule is None:
        return {}, f'schedule "{name}" is not in the catalog'
    title = schedule.duty
    shift = on_call(schedule, at, in_force(exceptions, catalog))
    if shift is None:
        return {}, f"nobody is on call for {title} at {_when(at, at, schedule)}"
    if shift.person not in catalog.people:
        return {}, f'person "{shift.person}", on call for {title}, is not in the catalog'
    until = _when(shift.end, at, schedule)
    reason = f" ({shift.reason})" if shift.reason else ""
    word = {"override": "covering", "stand-in": "standing in for"}.get(shift.because, "on call for")
    return {shift.person: f"{word} {title} until {until}{reason}"}, ""


def in_force(exceptions: Exceptions, catalog: Catalog) -> Exceptions:
    """Without overrides of people who have left the catalog: those outlive an apply, and the rotation holds then."""
    return [e for e in exceptions if e.person in catalog.people or e.person == EVERYBODY]


def _when(instant: datetime, now: datetime, schedule: Schedule) -> str:
    """`Mon 09:00 Europe/Berlin`; with the date when the weekday alone would not tell."""
    local = Instant(instant).to_tz(schedule.time_zone).to_stdlib()
    near = abs(instant - now) < timedelta(days=6)
    day = f"{local:%a}" if near else f"{local:%a} {local.day} {local:%b}"
    return f"{day} {local:%H:%M} {schedule.time_zone}"
