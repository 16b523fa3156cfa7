"""An incident watched by many: read once for each change, and rendered once for all who see the same (mission 8.4).

Band and work say "you" to who has a role, a task or anything else of their own: those are rendered for each of them, the
rest once for all. Otherwise pages differ only in the token that guards their forms: it takes the place of a mark when the
message goes out. A stream sends the parts that are not as the browser has them (`live_parts`): most changes are a line in
the timeline, and a phone in a cellar need not hear the rest again.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.engine import event_log
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.decider import Fact
from sev1.engine.together import Together
from sev1.surfaces.web import incident_page, sse
from sev1.surfaces.web.live_parts import Parts, fingerprint, news, split
from sev1.surfaces.web.visit import Visit, context_of

TOKEN_MARK = secrets.token_hex(16)
"""Stands for the form token in what is rendered for several. Nobody outside this process can write it into a text."""

PERSONAL, OF_ALL, ENTRIES = "incident/changed_mine.html", "incident/changed.html", "incident/changed_entries.html"
Render = Callable[[str, dict[str, Any]], str]
"""(template, context) -> HTML."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """An incident at one moment, and what was rendered of it so far."""

    page: incident_page.IncidentPage
    mark: str
    """Changes whenever what the parts show does."""
    catalog: Catalog
    same_for_all: Mapping[str, Any]
    involved: frozenset[str]
    of_all: dict[tuple[Any, ...], Parts]
    """By what makes pages differ for all with the same rights in the same time zone."""
    parts: dict[tuple[Any, ...], Parts]
    """The same with who they are, where anything is theirs."""
    messages: dict[tuple[Any, ...], tuple[Parts | None, bytes]]
    """By the version after which it goes on, and the identities of the parts now and of those that were sent before:
    the latter are held beside it, so that no others can take their identity."""


class IncidentWatch:
    """One incident, for all streams of this node that show it."""

    def __init__(self, db: Database, catalogs: CatalogCache, clock: Clock, key: str) -> None:
        self._db = db
        self._catalogs = catalogs
        self._clock = clock
        self._key = key
        self._last: Snapshot | None = None
        self.look = Together(self._look)
        self.watchers = 0

    async def _look(self) -> Snapshot:
        """As it is now: one small query while nothing changed."""
        async with self._db.connection() as conn:
            catalog = await self._catalogs.current(conn)
            mark = await incident_page.read_mark(conn, self._key)
            page, now = self._last.page if self._last else None, self._clock.now()
            if self._last and page and (page.mark, self._last.catalog) == (mark, catalog):
                if incident_page.mark_of(page, catalog, now) == self._last.mark:
                    return self._last
            else:
                page = await incident_page.read(conn, self._key)
        same = incident_page.same_for_all(page, catalog, now)
        self._last = Snapshot(
            page=page,
            mark=incident_page.mark_of(page, catalog, now),
            catalog=catalog,
            same_for_all=same,
            involved=who_has_a_part(page),
            of_all={},
            parts={},
            messages={},
        )
        return self._last

    async def facts_after(self, snapshot: Snapshot, version: int) -> Sequence[Fact[m.IncidentEvent]]:
        """What came after `version` up to the snapshot; from the log for who was away longer than a page of it."""
        facts = snapshot.page.facts
        if facts and facts[0].version > version + 1:
            async with self._db.connection() as conn:
                facts = await event_log.read(conn, f"incident/{self._key}", m.IncidentEvent, after=version)
        return [fact for fact in facts if version < fact.version <= snapshot.page.version]


class Watches:
    """The incidents that somebody watches at this node."""

    def __init__(self, db: Database, catalogs: CatalogCache, clock: Clock) -> None:
        self._db = db
        self._catalogs = catalogs
        self._clock = clock
        self._watches: dict[str, IncidentWatch] = {}

    @contextlib.contextmanager
    def of(self, key: str) -> Iterator[IncidentWatch]:
        watch = self._watches.setdefault(key, IncidentWatch(self._db, self._catalogs, self._clock, key))
        watch.watchers += 1
        try:
            yield watch
        finally:
            watch.watchers -= 1
            if not watch.watchers:
                self._watches.pop(key, None)


class Shown:
    """What the browser at the other end of one stream shows."""

    def __init__(self, version: int, has: str) -> None:
        """`has` is the fingerprint of its page as it was rendered, or nothing when that is not known."""
        self._version = version
        self._has = has
        self._parts: Parts | None = None
        self._seen: Snapshot | None = None

    def is_as(self, snapshot: Snapshot) -> bool:
        return self._seen is snapshot

    async def catch_up(self, watch: IncidentWatch, snapshot: Snapshot, visit: Visit, render: Render) -> bytes:
        """The event that makes it show `snapshot`; nothing when it does already."""
        now = parts_for(snapshot, visit, render)
        if self._seen is None and fingerprint(now) == self._has:
            self._parts = now
        facts = await watch.facts_after(snapshot, self._version)
        made = message(snapshot, self._version, self._parts, facts, visit, render)
        self._version, self._parts, self._seen = max(self._version, snapshot.page.version), now, snapshot
        return made


def parts_for(snapshot: Snapshot, visit: Visit, render: Render) -> Parts:
    """The parts as they are now for this visitor: the same object for all who see the same."""
    alike = _alike(visit)
    mine = (*alike, visit.me if visit.me in snapshot.involved else "")
    if mine not in snapshot.parts:
        context = incident_page.parts(snapshot.page, replace(visit, csrf=TOKEN_MARK), snapshot.same_for_all)
        if alike not in snapshot.of_all:
            snapshot.of_all[alike] = split(render(OF_ALL, context), TOKEN_MARK)
        snapshot.parts[mine] = {**split(render(PERSONAL, context), TOKEN_MARK), **snapshot.of_all[alike]}
    return snapshot.parts[mine]


def message(
    snapshot: Snapshot,
    after: int,
    sent: Parts | None,
    facts: Sequence[Fact[m.IncidentEvent]],
    visit: Visit,
    render: Render,
) -> bytes:
    """What of the parts does not say what `sent` says, and the entries after the version that the browser has, as one
    event of its stream; nothing when there is neither.

    Only a new version of the incident gets an id; a page that was answered changes what is shown, not the cursor.
    """
    page, now = snapshot.page, parts_for(snapshot, visit, render)
    which = (_alike(visit), after, id(now), id(sent))
    if which not in snapshot.messages:
        html = news(now, sent)
        if new := incident_page.entries(page, facts, visit):
            html += render(ENTRIES, context_of(visit, entries=new))
        id_ = page.version if page.version > after else None
        snapshot.messages[which] = (sent, sse.message("change", html, id=id_) if html or id_ else b"")
    return snapshot.messages[which][1].replace(TOKEN_MARK.encode(), visit.csrf.encode())


def _alike(visit: Visit) -> tuple[Any, ...]:
    return frozenset(visit.principal.scopes), visit.zone, visit.person is not None


def who_has_a_part(page: incident_page.IncidentPage) -> frozenset[str]:
    """Those of whom anything in the incident is, so that their page says "you" somewhere."""
    incident = page.incident
    works = (incident.tasks, incident.needs, incident.mitigations)
    return frozenset(
        (
            *(person for holders in incident.roles.values() for person in holders),
            *((incident.handover.offer.person,) if incident.handover.offer else ()),
            *incident.reach.offered,
            *incident.pace.stints,
            *(one.author for one in page.concerns),
            *(one.owner for work in works for one in work.values() if one.owner),
            *(stream.lead for stream in incident.workstreams.values()),
        )
    )
