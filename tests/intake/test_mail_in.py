"""The SMTP door: 250 after the commit and never before, 4xx to try again, 5xx to give up."""

import asyncio
from collections.abc import AsyncIterator

import aiosmtplib
import asyncpg
import pytest
from tests.intake.conftest import secret_of

from sev1.engine.database import Database
from sev1.engine.errors import Unavailable
from sev1.engine.settings import Settings
from sev1.intake import misunderstood
from sev1.intake.mail_in import MailIn

TO = f"{secret_of('mail')}@sev1.example"
MAIL = b"From: mon@x.example\r\nSubject: Disk full\r\n\r\n/ is full\r\n"


@pytest.fixture
async def door(inbox, keys, settings: Settings, clock, db: Database) -> AsyncIterator[MailIn]:
    door = MailIn(inbox, keys, settings, clock, db)
    await door.start(port=0)
    yield door
    await door.close()


async def send(door: MailIn, *to: str, mail: bytes = MAIL) -> int:
    """The status that the server answered with at last."""
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=door.port, start_tls=False, timeout=10)
    await client.connect()
    try:
        await client.sendmail("mon@x.example", list(to or (TO,)), mail)
    except aiosmtplib.SMTPRecipientsRefused as error:
        return error.recipients[0].code
    except aiosmtplib.SMTPResponseException as error:
        return error.code
    else:
        return 250
    finally:
        client.close()


async def stored(db: Database) -> list[asyncpg.Record]:
    async with db.connection() as conn:
        return await conn.fetch("SELECT key_id, format, raw FROM inbox")


async def test_a_mail_to_a_key_is_stored_before_it_is_answered(door, db, keys):
    assert await send(door) == 250
    [row] = await stored(db)
    assert (row["key_id"], row["format"], row["raw"]) == (keys.by_secret[secret_of("mail")].id, "mail", MAIL)


async def test_no_250_comes_while_the_commit_hangs(door, db, fresh_database_url):
    blocker = await asyncpg.connect(fresh_database_url)
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("LOCK TABLE inbox IN EXCLUSIVE MODE")
    sending = asyncio.create_task(send(door))
    done, _ = await asyncio.wait([sending], timeout=0.3)
    assert not done
    await transaction.rollback()
    assert await sending == 250
    await blocker.close()


@pytest.mark.parametrize("to", ["nobody@sev1.example", f"{secret_of('json')}@sev1.example", "x" * 60 + "@sev1.example"])
async def test_an_address_without_a_key_for_mail_is_refused_for_good(door, db, to):
    assert await send(door, to) == 550
    assert await stored(db) == []


async def test_when_nothing_can_be_stored_the_sender_is_asked_to_try_again(door, inbox, monkeypatch):
    def full(*_):
        raise Unavailable("full")

    monkeypatch.setattr(inbox, "submit", full)
    assert await send(door) == 451


async def test_a_key_over_its_rate_is_asked_to_try_again(door, keys):
    keys.over_rate = True
    assert await send(door) == 451


async def test_a_mail_that_is_too_large_is_refused(door, db, settings):
    assert await send(door, mail=MAIL + b"x\r\n" * settings.intake_max_bytes) == 552
    assert await stored(db) == []


async def test_what_is_not_understood_is_refused_and_kept(door, db):
    assert await send(door, mail=b"X-A: b\r\n\r\n\r\n") == 554
    async with db.connection() as conn:
        [kept] = await misunderstood.list_open(conn)
    assert kept.format == "mail"
    assert "neither a subject nor a text" in kept.error


async def test_a_stranger_who_talks_nonsense_is_hung_up_on(door):
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"NOOP\r\n" * 200)
    answers = await reader.read()
    assert b"421" in answers
    writer.close()


async def test_it_is_off_unless_a_port_is_given():
    assert Settings().mail_in_port == 0
