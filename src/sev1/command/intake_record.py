"""What the record says about the intake questions: alerts, the catalog, and what was changed lately (mission 7.4)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from sev1.catalog.model import Catalog
from sev1.command.around import affected
from sev1.command.parts.intake import Question
from sev1.command.terms import spoken
from sev1.intake.changes import Change, list_changes_of

LOOKED_BACK = timedelta(hours=24)
"""How long before the start a change is worth naming."""
MOST_CHANGES = 5
MOST_NAMED = 8


async def on_record(
    conn: asyncpg.Connection, catalog: Catalog, *, services: Sequence[str], began: datetime | None, now: datetime
) -> dict[Question, str]:
    """Answers to those questions that anything is known about. `began` is when the first alert began, or as declared."""
    wide = [
        *services,
        *(need for name in services if name in catalog.services for need in catalog.services[name].depends_on),
    ]
    changes = await list_changes_of(
        conn, services=list(dict.fromkeys(wide)), since=(began or now) - LOOKED_BACK, until=now, limit=MOST_CHANGES
    )
    return in_words(catalog, services=services, began=began, changes=changes)


def in_words(
    catalog: Catalog, *, services: Sequence[str], began: datetime | None, changes: Sequence[Change]
) -> dict[Question, str]:
    """The same, of what was looked up. Pure."""
    answers: dict[Question, str] = {
        "blast": _blast(catalog, services),
        "began": spoken(began) if began else "",
        "changed": "\n".join(_change(catalog, change) for change in changes),
        "tell": _owners(catalog, services),
    }
    return {question: text for question, text in answers.items() if text}


def _blast(catalog: Catalog, services: Sequence[str]) -> str:
    lines = []
    for name in services[:MOST_NAMED]:
        service = catalog.services.get(name)
        lines.append(f"{service.title}: {service.impact}" if service and service.impact else _title(catalog, name))
    wake = [_title(catalog, name) for name, direct in affected(catalog, tuple(services)).items() if not direct]
    if wake:
        lines.append(f"In its wake: {_listed(wake)}")
    return "\n".join(lines)


def _change(catalog: Catalog, change: Change) -> str:
    where = f"{_title(catalog, change.service)}: " if change.service else ""
    return f"{spoken(change.at)} {where}{change.summary}"


def _owners(catalog: Catalog, services: Sequence[str]) -> str:
    """The teams of the affected services and of what depends on them."""
    owned: dict[str, list[str]] = {}
    for name in affected(catalog, tuple(services)):
        if service := catalog.services.get(name):
            owned.setdefault(service.owner, []).append(service.title)
    return "\n".join(
        f"{catalog.teams[team].title if team in catalog.teams else team}: {_listed(titles)}"
        for team, titles in list(owned.items())[:MOST_NAMED]
    )


def _listed(titles: list[str]) -> str:
    more = len(titles) - MOST_NAMED
    return ", ".join(titles[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _title(catalog: Catalog, name: str) -> str:
    return catalog.services[name].title if name in catalog.services else name
