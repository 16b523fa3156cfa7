"""Silences from a terminal, over the API: see what one would hide, make it, extend it, end it."""

from collections.abc import Callable
from typing import Any

import typer

from sev1.cli.local import fail
from sev1.cli.respond import call

MATCHERS = typer.Argument(help="""Matchers, all of which must hold: 'env="staging"' 'service=~"cart|web"'.""")


def register(app: typer.Typer) -> None:
    for command in COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)


def silences() -> None:
    """What is silenced, by whom, why and until when."""
    found = call("GET", "/api/v1/silences")
    for one in found:
        print(f"{one['id']}  {one['state']}  until {one['ends_at']}  {one['created_by']}: {one['comment']}")
        print(f"    {', '.join(one['matchers'])}")
    if not found:
        print("Nothing is silenced.")


def silence_preview(matchers: list[str] = MATCHERS) -> None:
    """Show what a silence would hide now and would have hidden in the last 7 days. Changes nothing."""
    _print(call("POST", "/api/v1/silences/preview", {"matchers": matchers}))


def silence(
    matchers: list[str] = MATCHERS,
    until: str = typer.Option(..., help="End with its offset: 2026-03-02T09:00:00+01:00."),
    reason: str = typer.Option(..., help="Why these alerts may be quiet."),
    owner: str = typer.Option("", help="Who answers for it; you, when empty."),
    confirm: bool = typer.Option(False, help="Make it although it is over-broad."),
) -> None:
    """Keep alerts quiet until an end, with a reason. Shows what that hides."""
    seen = call("POST", "/api/v1/silences/preview", {"matchers": matchers})
    _print(seen)
    if seen["warnings"] and not confirm:
        fail("Nothing was silenced. If that is meant, add --confirm.")
    body = {"matchers": matchers, "ends_at": until, "comment": reason, "owner": owner, "confirm": confirm}
    print(call("POST", "/api/v1/silences", body)["id"])


def silence_extend(silence: str, until: str = typer.Option(..., help="The new end, with its offset.")) -> None:
    """Move the end of a silence later."""
    print(f"until {call('PATCH', f'/api/v1/silences/{silence}', {'ends_at': until})['ends_at']}")


def silence_end(silence: str) -> None:
    """End a silence now. What still fires then pages."""
    print(call("DELETE", f"/api/v1/silences/{silence}")["state"])


def _print(preview: dict[str, Any]) -> None:
    for title, part in (("now", preview["now"]), ("last 7 days", preview["week"])):
        names = ", ".join(f"{name} ({count})" for name, count in part["names"])
        print(f"{title}: {part['alerts']} alerts, {len(part['pages'])} pages{': ' if names else ''}{names}")
    for warning in preview["warnings"]:
        print(f"warning: {warning}")


COMMANDS: tuple[Callable[..., None], ...] = (silences, silence_preview, silence, silence_extend, silence_end)
