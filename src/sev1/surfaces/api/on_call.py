"""`/api/v1/on-call`: who is on call now and next; overrides."""

from datetime import datetime, timedelta
from typing import Annotated

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from sev1.access.declare import needs
from sev1.catalog.model import Override, Slug
from sev1.engine.errors import Invalid, NotFound
from sev1.oncall import store
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import Shift, next_up, on_call, shifts
from sev1.oncall.store import MadeOverride
from sev1.surfaces.actor import actor_of
from sev1.surfaces.injected import Catalogs, Db, Doing, Hears, Now, SignedIn

MAX_OVERRIDE = timedelta(days=92)
YEARS = (2000, 2200)


class OnCallView(Struct, frozen=True, kw_only=True):
    schedule: str
    title: str
    time_zone: str
    now: Shift | None
    next: Shift | None


class NewOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    person: Slug
    start: datetime
    end: datetime
    reason: Annotated[str, Meta(max_length=500)] = ""
    anyway: Annotated[str, Meta(max_length=500)] = ""
    """Why the shift must be although it breaks a limit of the team."""


class OverrideView(Struct, frozen=True, kw_only=True):
    id: int
    schedule: str
    person: str
    start: datetime
    end: datetime


@get("/api/v1/on-call", opt=needs("read"), tags=["on-call"])
async def list_on_call(db: Db, clock: Now, catalogs: Catalogs) -> list[OnCallView]:
    """Every schedule: who is on call now and who is next."""
    now = clock.now()
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        overrides = await store.overrides_at(conn, now)
    views = []
    for schedule in catalog.schedules.values():
        current = on_call(schedule, now, in_force(overrides.get(schedule.name, ()), catalog))
        views.append(
            OnCallView(
                schedule=schedule.name,
                title=schedule.title,
                time_zone=schedule.time_zone,
                now=current,
                next=next_up(schedule, now, in_force(overrides.get(schedule.name, ()), catalog)),
            )
        )
    return views


@get("/api/v1/schedules/{name:str}/shifts", opt=needs("read"), tags=["on-call"])
async def list_shifts(
    name: FromPath[str],
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    days: Annotated[int, QueryParameter(ge=1, le=92)] = 14,
) -> list[Shift]:
    """The final schedule of the coming days: what paging uses."""
    now = clock.now()
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        overrides = await store.overrides_at(conn, now)
    if name not in catalog.schedules:
        raise NotFound(f"There is no schedule {name}.")
    return shifts(catalog.schedules[name], now, now + timedelta(days=days), in_force(overrides.get(name, ()), catalog))


@post("/api/v1/schedules/{name:str}/overrides", opt=needs("oncall:write"), tags=["on-call"])
async def add_override(
    name: FromPath[str],
    data: JSONBody[NewOverride],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    clock: Now,
    news: Hears,
) -> OverrideView:
    """Somebody takes a part of a schedule: from `start` until `end`, at most 92 days."""
    start, end = aware(data.start, "start"), aware(data.end, "end")
    if end - start > MAX_OVERRIDE:
        raise Invalid("An override lasts at most 92 days. For longer, change the schedule itself.", field="end")
    async with commands.db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        override = Override(person=data.person, start=start, end=end, reason=data.reason)
        number = await store.add_override(
            conn, catalog, name, override, created_by=by.id, now=clock.now(), anyway=data.anyway
        )
    news.tell("on-call")
    return OverrideView(id=number, schedule=name, person=data.person, start=start, end=end)


@get("/api/v1/overrides", opt=needs("read"), tags=["on-call"])
async def list_overrides(db: Db, clock: Now) -> list[MadeOverride]:
    """Present and coming overrides made here, in the order they were made: of two for the same time the later holds."""
    async with db.connection() as conn:
        return await store.made_since(conn, clock.now())


@delete("/api/v1/overrides/{number:int}", opt=needs("oncall:write"), tags=["on-call"])
async def remove_override(
    number: Annotated[int, PathParameter(ge=1, le=2**63 - 1)],
    request: SignedIn,
    db: Db,
    catalogs: Catalogs,
    clock: Now,
    news: Hears,
) -> None:
    """Takes an override back; what it covered falls to whoever lies below."""
    async with db.transaction() as conn:
        by = actor_of(request.user, await catalogs.current(conn), "api")
        await store.remove_override(conn, number, actor=by.id, now=clock.now())
    news.tell("on-call")


def aware(at: datetime, field: str) -> datetime:
    """Refuses a time without an offset, which would mean something else in each zone, and years out of any plan."""
    if at.tzinfo is None:
        raise Invalid(f"{field}: give the offset from UTC, for example 2026-03-02T09:00:00+01:00.", field=field)
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise Invalid(f"{field}: the year {at.year} cannot be meant.", field=field)
    return at


ROUTES: list[HTTPRouteHandler] = [list_on_call, list_shifts, add_override, list_overrides, remove_override]
