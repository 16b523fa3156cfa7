"""`/api/v1/alerts`, `/api/v1/silences`, `/api/v1/reports`, `/api/v1/not-understood`: what came in and what becomes of it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter, SkipValidation
from msgspec import Meta, Struct

from sev1.access.declare import needs
from sev1.catalog.maintenance import Window, next_window, window_at
from sev1.catalog.matchers import Matcher, MatcherInvalid, parse
from sev1.catalog.model import Tier
from sev1.command.sight import withheld
from sev1.command.withhold import alert_without
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.intake import misunderstood
from sev1.intake.inbox import Inbox
from sev1.intake.reports import report
from sev1.surfaces.actor import actor_of
from sev1.surfaces.api.on_call import aware
from sev1.surfaces.injected import Catalogs, Db, Hears, Looks, Now, SignedIn
from sev1.triage import alerts, silences
from sev1.triage.alerts import Untiered
from sev1.triage.model import AlertRow, Silence, Transition, Verdict
from sev1.triage.silence_preview import Preview, preview

Incoming = NamedDependency[SkipValidation[Inbox]]
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


class AlertView(Struct, frozen=True, kw_only=True):
    id: int
    key: str
    status: str
    held: str | None
    held_by: str | None
    tier: str | None
    service: str | None
    severity: str | None
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    resolved_at: datetime | None
    received_at: datetime
    updated_at: datetime
    times: int
    verdict: Verdict
    page: str | None
    incident: str | None


def alert_view(row: AlertRow, hidden: Collection[str]) -> AlertView:
    """Without the incident, if that is hidden from the caller."""
    row = alert_without(row, hidden)
    return AlertView(**{name: getattr(row, name) for name in AlertView.__struct_fields__})


class AlertPart(Struct, frozen=True, kw_only=True):
    """`before` continues the list; null at its end."""

    alerts: list[AlertView]
    before: int | None


@get("/api/v1/alerts", opt=needs("read"), tags=["alerts"])
async def list_alerts(
    db: Db,
    sight: Looks,
    status: FromQuery[Literal["firing", "resolved"] | None] = None,
    tier: FromQuery[Tier | None] = None,
    service: Annotated[str | None, QueryParameter(max_length=63)] = None,
    match: Annotated[str | None, QueryParameter(max_length=2000)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**62)] = None,
) -> AlertPart:
    """Alerts, newest first. `match` takes Alertmanager matchers, e.g. `env="prod",severity=~"critical|page"`."""
    async with db.connection() as conn:
        part = await alerts.list_alerts(
            conn,
            status=status,
            tier=tier,
            service=service,
            matchers=_matchers([match]) if match else (),
            limit=limit,
            before=before,
        )
        hidden = await withheld(conn, sight)
    return AlertPart(alerts=[alert_view(row, hidden) for row in part.alerts], before=part.before)


class Unrouted(Struct, frozen=True, kw_only=True):
    owner: str | None
    """The team that gives them a home: the organisation's `fallback_owner`."""
    alerts: list[AlertView]


@get("/api/v1/alerts/unrouted", opt=needs("read"), tags=["alerts"])
async def list_unrouted(db: Db, catalogs: Catalogs, sight: Looks) -> Unrouted:
    """Nobody routes these: what fires and neither a route nor a service claims."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        rows = await alerts.nobody_routes(conn)
        hidden = await withheld(conn, sight)
    return Unrouted(owner=catalog.organisation.fallback_owner, alerts=[alert_view(row, hidden) for row in rows])


@get("/api/v1/alerts/without-tier", opt=needs("read"), tags=["alerts"])
async def list_without_tier(db: Db, clock: Now) -> list[Untiered]:
    """What fitted no tier in the last 7 days, counted by rule."""
    async with db.connection() as conn:
        return await alerts.untiered_by_rule(conn, clock.now() - timedelta(days=7))


@get("/api/v1/alerts/{number:int}", opt=needs("read"), tags=["alerts"])
async def get_alert(number: Number, db: Db, sight: Looks) -> AlertView:
    async with db.connection() as conn:
        row = await alerts.get_alert(conn, number)
        hidden = await withheld(conn, sight)
    if row is None:
        raise NotFound(f"There is no alert A-{number}.")
    return alert_view(row, hidden)


@get("/api/v1/alerts/{number:int}/transitions", opt=needs("read"), tags=["alerts"])
async def get_transitions(number: Number, db: Db) -> list[Transition]:
    """The alert's history, oldest first."""
    async with db.connection() as conn:
        return await alerts.transitions(conn, number)


def _matchers(texts: list[str]) -> list[Matcher]:
    try:
        return [matcher for text in texts for matcher in parse(text)]
    except MatcherInvalid as error:
        raise Invalid(f"A matcher cannot be read: {error}", field="match") from error


class SilenceView(Struct, frozen=True, kw_only=True):
    id: UUID
    state: str
    matchers: list[str]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


def silence_view(silence: Silence, now: datetime) -> SilenceView:
    return SilenceView(
        id=silence.id,
        state=silence.state(now),
        matchers=[str(matcher) for matcher in silence.matchers],
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        created_by=silence.created_by,
        comment=silence.comment,
    )


class NewSilence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who makes it owns it; it needs a reason and an end (mission 5.4)."""

    matchers: Annotated[list[Annotated[str, Meta(min_length=1, max_length=2000)]], Meta(min_length=1, max_length=50)]
    comment: Annotated[str, Meta(min_length=1, max_length=1000)]
    ends_at: datetime
    starts_at: datetime | None = None
    """None: now."""
    owner: Annotated[str, Meta(max_length=200)] = ""
    """Empty: whoever makes it."""
    confirm: bool = False
    """Required for an over-broad one; the preview says which are."""


class PreviewOf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    matchers: Annotated[list[Annotated[str, Meta(min_length=1, max_length=2000)]], Meta(min_length=1, max_length=50)]


class Extension(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ends_at: datetime


@post("/api/v1/silences/preview", opt=needs("read"), tags=["alerts"], status_code=200)
async def preview_silence(data: JSONBody[PreviewOf], db: Db, clock: Now, catalogs: Catalogs) -> Preview:
    """What a silence with these matchers would hide now and would have hidden in the last 7 days. Changes nothing."""
    matchers = _matchers(data.matchers)
    async with db.connection() as conn:
        return await preview(conn, matchers, await catalogs.current(conn), clock.now())


@patch("/api/v1/silences/{silence_id:uuid}", opt=needs("alerts:write"), tags=["alerts"])
async def extend_silence(
    silence_id: FromPath[UUID],
    data: JSONBody[Extension],
    request: SignedIn,
    db: Db,
    clock: Now,
    catalogs: Catalogs,
    news: Hears,
) -> SilenceView:
    """Moves its end later."""
    now, ends_at = clock.now(), aware(data.ends_at, "ends_at")
    async with db.transaction() as conn:
        by = actor_of(request.user, await catalogs.current(conn), "api")
        before = await silences.get(conn, silence_id)
        longer = ends_at - before.ends_at if before else timedelta(seconds=1)
        silence = await silences.extend(conn, silence_id, by=by.id, longer=longer, now=now)
    news.tell("alerts")
    return silence_view(silence, now)


@get("/api/v1/silences", opt=needs("read"), tags=["alerts"])
async def list_silences(db: Db, clock: Now) -> list[SilenceView]:
    """Those in force, those to come, and those that ended in the last day."""
    now = clock.now()
    async with db.connection() as conn:
        found = await silences.list_all(conn, now, ended_after=now - timedelta(days=1))
    return [silence_view(silence, now) for silence in found]


class MaintenanceView(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    owner: str
    reason: str
    services: tuple[str, ...]
    matchers: tuple[str, ...]
    time_zone: str
    in_force_until: datetime | None
    """None: no window is in force."""
    next: Window | None


@get("/api/v1/maintenance", opt=needs("read"), tags=["alerts"])
async def list_maintenance(db: Db, clock: Now, catalogs: Catalogs) -> list[MaintenanceView]:
    """The planned maintenance of the catalog: what is in force, and what comes next."""
    now = clock.now()
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    views = []
    for planned in catalog.maintenance.values():
        window = window_at(planned, now)
        views.append(
            MaintenanceView(
                name=planned.name,
                title=planned.title,
                owner=planned.owner,
                reason=planned.reason,
                services=planned.services,
                matchers=planned.match,
                time_zone=planned.time_zone,
                in_force_until=window.end if window else None,
                next=next_window(planned, now),
            )
        )
    return views


@post("/api/v1/silences", opt=needs("alerts:write"), tags=["alerts"])
async def add_silence(
    data: JSONBody[NewSilence], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, news: Hears
) -> SilenceView:
    """Keeps what matches quiet until it ends. What still fires then is looked at again."""
    now = clock.now()
    async with db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        matchers = _matchers(data.matchers)
        silences.check_matchers(matchers)
        warnings = (await preview(conn, matchers, catalog, now)).warnings
        if warnings and not data.confirm:
            raise Refused(f"{' '.join(warnings)} If that is meant, send confirm: true, and say why in the comment.")
        silence = await silences.create(
            conn,
            matchers=matchers,
            starts_at=aware(data.starts_at, "starts_at") if data.starts_at else now,
            ends_at=aware(data.ends_at, "ends_at"),
            created_by=data.owner.strip() or by.id,
            actor=by.id,
            comment=data.comment,
            now=now,
        )
    news.tell("alerts")
    return silence_view(silence, now)


@delete("/api/v1/silences/{silence_id:uuid}", opt=needs("alerts:write"), tags=["alerts"], status_code=200)
async def end_silence(
    silence_id: FromPath[UUID], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, news: Hears
) -> SilenceView:
    """Ends it now; it stays on record."""
    now = clock.now()
    async with db.transaction() as conn:
        by = actor_of(request.user, await catalogs.current(conn), "api")
        silence = await silences.expire(conn, silence_id, by=by.id, now=now)
    news.tell("alerts")
    return silence_view(silence, now)


class NewReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person saw. It takes the way of every alert: triage decides whom to wake."""

    summary: Annotated[str, Meta(min_length=1, max_length=300)]
    service: Annotated[str, Meta(max_length=63)] | None = None
    severity: Annotated[str, Meta(max_length=63)] | None = None
    details: Annotated[str, Meta(max_length=5000)] = ""


class Reported(Struct, frozen=True, kw_only=True):
    """`fingerprint` is that of the alert which it becomes in a moment."""

    fingerprint: str


@post("/api/v1/reports", status_code=202, opt=needs("report"), tags=["alerts"])
async def add_report(
    data: JSONBody[NewReport], request: SignedIn, db: Db, clock: Now, catalogs: Catalogs, inbox: Incoming
) -> Reported:
    """Says that something is wrong. Stored before it is answered."""
    async with db.connection() as conn:
        by = actor_of(request.user, await catalogs.current(conn), "api")
    fingerprint = await report(
        inbox,
        clock,
        summary=data.summary,
        reporter=by.name,
        service=data.service,
        severity=data.severity,
        details=data.details,
    )
    return Reported(fingerprint=fingerprint)


class NotUnderstood(Struct, frozen=True, kw_only=True):
    id: int
    received_at: datetime
    format: str
    error: str
    begins: str
    """The first 2,000 bytes of the payload."""


@get("/api/v1/not-understood", opt=needs("read"), tags=["alerts"])
async def list_not_understood(db: Db) -> list[NotUnderstood]:
    """Payloads that could not be read and that nobody has put away yet, newest first."""
    async with db.connection() as conn:
        found = await misunderstood.list_open(conn)
    return [
        NotUnderstood(
            id=one.id,
            received_at=one.received_at,
            format=one.format,
            error=one.error,
            begins=one.raw.decode("utf-8", "replace"),
        )
        for one in found
    ]


@delete("/api/v1/not-understood/{number:int}", opt=needs("alerts:write"), tags=["alerts"])
async def dismiss_not_understood(number: Number, request: SignedIn, db: Db, clock: Now) -> None:
    """Puts a payload away: somebody has looked at it."""
    async with db.transaction() as conn:
        await misunderstood.dismiss(conn, number, by=request.user.actor, now=clock.now())


ROUTES: list[HTTPRouteHandler] = [
    list_alerts,
    list_unrouted,
    list_without_tier,
    get_alert,
    get_transitions,
    list_silences,
    list_maintenance,
    add_silence,
    preview_silence,
    extend_silence,
    end_silence,
    add_report,
    list_not_understood,
    dismiss_not_understood,
]
