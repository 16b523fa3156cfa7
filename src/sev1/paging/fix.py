"""Somebody says that the fix is in: the alerts of the page are watched for a while, and they hear whether it helped.

Pure (mission 5.6). Saying so is an answer: whoever does has the page. While the watch lasts nobody is paged again for being
quiet. A watch ends by itself, with the page, or with the next fix.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.paging.terms import Command, Event

MOST_NAMED = 3
"""Alerts that are named when the fix did not help; the page lists all."""


class Firing(Struct, frozen=True, kw_only=True):
    """An alert of the page that is not over."""

    alert: int
    summary: str
    times: int
    """How often it was signalled."""
    ends: bool
    """Its sender says when it is over, or goes on saying that it is not. Of others only a new signal tells that it goes on."""


class Signalled(Struct, frozen=True, kw_only=True):
    """How often an alert had been signalled when the fix was reported."""

    alert: int
    times: int


class ReportFix(Command, frozen=True, kw_only=True, tag="report_fix"):
    """The fix is in: watch whether it helps."""

    note: Annotated[str, Meta(max_length=500)] = ""
    """What was done."""


class WatchFix(Command, frozen=True, kw_only=True, tag="watch_fix"):
    """`ReportFix`, with the alerts looked up."""

    note: str = ""
    alerts: tuple[Firing, ...] = ()


class FixDue(Command, frozen=True, kw_only=True, tag="fix_due"):
    due: datetime
    alerts: tuple[Firing, ...] = ()


class FixReported(Event, frozen=True, kw_only=True, tag="fix_reported"):
    until: datetime
    """How long it is watched."""
    note: str = ""
    signalled: tuple[Signalled, ...] = ()
    """Of the alerts that never end by themselves."""


class FixHelped(Event, frozen=True, kw_only=True, tag="fix_helped"):
    after_s: int


class FixDidNotHelp(Event, frozen=True, kw_only=True, tag="fix_did_not_help"):
    after_s: int
    firing: int
    """How many alerts go on."""
    examples: tuple[str, ...] = ()
    """What some of them say."""


class Fix(Struct, frozen=True, kw_only=True):
    """The latest fix of a page, and what became of it."""

    by: str
    at: datetime
    until: datetime
    note: str = ""
    signalled: tuple[Signalled, ...] = ()
    outcome: Literal["watched", "helped", "did-not-help"] = "watched"
    firing: int = 0


def reported(command: WatchFix, watch_s: int, now: datetime) -> FixReported:
    return FixReported(
        until=now + timedelta(seconds=watch_s),
        note=command.note,
        signalled=tuple(Signalled(alert=a.alert, times=a.times) for a in command.alerts if not a.ends),
    )


def judged(fix: Fix | None, command: FixDue) -> list[FixHelped | FixDidNotHelp]:
    """What the watch that is over showed; nothing when another fix, or the page's end, made it void."""
    if fix is None or fix.outcome != "watched" or fix.until != command.due:
        return []
    after_s = int((fix.until - fix.at).total_seconds())
    left = still_firing(fix.signalled, command.alerts)
    if not left:
        return [FixHelped(after_s=after_s)]
    examples = tuple(alert.summary for alert in left[:MOST_NAMED])
    return [FixDidNotHelp(after_s=after_s, firing=len(left), examples=examples)]


def still_firing(signalled: Sequence[Signalled], alerts: Sequence[Firing]) -> list[Firing]:
    """Of the alerts that are not over, those that go on: of what never ends, what was signalled again or is new."""
    before = {one.alert: one.times for one in signalled}
    return [alert for alert in alerts if alert.ends or alert.times > before.get(alert.alert, 0)]


def counted(firing: int) -> str:
    return "one alert still fires" if firing == 1 else f"{firing} alerts still fire"


def after(fix: Fix | None, event: FixReported | FixHelped | FixDidNotHelp, at: datetime, by: str) -> Fix | None:
    match event:
        case FixReported():
            return Fix(by=by, at=at, until=event.until, note=event.note, signalled=event.signalled)
        case FixHelped():
            return fix and replace(fix, outcome="helped")
        case FixDidNotHelp(firing=firing):
            return fix and replace(fix, outcome="did-not-help", firing=firing)
