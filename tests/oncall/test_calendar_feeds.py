"""Calendars of leave and holidays are asked over real HTTP and decide who is on call; a failing one keeps what it had."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from sev1.catalog import store as catalogs
from sev1.catalog.cache import CatalogCache
from sev1.catalog.check import check
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import CalendarFeed, Catalog, Person, Rotation, Schedule
from sev1.engine.fetch import Fetch
from sev1.oncall import feed_step, feeds, store
from sev1.oncall.feed_step import CalendarFeedStep
from sev1.oncall.resolve import in_force
from sev1.oncall.schedule import on_call
from sev1.paging.turns import read_absent

MONDAY = datetime(2026, 3, 9, 12, tzinfo=UTC)


def calendar(*days: str, more: str = "") -> bytes:
    entries = [
        f"BEGIN:VEVENT\r\nUID:{day}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:Secret\r\n"
        f"{more}END:VEVENT\r\n"
        for day in days
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\n{''.join(entries)}END:VCALENDAR\r\n".encode()


class WebServer:
    """A real HTTP server on loopback that gives the answers it is told to."""

    def __init__(self) -> None:
        self.status, self.body, self.tag, self.endless = "200 OK", calendar("20260309"), '"one"', False
        self.requests: list[str] = []
        self.url = ""

    async def talk(self, reader, writer):
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(request)
        unchanged = self.tag and f"if-none-match: {self.tag}" in request.lower()
        status, body = ("304 Not Modified", b"") if unchanged else (self.status, self.body)
        length = "" if self.endless else f"Content-Length: {len(body)}\r\n"
        tag = f"ETag: {self.tag}\r\n" if self.tag else ""
        writer.write(f"HTTP/1.1 {status}\r\n{length}{tag}Connection: close\r\n\r\n".encode() + body)
        try:
            while self.endless:
                writer.write(b" " * 65536)
                await writer.drain()
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def web():
    web = WebServer()
    server = await asyncio.start_server(web.talk, "127.0.0.1", 0)
    web.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/leave.ics"
    yield web
    server.close()


def catalog(url, *, for_schedule=False, **more):
    feed = CalendarFeed(title="Team leave", url=url, **more)
    people = {
        name: Person(
            name=name, full_name=name.title(), email=f"{name}@s.example", time_zone="Europe/Berlin",
            contact=(EmailMethod(address=f"{name}@s.example"),),
            leave_calendars=() if for_schedule or name == "bo" else (feed,),
        )
        for name in ("ana", "bo")
    }  # fmt: skip
    schedule = Schedule(
        name="primary", title="Primary", time_zone="Europe/Berlin",
        rotation=Rotation(people=("ana", "bo"), starts=date(2026, 3, 9)),
        on_holiday="gap" if for_schedule else "stay",
        holiday_calendars=(feed,) if for_schedule else (),
    )  # fmt: skip
    return Catalog(people=people, schedules={"primary": schedule})


class World:
    def __init__(self, db, clock, fetch):
        self.db, self.clock, self.fetch = db, clock, fetch
        self.told = 0
        self.environ = {}
        self.step = self.node("one")

    def node(self, name):
        def tell():
            self.told += 1

        return CalendarFeedStep(
            self.db, CatalogCache(), self.clock, self.fetch, holder=name, on_change=tell, environ=self.environ
        )

    async def has(self, catalog):
        async with self.db.transaction() as conn:
            await catalogs.write(conn, catalog, actor="test", now=self.clock.now())

    async def state(self):
        async with self.db.connection() as conn:
            [row] = await feeds.read_all(conn)
        return row.state

    async def who(self, at=MONDAY):
        async with self.db.connection() as conn:
            exceptions = await store.overrides_at(conn, self.clock.now())
            whole = await catalogs.read(conn)
        return on_call(whole.schedules["primary"], at, in_force(exceptions.get("primary", ()), whole))


@pytest.fixture
async def world(db, clock):
    async with Fetch(allow_private=True) as fetch:
        yield World(db, clock, fetch)


async def test_the_events_of_a_persons_calendar_are_their_leave_and_the_calendar_is_the_reason(world, web):
    await world.has(catalog(web.url))
    assert (await world.who()).person == "ana"
    assert await world.step()
    assert (await world.state()).why == "1 event."
    shift = await world.who()
    assert (shift.person, shift.because, shift.reason) == ("bo", "stand-in", "ana is away: calendar Team leave")
    assert (shift.start, shift.end) == (datetime(2026, 3, 9, 8, tzinfo=UTC), datetime(2026, 3, 9, 23, tzinfo=UTC))
    assert (await world.who(MONDAY + timedelta(days=1))).person == "ana"
    assert world.told == 1
    async with world.db.connection() as conn:
        assert "Secret" not in str(await conn.fetch("SELECT * FROM calendar_events"))
        [line] = await conn.fetch("SELECT actor, subject, data FROM audit_log WHERE action = 'leave.calendar'")
    assert (line["actor"], line["subject"]) == ("sev1", "person ana")


async def test_who_is_away_by_a_calendar_takes_no_turn_of_a_round_robin(world, web):
    world.clock.jump_to(MONDAY)
    await world.has(catalog(web.url))
    await world.step()
    async with world.db.connection() as conn:
        absent = await read_absent(conn, await catalogs.read(conn), MONDAY)
    assert absent.away == {"ana": "on leave until Tue 00:00 Europe/Berlin"}


async def test_the_events_of_a_schedules_calendar_are_holidays_of_everybody_there(world, web):
    await world.has(catalog(web.url, for_schedule=True))
    await world.step()
    assert await world.who() is None
    assert (await world.who(MONDAY + timedelta(days=1))).person == "ana"


async def test_a_calendar_is_asked_again_when_it_is_due_and_not_read_while_it_is_unchanged(world, web):
    await world.has(catalog(web.url, every_s=600))
    assert await world.step()
    assert not await world.step()
    world.clock.advance(seconds=601)
    assert await world.step()
    assert "if-none-match" in web.requests[1].lower()
    assert (await world.state()).status == "ok"
    assert (await world.who()).person == "bo"
    assert world.told == 1
    world.clock.advance(days=8)
    await world.step()
    assert "if-none-match" not in web.requests[2].lower()


async def test_what_was_read_last_stays_while_a_calendar_fails_and_that_it_fails_is_kept(world, web):
    await world.has(catalog(web.url, every_s=600))
    await world.step()
    web.tag = ""
    for n, (status, body, why) in enumerate(
        (
            ("500 Oops", b"", "It answers 500."),
            ("302 Found", b"", "It answers 302. Write down the address that it leads to."),
            ("200 OK", b"<html>Sign in</html>", "It is a web page, no calendar. Take the address that ends in .ics."),
            ("200 OK", b"BEGIN:VCALENDAR" + b"x" * 2_000_000, "It is larger than 1024 kB; that is not read."),
        ),
        start=1,
    ):
        web.status, web.body = status, body
        world.clock.advance(seconds=601)
        assert await world.step()
        state = await world.state()
        assert (state.status, state.why, state.failures, state.events) == ("failing", why, n, 1)
        assert (await world.who()).person == "bo"
    web.status, web.body = "200 OK", calendar("20260310")
    world.clock.advance(seconds=601)
    await world.step()
    state = await world.state()
    assert (state.status, state.failures) == ("ok", 0)
    assert (await world.who()).person == "ana"


async def test_a_calendar_feed_that_never_ends_is_cut_off(world, web):
    web.endless, web.body = True, b"BEGIN:VCALENDAR\r\n"
    await world.has(catalog(web.url))
    assert await world.step()
    assert (await world.state()).why == "It is larger than 1024 kB; that is not read."


async def test_a_calendar_whose_events_never_end_is_stopped(world, web, monkeypatch):
    monkeypatch.setattr(feed_step.calendar_process.read, "__kwdefaults__", {"time_max_s": 1.0})
    web.body = calendar("20000101", more="RRULE:FREQ=SECONDLY\r\n")
    await world.has(catalog(web.url))
    assert await world.step()
    assert (await world.state()).why == "It takes longer than 1 s to work out; that is not done."


async def test_a_private_address_is_not_asked(db, clock, web):
    async with Fetch(allow_private=False) as fetch:
        world = World(db, clock, fetch)
        await world.has(catalog(web.url))
        assert await world.step()
        assert "private or otherwise special address" in (await world.state()).why
    assert web.requests == []


async def test_a_secret_address_comes_from_the_environment_and_is_stored_nowhere(world, web):
    whole = catalog(web.url)
    feed = CalendarFeed(title="Team leave", url_env="ANAS_LEAVE")
    await world.has(
        replace(whole, people=whole.people | {"ana": replace(whole.people["ana"], leave_calendars=(feed,))})
    )
    await world.step()
    assert "ANAS_LEAVE that holds its address is not set" in (await world.state()).why
    world.environ["ANAS_LEAVE"] = web.url
    world.clock.advance(hours=1, seconds=1)
    await world.step()
    assert (await world.state()).status == "ok"
    async with world.db.connection() as conn:
        assert web.url not in str(await conn.fetch("SELECT state::text FROM calendar_feeds"))


async def test_of_two_nodes_one_reads_a_calendar_and_another_takes_over_from_a_dead_one(world, web):
    await world.has(catalog(web.url))
    other = world.node("two")
    done = await asyncio.gather(world.step(), other())
    assert sorted(done) == [False, True]
    assert len(web.requests) == 1
    world.clock.advance(hours=2)
    async with world.db.transaction() as conn:
        assert await feeds.claim(conn, holder="dead", now=world.clock.now(), lease_s=90, limit=5)
    assert not await world.step()
    world.clock.advance(seconds=91)
    assert await world.step()
    async with world.db.transaction() as conn:
        late = feeds.FeedRow(kind="person", name="ana", title="Team leave", state=feeds.FeedState())
        assert not await feeds.save(conn, late, feeds.FeedState(), world.clock.now(), holder="dead")
    assert (await world.state()).status == "ok"


async def test_a_calendar_that_leaves_the_catalog_takes_its_events_along(world, web):
    await world.has(catalog(web.url))
    await world.step()
    whole = catalog(web.url)
    await world.has(replace(whole, people=whole.people | {"ana": replace(whole.people["ana"], leave_calendars=())}))
    await world.step()
    assert (await world.who()).person == "ana"
    async with world.db.connection() as conn:
        assert await feeds.read_all(conn) == []
    assert world.told == 2


async def test_events_that_have_passed_are_kept_for_a_quarter_and_then_forgotten(world, web):
    web.tag = ""
    await world.has(catalog(web.url))
    await world.step()
    for days, kept in ((100, 1), (160, 0)):
        world.clock.jump_to(datetime(2026, 3, 9, tzinfo=UTC) + timedelta(days=days))
        web.body = calendar()
        await world.step()
        async with world.db.connection() as conn:
            assert await conn.fetchval("SELECT count(*) FROM calendar_events") == kept
    async with world.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit_log WHERE action = 'leave.calendar'") == 1


def test_two_calendars_of_one_title_are_refused():
    feed = CalendarFeed(title="Leave", url="https://x.example/a.ics")
    whole = catalog("https://x.example/a.ics")
    twice = replace(whole.people["ana"], leave_calendars=(feed, feed))
    found = [f for f in check(replace(whole, people={**whole.people, "ana": twice})) if "two calendars" in f.message]
    assert [f.path for f in found] == [("leave_calendars", 1, "title")]


@pytest.mark.parametrize("fields", [{}, {"url": "https://x.example/a.ics", "url_env": "A"}])
def test_a_calendar_has_one_address(fields):
    with pytest.raises(ValueError, match="either a `url` or a `url_env`"):
        CalendarFeed(title="Leave", **fields)
