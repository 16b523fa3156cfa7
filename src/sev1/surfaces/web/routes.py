"""Every page, its handlers and its streams."""

from litestar import Router

from sev1.surfaces.web import (
    account,
    alert,
    assets,
    audit,
    break_glass,
    catalog_page,
    concerns,
    contact,
    declare,
    evidence,
    explain,
    handover,
    incident,
    incident_list,
    language,
    live,
    not_understood,
    now,
    on_call,
    on_call_health,
    page,
    postmortem,
    signals,
    silences,
    status,
    watch,
)
from sev1.surfaces.web.visit import PROVIDE_VISIT

ROUTES: list[Router] = [
    Router(
        "/",
        route_handlers=[
            *now.ROUTES,
            *page.ROUTES,
            *alert.ROUTES,
            *silences.ROUTES,
            *explain.ROUTES,
            *not_understood.ROUTES,
            *incident_list.ROUTES,
            *declare.ROUTES,
            *incident.ROUTES,
            *handover.ROUTES,
            *concerns.ROUTES,
            *postmortem.ROUTES,
            *signals.ROUTES,
            *on_call.ROUTES,
            *on_call_health.ROUTES,
            *catalog_page.ROUTES,
            *language.ROUTES,
            *status.ROUTES,
            *watch.ROUTES,
            *account.ROUTES,
            *audit.ROUTES,
            *contact.ROUTES,
            *evidence.ROUTES,
            *break_glass.ROUTES,
            *live.ROUTES,
            *assets.ROUTES,
        ],
        dependencies=PROVIDE_VISIT,
    )
]
