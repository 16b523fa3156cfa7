"""Whether an incident that somebody is about to declare runs already: suspected with reasons, never decided. Pure (mission 3.2)."""

import re
from collections.abc import Iterable

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m

ENOUGH = 50
"""Points from which an incident is shown as similar."""
SAME_ALERT, SAME_SERVICE, DEPENDS, ALIKE, NEARLY_ALIKE = 80, 50, 30, 50, 30
SHOWN = 3
_WORD = re.compile(r"[^\W_]{3,}", re.UNICODE)
_SAYS_LITTLE = frozenset(
    [
        "the",
        "and",
        "are",
        "for",
        "not",
        "with",
        "has",
        "have",
        "from",
        "all",
        "some",
        "very",
        "many",
        "is",
        "in",
        "on",
        "of",
        "to",
        "it",
        "its",
        "down",
        "fail",
        "fails",
        "failed",
        "failing",
        "error",
        "errors",
        "slow",
        "broken",
        "issue",
        "problem",
        "users",
        "customers",
    ]
)


class Sought(Struct, frozen=True, kw_only=True):
    """What is known of the incident that is to be declared."""

    title: str = ""
    services: tuple[str, ...] = ()
    alerts: tuple[int, ...] = ()
    page: str | None = None
    belongs_to: tuple[str, ...] = ()
    """Incidents that its alerts or its page are linked to already."""


class Similar(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    severity: str
    status: str
    commander: str
    points: int
    because: tuple[str, ...]


def similar(sought: Sought, running: Iterable[m.Incident], catalog: Catalog) -> list[Similar]:
    """Of the incidents that run and that whoever declares may see, those that may be the same; the likeliest first."""
    found = [_compare(sought, incident, catalog) for incident in running]
    alike = sorted((one for one in found if one.points >= ENOUGH), key=lambda one: (-one.points, one.severity))
    return alike[:SHOWN]


def _compare(sought: Sought, incident: m.Incident, catalog: Catalog) -> Similar:
    points, because = 0, []
    if incident.key in sought.belongs_to:
        points += SAME_ALERT
        because.append("its page or alert belongs there already")
    if both := [name for name in sought.services if name in incident.services]:
        points += SAME_SERVICE
        because.append(f"both affect {_titles(both, catalog)}")
    elif near := _depends(sought.services, incident.services, catalog):
        points += DEPENDS
        because.append(f"{_titles(near[:1], catalog)} depends on {_titles(near[1:], catalog)}")
    likeness = _likeness(sought.title, incident.title)
    if likeness >= 0.5:
        points += ALIKE if likeness >= 0.75 else NEARLY_ALIKE
        because.append("the titles say nearly the same")
    return Similar(
        id=incident.key,
        title=incident.title,
        severity=incident.severity,
        status=incident.status,
        commander=incident.commander,
        points=min(points, 100),
        because=tuple(because),
    )


def _depends(one: tuple[str, ...], other: tuple[str, ...], catalog: Catalog) -> list[str]:
    """A service of one side and the one of the other that it depends on directly."""
    for above, below in ((one, other), (other, one)):
        for name in above:
            service = catalog.services.get(name)
            if service and (upstream := next((need for need in service.depends_on if need in below), None)):
                return [name, upstream]
    return []


def _likeness(one: str, other: str) -> float:
    """How many of the words that say something they share, 0 to 1."""
    mine, theirs = _words(one), _words(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def _words(title: str) -> set[str]:
    return {word for word in _WORD.findall(title.casefold()) if word not in _SAYS_LITTLE}


def _titles(names: list[str], catalog: Catalog) -> str:
    return ", ".join(catalog.services[name].title if name in catalog.services else name for name in names)
