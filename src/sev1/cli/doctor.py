"""`sev1 doctor`, `sev1 rules`: is everything right before a night, and the rules by which Prometheus watches sev1."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import aiosmtplib
import asyncpg
import msgspec
import typer
from msgspec import Struct

from sev1.catalog import store as catalog_store
from sev1.catalog.model import Catalog
from sev1.cli import trial
from sev1.cli.local import DataOption, clock, database_url, say
from sev1.engine import audit_chain
from sev1.engine.database import OLDEST_SERVER, Database
from sev1.engine.errors import Sev1Error
from sev1.engine.migrations import HEAD
from sev1.engine.settings import Settings, read_settings
from sev1.measure import vitals
from sev1.oncall import store as oncall_store
from sev1.paging.react import people_of_steps

Verdict = Literal["ok", "look", "wrong"]
SKEW_MAX = timedelta(seconds=2)
FREE_MIN_BYTES = 1024**3
SMTP_TIMEOUT_S = 5.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Finding(Struct, frozen=True, kw_only=True):
    what: str
    verdict: Verdict
    says: str
    """What was found, and what to do when it is not `ok`."""


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(rules)


def rules() -> None:
    """Print the alert rules for Prometheus that watch sev1 itself."""
    print(files("sev1.measure").joinpath("rules.yaml").read_text(), end="")


def doctor(
    data: Path = DataOption,
    as_json: bool = typer.Option(False, "--json", help="For programs: a list of findings."),
    test_alert: bool = typer.Option(
        False, "--test-alert", help="Also send an alert through the running server; it pages nobody and is ended again."
    ),
) -> None:
    """Look at everything that has to be right before a night. The exit code is 1 when something is wrong."""
    found = asyncio.run(examine(data, test_alert=test_alert))
    if as_json:
        say(msgspec.json.encode(found).decode())
    else:
        for finding in found:
            say(f"{finding.verdict:5}  {finding.what}: {finding.says}")
    if any(finding.verdict == "wrong" for finding in found):
        raise SystemExit(1)


async def examine(data: Path | None, *, test_alert: bool = False) -> list[Finding]:
    """All findings, in the order in which to mend them; what cannot be looked at is itself a finding."""
    try:
        settings = read_settings(data=data)
    except Sev1Error as error:
        return [Finding(what="settings", verdict="wrong", says=error.message)]
    found = [*_settings(settings), _disk(settings), await _mail(settings)]
    if not settings.database_url and not (settings.data / "postgres" / "PG_VERSION").exists():
        says = f"There is none in {settings.data} yet. Run sev1 serve, or name another folder with --data."
        return [*found, Finding(what="database", verdict="wrong", says=says)]
    try:
        with database_url(settings) as url:
            async with Database(url, size=2) as db, db.connection() as conn:
                found += await _database(conn)
                if found[-1].verdict == "ok":
                    found += await _inside(conn)
                    found += [_tried(stage) for stage in await trial.run(db, settings, clock)] if test_alert else []
    except (Sev1Error, OSError, asyncpg.PostgresError) as error:
        found.append(
            Finding(what="database", verdict="wrong", says=f"It cannot be used: {getattr(error, 'message', error)}")
        )
    return found


def _tried(stage: trial.Stage) -> Finding:
    if stage.ok and stage.is_slow:
        says = f"{stage.says} That is slow: look at the database and at what intake takes."
        return Finding(what=stage.what, verdict="look", says=says)
    return Finding(what=stage.what, verdict="ok" if stage.ok else "wrong", says=stage.says)


def _settings(settings: Settings) -> Iterator[Finding]:
    address = urlsplit(settings.url)
    if address.hostname in LOOPBACK:
        yield Finding(
            what="public address",
            verdict="look",
            says=f"Links in messages lead to {settings.url}, which only this machine reaches. Set SEV1_PUBLIC_URL.",
        )
    elif address.scheme != "https":
        yield Finding(
            what="public address", verdict="look", says=f"{settings.url} is not encrypted. Put it behind https."
        )
    else:
        yield Finding(what="public address", verdict="ok", says=settings.url)
    if settings.heartbeat_url:
        yield Finding(what="dead-man switch", verdict="ok", says="Somebody else notices when sev1 stops.")
    else:
        yield Finding(
            what="dead-man switch", verdict="look", says="Nobody notices when sev1 stops. Set SEV1_HEARTBEAT_URL."
        )


def _disk(settings: Settings) -> Finding:
    folder = settings.data if settings.data.exists() else settings.data.absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    says = f"{free / 1024**3:.1f} GB are free at {folder}."
    if free < FREE_MIN_BYTES:
        return Finding(what="disk", verdict="wrong", says=f"{says} Make room: a full disk stops intake.")
    return Finding(what="disk", verdict="ok", says=says)


async def _mail(settings: Settings) -> Finding:
    if not settings.smtp_host:
        return Finding(what="mail", verdict="look", says="No mail goes out. Set SEV1_SMTP_HOST.")
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        async with aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "tls",
            start_tls={"starttls": True, "none": False}.get(settings.smtp_tls),
            timeout=SMTP_TIMEOUT_S,
        ) as smtp:
            if settings.smtp_user:
                await smtp.login(settings.smtp_user, settings.smtp_password)
            await smtp.noop()
    except (aiosmtplib.SMTPException, OSError) as error:
        return Finding(what="mail", verdict="wrong", says=f"{where} does not take mail from here: {error}")
    return Finding(what="mail", verdict="ok", says=f"{where} answers.")


async def _database(conn: asyncpg.Connection) -> list[Finding]:
    """The last one is `ok` only when the schema is this release's, so that the rest can be read."""
    found = []
    version = conn.get_server_version()
    if version.major < OLDEST_SERVER:
        return [Finding(what="database", verdict="wrong", says=f"PostgreSQL {version.major} is too old.")]
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if await conn.fetchval("SELECT current_setting($1)", name) == "off":
            says = f"{name} is off: an accepted alert would not survive a crash. Turn it on."
            found.append(Finding(what="durability", verdict="wrong", says=says))
    skew = abs(await conn.fetchval("SELECT clock_timestamp()") - clock.now())
    if skew > SKEW_MAX:
        says = f"The database's clock is {skew.total_seconds():.0f} s away from this machine's. Set both by NTP."
        found.append(Finding(what="clocks", verdict="wrong", says=says))
    else:
        found.append(Finding(what="clocks", verdict="ok", says="This machine and the database agree."))
    schema = await conn.fetchval("SELECT to_regclass('alembic_version')::text")
    at = await conn.fetchval("SELECT version_num FROM alembic_version") if schema else None
    if at != HEAD:
        says = f"The schema is at {at or 'nothing'}, this release needs {HEAD}. Run sev1 migrate."
        return [*found, Finding(what="database", verdict="wrong", says=says)]
    says = f"PostgreSQL {version.major}.{version.minor}, durable, schema {HEAD}."
    return [*found, Finding(what="database", verdict="ok", says=says)]


async def _inside(conn: asyncpg.Connection) -> list[Finding]:
    now = clock.now()
    catalog = await catalog_store.read(conn)
    looks: tuple[Callable[[], Awaitable[list[Finding]]], ...] = (
        lambda: _backlogs(conn, now),
        lambda: _on_call(conn, catalog, now),
        lambda: _audit_log(conn),
    )
    found = list(_catalog(catalog))
    for look in looks:
        found += await look()
    return found


def _catalog(catalog: Catalog) -> Iterator[Finding]:
    if not catalog.people:
        yield Finding(what="catalog", verdict="wrong", says="It is empty: nobody can be paged. Run sev1 apply DIR.")
        return
    if catalog.organisation.fallback_policy is None:
        says = "No fallback_policy: what no route and no service claims wakes nobody. Set it in the organisation."
        yield Finding(what="catalog", verdict="wrong", says=says)
    orphans = [name for name, service in catalog.services.items() if service.policy is None]
    if orphans:
        says = f"Without a policy, so the fallback is paged: {', '.join(sorted(orphans)[:5])}."
        yield Finding(what="services", verdict="look", says=says)
    yield Finding(
        what="catalog",
        verdict="ok",
        says=f"{len(catalog.people)} people, {len(catalog.services)} services, {len(catalog.policies)} policies.",
    )


async def _on_call(conn: asyncpg.Connection, catalog: Catalog, now: datetime) -> list[Finding]:
    exceptions = await oncall_store.overrides_at(conn, now)
    found = []
    for policy in catalog.policies.values():
        steps = people_of_steps(policy, catalog, now, exceptions)
        if not any(steps):
            found.append(Finding(what="on call", verdict="wrong", says=f"{policy.title}: no step has anybody now."))
        elif not steps[0]:
            found.append(
                Finding(what="on call", verdict="look", says=f"{policy.title}: its first step has nobody now.")
            )
    return found or [Finding(what="on call", verdict="ok", says="Every policy has somebody for its first step.")]


async def _audit_log(conn: asyncpg.Connection) -> list[Finding]:
    verdict = await audit_chain.verify(conn)
    if verdict.intact:
        says = f"{verdict.entries} entries, as they were written. Note the head elsewhere: {verdict.head}"
        return [Finding(what="audit log", verdict="ok", says=says)]
    says = f"Entry {verdict.broken_at}: {verdict.why}. Compare with a backup and with exported files."
    return [Finding(what="audit log", verdict="wrong", says=says)]


async def _backlogs(conn: asyncpg.Connection, now: datetime) -> list[Finding]:
    seen = await vitals.read(conn, now)
    found = [Finding(what="work", verdict="wrong", says=f"{one[:1].upper()}{one[1:]}.") for one in seen.troubles(now)]
    if seen.paused:
        says = f"{seen.paused} held back because they keep failing; the Status page says why."
        found.append(Finding(what="channels", verdict="look", says=says))
    if seen.failed_24h:
        says = f"{seen.failed_24h} deliveries of the last 24 h reached nobody; each is shown beside its page."
        found.append(Finding(what="deliveries", verdict="look", says=says))
    if seen.misunderstood_24h:
        says = f"{seen.misunderstood_24h} payloads of the last 24 h were not understood. Open Alerts, Not understood."
        found.append(Finding(what="intake", verdict="look", says=says))
    return found or [Finding(what="work", verdict="ok", says="Nothing is behind.")]
