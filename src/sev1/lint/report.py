"""The linter's findings as text for people, annotations for GitHub Actions, or JSON. Pure."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from sev1.catalog.problems import Problem
from sev1.lint.decide import Judged


class FileReport(Struct, frozen=True, kw_only=True):
    file: str
    rules: tuple[Judged, ...] = ()
    unreadable: Problem | None = None


def failed(reports: Sequence[FileReport], minimum: int) -> bool:
    """Whether a file could not be read, or a rule answers fewer than `minimum` of the five."""
    return any(report.unreadable or any(r.score.points < minimum for r in report.rules) for report in reports)


def as_text(reports: Sequence[FileReport], minimum: int) -> str:
    """Worst first inside a file, one line a finding; the last line counts."""
    lines: list[str] = []
    for report in reports:
        if report.unreadable:
            lines.append(str(report.unreadable))
        for judged in sorted(report.rules, key=lambda j: (j.score.points, j.rule.line)):
            mark = "below the minimum, " if judged.score.points < minimum else ""
            tier = f"{judged.tier}: {judged.expects}" if judged.tier else "in no tier"
            lines.append(
                f"{report.file}:{judged.rule.line}: {_clean(judged.rule.name)}  {mark}{_points(judged)}, {tier}"
            )
            lines += [f"  {report.file}:{lack.line}: {lack.message} {lack.fix}" for lack in judged.lacks]
    return "\n".join([*lines, _summary(reports, minimum)])


def as_github(reports: Sequence[FileReport], minimum: int) -> str:
    """Workflow commands: `::error file=…,line=…,title=…::message` (GitHub's docs, "Workflow commands")."""
    lines: list[str] = []
    for report in reports:
        if problem := report.unreadable:
            lines.append(
                _command("error", report.file, problem.line, "Not readable", f"{problem.message} {problem.fix}")
            )
        for judged in report.rules:
            below = judged.score.points < minimum
            title = f"{_clean(judged.rule.name)}: {_points(judged)}"
            if below:
                message = f"It answers fewer than {minimum} of the first five questions."
                lines.append(_command("error", report.file, judged.rule.line, title, message))
            lines += [
                _command("warning", report.file, lack.line, title, f"{lack.message} {lack.fix}")
                for lack in judged.lacks
            ]
    return "\n".join([*lines, _summary(reports, minimum)])


def as_json(reports: Sequence[FileReport], minimum: int) -> str:
    body = {"minimum": minimum, "failed": failed(reports, minimum), "files": reports}
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()


FORMATS = {"text": as_text, "github": as_github, "json": as_json}


def _points(judged: Judged) -> str:
    return f"{judged.score.points} of 5"


def _summary(reports: Sequence[FileReport], minimum: int) -> str:
    rules = [judged for report in reports for judged in report.rules]
    below = sum(judged.score.points < minimum for judged in rules)
    broken = sum(report.unreadable is not None for report in reports)
    counted = f"{len(rules)} alerting {'rule' if len(rules) == 1 else 'rules'} in {len(reports)} files"
    parts = [counted, f"{below} below {minimum} of 5" if minimum else "", f"{broken} not readable" if broken else ""]
    return ", ".join(part for part in parts if part) + "."


def _command(level: str, file: str, line: int, title: str, message: str) -> str:
    return f"::{level} file={_property(file)},line={line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """A message: a line break in it would begin another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)[:200]
