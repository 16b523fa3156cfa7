"""A diagnostic of the page's service, run by a button: who asked, when, and what came back. Pure (mission 5.6)."""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.model import Catalog, Diagnostic, Slug
from sev1.catalog.runbook import diagnostics_named
from sev1.engine.errors import Refused, TooMany
from sev1.paging.terms import Command, Event

SHOWN_MAX = 4096
"""Characters of an answer that are kept."""
LONG_WORD = 8
"""Of a secret such as `Bearer abc…` a word so long is one by itself."""
READABLE = 0.9
"""An answer of which less is printable is no text."""

Outcome = Literal["ok", "failed", "cut-off"]
"""`cut-off`: the node stopped while it ran. It is not run again by itself: it may have done something."""


class RunDiagnostic(Command, frozen=True, kw_only=True, tag="run_diagnostic"):
    """Run one of the diagnostics that the service declares."""

    diagnostic: Slug


class StartDiagnostic(Command, frozen=True, kw_only=True, tag="start_diagnostic"):
    """`RunDiagnostic`, looked up."""

    service: str
    diagnostic: Diagnostic
    last_at: datetime | None = None
    """When it was asked last, from whichever page."""


class ReportDiagnostic(Command, frozen=True, kw_only=True, tag="report_diagnostic"):
    """What came of it."""

    run: int
    outcome: Outcome
    text: str
    status: int | None = None


class DiagnosticAsked(Event, frozen=True, kw_only=True, tag="diagnostic_asked"):
    run: int
    """Counts the runs of the page."""
    name: str
    title: str
    service: str


class DiagnosticAnswered(Event, frozen=True, kw_only=True, tag="diagnostic_answered"):
    run: int
    name: str
    title: str
    outcome: Outcome
    text: str
    """What is shown of the answer, or why there is none."""
    status: int | None = None


class Run(Struct, frozen=True, kw_only=True):
    """The latest run of a diagnostic on a page."""

    run: int
    name: str
    title: str
    by: str
    asked_at: datetime
    outcome: Literal["running", "ok", "failed", "cut-off"] = "running"
    answered_at: datetime | None = None
    text: str = ""
    status: int | None = None


Runs = tuple[Run, ...]


def started(runs: Runs, command: StartDiagnostic, now: datetime) -> list[DiagnosticAsked]:
    """Raises Refused while it runs on this page, TooMany when it ran too lately on any."""
    wanted = command.diagnostic
    if any(run.name == wanted.name and run.outcome == "running" for run in runs):
        raise Refused(f"{wanted.title} is running. Its answer appears here when it is there.")
    # A clock that was set back must not lock it for longer than its time.
    free_at = min(command.last_at, now) + timedelta(seconds=wanted.every_s) if command.last_at else now
    if now < free_at:
        wait_s = max(1, int((free_at - now).total_seconds() + 0.999))
        raise TooMany(
            f"{wanted.title} ran less than {wanted.every_s} s ago. Look at that answer, or run it again in {wait_s} s.",
            retry_after_s=wait_s,
        )
    number = 1 + max((run.run for run in runs), default=0)
    return [DiagnosticAsked(run=number, name=wanted.name, title=wanted.title, service=command.service)]


def answered(runs: Runs, command: ReportDiagnostic) -> list[DiagnosticAnswered]:
    """Nothing for a run that has its answer: a node that was thought dead may still report."""
    run = next((run for run in runs if run.run == command.run), None)
    if run is None or run.outcome != "running":
        return []
    return [
        DiagnosticAnswered(
            run=run.run,
            name=run.name,
            title=run.title,
            outcome=command.outcome,
            text=command.text,
            status=command.status,
        )
    ]


def after(runs: Runs, event: DiagnosticAsked | DiagnosticAnswered, at: datetime, by: str) -> Runs:
    """The latest run of each diagnostic, in the order in which they were first asked."""
    match event:
        case DiagnosticAsked():
            new = Run(run=event.run, name=event.name, title=event.title, by=by, asked_at=at)
            known = any(run.name == event.name for run in runs)
            return tuple(new if run.name == event.name else run for run in runs) if known else (*runs, new)
        case DiagnosticAnswered():
            return tuple(
                replace(run, outcome=event.outcome, answered_at=at, text=event.text, status=event.status)
                if run.run == event.run
                else run
                for run in runs
            )


def on_offer(catalog: Catalog, service: str | None) -> tuple[tuple[Diagnostic, bool], ...]:
    """The diagnostics of a service, those first that its runbook names, each with whether it does."""
    found = catalog.services.get(service or "")
    if found is None:
        return ()
    runbook = catalog.runbooks.get(found.runbook or "")
    named = diagnostics_named(runbook.body) if runbook else ()
    rank = {name: place for place, name in enumerate(named)}
    ordered = sorted(found.diagnostics, key=lambda one: rank.get(one.name, len(rank)))
    return tuple((one, one.name in rank) for one in ordered)


# --- what is shown of an answer ---------------------------------------------------------------------------------------


def readable(body: bytes, content_type: str, secrets: Iterable[str] = (), *, cut: bool = False) -> str:
    """An answer as text, at most 4 kB: JSON indented, without control characters; what is no text is only named."""
    if "json" in content_type and not cut:
        with contextlib.suppress(msgspec.DecodeError):  # it says JSON and is none: shown as it is
            body = msgspec.json.format(body, indent=2)
    text = without_secrets(body.decode("utf-8", "replace"), secrets)
    text = text.replace("\r\n", "\n")
    if text and sum(_shows(char) for char in text) < READABLE * len(text):
        return f"{len(body)} bytes that are no text ({content_type or 'of no named type'})."
    return shortened(text) or "An empty answer."


def shortened(text: str) -> str:
    """Without what neither a page nor PostgreSQL takes, and not longer than is kept."""
    clean = "".join(char if _shows(char) else " " for char in text).strip()
    return clean if len(clean) <= SHOWN_MAX else f"{clean[: SHOWN_MAX - 1]}…"


def _shows(char: str) -> bool:
    return (char.isprintable() and char != "\ufffd") or char in "\n\t"


def as_line(value: object, secrets: Iterable[str] = ()) -> str:
    """What an expression gave: text as it is, everything else as JSON."""
    if value is None:
        return "The answer does not have what is to be shown of it."
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    return shortened(without_secrets(text, secrets))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Some servers send back what they were asked with: all of it, the token without the word before it, or as JSON."""
    for secret in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def _forms(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        for part in (secret, *(word for word in secret.split() if len(word) >= LONG_WORD)):
            if part:
                yield part
                yield msgspec.json.encode(part).decode()[1:-1]
