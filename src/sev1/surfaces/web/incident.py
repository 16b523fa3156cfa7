"""`/incidents/INC-1`: the landing page, and the commands that its forms send."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import model as m
from sev1.engine.errors import Invalid, Refused
from sev1.surfaces.injected import Db, Doing, SignedIn
from sev1.surfaces.said import warnings
from sev1.surfaces.web import incident_page
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to

REFERENCE = re.compile(r"\s*(?:(?P<page>P-\d{1,18})|A-(?P<alert>\d{1,18}))\s*", re.IGNORECASE)
Before = Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1)]


@get("/incidents/{key:str}", opt=needs("read"), include_in_schema=False)
async def show_incident(
    key: FromPath[str],
    db: Db,
    commands: Doing,
    visit: Here,
    kind: FromQuery[str] = "",
    before: Before = None,
    said: Before = None,
) -> Template:
    """`said` is the version of an entry that was just written: what is pointed out in it is shown."""
    async with db.connection() as conn:
        page = await incident_page.read(conn, commands, key)
    return _page(page, visit, kind=kind, before=before, said=said)


@post(
    "/incidents/{key:str}/commands",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def command_incident(
    key: FromPath[str], request: SignedIn, db: Db, commands: Doing, visit: Here
) -> Response[Any]:
    """Runs one command. A refusal shows the same form again with the reason and everything that was typed."""
    fields = await fields_of(request)
    form = fields.get("form", "")
    typed, pointed_out = None, False
    try:
        command = command_from(_as_command(fields), m.ResponderCommand)
        change = await commands.run("incident", key, command, by=visit.actor)
        recorded = change.facts[0].version if change.facts else 0
        pointed_out = bool(warnings(command, visit.catalog))
    except (Refused, Invalid) as error:
        typed, recorded = Typed(form=form, fields=fields, error=error.message, status=error.status), 0
    if typed is None and not visit.fragment:
        said = f"?said={recorded}" if recorded and pointed_out else ""
        return go_to(f"/incidents/{key}{said}" + (f"#entry-{recorded}" if recorded else ""))
    async with db.connection() as conn:
        page = await incident_page.read(conn, commands, key)
    if not visit.fragment:
        return _page(page, visit, typed=typed)
    return _fragment(page, visit, form, typed, recorded)


def _page(page: incident_page.IncidentPage, visit: Visit, **how: Any) -> Template:
    typed: Typed | None = how.get("typed")
    return Template(
        template_name="incident/incident.html",
        context=incident_page.context(page, visit, **how),
        status_code=typed.status if typed else 200,
        media_type="text/html",
    )


def _fragment(
    page: incident_page.IncidentPage, visit: Visit, form: str, typed: Typed | None, recorded: int
) -> Template | Response[str]:
    """For htmx: the form in its new state, or for a lone button the one line that says what became of it."""
    context = incident_page.context(page, visit, typed=typed, said=recorded)
    template = "incident/sent.html" if form in incident_page.FORMS else "incident/said.html"
    return Template(
        template_name=template,
        context={**context, "form": form, "oob": True},
        status_code=typed.status if typed else 200,
        media_type="text/html",
    )


def _as_command(fields: dict[str, str]) -> dict[str, Any]:
    """Where a form's words are not the command's own: a reference to link, wall times in UTC."""
    match fields.get("type"):
        case "link":
            found = REFERENCE.fullmatch(fields.get("what", ""))
            if found is None:
                raise Invalid("Give the number of a page or an alert, like P-7 or A-12.", field="what")
            if found["page"]:
                return {"type": "link_page", "page": found["page"].upper()}
            return {"type": "link_alerts", "alerts": [int(found["alert"])]}
        case "correct_times":
            times = {name: _utc(fields.get(name, "")) for name in ("started_at", "detected_at")}
            return {**fields, **times}
    return dict(fields)


def _utc(wall_time: str) -> datetime | None:
    """The instant of a `datetime-local` field, which the form labels as UTC."""
    if not wall_time:
        return None
    try:
        return datetime.fromisoformat(wall_time).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("A time is not readable. Write it like 2026-03-02 03:14.") from None


ROUTES: list[HTTPRouteHandler] = [show_incident, command_incident]
