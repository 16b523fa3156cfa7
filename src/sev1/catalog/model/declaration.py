"""When a page is so bad that an incident is suggested, or declared by itself (mission 3.1)."""

from typing import Annotated, Literal

from msgspec import Meta

from sev1.catalog.model.fields import Object, SeverityName, Text
from sev1.catalog.model.senders import Cel


class DeclarationPolicy(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asked when a page opens and when alerts join it. The first that holds, by `order` and name, is followed."""

    title: Text
    """Why, in words that people read: `Two services of the shop are down`."""
    when: Cel
    """Knows `page`, `alerts`, `service` and `window`, see docs/catalog.md."""
    action: Literal["suggest", "open"] = "suggest"
    """Suggested on the page, for one click, or declared at once with whoever is on call in command."""
    severity: SeverityName | None = None
    """None: the page's, else the worst plausible one."""
    restricted: bool = False
    """Whether only those who are let in see the incident."""
    window_min: Annotated[int, Meta(ge=1, le=1440)] = 15
    """How far back `window` counts, minutes."""
    order: Annotated[int, Meta(ge=0, le=100000)] = 100
