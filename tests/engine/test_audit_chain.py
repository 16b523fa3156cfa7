"""The audit log is a chain: whatever is changed in it by hand is found, and where."""

import asyncio
import hashlib
from datetime import datetime

import pytest

from sev1.engine import audit, audit_chain
from sev1.engine.audit_chain import Verdict
from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.errors import Invalid

PAST_THE_TRIGGER = "SET LOCAL session_replication_role = replica"


async def write(db: Database, now: datetime, count: int = 5) -> None:
    for number in range(count):
        async with db.transaction() as conn:
            await audit.record(
                conn, actor="ana", action="token.created", subject=f"token:{number}", data={"ü": [number]}, now=now
            )


async def verdict(db: Database, expected: str = "") -> Verdict:
    async with db.connection() as conn:
        return await audit_chain.verify(conn, audit_chain.parse_head(expected) if expected else None)


async def tamper(db: Database, *statements: str) -> None:
    async with db.transaction() as conn:
        await conn.execute(PAST_THE_TRIGGER)
        for statement in statements:
            await conn.execute(statement)


async def test_entries_are_chained_as_the_documented_format_says(db: Database, clock: FakeClock):
    await write(db, clock.now(), 2)
    async with db.connection() as conn:
        first, second = await conn.fetch("SELECT * FROM audit_log ORDER BY position")
    micros = str(int(clock.now().timestamp()) * 1_000_000)
    parts = ("sev1 audit 1", "1", "0" * 64, micros, "ana", "token.created", "token:0", '{"ü": [0]}')
    plain = "".join(f"{len(part.encode())}:{part}," for part in parts).encode()
    assert first["hash"] == hashlib.sha256(plain).digest()
    assert second["previous"] == first["hash"]
    found = await verdict(db)
    assert (found.intact, found.entries, found.head.hash) == (True, 2, second["hash"].hex())


@pytest.mark.parametrize(
    ("statements", "broken_at", "why"),
    [
        (["UPDATE audit_log SET actor = 'bo' WHERE position = 3"], 3, "its content is not what was written"),
        (["UPDATE audit_log SET data = '{}' WHERE position = 3"], 3, "its content is not what was written"),
        (["UPDATE audit_log SET at = at + interval '1 us' WHERE position = 5"], 5, "its content"),
        (["DELETE FROM audit_log WHERE position = 3"], 4, "entry 3 is missing before it"),
        (["DELETE FROM audit_log WHERE position = 1"], 2, "entry 1 is missing before it"),
        (["DELETE FROM audit_log WHERE position = 5"], 5, "the log ended with entry 5"),
        (["DELETE FROM audit_log"], 1, "the log ended with entry 5"),
        (["UPDATE audit_head SET position = 4"], 6, "the log goes on after its own end"),
        (
            ["INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'bo', 'token.revoked', 'token:9')"],
            6,
            "it was put in past the chain",
        ),
        (
            [
                "UPDATE audit_log SET position = position + 101 WHERE position > 2",
                (
                    "INSERT INTO audit_log (at, actor, action, subject, position, previous, hash)"
                    " SELECT at, 'bo', action, subject, 3, hash, hash FROM audit_log WHERE position = 2"
                ),
                "UPDATE audit_log SET position = position - 100 WHERE position > 100",
            ],
            3,
            "its content is not what was written",
        ),
        (
            [
                "UPDATE audit_log SET position = position + 100 WHERE position IN (2, 3)",
                "UPDATE audit_log SET position = 105 - position WHERE position > 100",
            ],
            2,
            "it does not follow the entry before it",
        ),
    ],
)
async def test_what_is_edited_deleted_inserted_or_reordered_by_sql_is_found(
    db: Database, clock: FakeClock, statements: list[str], broken_at: int, why: str
):
    await write(db, clock.now())
    await tamper(db, *statements)
    found = await verdict(db)
    assert (found.intact, found.broken_at) == (False, broken_at)
    assert found.why.startswith(why)


async def test_a_log_that_was_written_anew_is_found_by_a_head_that_was_noted(db: Database, clock: FakeClock):
    await write(db, clock.now())
    noted = str((await verdict(db)).head)
    await tamper(
        db,
        "UPDATE audit_head SET position = 0, hash = decode(repeat('00', 32), 'hex')",
        "UPDATE audit_log SET position = NULL, previous = NULL, hash = NULL",
        "UPDATE audit_log SET actor = 'bo' WHERE subject = 'token:2'",
        "SELECT audit_append(id) FROM audit_log ORDER BY id",
    )
    assert (await verdict(db)).intact
    found = await verdict(db, noted)
    assert (found.intact, found.broken_at) == (False, 5)
    assert "noted elsewhere" in found.why


async def test_writers_on_many_connections_make_one_chain(db: Database, clock: FakeClock):
    async def one(number: int) -> None:
        async with db.transaction() as conn:
            await audit.record(conn, actor="a", action="x", subject=str(number), data={}, now=clock.now())
            await asyncio.sleep(0)
            await audit.record(conn, actor="a", action="y", subject=str(number), data={}, now=clock.now())

    await asyncio.gather(*(one(number) for number in range(40)))
    found = await verdict(db)
    assert (found.intact, found.entries) == (True, 80)


async def test_the_chain_waits_for_nobody_before_the_commit_so_that_two_transactions_cannot_deadlock(
    db: Database, clock: FakeClock
):
    """One writes its entry first and locks a row then, the other the other way round: the order in which deadlocks come."""
    async with db.transaction() as conn:
        await conn.execute("INSERT INTO counters VALUES ('x', 1)")
    async with db.connection() as one, db.connection() as other:
        first, second = one.transaction(), other.transaction()
        await first.start()
        await second.start()
        await audit.record(one, actor="one", action="a", subject="s", data={}, now=clock.now())
        await other.execute("UPDATE counters SET value = 2 WHERE name = 'x'")
        await audit.record(other, actor="other", action="a", subject="s", data={}, now=clock.now())
        waits = asyncio.ensure_future(one.execute("UPDATE counters SET value = 3 WHERE name = 'x'"))
        await asyncio.sleep(0)
        await second.commit()
        await waits
        await first.commit()
    assert (await verdict(db)).intact


async def test_what_is_rolled_back_leaves_no_gap(db: Database, clock: FakeClock):
    await write(db, clock.now(), 1)
    async with db.connection() as conn:
        failing = conn.transaction()
        await failing.start()
        await audit.record(conn, actor="a", action="a", subject="s", data={}, now=clock.now())
        await failing.rollback()
    await write(db, clock.now(), 1)
    found = await verdict(db)
    assert (found.intact, found.head.position) == (True, 2)


async def test_what_the_previous_release_wrote_before_and_while_migrating_is_chained(db: Database, clock: FakeClock):
    """Before: by the migration's own loop, here run again. While both run: by the trigger, whatever program inserts."""
    await tamper(
        db,
        *["INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'old', 'a', 's')"] * 3,
    )
    assert (await verdict(db)).why == "it was put in past the chain"
    async with db.transaction() as conn:
        await conn.execute("DO $$ DECLARE one bigint; BEGIN FOR one IN SELECT id FROM audit_log ORDER BY id LOOP"
                           " PERFORM audit_append(one); END LOOP; END $$")  # fmt: skip
        await conn.execute("INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'old', 'a', 's')")
    found = await verdict(db)
    assert (found.intact, found.entries) == (True, 4)


async def exported(db: Database, now: datetime) -> list[bytes]:
    async with db.connection() as conn:
        return b"".join([part async for part in audit_chain.export(conn, now)]).splitlines()


async def test_an_exported_file_is_checked_without_the_database(db: Database, clock: FakeClock):
    await write(db, clock.now())
    lines = await exported(db, clock.now())
    found = audit_chain.verify_lines(lines)
    assert (found.intact, found.entries, str(found.head)) == (True, 5, str((await verdict(db)).head))

    edited = [*lines[:3], lines[3].replace(b'"ana"', b'"bo"'), *lines[4:]]
    assert audit_chain.verify_lines(edited).broken_at == 3
    assert audit_chain.verify_lines(lines[:-1]).why.startswith("the log ended with entry 5")
    assert audit_chain.verify_lines([*lines[:2], *lines[3:]]).why == "entry 2 is missing before it"
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    assert audit_chain.verify_lines(swapped).broken_at == 2
    cut = audit_chain.verify_lines([*lines[:-1], lines[-1][:-9]])
    assert (cut.broken_at, cut.why) == (5, "its line cannot be read")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", (b'{"format":"sev1 audit 9","exported_at":'
                                     b'"2026-01-01T00:00:00Z","head":{"position":0,"hash":""}}')])  # fmt: skip
def test_another_file_is_refused_in_words(content: bytes):
    with pytest.raises(Invalid, match="audit log"):
        audit_chain.verify_lines([content])


@pytest.mark.parametrize("text", ["", "12", "12:abc", "x:" + "0" * 64, "1:" + "G" * 64, "²:" + "0" * 64])
def test_a_head_that_is_not_one_is_refused(text: str):
    with pytest.raises(Invalid, match="position, a colon"):
        audit_chain.parse_head(text)
