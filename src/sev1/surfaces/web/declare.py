"""`/incidents/new`: one line and Enter. Everything else can come later or from what it is declared from (mission 1.1)."""

from collections.abc import Sequence
from typing import Annotated, Any

import asyncpg
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter
from litestar.response import Template
from msgspec import Struct
from msgspec.structs import replace

from sev1.access.declare import needs
from sev1.command import model as m
from sev1.command.grammar.declaring import declaration, is_declaration
from sev1.command.react import declare
from sev1.command.say import speaker
from sev1.command.sight import Sight, withheld
from sev1.command.similar import Similar
from sev1.command.suspects import suspects
from sev1.command.withhold import page_without
from sev1.engine.commands import Commands
from sev1.engine.errors import Invalid, NotFound, Refused
from sev1.paging import store as pages
from sev1.surfaces.injected import Catalogs, Doing, SignedIn
from sev1.surfaces.said import warnings
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.incident_view import severity_choices, worst_plausible
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, go_to, show
from sev1.triage.alerts import get_alert

FORM = "declare"
AlertNumber = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)]


class Origin(Struct, frozen=True, kw_only=True):
    """What an incident is declared from, and what that says already."""

    page: str = ""
    alert: int | None = None
    title: str = ""
    severity: str = ""
    services: tuple[str, ...] = ()
    restricted: bool = False
    """As a declaration policy suggests."""


@get("/incidents/new", opt=needs("report"), include_in_schema=False)
async def show_declare(commands: Doing, visit: Here, page: FromQuery[str] = "", alert: AlertNumber = None) -> Template:
    async with commands.db.connection() as conn:
        origin = await _origin(conn, page, alert, visit.sight)
        alike: list[Similar] = []
        if origin.page or origin.alert:
            alerts = (origin.alert,) if origin.alert else ()
            alike = await suspects(
                conn,
                visit.catalog,
                visit.sight,
                title=origin.title,
                services=origin.services,
                alerts=alerts,
                page=origin.page or None,
            )
    return _form(visit, origin, alike=alike)


@post(
    "/incidents/new",
    opt=needs("report"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def submit_declare(request: SignedIn, commands: Doing, catalogs: Catalogs, visit: Here) -> Response[Any]:
    """Declares and leads to the incident; a refusal shows the form again as it was."""
    form = await request.form()
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    services = [value for value in form.getall("services", []) if isinstance(value, str)]
    alert = fields.get("alert", "")
    wanted: dict[str, Any] = {
        "type": "declare",
        "title": fields.get("title", "").strip(),
        "severity": fields.get("severity"),
        "services": services,
        "page": fields.get("page"),
        "alerts": [alert] if alert else [],
        "restricted": fields.get("restricted"),
    }
    try:
        command = command_from(wanted, m.Declare)
        if is_declaration(command.title):
            command = _in_one_line(command, visit)
        if not (fields.get("anyway") or command.restricted) and (alike := await _alike(commands, visit, command)):
            # What was typed is kept, and one more click declares it.
            typed = Typed(form=FORM, fields=fields, error="", status=200)
            origin = Origin(page=fields.get("page", ""), alert=int(alert) if alert else None, services=tuple(services))
            return _form(visit, origin, typed, alike=alike)
        change = await _declare(commands, catalogs, visit, command)
    except (Invalid, Refused) as error:
        typed = Typed(form=FORM, fields=fields, error=error.message, status=error.status)
        origin = Origin(page=fields.get("page", ""), services=tuple(services))
        return _form(visit, origin, typed)
    return go_to(f"/incidents/{change}{'?said=1' if warnings(command, visit.catalog) else ''}")


def _in_one_line(command: m.Declare, visit: Visit) -> m.Declare:
    """What `/declare …` in the title says goes before what was chosen below it."""
    here = speaker(visit.catalog, None, visit.actor, visit.now)
    said = declaration(command.title, here, {name: one.title for name, one in visit.catalog.services.items()})
    return replace(
        command,
        title=said.title,
        severity=said.severity or command.severity,
        services=tuple(dict.fromkeys((*said.services, *command.services))),
        commander=said.commander,
        restricted=said.restricted or command.restricted,
    )


async def _alike(commands: Commands, visit: Visit, command: m.Declare) -> list[Similar]:
    """Running incidents that this may be."""
    async with commands.db.connection() as conn:
        return await suspects(
            conn,
            visit.catalog,
            visit.sight,
            title=command.title,
            services=command.services,
            alerts=command.alerts,
            page=command.page,
        )


async def _declare(commands: Commands, catalogs: Any, visit: Visit, command: m.Declare) -> str:
    async with commands.db.transaction() as conn:
        change = await declare(
            commands, conn, catalogs, command, by=visit.actor, commands_it=visit.may("incidents:write")
        )
    commands.tell(change)
    return change.key


async def _origin(conn: asyncpg.Connection, page: str, alert: int | None, sight: Sight) -> Origin:
    """Raises NotFound for what does not exist: the link that led here is wrong, and saying so is better than guessing."""
    if page:
        found = await pages.get(conn, page)
        if found is None:
            raise NotFound(f"There is no page {page}.")
        found = page_without(found, await withheld(conn, sight))
        return Origin(
            page=page,
            title=found.title,
            severity=(found.suggestion.severity if found.suggestion else None) or found.severity or "",
            restricted=bool(found.suggestion and found.suggestion.restricted),
            services=(found.service,) if found.service else (),
        )
    if alert is not None:
        row = await get_alert(conn, alert)
        if row is None:
            raise NotFound(f"There is no alert A-{alert}.")
        return Origin(
            alert=alert,
            # An alert that woke somebody is declared with its page, so that both know each other.
            page=row.page or "",
            title=row.summary[:300],
            severity=row.verdict.severity or "",
            services=(row.service,) if row.service else (),
        )
    return Origin()


def _form(visit: Visit, origin: Origin, typed: Typed | None = None, *, alike: Sequence[Similar] = ()) -> Template:
    worst = worst_plausible(visit.catalog)
    return show(
        visit,
        "declare.html",
        section="incidents",
        form=FORM,
        origin=origin,
        severities=severity_choices(visit.catalog),
        # The worst plausible: a suggestion may make it worse, never milder, as long as nobody is certain.
        preselected=min(origin.severity or worst, worst),
        worst=worst,
        services=sorted(visit.catalog.services.values(), key=lambda s: (s.tier, s.title)),
        typed=typed,
        alike=alike,
    )


ROUTES: list[HTTPRouteHandler] = [show_declare, submit_declare]
