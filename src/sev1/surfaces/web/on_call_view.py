"""Who is on call, until when, who next, where nobody is: in words, with the month as a calendar. Pure (design: On call)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from sev1.catalog.model import Catalog, Schedule, ScheduleTarget
from sev1.engine.steps import Steps
from sev1.oncall.gaps import CoverWarning
from sev1.oncall.schedule import Exceptions, Shift, next_up, on_call, shifts
from sev1.oncall.store import MadeOverride
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.moments import clock_in, shift_end
from sev1.surfaces.web.month import Cell, month

AHEAD = timedelta(days=28)


class ShiftLine(Struct, frozen=True, kw_only=True):
    person: str
    name: str
    is_me: bool
    start: datetime
    end: datetime
    mine: str
    """`Mon 2 Mar 09:00 – Mon 9 Mar 09:00` in the visitor's zone."""
    reason: str


class Gap(Struct, frozen=True, kw_only=True):
    start: datetime
    end: datetime
    sentence: str


class ScheduleView(Struct, frozen=True, kw_only=True):
    schedule: Schedule
    now: ShiftLine | None
    until: str
    """`Mon 09:00 Europe/Berlin · Mon 08:00 yours`."""
    next: ShiftLine | None
    gaps: tuple[Gap, ...]
    coming: tuple[ShiftLine, ...]
    warnings: tuple[str, ...]
    """What else is to be mended in the next 30 days: stand-ins, overrides for the same time, people who
    cannot be reached. What is of several schedules is said once for all."""
    month: tuple[tuple[Cell, ...], ...]
    """The next 28 days as weeks of the visitor's calendar."""
    overrides: tuple[MadeOverride, ...]
    used_by: tuple[str, ...]
    """Titles of the escalation policies that ask it."""


def schedule_views_in_steps(
    catalog: Catalog,
    made: Iterable[MadeOverride],
    me: str,
    zone: str,
    now: datetime,
    *,
    exceptions: Mapping[str, Exceptions],
    warned: Mapping[str, Sequence[CoverWarning]],
) -> Steps[list[ScheduleView]]:
    """`exceptions` are those in force, by schedule, as paging uses them; `made` the overrides that can be taken back."""
    by_schedule: dict[str, list[MadeOverride]] = {}
    for override in made:
        by_schedule.setdefault(override.schedule, []).append(override)
    asked_by = _asked_by(catalog)
    found: list[ScheduleView] = []
    for schedule in sorted(catalog.schedules.values(), key=lambda s: s.title):
        found.append(
            _view(
                schedule,
                by_schedule.get(schedule.name, []),
                catalog,
                me,
                zone,
                now,
                exceptions.get(schedule.name, ()),
                warned.get(schedule.name, ()),
                asked_by.get(schedule.name, ()),
            )
        )
        yield
    return found


def _asked_by(catalog: Catalog) -> dict[str, list[str]]:
    """By schedule, the titles of the policies that ask it, each once."""
    found: dict[str, dict[str, None]] = {}
    for policy in catalog.policies.values():
        for step in policy.steps:
            for target in step.targets:
                if isinstance(target, ScheduleTarget):
                    found.setdefault(target.name, {})[policy.title] = None
    return {schedule: list(titles) for schedule, titles in found.items()}


def _view(
    schedule: Schedule,
    made: Sequence[MadeOverride],
    catalog: Catalog,
    me: str,
    zone: str,
    now: datetime,
    overrides: Exceptions,
    warned: Sequence[CoverWarning],
    used_by: Sequence[str],
) -> ScheduleView:
    current = on_call(schedule, now, overrides)
    following = next_up(schedule, now, overrides)
    coming = joined(shifts(schedule, now, now + AHEAD, overrides))
    return ScheduleView(
        schedule=schedule,
        now=_line(current, catalog, me, zone, now) if current else None,
        until=_both_zones(_end_of(current, coming), now, schedule.time_zone, zone) if current else "",
        next=_line(following, catalog, me, zone, now) if following else None,
        gaps=tuple(_gaps(coming, now, zone)),
        coming=tuple(_line(shift, catalog, me, zone, now) for shift in coming),
        warnings=tuple(w.sentence for w in warned if w.kind != "gap" and not w.schedules),
        month=month(coming, catalog, me, zone, now, AHEAD.days),
        overrides=tuple(o for o in made if o.override.end > now),
        used_by=tuple(used_by),
    )


def joined(found: Sequence[Shift]) -> list[Shift]:
    """Shifts of the same person that follow each other without a break as one: nobody hands over to themselves."""
    whole: list[Shift] = []
    for shift in found:
        last = whole[-1] if whole else None
        if last and last.person == shift.person and last.end == shift.start and last.reason == shift.reason:
            whole[-1] = Shift(
                person=last.person, start=last.start, end=shift.end, because=last.because, reason=last.reason
            )
        else:
            whole.append(shift)
    return whole


def _end_of(current: Shift, coming: Sequence[Shift]) -> datetime:
    return next((shift.end for shift in coming if shift.start <= current.start < shift.end), current.end)


def _line(shift: Shift, catalog: Catalog, me: str, zone: str, now: datetime) -> ShiftLine:
    return ShiftLine(
        person=shift.person,
        name=name_of(catalog, shift.person),
        is_me=shift.person == me,
        start=shift.start,
        end=shift.end,
        mine=f"{clock_in(shift.start, now, zone)} – {clock_in(shift.end, now, zone)}",
        reason=shift.reason,
    )


def _gaps(coming: Sequence[Shift], now: datetime, zone: str) -> Iterable[Gap]:
    """Where nobody is on call in the coming weeks."""
    at = now
    for shift in coming:
        if shift.start > at:
            words = f"Nobody is on call from {clock_in(at, now, zone)} until {clock_in(shift.start, now, zone)}."
            yield Gap(
                start=at,
                end=shift.start,
                sentence=words if at > now else f"Nobody is on call until {clock_in(shift.start, now, zone)}.",
            )
        at = max(at, shift.end)
    if not coming:
        yield Gap(start=now, end=now + AHEAD, sentence="Nobody is on call in the next four weeks.")


def _both_zones(instant: datetime, now: datetime, theirs: str, mine: str) -> str:
    local = f"{shift_end(instant, now, theirs)} {theirs}"
    return local if theirs == mine else f"{local} · {shift_end(instant, now, mine)} yours"
