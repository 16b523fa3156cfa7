"""What the fields of several kinds are made of."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sev1.catalog.contact import Url

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$(?!\n)", description="lower-case name")]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Seconds = Annotated[int, Meta(ge=0, le=7 * 24 * 3600)]


Tier = Literal["page", "ticket", "fyi"]
"""What an alert may cost: wake somebody, enter a backlog, or only be shown (mission 5.5)."""


SeverityName = Annotated[str, Meta(pattern=r"^sev-[0-5]$(?!\n)")]
MildSeverity = Annotated[str, Meta(pattern=r"^sev-[2-5]$(?!\n)")]


class Object(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Slug


class Link(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text
    url: Url
