"""How to read senders that sev1 has no format for (mission 1.2)."""

from typing import Annotated

from msgspec import Meta, field

from sev1.catalog.model.fields import Object

Cel = Annotated[str, Meta(min_length=1, max_length=1000)]
"""An expression in CEL; `payload` is what came in, `item` one entry of `each`."""


class Mapping(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the JSON of a sender that we have no format for becomes events. Each field is an expression in CEL."""

    each: Cel | None = None
    """Gives the list of events inside the payload; the other expressions then know each of them as `item`."""
    summary: Cel
    key: Cel | None = None
    """What makes two events the same problem."""
    status: Cel | None = None
    """Gives `firing`, `acknowledged` or `resolved`."""
    severity: Cel | None = None
    service: Cel | None = None
    labels: dict[str, Cel] = field(default_factory=dict)
    """The labels by name, each with its expression."""
    starts_at: Cel | None = None
