"""`/incidents/INC-1`: the landing page, and the commands that its forms send."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command import model as m
from sev1.command import say
from sev1.command.advice import Advice
from sev1.command.grammar.reading import LINE_MAX
from sev1.command.react import PrepareIncident
from sev1.command.sight import must_see, unknown
from sev1.engine.errors import Invalid, Refused
from sev1.surfaces.doing import do
from sev1.surfaces.injected import Catalogs, Config, Db, Doing, SignedIn
from sev1.surfaces.said import warnings
from sev1.surfaces.web import incident_page
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.live_parts import with_fingerprint
from sev1.surfaces.web.templating import render
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show

REFERENCE = re.compile(r"\s*(?:(?P<page>P-\d{1,18})|A-(?P<alert>\d{1,18}))\s*", re.IGNORECASE)
MOST_BEGUN = 300
"""Characters of a line that a link may begin."""
Before = Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1)]


@get("/incidents/{key:str}", opt=needs("read"), include_in_schema=False)
async def show_incident(
    key: FromPath[str],
    request: SignedIn,
    db: Db,
    visit: Here,
    kind: FromQuery[str] = "",
    before: Before = None,
    line: FromQuery[str] = "",
    said: Before = None,
) -> Response[str]:
    """`line` is the beginning of what to say, as a link beside a task or a guess has it; it stands in the bar.

    `said` is the version of an entry that was just written: what is pointed out in it is shown.
    """
    async with db.connection() as conn:
        page = await incident_page.read(conn, key, kind=kind, before=before)
    if not visit.sight.sees(page.incident):
        raise unknown(key)
    return _page(request, page, visit, kind=kind, before=before, begun=line[:MOST_BEGUN], said=said)


@post(
    "/incidents/{key:str}/commands",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def command_incident(
    key: FromPath[str], request: SignedIn, db: Db, commands: Doing, settings: Config, visit: Here
) -> Response[Any]:
    """Runs one command. A refusal shows the same form again with the reason and everything that was typed."""
    fields = await fields_of(request)

    async def understood() -> m.ResponderCommand:
        wanted = {**_as_command(fields), **({"person": visit.me} if fields.get("person") == "@me" else {})}
        command: m.ResponderCommand = command_from(wanted, m.ResponderCommand)
        return command

    return await _run(request, key, fields, understood, db, commands, settings.url, visit)


@post(
    "/incidents/{key:str}/lines",
    opt=needs("incidents:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def say_line(
    key: FromPath[str], request: SignedIn, db: Db, commands: Doing, settings: Config, visit: Here
) -> Response[Any]:
    """What was typed into the bar: a command of the grammar, or a note."""
    fields = {**await fields_of(request), "form": "line"}

    async def understood() -> m.ResponderCommand:
        async with db.connection() as conn:
            line = fields.get("line", "")
            return await say.understand(conn, visit.catalog, key, line, by=visit.actor, now=visit.now)

    return await _run(request, key, fields, understood, db, commands, settings.url, visit)


@get("/incidents/{key:str}/draft", opt=needs("incidents:write"), include_in_schema=False)
async def show_draft(
    key: FromPath[str], db: Db, catalogs: Catalogs, visit: Here, line: FromQuery[str] = ""
) -> Template:
    """Under the bar while one types: how the line may go on, and what it would record."""
    async with db.connection() as conn:
        draft = await say.preview(
            conn,
            PrepareIncident(catalogs, tries=True),
            visit.catalog,
            key,
            line[:LINE_MAX],
            by=visit.actor,
            now=visit.now,
            name_of=visit.name_of,
        )
        await must_see(conn, visit.sight, key)
    return show(visit, "incident/draft.html", draft=draft, line=line)


async def _run(
    request: SignedIn,
    key: str,
    fields: dict[str, str],
    understood: Callable[[], Awaitable[m.ResponderCommand]],
    db: Db,
    commands: Doing,
    url: str,
    visit: Visit,
) -> Response[Any]:
    """Runs what was understood and answers: the form again, a line that says what became of it, or the whole page."""
    async with db.connection() as conn:
        await must_see(conn, visit.sight, key)
    form, typed, recorded, advice, hinted = fields.get("form", ""), None, 0, list[Advice](), False
    try:
        command = await understood()
        change, advice = await do(commands, visit.catalog, url, key, command, by=visit.actor)
        recorded = change.facts[0].version if change.facts else 0
        hinted = bool(warnings(command, visit.catalog))
    except (Refused, Invalid) as error:
        typed = Typed(form=form, fields=fields, error=error.message, status=error.status)
    if typed is None and not advice and not visit.fragment:
        said = f"?said={recorded}" if recorded and hinted else ""
        return go_to(f"/incidents/{key}{said}" + (f"#entry-{recorded}" if recorded else ""))
    async with db.connection() as conn:
        page = await incident_page.read(conn, key)
    if not visit.sight.sees(page.incident):
        return go_to("/incidents")  # one removed oneself
    if not visit.fragment:
        return _page(request, page, visit, typed=typed, advice=advice, said=recorded)
    return _fragment(page, visit, form, typed=typed, advice=advice, said=recorded)


def _page(request: SignedIn, page: incident_page.IncidentPage, visit: Visit, **how: Any) -> Response[str]:
    typed: Typed | None = how.get("typed")
    context = {**incident_page.context(page, visit, **how), "request": request}
    html = render(request.app, "incident/incident.html", context)
    return Response(
        with_fingerprint(html, visit.csrf), status_code=typed.status if typed else 200, media_type="text/html"
    )


def _fragment(page: incident_page.IncidentPage, visit: Visit, form: str, **how: Any) -> Template:
    """For htmx: the form in its new state, or for a lone button the one line that says what became of it."""
    typed: Typed | None = how["typed"]
    context = incident_page.context(page, visit, **how)
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


ROUTES: list[HTTPRouteHandler] = [show_incident, command_incident, say_line, show_draft]
