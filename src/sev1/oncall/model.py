"""What lies on top of a schedule beside overrides: who is away."""

from datetime import datetime
from typing import Literal

from msgspec import Struct


class Away(Struct, frozen=True, kw_only=True):
    """Somebody who is not there: `start` <= t < `end`, both in UTC."""

    person: str
    start: datetime
    end: datetime
    kind: Literal["leave", "holiday"] = "leave"
    reason: str = ""
