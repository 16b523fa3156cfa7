"""When an alert flaps, and until when it is damped. Pure.

A problem that comes and goes all night wakes somebody once, and again when it stays.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from sev1.catalog.model import Flapping

LONGEST_WINDOW = timedelta(hours=3)


class History(Struct, frozen=True, kw_only=True):
    """What a problem (key and fingerprint) did lately, this episode included."""

    changes: tuple[datetime, ...] = ()
    """When it began and when it was over."""
    paged: bool = False
    """Whether one of these episodes was on a page."""


def changes_within(history: History, rule: Flapping, now: datetime) -> int:
    since = now - timedelta(minutes=rule.window_min)
    return sum(since < at <= now for at in history.changes)


def damped_until(history: History, rule: Flapping, now: datetime) -> datetime | None:
    """Until when it opens no page; None when it may. The first page of a problem is never damped."""
    if not history.paged or changes_within(history, rule, now) <= rule.changes:
        return None
    calm_at = max(at for at in history.changes if at <= now) + timedelta(minutes=rule.calm_min)
    return calm_at if calm_at > now else None
