"""`sev1 evidence`: keep files with an incident, take them along, hold them, and prove that they are what was collected."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import typer

from sev1.cli.local import fail, say
from sev1.cli.respond import ask, call

evidence_app = typer.Typer(no_args_is_help=True, help="Evidence of an incident, with its chain of custody.")
CLOSED = 0o600
PIECE = typer.Argument(help="The piece, like E-7.")
WHY = typer.Option(..., help="Why, in a sentence.")


def register(app: typer.Typer) -> None:
    app.add_typer(evidence_app, name="evidence")


@evidence_app.command()
def add(
    incident: str = typer.Argument(help="INC-7"),
    file: Path = typer.Argument(help="The file; - reads standard input."),
    name: str = typer.Option("", help="What to call it; the file's name otherwise."),
    origin: str = typer.Option("", "--from", help="Where it came from: a host, a log, a person."),
    note: str = typer.Option("", help="What it shows."),
) -> None:
    """Keep a file with an incident. What arrives has to have the hash that it has here."""
    if str(file) == "-":
        content = sys.stdin.buffer.read()
    elif file.is_file():
        content = file.read_bytes()
    else:
        fail(f"There is no file {file}.")
    called = name or ("excerpt.txt" if str(file) == "-" else file.name)
    fields = {"name": called, "origin": origin, "note": note, "sha256": hashlib.sha256(content).hexdigest()}
    headers = {"Content-Type": "application/octet-stream"}
    made = ask("POST", f"/api/v1/incidents/{incident}/evidence", params=fields, content=content, headers=headers).json()
    say(f"E-{made['id']}  {made['name']}  {made['size']} bytes  SHA-256 {made['sha256']}")


@evidence_app.command("list")
def list_pieces(incident: str = typer.Argument(help="INC-7")) -> None:
    """Print what is kept with an incident."""
    for one in call("GET", f"/api/v1/incidents/{incident}/evidence"):
        until = "destroyed" if one["destroyed_at"] else "held" if one["hold"] else f"until {one['retain_until'][:10]}"
        say(f"E-{one['id']}\t{one['name']}\t{one['size']}\t{one['sha256']}\t{until}")


@evidence_app.command("get")
def get_piece(
    piece: str = PIECE,
    file: Path = typer.Argument(help="Where to write it; it must not exist."),
    to: str = typer.Option("", help="To whom it is exported, for the custody."),
) -> None:
    """Take a piece along. It is on record that you did; what arrives is checked against its hash."""
    answer = ask("GET", f"/api/v1/evidence/{piece}/content", params={"to": to} if to else {})
    if hashlib.sha256(answer.content).hexdigest() != answer.headers["X-Sev1-Sha256"]:
        fail("What arrived is not what was collected. Try again, and run `sev1 evidence verify`.")
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, CLOSED)
    except FileExistsError:
        fail(f"{file} exists. Name a file that does not.")
    with os.fdopen(number, "wb") as out:
        out.write(answer.content)
    say(f"{file}  SHA-256 {answer.headers['X-Sev1-Sha256']}")


@evidence_app.command()
def custody(piece: str = PIECE) -> None:
    """Print who had it in hands when."""
    for one in call("GET", f"/api/v1/evidence/{piece}/custody"):
        say(f"{one['position']}\t{one['at']}\t{one['actor']}\t{one['action']}\t{one['data']}")


@evidence_app.command()
def hold(piece: str = PIECE, reason: str = WHY) -> None:
    """Set a legal hold: it is kept whatever its retention says."""
    _done(call("POST", f"/api/v1/evidence/{piece}/hold", {"reason": reason}))


@evidence_app.command()
def release(piece: str = PIECE, reason: str = WHY) -> None:
    """Lift the legal hold."""
    _done(call("POST", f"/api/v1/evidence/{piece}/release", {"reason": reason}))


@evidence_app.command()
def retain(piece: str = PIECE, until: str = typer.Option(..., help="2027-01-01T00:00:00Z"), reason: str = WHY) -> None:
    """Say until when the content is kept."""
    _done(call("POST", f"/api/v1/evidence/{piece}/retention", {"until": until, "reason": reason}))


@evidence_app.command()
def transfer(piece: str = PIECE, to: str = typer.Option(..., help="Who has it now."), reason: str = WHY) -> None:
    """Write down that somebody else has it in hands."""
    _done(call("POST", f"/api/v1/evidence/{piece}/transfer", {"to": to, "reason": reason}))


def _done(one: dict[str, Any]) -> None:
    say(f"E-{one['id']}  {'held: ' + one['hold'] if one['hold'] else 'kept until ' + one['retain_until'][:10]}")


@evidence_app.command()
def verify(incident: str = typer.Argument("", help="INC-7; nothing: all that you see.")) -> None:
    """Compute all hashes again. Exit code 0 when everything is as it was collected, 1 when not, with what is not."""
    query = f"?incident={incident}" if incident else ""
    found = call("GET", f"/api/v1/evidence/verification{query}")
    for one in found["pieces"]:
        state = "intact" if one["intact"] else "; ".join(one["problems"])
        say(f"{one['piece']}\t{one['incident']}\t{one['name']}\t{state}")
    if not found["intact"]:
        fail("Not everything is as it was collected.")
    count = len(found["pieces"])
    say("One piece is as it was collected." if count == 1 else f"{count} pieces are as they were collected.")
