"""Vendors' status pages: Statuspage's JSON, RSS and Atom, read within bounds."""

import re
from hashlib import blake2b
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from msgspec import Struct

from sev1.catalog.model import StatusFeed
from sev1.engine.clock import Clock
from sev1.engine.fetch import Fetch, FetchFailed, TargetRefused
from sev1.watch import decide
from sev1.watch.model import Judged, State, VendorIncident

BODY_MAX = 1024 * 1024
ENTRIES_MAX = 100
"""The newest; a feed may go back for years."""
TITLE_MAX = 300
ID_MAX = 100
_OVER = frozenset({"resolved", "postmortem", "completed"})
_WORD = re.compile(
    r"\b(resolved|completed|postmortem|monitoring|identified|investigating|update|in progress|scheduled)\b",
    re.IGNORECASE,
)
_ATOM = "{http://www.w3.org/2005/Atom}"

Impact = Literal["critical", "major", "minor", "none", "maintenance"]


class FeedUnreadable(Exception):
    """The sentence says why."""


class _Incident(Struct):
    id: str
    name: str
    status: str = ""
    impact: str = "none"
    shortlink: str | None = None


class _Summary(Struct):
    incidents: list[_Incident]


async def look(fetch: Fetch, spec: StatusFeed, state: State, clock: Clock) -> Judged:
    """Asks the page, with what is known of its last version, and decides."""
    headers = {"User-Agent": "sev1", "Accept": "application/json, application/rss+xml, application/atom+xml"}
    if state.etag:
        headers["If-None-Match"] = state.etag
    if state.modified:
        headers["If-Modified-Since"] = state.modified
    try:
        answer = await fetch.request("GET", spec.url, headers=headers, body_max=BODY_MAX + 1)
        if answer.status == 304:
            return decide.feed(spec, state, None, f"Unchanged. {state.why.removeprefix('Unchanged. ')}", clock.now())
        incidents = parse(spec.format, answer.body, answer.status)
    except (FetchFailed, TargetRefused) as error:
        return decide.feed_unreadable(spec, state, error.message, clock.now())
    except FeedUnreadable as error:
        return decide.feed_unreadable(spec, state, str(error), clock.now())
    known = msgspec.structs.replace(
        state, etag=_header(answer.headers, "etag"), modified=_header(answer.headers, "last-modified")
    )
    return decide.feed(spec, known, incidents, "", clock.now())


def parse(format_: str, body: bytes, status: int = 200) -> list[VendorIncident]:
    """The incidents of a page, newest first. Raises FeedUnreadable."""
    if status != 200:
        raise FeedUnreadable(f"It answers {status}.")
    if len(body) > BODY_MAX:
        raise FeedUnreadable(f"It is larger than {BODY_MAX // 1024} kB; that is not read.")
    return _statuspage(body) if format_ == "statuspage" else _syndicated(body)


def _statuspage(body: bytes) -> list[VendorIncident]:
    try:
        summary = msgspec.json.decode(body, type=_Summary)
    except (ValueError, RecursionError) as error:
        raise FeedUnreadable(f"It is no summary.json or incidents.json of Statuspage ({str(error)[:100]}).") from error
    return [
        VendorIncident(
            id=_short(incident.id),
            title=_line(incident.name),
            impact=_impact(incident.impact),
            open=incident.status not in _OVER,
            status=_line(incident.status)[:40],
            url=incident.shortlink or "",
        )
        for incident in summary.incidents[:ENTRIES_MAX]
    ]


def _syndicated(body: bytes) -> list[VendorIncident]:
    try:
        # Entities and document types are refused outright: no feed needs them, every bomb does.
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise FeedUnreadable("It defines entities or a document type, which is refused.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise FeedUnreadable(f"It is no XML that can be read ({str(error)[:100]}).") from error
    entries = [e for e in root.iter() if e.tag in {"item", f"{_ATOM}entry"}][:ENTRIES_MAX]
    if not entries and root.tag not in {"rss", f"{_ATOM}feed"}:
        raise FeedUnreadable("It is neither RSS nor Atom.")
    return [_entry(entry) for entry in entries]


def _entry(entry: Element) -> VendorIncident:
    """The first word of state in title and text is the newest: updates stand above older ones."""
    title = _child(entry, "title")
    text = " ".join(_child(entry, tag) for tag in ("description", "summary", "content"))[:20_000]
    link = _child(entry, "link") or next((e.get("href", "") for e in entry.findall(f"{_ATOM}link")), "")
    state = found[1].lower() if (found := _WORD.search(f"{title} {text}")) else "open"
    impact: Impact = "maintenance" if re.search(r"\bmaintenance\b", title, re.IGNORECASE) else "minor"
    return VendorIncident(
        id=_short(_child(entry, "guid") or _child(entry, "id") or link or title),
        title=_line(title) or "An incident without a title",
        impact=impact,
        open=state not in _OVER,
        status=state,
        url=link if link.startswith(("https://", "http://")) else "",
    )


def _child(entry: Element, tag: str) -> str:
    for name in (tag, _ATOM + tag):
        child = entry.find(name)
        if child is not None and child.text:
            return child.text.strip()
    return ""


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").encode("utf-8", "replace").decode().split())[:TITLE_MAX]


def _short(identity: str) -> str:
    """Ids are the vendor's: long ones are told by their hash."""
    return (
        identity
        if len(identity) <= ID_MAX
        else blake2b(identity.encode("utf-8", "replace"), digest_size=16).hexdigest()
    )


def _impact(word: str) -> Impact:
    known: dict[str, Impact] = {
        "critical": "critical",
        "major": "major",
        "minor": "minor",
        "maintenance": "maintenance",
    }
    return known.get(word, "none")


def _header(headers: dict[str, str], name: str) -> str:
    value = headers.get(name, "")
    return value if len(value) <= 200 and value.isprintable() and value.isascii() else ""
