"""`/silences`: what is kept quiet, by whom, why and until when; maintenance windows beside it."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect, Template
from msgspec import Struct

from sev1.access.declare import needs
from sev1.catalog.maintenance import Window, next_window, window_at
from sev1.catalog.matchers import Matcher, MatcherInvalid, parse
from sev1.catalog.model import Maintenance
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.surfaces.injected import Db, Hears, SignedIn
from sev1.surfaces.web.on_call import instant_of
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show
from sev1.triage import alerts as alerts_store
from sev1.triage import silences
from sev1.triage.silence_preview import Preview, preview

SHOWN_AFTER = timedelta(days=1)
ENDS_SOON = timedelta(hours=1)
EXTENSIONS = {"1": timedelta(hours=1), "4": timedelta(hours=4), "24": timedelta(hours=24)}
FORM = "silence"
NOT_PREFILLED = frozenset({"severity", "monitor", "replica", "prometheus"})
"""Labels that differ between the same problem's alerts, or say nothing about it."""


class Planned(Struct, frozen=True, kw_only=True):
    window: Window | None
    """The one in force, else the next."""
    in_force: bool
    planned: Maintenance


@get("/silences", opt=needs("read"), include_in_schema=False)
async def list_silences(
    db: Db,
    visit: Here,
    alert: Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)] = None,
    match: FromQuery[str] = "",
) -> Template:
    """`alert` fills the form with the labels of that alert, `match` with these matchers; both show what it would hide."""
    fields = {"match": match[:2000]}
    if alert is not None:
        async with db.connection() as conn:
            found = await alerts_store.get_alert(conn, alert)
        if found is None:
            raise NotFound(f"There is no alert A-{alert}.")
        fields["match"] = ", ".join(
            str(Matcher(n, "=", v)) for n, v in sorted(found.labels.items()) if v and n not in NOT_PREFILLED
        )
    if not fields["match"]:
        return await _page(db, visit)
    try:
        async with db.connection() as conn:
            seen = await preview(conn, matchers_of(fields["match"]), visit.catalog, visit.now)
    except Invalid as error:
        return await _page(db, visit, Typed(form=FORM, fields=fields, error=error.message, status=error.status))
    return await _page(db, visit, Typed(form=FORM, fields=fields, error="", status=200), seen)


@post(
    "/silences", opt=needs("alerts:write"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200
)
async def add_silence(request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    """The button `preview` shows what it would hide; `create` makes it, an over-broad one only with `confirm`."""
    fields = await fields_of(request)
    seen = None
    try:
        matchers = matchers_of(fields.get("match", ""))
        async with db.transaction() as conn:
            seen = await preview(conn, matchers, visit.catalog, visit.now)
            if fields.get("what") == "preview":
                return await _page(db, visit, Typed(form=FORM, fields=fields, error="", status=200), seen)
            _require_meant(seen, fields)
            await silences.create(
                conn,
                matchers=matchers,
                starts_at=visit.now,
                ends_at=instant_of(fields.get("end", ""), visit.zone, "end"),
                created_by=fields.get("owner", "").strip() or visit.actor.id,
                comment=fields.get("reason", ""),
                now=visit.now,
                actor=visit.actor.id,
            )
    except (Invalid, Refused) as error:
        typed = Typed(form=FORM, fields=fields, error=error.message, status=error.status)
        return await _page(db, visit, typed, seen)
    news.tell("alerts")
    return go_to("/silences")


@post(
    "/silences/{silence_id:uuid}/end",
    opt=needs("alerts:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def end_silence(silence_id: FromPath[UUID], db: Db, visit: Here, news: Hears) -> Redirect:
    async with db.transaction() as conn:
        await silences.expire(conn, silence_id, by=visit.actor.id, now=visit.now)
    news.tell("alerts")
    return go_to("/silences")


@post(
    "/silences/{silence_id:uuid}/extend",
    opt=needs("alerts:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=303,
)
async def extend_silence(silence_id: FromPath[UUID], request: SignedIn, db: Db, visit: Here, news: Hears) -> Redirect:
    """By `hours`: 1, 4 or 24."""
    longer = EXTENSIONS.get((await fields_of(request)).get("hours", ""))
    if longer is None:
        raise Invalid("Extend by 1, 4 or 24 hours.", field="hours")
    async with db.transaction() as conn:
        await silences.extend(conn, silence_id, by=visit.actor.id, longer=longer, now=visit.now)
    news.tell("alerts")
    return go_to("/silences")


def matchers_of(text: str) -> list[Matcher]:
    """What was typed, checked as a silence's. Raises Invalid."""
    try:
        found = parse(text)
    except MatcherInvalid as error:
        raise Invalid(f"The matchers cannot be read: {error.message}", field="match") from error
    silences.check_matchers(found)
    return found


def _require_meant(seen: Preview, fields: dict[str, str]) -> None:
    if seen.warnings and fields.get("confirm") != "yes":
        raise Refused(f"{' '.join(seen.warnings)} Tick that you mean it, and say why in the reason.")


async def _page(db: Database, visit: Visit, typed: Typed | None = None, seen: Preview | None = None) -> Template:
    async with db.connection() as conn:
        found = await silences.list_all(conn, visit.now, ended_after=visit.now - SHOWN_AFTER)
    return show(
        visit,
        "silences.html",
        section="alerts",
        silences=found,
        maintenance=[_planned(planned, visit.now) for planned in visit.catalog.maintenance.values()],
        soon=visit.now + ENDS_SOON,
        preview=seen,
        typed=typed,
    )


def _planned(planned: Maintenance, now: datetime) -> Planned:
    window = window_at(planned, now)
    return Planned(planned=planned, window=window or next_window(planned, now), in_force=window is not None)


ROUTES: list[HTTPRouteHandler] = [list_silences, add_silence, end_silence, extend_silence]
