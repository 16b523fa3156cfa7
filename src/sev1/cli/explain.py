"""`sev1 explain`: why something woke whom, or why somebody was (not) paged, over the API."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import msgspec
import typer

from sev1.cli.local import fail
from sev1.cli.respond import call
from sev1.explain.model import Because, lines

MINUTES = {"m": 1, "h": 60, "d": 1440}
LONGEST_MIN = 400 * 1440
_SPAN = re.compile(r"([0-9]{1,6})([mhd])")


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    about: str = typer.Argument(
        "", help="An alert (A-12), a page (P-3) or an alert's fingerprint.", show_default=False
    ),
    person: str = typer.Option("", help="Short name: why were they, or were they not, paged?"),
    since: str = typer.Option("24h", help="With --person: 90m, 24h, 7d; at most 31d."),
    as_json: bool = typer.Option(False, "--json", help="The tree with its data."),
) -> None:
    """Say why something woke whom: the whole path, from stored facts."""
    if bool(about) == bool(person):
        fail("Name an alert, a page or a fingerprint; or ask with --person NAME.")
    asked: dict[str, Any] = {"about": about} if about else {"person": person, "since_min": minutes_of(since)}
    tree = call("GET", f"/api/v1/explanations?{urlencode(asked)}")
    if as_json:
        print(json.dumps(tree, indent=2, ensure_ascii=False))
        return
    for line in lines(msgspec.convert(tree, Because)):
        print(line)


def minutes_of(text: str) -> int:
    """`90m`, `24h`, `7d` in minutes, at most 400 days; ends the command for anything else."""
    found = _SPAN.fullmatch(text.strip())
    if not found or not 0 < int(found[1]) * MINUTES[found[2]] <= LONGEST_MIN:
        fail(f'"{text}" is no span of time. Write it like 90m, 24h or 7d.')
    return int(found[1]) * MINUTES[found[2]]
