"""The bridge as the page shows it: its address, who should be on it, the question what was decided. Pure (missions 8.9, 9.7)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.on_the_bridge import asked_to_write
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import Line


class BridgeView(Struct, frozen=True, kw_only=True):
    shown: bool
    """False once the incident is over."""
    url: str = ""
    """Empty while none is open."""
    people: str = ""
    """The names of who should be on it."""
    opened_by: str = ""
    opened_at: datetime | None = None
    asked: str = ""
    """The name of who is asked what was decided; empty while nobody is."""
    lines: tuple[Line, ...] = ()


def bridge_view(incident: m.Incident, catalog: Catalog) -> BridgeView:
    bridge = incident.bridge
    if not incident.is_open:
        return BridgeView(shown=False)
    if not bridge.is_open:
        return BridgeView(shown=True, lines=(Line(label="open one", line="/bridge https://"),))
    return BridgeView(
        shown=True,
        url=bridge.url,
        people=", ".join(name_of(catalog, person) for person in bridge.people),
        opened_by=name_of(catalog, bridge.opened_by),
        opened_at=bridge.opened_at,
        asked=name_of(catalog, asked_to_write(incident)) if bridge.asked_at else "",
        lines=(
            Line(label="decided there", line="/decide on the bridge: "),
            Line(label="call somebody", line="/bridge with @"),
            Line(label="close", line="/bridge off"),
        ),
    )
