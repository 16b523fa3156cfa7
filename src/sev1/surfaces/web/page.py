"""`/pages/P-1`: where a page is answered. Opening it changes nothing: mail scanners follow links, people press buttons."""

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Template

from sev1.access.declare import needs
from sev1.command.sight import withheld
from sev1.command.withhold import alert_without, page_facts_without, page_without
from sev1.engine.commands import Commands
from sev1.engine.errors import Invalid, NotFound, Refused, TooMany
from sev1.notify.store import latest_about
from sev1.oncall import store as oncall_store
from sev1.paging import model as p
from sev1.paging.plan import Planned
from sev1.paging.react import people_of_steps, plan_now
from sev1.surfaces.injected import Doing, SignedIn
from sev1.surfaces.web import page_view as view
from sev1.surfaces.web.commands_from_forms import command_from
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, go_to, show
from sev1.triage.alerts import alerts_of_page


@get("/pages/{key:str}", opt=needs("read"), include_in_schema=False)
async def show_page(key: FromPath[str], commands: Doing, visit: Here) -> Template:
    return await _page(key, commands, visit)


@post(
    "/pages/{key:str}/commands",
    opt=needs("pages:write"),
    include_in_schema=False,
    request_max_body_size=FORM_BYTES,
    status_code=200,
)
async def command_page(key: FromPath[str], request: SignedIn, commands: Doing, visit: Here) -> Response[Any]:
    """Answers the page; a refusal is shown on it."""
    fields = await fields_of(request)
    back = f"/pages/{key}" if fields.get("back") != "now" else "/"
    try:
        command = command_from(_as_command(fields, visit), p.PersonCommand)
        await commands.run("page", key, command, by=visit.actor)
    except (Refused, Invalid, TooMany) as error:
        form = fields.get("form", "")
        return await _page(
            key, commands, visit, Typed(form=form, fields=fields, error=error.message, status=error.status)
        )
    return go_to(back)


async def _page(key: str, commands: Commands, visit: Visit, typed: Typed | None = None) -> Template:
    async with commands.db.connection() as conn:
        page, facts = await commands.load(conn, "page", key)
        if page.status == "none":
            raise NotFound(f"There is no page {key}.")
        alerts = await alerts_of_page(conn, key)
        deliveries = await latest_about(conn, key)
        overrides = await oncall_store.overrides_at(conn, visit.now)
        plan: tuple[Planned, ...] = ()
        if page.status == "triggered" and page.policy:
            plan = await plan_now(conn, visit.catalog, visit.now, page.policy, page.severity, page)
        hidden = await withheld(conn, visit.sight)
    page, facts = page_without(page, hidden), page_facts_without(facts, hidden)
    alerts = [alert_without(alert, hidden) for alert in alerts]
    who = people_of_steps(page.policy, visit.catalog, visit.now, overrides) if page.policy else ()
    return show(
        visit,
        "page/page.html",
        screen=view.page_screen(page, alerts, visit.catalog, who, visit.me, visit.now, plan),
        page=page,
        alerts=alerts,
        history=view.history(facts, visit.catalog),
        receipts=view.receipts(deliveries.shown, visit.catalog),
        receipts_before=deliveries.before,
        snoozes=view.SNOOZES,
        typed=typed,
    )


def _as_command(fields: dict[str, str], visit: Visit) -> dict[str, Any]:
    """A snooze is asked for in minutes and commanded as an instant."""
    fields = {name: value for name, value in fields.items() if name != "back"}
    if fields.get("type") != "snooze":
        return dict(fields)
    minutes = fields.get("for_min", "")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 5):
        raise Invalid("Say for how many minutes.", field="for_min")
    return {"type": "snooze", "until": visit.now + timedelta(minutes=int(minutes))}


ROUTES: list[HTTPRouteHandler] = [show_page, command_page]
