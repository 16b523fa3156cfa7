"""`/api/v1/watch`: what sev1 watches by itself, and how each stands."""

from datetime import datetime
from typing import Literal

from litestar import get
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from sev1.access.declare import needs
from sev1.catalog.model import Catalog
from sev1.surfaces.injected import Catalogs, Db
from sev1.watch import store
from sev1.watch.model import Kind, Row, State, Status
from sev1.watch.step import watched

_HELD = {"heartbeat": "heartbeats", "check": "checks", "composite": "composites", "status-feed": "feeds"}


class WatchView(Struct, frozen=True, kw_only=True):
    kind: Kind
    name: str
    service: str | None
    status: Status
    firing: bool
    why: str
    since: datetime | None
    """When its status last changed."""
    last_seen: datetime | None
    """A heartbeat's last sign of life; when anything else was last looked at."""
    next_due: datetime | None
    open: list[str]
    """Titles of a vendor's open incidents."""


class WatchListView(Struct, frozen=True, kw_only=True):
    state: Literal["ok", "trouble"]
    watches: list[WatchView]


def watch_list(catalog: Catalog, rows: list[Row]) -> WatchListView:
    """Everything that the catalog wants watched, in trouble first. What has no row yet was just added."""
    by_name = {(row.kind, row.name): row for row in rows}
    views = [_view(catalog, kind, name, by_name.get((kind, name))) for kind, name in watched(catalog)]
    views.sort(key=lambda view: (not view.firing, view.status != "unreachable", view.kind, view.name))
    return WatchListView(state="trouble" if any(view.firing for view in views) else "ok", watches=views)


def _view(catalog: Catalog, kind: Kind, name: str, row: Row | None) -> WatchView:
    state = row.state if row else State()
    spec = getattr(catalog, _HELD[kind])[name]
    return WatchView(
        kind=kind,
        name=name,
        service=spec.service,
        status=state.status,
        firing=state.firing,
        why=state.why,
        since=state.since,
        last_seen=row.seen_at if row and kind == "heartbeat" else state.checked_at,
        next_due=row.due_at if row else None,
        open=list(state.open.values()),
    )


@get("/api/v1/watch", opt=needs("read"), tags=["watch"])
async def get_watch(db: Db, catalogs: Catalogs) -> WatchListView:
    async with db.connection() as conn:
        return watch_list(await catalogs.current(conn), await store.read_all(conn))


ROUTES: list[HTTPRouteHandler] = [get_watch]
