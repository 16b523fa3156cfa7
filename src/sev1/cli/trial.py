"""`sev1 doctor --test-alert`: an alert of kind `test` takes the real way, from the sender's request to its end.

It pages nobody by three means that triage has anyway, so that nothing in triage need know of tests: its severity is
`info`; a silence covers its key, whatever the routes say; and it ends by itself long before that silence does, should
whoever runs the check die in the middle. The key is made for it, and revoked.
"""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import httpx
from msgspec import Struct

from sev1.access import keys
from sev1.access.model import OPERATOR
from sev1.catalog.matchers import parse_all
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.settings import Settings
from sev1.intake.senders import address_of
from sev1.triage import silences
from sev1.triage.alerts import VERDICT

KIND = "prometheus"
"""Whose alerts end by themselves at a time that they name."""
LABELS = {"alertname": "Sev1Test", "kind": "test", "severity": "info"}
SUMMARY = "A test by sev1 doctor: it pages nobody and ends at once"
FIRES = timedelta(minutes=1)
SILENCED = timedelta(minutes=10)
ANSWER_S, TRIAGE_S = 10.0, 30.0
SLOW_S = 5.0
"""Somebody who is waited for should not wait that long before triage has even looked."""
POLL_S = 0.01
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - compared with, not listened on


class Stage(Struct, frozen=True, kw_only=True):
    what: Literal["test intake", "test triage", "test end"]
    took_s: float
    says: str
    ok: bool
    """False: the stage failed, and none follows."""

    @property
    def is_slow(self) -> bool:
        return self.took_s > SLOW_S


async def run(db: Database, settings: Settings, clock: Clock) -> list[Stage]:
    """Sends the alert to the server of these settings, which must run, and watches it in the database."""
    now = clock.now()
    key = await keys.create(db, kind=KIND, by=OPERATOR, now=now, name="sev1 doctor")
    try:
        async with db.transaction() as conn:
            silence = await silences.create(
                conn,
                matchers=parse_all(('kind="test"',)),
                starts_at=now,
                ends_at=now + SILENCED,
                created_by=OPERATOR.actor,
                comment="sev1 doctor sends a test alert",
                now=now,
                key_id=key.id,
            )
        found = await _stages(db, _address(settings, key.secret), key.id, clock)
        if found[-1].ok:
            # Only then: a test alert that still fires must stay silent until it has ended by itself.
            async with db.transaction() as conn:
                await silences.expire(conn, silence.id, by=OPERATOR.actor, now=clock.now())
        return found
    finally:
        await keys.revoke(db, key.id, by=OPERATOR, now=clock.now())


async def _stages(db: Database, url: str, key_id: int, clock: Clock) -> list[Stage]:
    found = [await _send(url, clock.now() + FIRES)]
    if found[-1].ok:
        found.append(await _triaged(db, key_id))
    if found[-1].ok:
        found.append(await _ended(db, url, key_id, clock.now()))
    return found


async def _send(url: str, ends_at: datetime) -> Stage:
    begun = time.monotonic()
    alert = {"labels": LABELS, "annotations": {"summary": SUMMARY}, "endsAt": ends_at.isoformat()}
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            answer = await client.post(url, json=[alert])
    except httpx.HTTPError as error:
        where = url.partition("/integrations/")[0]
        says = (
            f"No answer from {where}: {type(error).__name__}. Start sev1 serve with the same settings, then try again."
        )
        return Stage(what="test intake", took_s=time.monotonic() - begun, says=says, ok=False)
    took_s = time.monotonic() - begun
    if answer.status_code != httpx.codes.OK:
        says = f"The test alert was refused with {answer.status_code}: {answer.text[:200]}"
        return Stage(what="test intake", took_s=took_s, says=says, ok=False)
    return Stage(what="test intake", took_s=took_s, says=f"Stored and answered in {took_s:.3f} s.", ok=True)


async def _triaged(db: Database, key_id: int) -> Stage:
    row, took_s = await _until(db, key_id, "firing")
    if row is None:
        says = f"Stored, but not judged within {TRIAGE_S:.0f} s. See the log, and sev1_triage_lag_seconds."
        return Stage(what="test triage", took_s=took_s, says=says, ok=False)
    reasons = " ".join(stage["reason"] for stage in row["verdict"]["stages"])
    if row["page"] is not None:
        says = f"It opened {row['page']}, which must not be. {reasons}"
        return Stage(what="test triage", took_s=took_s, says=says, ok=False)
    return Stage(what="test triage", took_s=took_s, says=f"A-{row['id']} judged in {took_s:.3f} s. {reasons}", ok=True)


async def _ended(db: Database, url: str, key_id: int, now: datetime) -> Stage:
    begun = time.monotonic()
    sent = await _send(url, now)
    if not sent.ok:
        return Stage(what="test end", took_s=sent.took_s, says=sent.says, ok=False)
    row, _ = await _until(db, key_id, "resolved")
    took_s = time.monotonic() - begun
    if row is None:
        says = f"Its end was stored, but not seen by triage within {TRIAGE_S:.0f} s. See the log."
        return Stage(what="test end", took_s=took_s, says=says, ok=False)
    return Stage(what="test end", took_s=took_s, says=f"A-{row['id']} was over after {took_s:.3f} s.", ok=True)


async def _until(db: Database, key_id: int, status: str) -> tuple[asyncpg.Record | None, float]:
    """The test's alert once it has that status, and after how many seconds; None when it has not for too long."""
    begun = time.monotonic()
    while True:
        async with db.connection() as conn:
            row = await conn.fetchrow(
                f"SELECT id, page, {VERDICT} FROM alerts WHERE key_id = $1 AND status = $2", key_id, status
            )
        took_s = time.monotonic() - begun
        if row is not None or took_s > TRIAGE_S:
            return row, took_s
        await asyncio.sleep(POLL_S)


def _address(settings: Settings, secret: str) -> str:
    """The node of this machine itself, past any proxy."""
    host = EVERYWHERE.get(settings.host, settings.host)
    return address_of(KIND, f"http://{host}:{settings.port}", secret)
