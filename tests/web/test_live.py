"""The stream of an incident: exact over reconnects, cheap while nothing happens, and over when it should be."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from sev1.access import sessions
from sev1.access.model import OPERATOR
from sev1.app import Node
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.engine.clock import FakeClock
from sev1.engine.decider import SYSTEM
from sev1.paging import model as p
from sev1.surfaces.web import incident_page, incident_watch, live, sse

Do = Callable[..., Awaitable[Any]]


def entries(html: str) -> list[str]:
    """The new entries of a message, by their addresses."""
    part = html.partition('data-append="timeline"')[2]
    return re.findall(r'<li class="entry[^"]*" id="entry-(\d+)"', part)


def as_rendered(html: str) -> str:
    """The query of the stream that belongs to this page."""
    found = re.search(r'data-version="(\d+)" data-fingerprint="([0-9a-f]+)"', html)
    assert found
    return f"after={found[1]}&has={found[2]}"


async def test_a_stream_begins_after_the_version_that_was_rendered(
    enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        await run(key, m.AddNote(text="First"))
        message = await stream.next_of("change")
        assert (message.id, entries(message.data)) == ("2", ["2"])
        assert "First" in message.data


async def test_what_happened_between_the_page_and_its_stream_is_sent_at_once(
    enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    await run(key, m.AddNote(text="One"), m.AddNote(text="Two"))
    async with listen(ana, f"/incidents/{key}/events?after=1") as stream:
        message = await stream.next_of("change")
        assert (message.id, entries(message.data)) == ("3", ["2", "3"])


async def test_a_browser_that_comes_back_gets_exactly_what_it_missed(
    enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        await run(key, m.AddNote(text="Seen"))
        last = (await stream.next_of("change")).id
    await run(key, m.AddNote(text="Missed"), m.SetStage(stage="mitigation"))
    async with listen(ana, f"/incidents/{key}/events?after=1", last_event_id=last) as stream:
        message = await stream.next_of("change")
        assert entries(message.data) == ["3", "4"]
        assert "Mitigation" in message.data


async def test_a_browser_that_comes_back_to_no_news_still_gets_the_parts(
    enter: Do, declared: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    async with listen(ana, f"/incidents/{key}/events?after=1", last_event_id="1") as stream:
        message = await stream.next_of("change")
        assert message.id is None
        assert entries(message.data) == []
        assert 'id="band"' in message.data


async def test_an_answered_page_changes_what_is_shown_but_not_the_cursor(
    node: Node, enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    await run(key, m.PageResponder(person="eli", ask="You know the gateway"))
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    await run("P-1", p.Acknowledge(), by="eli")
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        message = await stream.next_of("change")
        assert message.id is None
        assert "Eli Okafor has it" in message.data


async def test_everybody_gets_the_parts_as_they_are_for_them(
    enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    bo, key = await enter("bo"), await declared()
    query = as_rendered(await bo.see(f"/incidents/{key}"))
    async with listen(bo, f"/incidents/{key}/events?{query}") as stream:
        await run(key, m.AssignRole(role="ops", person="bo"))
        message = await stream.next_of("change")
        assert "<strong>Operations lead</strong>" in message.data
        assert "Lead the fix, report to Ana Ribeiro" in message.data


async def test_a_stream_ends_when_the_node_stops(
    node: Node, enter: Do, declared: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    for path in (f"/incidents/{key}/events?after=1", "/news"):
        node.stopping.clear()
        async with listen(ana, path) as stream:
            node.stopping.set()
            while await stream.next() is not None:
                pass
            assert stream.ended


@pytest.fixture
def sign_out(node: Node, clock: FakeClock) -> Do:
    """Ends every session of the one account that there is."""

    async def out() -> None:
        async with node.db.connection() as conn:
            user = await conn.fetchval("SELECT user_id FROM sessions")
        await sessions.sign_out_everywhere(node.db, user, by=OPERATOR, now=clock.now())

    return out


async def test_a_stream_ends_when_the_session_is_over_and_tells_nothing_more(
    sign_out: Do, enter: Do, declared: Do, run: Do, listen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.0)
    ana, key = await enter(), await declared()
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        await stream.next_of("alive")  # it has looked once, and waits
        await sign_out()
        await run(key, m.AddNote(text="A secret"))
        message = await stream.next()
        assert message is not None
        assert (message.event, message.data) == ("signed-out", "")
        assert await stream.next() is None


async def test_who_is_signed_out_while_the_incident_is_read_gets_nothing_of_what_was_read(
    sign_out: Do, enter: Do, declared: Do, run: Do, listen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, key = await enter(), await declared()
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    read = incident_page.read

    async def read_late(*args: Any, **more: Any) -> incident_page.IncidentPage:
        if not gone:
            gone.append(True)
            await sign_out()
            await run(key, m.AddNote(text="A secret"))
        return await read(*args, **more)

    gone: list[bool] = []
    monkeypatch.setattr(incident_page, "read", read_late)
    await run(key, m.AddNote(text="For all"))
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        message = await stream.next()
        assert message is not None
        assert (message.event, message.data) == ("signed-out", "")
        assert await stream.next() is None


async def test_a_quiet_stream_gives_signs_of_life(
    enter: Do, declared: Do, listen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.0)
    monkeypatch.setattr(live, "POLL_S", 0.01)
    ana, key = await enter(), await declared()
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        for _ in range(2):
            message = await stream.next()
            assert message is not None
            assert (message.event, message.data) == ("alive", "2026-03-02T03:14:00Z")


async def test_news_that_nobody_told_is_found_by_the_poll(
    node: Node, enter: Do, declared: Do, listen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POLL_S", 0.01)
    ana, key = await enter(), await declared()
    query = as_rendered(await ana.see(f"/incidents/{key}"))
    async with listen(ana, f"/incidents/{key}/events?{query}") as stream:
        async with node.db.transaction() as conn:  # as another node does, whose news get lost
            await node.commands.run_in(conn, "incident", key, m.AddNote(text="From afar"), by=SYSTEM)
        assert "From afar" in (await stream.next_of("change")).data


async def test_what_happened_between_the_page_and_its_stream_is_told_at_once(
    enter: Do, declared: Do, listen: Callable[..., Any]
) -> None:
    ana = await enter()
    await ana.see("/")
    await declared()
    async with listen(ana, "/news") as stream:
        assert (await stream.next_of("news")).data == ""


async def test_the_stream_of_other_pages_says_only_that_there_is_news(
    enter: Do, declared: Do, listen: Callable[..., Any]
) -> None:
    ana = await enter()
    async with listen(ana, "/news") as stream:
        await stream.next_of("news")
        await declared()
        message = await stream.next_of("news")
        assert message.data == ""


async def test_an_unknown_incident_is_refused_before_the_stream_begins(enter: Do, listen: Callable[..., Any]) -> None:
    ana = await enter()
    async with listen(ana, "/incidents/INC-77/events") as stream:
        await stream.drain()
        assert stream.status == 404


async def test_a_last_event_id_that_is_no_number_is_refused(
    enter: Do, declared: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    for wrong in ("x", "-1", "9" * 30, "1.5"):
        async with listen(ana, f"/incidents/{key}/events", last_event_id=wrong) as stream:
            await stream.drain()
            assert stream.status == 400


def test_a_message_carries_every_line_of_its_text() -> None:
    assert sse.message("change", "a\nb\r\nc\u2028d", id=7) == (
        b"event: change\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
    )
    assert sse.message("news") == b"event: news\ndata: \n\n"


async def test_many_who_watch_read_and_render_it_once_and_each_gets_their_own_token(
    enter: Do,
    declared: Do,
    listen: Callable[..., Any],
    run: Do,
    nordlicht: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = await declared(by="ana")
    people = [await enter(name) for name in ("cem", "dana", "eli", "bo")]
    reads, renders = 0, Counter[str]()
    read, render = incident_page.read, live.render

    async def counted_read(*args: Any, **more: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(*args, **more)

    def counted_render(app: Any, template: str, context: dict[str, Any]) -> str:
        renders[template] += 1
        return render(app, template, context)

    monkeypatch.setattr(incident_page, "read", counted_read)
    monkeypatch.setattr(live, "render", counted_render)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(listen(who, f"/incidents/{key}/events?after=1")) for who in people]
        for stream in streams:
            await stream.next_of("change")
        reads = 0
        renders.clear()
        await run(key, m.AssignRole(role="ops", person="bo"))
        parts = [await stream.next_of("change") for stream in streams]
    tokens = {re.search(r'name="csrf" value="([^"]+)"', part.data)[1] for part in parts}
    assert len(tokens) == len(people)
    assert reads == 1
    zones = {nordlicht.people[name].time_zone for name in ("cem", "dana", "eli", "bo")}
    assert renders[incident_watch.OF_ALL] == len(zones), "once a time zone"
    assert renders[incident_watch.PERSONAL] == len(zones) + 1, "and once more for who has a role"
    assert "<strong>you</strong>" in parts[3].data
    assert all("<strong>you</strong>" not in part.data for part in parts[:3])
