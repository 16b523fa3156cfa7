"""`/api/v1`: the same commands and words as every other surface. Described in `/api/openapi.json`."""

from litestar.handlers import HTTPRouteHandler

from sev1.surfaces.api import (
    alerts,
    audit,
    break_glass,
    catalog,
    changes,
    contact,
    evidence,
    explain,
    family,
    handover,
    incidents,
    language,
    measures,
    on_call,
    on_call_health,
    on_call_plan,
    pages,
    playbooks,
    signals,
    watch,
)

ROUTES: list[HTTPRouteHandler] = [
    *incidents.ROUTES,
    *pages.ROUTES,
    *alerts.ROUTES,
    *changes.ROUTES,
    *on_call.ROUTES,
    *on_call_plan.ROUTES,
    *on_call_health.ROUTES,
    *contact.ROUTES,
    *catalog.ROUTES,
    *measures.ROUTES,
    *watch.ROUTES,
    *explain.ROUTES,
    *playbooks.ROUTES,
    *language.ROUTES,
    *audit.ROUTES,
    *evidence.ROUTES,
    *break_glass.ROUTES,
    *family.ROUTES,
    *handover.ROUTES,
    *signals.ROUTES,
]
