"""A replay as text for a terminal. Pure."""

from collections.abc import Iterator

from sev1.explain.model import printable
from sev1.replay.model import Differences, Report, Tally


def as_text(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    days = (report.until - report.since).total_seconds() / 86_400
    who = "people answer as recorded" if report.answers == "as-recorded" else "nobody answers"
    yield f"{report.alerts} alerts of {days:.0f} days; {who}."
    yield ""
    columns = (report.recorded, report.in_force, report.changed)
    yield _row("", ("as it was", "in force", "changed"))
    for title, figures in _figures(columns):
        yield _row(title, figures)
    yield ""
    yield "Asked by hour of the person's own day:"
    for hour in range(24):
        if any(tally.hours[hour] for tally in columns):
            yield _row(f"  {hour:02}:00", tuple(str(tally.hours[hour]) for tally in columns))
    yield ""
    yield from _differences("Paged then and would not now", report.missed)
    yield from _differences("Would page now and did not then", report.new)
    yield "How far to trust it: compare the first two columns. What is left out:"
    yield from (f"  - {sentence}" for sentence in report.model)


def as_rows(report: Report) -> list[tuple[str, tuple[str, ...]]]:
    """The figures as a table: a title and the three columns, as it was, in force, changed."""
    columns = (report.recorded, report.in_force, report.changed)
    hours = [
        (f"asked from {hour:02}:00", tuple(str(tally.hours[hour]) for tally in columns))
        for hour in range(24)
        if any(tally.hours[hour] for tally in columns)
    ]
    return [*((title.strip(), cells) for title, cells in _figures(columns)), *hours]


def _figures(columns: tuple[Tally, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "pages", tuple(str(t.pages) for t in columns)
    yield "pages nobody answered", tuple(str(t.unanswered) for t in columns)
    for tier, title in (("page", "alerts that page"), ("ticket", "tickets"), ("fyi", "FYI")):
        yield title, tuple(str(t.tiers.get(tier, 0)) for t in columns)
    yield "held at first", tuple(str(t.held) for t in columns)
    yield "times somebody was asked", tuple(str(sum(t.asked.values())) for t in columns)
    yield "  of these at night (22-07)", tuple(str(sum(t.nights.values())) for t in columns)
    for person in sorted({name for t in columns for name in t.asked}):
        cells = (f"{t.asked.get(person, 0)} ({t.nights.get(person, 0)} at night)" for t in columns)
        yield f"  {person}", tuple(cells)


def _row(title: str, cells: tuple[str, ...]) -> str:
    return f"{title:<28}" + "".join(f"{cell:>18}" for cell in cells)


def _differences(title: str, found: Differences) -> Iterator[str]:
    yield f"{title}: {found.count}"
    for one in found.examples:
        yield f"  {one.alert}  {one.at:%Y-%m-%d %H:%M}  {printable(one.summary)[:100]}  {printable(one.reason)}"
    if found.count > len(found.examples):
        yield f"  … and {found.count - len(found.examples)} more"
    yield ""
