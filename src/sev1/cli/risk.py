"""Accepted risks from a terminal, over the API."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlencode

import typer

from sev1.cli.local import fail
from sev1.cli.respond import call, print_warnings

RISK = typer.Argument(help="RISK-3, or 3.")


def register(app: typer.Typer) -> None:
    for command in COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)


def risk(
    what: str = typer.Argument(help="What may happen, in one line."),
    why: str = typer.Option(..., help="Why it is accepted."),
    watch: str = typer.Option(..., help="What is watched meanwhile."),
    until: str = typer.Option(..., help="The last day, like 2026-03-02."),
    service: str = typer.Option(None, help="The service that it is about."),
    incident: str = typer.Option(None, help="The incident where it came up."),
    match: list[str] = typer.Option(None, help="A matcher of the alerts that would tell (repeatable)."),
) -> None:
    """Accept a risk for a time. Whoever says so is who decided."""
    body = {
        "risk": what,
        "reason": why,
        "monitoring": watch,
        "until": _end_of(until),
        "service": service,
        "incident": incident,
        "match": match or [],
    }
    kept = call("POST", "/api/v1/risks", body)
    print(f"{kept['id']}  until {kept['until'][:10]}")
    print_warnings(kept["warnings"])


def risks(
    state: str = typer.Option("accepted", help="accepted or closed."),
    service: str = typer.Option("", help="Only those about this service."),
) -> None:
    """Accepted risks, what ends first."""
    chosen = {name: value for name, value in (("state", state), ("service", service)) if value}
    found = call("GET", f"/api/v1/risks?{urlencode(chosen)}")
    for one in found:
        about = f"  [{one['service']}]" if one["service"] else ""
        print(f"{one['id']}  until {one['until'][:10]}{about}  {one['risk']}  ({one['decided_by']})")
        print(f"    watched: {one['monitoring']}")
    if not found:
        print("There is none.")


def risk_renew(
    risk: str = RISK,
    until: str = typer.Option(..., help="The last day, like 2026-03-02."),
    why: str = typer.Option(..., help="Why it may go on."),
) -> None:
    """Accept a risk for longer."""
    print(f"until {_settle(risk, 'renew', {'until': _end_of(until), 'reason': why})['until'][:10]}")


def risk_close(risk: str = RISK, outcome: str = typer.Option(..., help="What became of it.")) -> None:
    """Say what became of a risk; it stays on record."""
    print(_settle(risk, "close", {"outcome": outcome})["state"])


def _end_of(day: str) -> str:
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        fail(f"{day!r} is no day. Write it like 2026-03-02.")
    return datetime.combine(parsed, time(23, 59), UTC).isoformat()


def _settle(risk: str, ending: str, body: dict[str, Any]) -> Any:
    number = risk.upper().removeprefix("RISK-")
    if not number.isdecimal():
        fail(f"{risk!r} is no risk. Write it like RISK-3; `sev1 risks` lists them.")
    after = call("POST", f"/api/v1/risks/{int(number)}/{ending}", body)
    print_warnings(after["warnings"])
    return after


COMMANDS: tuple[Callable[..., None], ...] = (risks, risk, risk_renew, risk_close)
