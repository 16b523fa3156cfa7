"""`sev1 break-glass`: a right for a limited time, over the API."""

from typing import Any

import typer

from sev1.cli.local import say
from sev1.cli.respond import call

break_glass_app = typer.Typer(no_args_is_help=True, help="Break the glass: a right for a limited time, on the record.")
PATH = "/api/v1/break-glass"
NUMBER = typer.Argument(help="The number of the request.")
WHY = typer.Option(..., help="Why, in a sentence.")
ROLE = typer.Option(None, help="responder or admin.")
INCIDENT = typer.Option(None, help="A restricted incident, INC-7.")
MINUTES = typer.Option(60, help="For how long.")


def register(app: typer.Typer) -> None:
    app.add_typer(break_glass_app, name="break-glass")


@break_glass_app.command("list")
def list_requests() -> None:
    """Print your requests; for administrators everybody's."""
    for one in call("GET", PATH):
        _say(one)


@break_glass_app.command()
def show(number: int = NUMBER) -> None:
    """Print one, with every request that was made with it."""
    one = call("GET", f"{PATH}/{number}")
    _say(one)
    for use in one["used"]:
        say(f"  {use['at']}  {use['method']} {use['path']}")


@break_glass_app.command()
def ask(role: str = ROLE, incident: str = INCIDENT, minutes: int = MINUTES, reason: str = WHY) -> None:
    """Ask for a right; another person approves it."""
    _say(call("POST", PATH, _wanted(role, incident, minutes, reason, at_once=False)))


@break_glass_app.command()
def take(role: str = ROLE, incident: str = INCIDENT, minutes: int = MINUTES, reason: str = WHY) -> None:
    """Take a right now. You owe the justification."""
    _say(call("POST", PATH, _wanted(role, incident, minutes, reason, at_once=True)))


def _wanted(role: str | None, incident: str | None, minutes: int, reason: str, *, at_once: bool) -> dict[str, Any]:
    fields = {"role": role, "incident": incident, "minutes": minutes, "reason": reason, "at_once": at_once}
    return {name: value for name, value in fields.items() if value is not None}


@break_glass_app.command()
def approve(number: int = NUMBER) -> None:
    """Approve what somebody else asked for."""
    _say(call("POST", f"{PATH}/{number}/approve"))


@break_glass_app.command()
def refuse(number: int = NUMBER) -> None:
    """Refuse it."""
    _say(call("POST", f"{PATH}/{number}/refuse"))


@break_glass_app.command()
def end(number: int = NUMBER) -> None:
    """Give it back before its time."""
    _say(call("POST", f"{PATH}/{number}/end"))


@break_glass_app.command()
def justify(number: int = NUMBER, text: str = typer.Argument(help="What it was for, and what you did.")) -> None:
    """Write down what it was for."""
    _say(call("POST", f"{PATH}/{number}/justification", {"text": text}))


@break_glass_app.command()
def review(
    number: int = NUMBER,
    verdict: str = typer.Argument(help="right, wrong or follow-up."),
    note: str = typer.Option("", help="What follows from it."),
) -> None:
    """Close it with a verdict."""
    _say(call("POST", f"{PATH}/{number}/review", {"verdict": verdict, "note": note}))


def _say(one: dict[str, Any]) -> None:
    what = f"access to {one['incident']}" if one["incident"] else f"rights of {one['role']}"
    owed = "  (justification owed)" if one["owes_justification"] else ""
    say(f"{one['id']}  {one['name']}  {what}  {one['minutes']} min  {one['state']}{owed}")
