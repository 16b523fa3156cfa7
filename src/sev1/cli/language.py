"""Our words from a terminal, over the API."""

import sys
from urllib.parse import quote

import typer

from sev1.cli.respond import call


def register(app: typer.Typer) -> None:
    app.command()(glossary)


def glossary(
    word: str = typer.Argument("", help="A term, an alias, or a part of a meaning. Empty: all terms."),
) -> None:
    """Print what a word means here, what not to say for it, and how to put it to others."""
    found = call("GET", f"/api/v1/glossary?q={quote(word, safe='')}")
    exact = [term for term in found if word.casefold() in {term["name"], term["title"].casefold()}]
    for term in exact or found:
        print(f"{term['title']}: {term['meaning']}")
        if term["aliases"]:
            print(f"    do not say: {', '.join(term['aliases'])}")
        for audience, said in term["translations"].items():
            if said:
                print(f"    to {audience}: {said}")
    if not found:
        print(f'No term has "{word}".', file=sys.stderr)
        raise typer.Exit(1)
