"""The timeline: newest first, quiet runs folded, by kind, and in parts when it is long."""

from datetime import UTC, datetime

from sev1.command.timeline import Entry, EntryKind
from sev1.surfaces.web.timeline_view import timeline_view


def entry(version: int, kind: EntryKind = "note") -> Entry:
    at = datetime(2026, 3, 2, 3, version % 60, tzinfo=UTC)
    return Entry(version=version, at=at, by="Ana", via="web", kind=kind, sign="", headline=f"E{version}")


def test_the_newest_entry_comes_first() -> None:
    shown = timeline_view([entry(1), entry(2), entry(3)])
    assert [run.entries[0].version for run in shown.runs] == [3, 2, 1]


def test_four_quiet_entries_in_a_row_become_one_line_and_three_do_not() -> None:
    quiet = [entry(1, "role"), entry(2, "link"), entry(3, "role"), entry(4, "gate")]
    folded = timeline_view([*quiet, entry(5, "decision")])
    assert [run.summary for run in folded.runs] == ["", "4 smaller steps: criteria, roles, links"]
    assert [run.summary for run in timeline_view(quiet[:3]).runs] == ["", "", ""]


def test_what_was_said_and_decided_never_folds() -> None:
    shown = timeline_view([entry(n, "decision") for n in range(1, 9)])
    assert all(not run.summary for run in shown.runs)


def test_a_filter_shows_one_kind_and_says_so() -> None:
    shown = timeline_view([entry(1, "update"), entry(2), entry(3, "decision")], kind="decisions")
    assert [run.entries[0].version for run in shown.runs] == [3]
    assert (shown.kind, shown.kinds) == ("decisions", ("decision",))


def test_an_unknown_filter_shows_everything() -> None:
    assert timeline_view([entry(1), entry(2)], kind="gossip").total == 2


def test_a_long_timeline_comes_in_parts_without_a_gap() -> None:
    entries = [entry(n) for n in range(1, 251)]
    first = timeline_view(entries)
    second = timeline_view(entries, before=first.older)
    third = timeline_view(entries, before=second.older)
    versions = [e.version for part in (first, second, third) for run in part.runs for e in run.entries]
    assert versions == list(range(250, 0, -1))
    assert third.older is None
