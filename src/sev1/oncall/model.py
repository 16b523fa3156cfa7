"""What lies on top of a schedule beside overrides: who is away."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

EVERYBODY = "*"
"""Stands for every person of the schedule; no name can be it."""


class Away(Struct, frozen=True, kw_only=True):
    """Somebody who is not there: `start` <= t < `end`, both in UTC."""

    person: str
    """A name, or `EVERYBODY`."""
    start: datetime
    end: datetime
    kind: Literal["leave", "holiday"] = "leave"
    reason: str = ""
    """Shown to everybody, so never what somebody wrote about their own leave."""
