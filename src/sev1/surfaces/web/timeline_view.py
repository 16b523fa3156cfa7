"""The timeline as it is shown: newest first, quiet entries folded, by kind or from an entry on. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from sev1.command.terms import EntryKind
from sev1.command.timeline import Entry

QUIET: frozenset[EntryKind] = frozenset({"role", "gate", "link", "work"})
"""Kinds that may fold; what was said, decided and reached never does."""
FOLD_FROM = 4
"""So many quiet entries in a row become one line."""
PAGE = 100

FILTERS: dict[str, tuple[str, frozenset[EntryKind]]] = {
    "milestones": ("Milestones", frozenset({"milestone"})),
    "updates": ("Updates", frozenset({"update"})),
    "decisions": ("Decisions", frozenset({"decision"})),
    "board": ("Facts", frozenset({"board"})),
    "work": ("Work", frozenset({"work"})),
    "notes": ("Notes", frozenset({"note"})),
}


class Run(Struct, frozen=True, kw_only=True):
    """Entries that are shown together: one alone, or several quiet ones behind a line."""

    entries: tuple[Entry, ...]
    summary: str = ""
    """`6 smaller steps: roles, links`, for a folded run."""


class TimelineView(Struct, frozen=True, kw_only=True):
    runs: tuple[Run, ...]
    total: int
    older: int | None
    """The version to page on from; None at the end."""
    kind: str
    """One of FILTERS, or empty for all."""
    kinds: tuple[EntryKind, ...]
    """The kinds of entries that are shown; empty for all."""
    first_shown: int | None
    """Set when the newest entries are not on this page."""


def timeline_view(
    entries: Sequence[Entry], *, kind: str = "", before: int | None = None, page: int = PAGE
) -> TimelineView:
    """`entries` oldest first; `kind` one of FILTERS or empty for all; `before` a version."""
    wanted = FILTERS[kind][1] if kind in FILTERS else None
    fitting = [e for e in entries if wanted is None or e.kind in wanted]
    shown = [e for e in fitting if before is None or e.version < before]
    newest_first = shown[::-1][:page]
    more = len(shown) > page
    return TimelineView(
        runs=_fold(newest_first),
        total=len(fitting),
        older=newest_first[-1].version if more else None,
        kind=kind if kind in FILTERS else "",
        kinds=tuple(sorted(wanted or ())),
        first_shown=before,
    )


def _fold(entries: Sequence[Entry]) -> tuple[Run, ...]:
    runs: list[Run] = []
    quiet: list[Entry] = []
    for entry in entries:
        if entry.kind in QUIET:
            quiet.append(entry)
            continue
        runs += _close(quiet)
        quiet = []
        runs.append(Run(entries=(entry,)))
    return (*runs, *_close(quiet))


def _close(quiet: list[Entry]) -> list[Run]:
    if len(quiet) < FOLD_FROM:
        return [Run(entries=(entry,)) for entry in quiet]
    words = {"role": "roles", "gate": "criteria", "link": "links", "work": "tasks"}
    kinds = dict.fromkeys(words[entry.kind] for entry in quiet)
    return [Run(entries=tuple(quiet), summary=f"{len(quiet)} smaller steps: {', '.join(kinds)}")]
