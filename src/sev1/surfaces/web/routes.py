"""Every page, its handlers and its streams."""

from litestar import Router

from sev1.surfaces.web import assets, incident, live, now, page
from sev1.surfaces.web.visit import PROVIDE_VISIT

ROUTES: list[Router] = [
    Router(
        "/",
        route_handlers=[*assets.ROUTES, *now.ROUTES, *page.ROUTES, *incident.ROUTES, *live.ROUTES],
        dependencies=PROVIDE_VISIT,
    )
]
