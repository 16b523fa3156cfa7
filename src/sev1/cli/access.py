"""`sev1 user`, `sev1 token`, `sev1 key`: who gets in. Secrets go to stdout alone, so that they can be captured."""

import sys
from pathlib import Path

import typer

from sev1.access import accounts, keys, links, tokens
from sev1.access.model import OPERATOR, Role
from sev1.cli.local import DataOption, clock, fail, open_database, runs
from sev1.intake import senders
from sev1.intake.senders import KINDS

user_app = typer.Typer(no_args_is_help=True, help="Accounts that sign in.")
token_app = typer.Typer(no_args_is_help=True, help="Tokens for the API.")
key_app = typer.Typer(no_args_is_help=True, help="Integration keys: what senders of alerts show.")


def register(app: typer.Typer) -> None:
    app.add_typer(user_app, name="user")
    app.add_typer(token_app, name="token")
    app.add_typer(key_app, name="key")


def note(line: str) -> None:
    """For the person at the terminal, not for what captures stdout."""
    print(line, file=sys.stderr)


@user_app.command("add")
@runs
async def add_user(
    email: str,
    role: Role = typer.Option(Role.RESPONDER, help="What the account may do."),
    name: str = typer.Option("", help="Full name."),
    password_stdin: bool = typer.Option(False, "--password-stdin", help="Read the password from standard input."),
    data: Path = DataOption,
) -> None:
    """Make an account. Without a password it gets in by `sev1 user link`."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password_stdin and not password:
        fail("No password came on standard input. Pipe one in: printf '%s\\n' \"$PASSWORD\" | sev1 user add …")
    async with open_database(data) as (db, _):
        user = await accounts.create_user(
            db, email=email, role=role, by=OPERATOR, now=clock.now(), full_name=name, password=password
        )
    note(f"{user.email} is a{'n' if role is Role.ADMIN else ''} {role}.")


@user_app.command("link")
@runs
async def link_user(email: str, data: Path = DataOption) -> None:
    """Print a link that signs somebody in once, within 15 minutes."""
    async with open_database(data) as (db, settings):
        token = await links.sign_in_link(db, email, by=OPERATOR, now=clock.now())
    print(f"{settings.url}/link/{token}")


@user_app.command("list")
@runs
async def list_users(data: Path = DataOption) -> None:
    """List the accounts."""
    async with open_database(data) as (db, _):
        for user in await accounts.list_users(db):
            print(f"{user.email}\t{user.role}{'	disabled' if user.disabled else ''}")


@token_app.command("create")
@runs
async def create_token(
    name: str = typer.Option(..., help="What it is for; shown in the audit log."),
    role: Role = typer.Option(Role.RESPONDER, help="What it may do."),
    scope: list[str] = typer.Option(None, help="Narrow it to these scopes (repeatable)."),
    data: Path = DataOption,
) -> None:
    """Make an API token and print it. It is shown this once."""
    async with open_database(data) as (db, _):
        token = await tokens.create(db, name=name, role=role, by=OPERATOR, now=clock.now(), scopes=scope or None)
    print(token.token)


@token_app.command("list")
@runs
async def list_tokens(data: Path = DataOption) -> None:
    """List the tokens, without their secrets."""
    async with open_database(data) as (db, _):
        for token in await tokens.list_all(db):
            state = "revoked" if token.revoked_at else "valid"
            print(f"{token.id}\t{token.name}\t{token.role}\t{state}\t{','.join(sorted(token.scopes))}")


@token_app.command("revoke")
@runs
async def revoke_token(token_id: int, data: Path = DataOption) -> None:
    """End a token at once."""
    async with open_database(data) as (db, _):
        await tokens.revoke(db, token_id, by=OPERATOR, now=clock.now())
    note(f"Token {token_id} is revoked.")


@key_app.command("create")
@runs
async def create_key(
    kind: str = typer.Argument(help="What the sender speaks: " + ", ".join(KINDS) + "."),
    service: str = typer.Option(None, help="Service that its alerts belong to when they do not say."),
    name: str = typer.Option("", help="What it is for."),
    secret_stdin: bool = typer.Option(
        False, "--secret-stdin", help="Read the secret that the sender signs with from standard input (sentry)."
    ),
    data: Path = DataOption,
) -> None:
    """Make an integration key and print the URL to paste into the sender. It is shown this once."""
    if kind not in KINDS:
        fail(f"There is no kind {kind!r}. Choose one of: {', '.join(KINDS)}.")
    signing_secret = sys.stdin.readline().strip() if secret_stdin else None
    if secret_stdin and not signing_secret:
        fail("No secret came on standard input. Pipe one in: printf '%s\\n' \"$SECRET\" | sev1 key create …")
    async with open_database(data) as (db, settings):
        key = await keys.create(
            db,
            kind=kind,
            by=OPERATOR,
            now=clock.now(),
            name=name,
            service=service,
            signing_secret=signing_secret,
        )
    print(senders.address_of(kind, settings.url, key.secret))
    note(senders.how_to(kind, settings.url, key.secret))


@key_app.command("list")
@runs
async def list_keys(data: Path = DataOption) -> None:
    """List the keys, without their secrets."""
    async with open_database(data) as (db, _):
        for key in await keys.list_all(db):
            state = "revoked" if key.revoked_at else "valid"
            print(f"{key.id}\t{key.kind}\t{key.name}\t…{key.hint}\t{state}")


@key_app.command("revoke")
@runs
async def revoke_key(key_id: int, data: Path = DataOption) -> None:
    """End a key: its sender is refused from now on."""
    async with open_database(data) as (db, _):
        await keys.revoke(db, key_id, by=OPERATOR, now=clock.now())
    note(f"Key {key_id} is revoked.")
