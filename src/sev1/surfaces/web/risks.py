"""`/risks`: what was accepted and until when; to accept one, renew it or close it (mission 7.5). Works without scripts."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter
from litestar.response import Template

from sev1.access.declare import needs
from sev1.engine.database import Database
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.risk import risks
from sev1.risk.acceptance import Closing, NewRisk, Renewing, RiskState
from sev1.surfaces.injected import Db, Hears, SignedIn
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

FORM = "risk"
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
State = Annotated[RiskState, QueryParameter(name="state")]


@get("/risks", opt=needs("read"), include_in_schema=False)
async def list_risks(db: Db, visit: Here, shown: State = "accepted", service: FromQuery[str] = "") -> Template:
    return await _page(db, visit, shown=shown, service=service[:63])


@post(
    "/risks", opt=needs("incidents:write"), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=200
)
async def accept_risk(request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    """A refusal shows the form again as it was."""
    fields = await fields_of(request)
    try:
        match = [line.strip() for line in fields.get("match", "").splitlines() if line.strip()]
        wanted = {**fields, "until": _end_of(fields.get("until", "")), "match": match}
        new = command_from(wanted, NewRisk)
        async with db.transaction() as conn:
            risk = await risks.accept(conn, visit.catalog, visit.sight, new, by=visit.actor, now=visit.now)
    except (Invalid, Refused, NotFound) as error:
        return await _page(db, visit, Typed(form=FORM, fields=fields, error=error.message, status=error.status))
    news.tell("risk")
    return go_to(f"/risks#{risk.key}")


@post(
    "/risks/{number:int}/renew",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def renew_risk(number: Number, request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    fields = await fields_of(request)
    try:
        wanted = command_from({**fields, "until": _end_of(fields.get("until", ""))}, Renewing)
        async with db.transaction() as conn:
            await risks.renew(conn, visit.catalog, number, wanted, by=visit.actor, now=visit.now)
    except (Invalid, Refused) as error:
        typed = Typed(form=f"renew-{number}", fields=fields, error=error.message, status=error.status)
        return await _page(db, visit, typed)
    news.tell("risk")
    return go_to(f"/risks#RISK-{number}")


@post(
    "/risks/{number:int}/close",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def close_risk(number: Number, request: SignedIn, db: Db, visit: Here, news: Hears) -> Response[Any]:
    fields = await fields_of(request)
    try:
        async with db.transaction() as conn:
            await risks.close(conn, number, command_from(fields, Closing), by=visit.actor, now=visit.now)
    except (Invalid, Refused) as error:
        typed = Typed(form=f"close-{number}", fields=fields, error=error.message, status=error.status)
        return await _page(db, visit, typed)
    news.tell("risk")
    return go_to(f"/risks?state=closed#RISK-{number}")


def _end_of(day: str) -> datetime | None:
    """The end of a day in UTC, as the date field of a form has it. Raises Invalid for what is no day."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59), UTC)
    except ValueError:
        raise Invalid("The day is not readable. Write it like 2026-03-02.", field="until") from None


async def _page(
    db: Database, visit: Visit, typed: Typed | None = None, *, shown: RiskState = "accepted", service: str = ""
) -> Template:
    async with db.connection() as conn:
        found = await risks.listed(conn, visit.sight, state=shown, service=service or None)
    there = {FORM, *(f"{form}-{one.number}" for one in found for form in ("renew", "close"))}
    return show(
        visit,
        "risks.html",
        section="incidents",
        risks=found,
        shown=shown,
        service=service,
        services=sorted(visit.catalog.services.values(), key=lambda one: one.title),
        most=visit.catalog.organisation.risk_max_days,
        gone=typed.error if typed and typed.form not in there else "",
        typed=typed,
    )


ROUTES: list[HTTPRouteHandler] = [list_risks, accept_risk, renew_risk, close_risk]
