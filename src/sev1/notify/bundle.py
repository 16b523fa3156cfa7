"""Storm control: a person gets a bundle, not three hundred messages, and it says how many pages it is about. Pure.

Three messages in a minute come as they are. What follows within 30 s of the last one waits for the end of those 30 s
and comes as one message. A page for a SEV-0 or a SEV-1, and a drill, is never held back and never put into a bundle.
"""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from sev1.notify.model import Delivery, Notice, Other

HOLD_AFTER = 3
"""Messages of one kind to one person within the last minute."""
WITHIN = timedelta(seconds=60)
HOLD_FOR = timedelta(seconds=30)
"""Since the last message. The person has been woken three times in this minute: waiting costs nobody's sleep more."""
TOGETHER = 3
"""So many that are due at once become one message."""
MOST = 500
"""In one message; the rest comes in the next."""
SHOWN = 10
"""By name. The page behind the link has all."""
WORST_HELD = 2
"""The most urgent priority that may be held back: a SEV-2 or a page of unknown severity."""


class Recent(Struct, frozen=True, kw_only=True):
    """What a person has got lately, of one kind."""

    messages: int
    """Within `WITHIN`, those that are on their way included."""
    last_at: datetime | None


def may_be_bundled(notice: Notice) -> bool:
    if notice.drill:
        return False
    return notice.kind == "page-resolved" or (notice.kind == "page" and notice.priority >= WORST_HELD)


def held_until(recent: Recent, now: datetime) -> datetime | None:
    """Until when the next message waits; None when it goes out now."""
    if recent.messages < HOLD_AFTER or recent.last_at is None:
        return None
    end = recent.last_at + HOLD_FOR
    return end if now < end else None


def bundle(deliveries: Sequence[Delivery]) -> Notice:
    """The one notice of all these; of one alone its own. The most urgent comes first."""
    if len(deliveries) == 1:
        return deliveries[0].notice
    notices = sorted(
        (d.notice for d in deliveries), key=lambda n: (n.priority, n.since.timestamp() if n.since else math.inf)
    )
    first = notices[0]
    over = first.kind == "page-resolved"
    severities = [_severity(n.severity) for n in notices]
    counted = ", ".join(f"{n} {name}" for name, n in sorted(Counter(severities).items(), key=_by_name))
    services = sorted({n.service for n in notices if n.service})
    title = f"{len(notices)} pages are over" if over else f"{len(notices)} pages at once: {counted}"
    return replace(
        Notice(kind=first.kind, about=first.about, title=title, url=_front_door(first.url)),
        severity=None if over else first.severity,
        service=services[0] if len(services) == 1 else None,
        body=_lines(notices),
        since=None if over else min((n.since for n in notices if n.since), default=None),
        why="" if over else "Several pages for you came within a minute, so they come as one message.",
        others=tuple(
            Other(about=n.about, title=n.title, url=n.url, severity=n.severity, service=n.service) for n in notices
        ),
    )


def _lines(notices: Sequence[Notice]) -> str:
    shown = [
        " ".join(filter(None, (n.about, _mark(n), f"{n.service}:" if n.service else "", n.title))) for n in notices
    ]
    more = len(notices) - SHOWN
    return "\n".join([*shown[:SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _mark(notice: Notice) -> str:
    return f"[{notice.severity.upper()}?]" if notice.severity and notice.kind == "page" else ""


def _severity(severity: str | None) -> str:
    return severity.upper() if severity else "of unknown severity"


def _by_name(counted: tuple[str, int]) -> tuple[bool, str]:
    return not counted[0].startswith("SEV"), counted[0]


def _front_door(url: str) -> str:
    """The page that lists what waits for its reader, on the server that `url` leads to."""
    return url.rpartition("/pages/")[0] + "/"
