"""Weak signals and near misses from a terminal, over the API."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import typer

from sev1.cli.local import fail
from sev1.cli.respond import call, print_warnings

SIGNAL = typer.Argument(help="SIG-3, or 3.")


def register(app: typer.Typer) -> None:
    for command in COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)


def signal(
    text: str = typer.Argument(help="What was noticed, in one line."),
    near_miss: bool = typer.Option(False, help="Something nearly broke; otherwise it is a weak signal."),
    service: str = typer.Option(None, help="The service that it is about."),
    might: str = typer.Option("", help="What might have happened."),
    tag: list[str] = typer.Option(None, help="A word to find it by (repeatable)."),
) -> None:
    """Note a weak signal or a near miss. It wakes nobody."""
    kind = "near-miss" if near_miss else "weak-signal"
    body = {"text": text, "kind": kind, "service": service, "might_have": might, "tags": tag or []}
    noted = call("POST", "/api/v1/signals", body)
    print(noted["id"])
    print_warnings(noted["warnings"])


def signals(
    state: str = typer.Option("open", help="open, promoted, reviewed or dropped."),
    service: str = typer.Option("", help="Only those about this service."),
    tag: str = typer.Option("", help="Only those with this tag."),
) -> None:
    """Weak signals and near misses, the latest first."""
    chosen = {name: value for name, value in (("state", state), ("service", service), ("tag", tag)) if value}
    found = call("GET", f"/api/v1/signals?{urlencode(chosen)}")
    for one in found:
        about = f"  [{one['service']}]" if one["service"] else ""
        print(f"{one['id']}  {one['kind']}{about}  {one['text']}  ({one['noted_by']})")
        for text in (one["might_have"], one["incident"], one["outcome"]):
            if text:
                print(f"    {text}")
    if not found:
        print("There is none.")


def signal_promote(
    signal: str = SIGNAL,
    severity: str = typer.Option(None, help="sev-0 … sev-5."),
    restricted: bool = typer.Option(False, "--restricted", help="Only those with a role and the admitted see it."),
) -> None:
    """Declare an incident from a signal."""
    promoted = _settle(signal, "promote", {"severity": severity, "restricted": restricted})
    print(promoted["incident"] or "declared; it is not yours to see")


def signal_review(signal: str = SIGNAL, lesson: str = typer.Option(..., help="What was learnt.")) -> None:
    """Say what was learnt from a signal."""
    print(_settle(signal, "review", {"lesson": lesson})["state"])


def signal_drop(signal: str = SIGNAL, reason: str = typer.Option(..., help="Why nobody needs to look at it.")) -> None:
    """Put a signal away; it stays on record."""
    print(_settle(signal, "drop", {"reason": reason})["state"])


def _settle(signal: str, ending: str, body: dict[str, Any]) -> Any:
    number = signal.upper().removeprefix("SIG-")
    if not number.isdecimal():
        fail(f"{signal!r} is no signal. Write it like SIG-3; `sev1 signals` lists them.")
    after = call("POST", f"/api/v1/signals/{int(number)}/{ending}", body)
    print_warnings(after["warnings"])
    return after


COMMANDS: tuple[Callable[..., None], ...] = (signals, signal, signal_promote, signal_review, signal_drop)
