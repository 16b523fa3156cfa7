"""What of a page is sent to browsers that have it already: only what says something else."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from sev1.access.model import Role
from sev1.app import Node
from sev1.catalog import store as catalogs
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.engine.clock import FakeClock
from sev1.surfaces.web.live_parts import FINGERPRINT_MARK, fingerprint, news, split, with_fingerprint

Do = Callable[..., Awaitable[Any]]

BAND = '<section class="band sev-1" id="band" data-part aria-label="x"><p>{said}</p></section>\n'
TASKS = '<section id="work-tasks" data-part hidden></section>\n'
BUSY = (
    "/know the EU gateway answers",
    "/guess the 02:58 deploy is bad unless going back changes nothing",
    "/unknown how many orders are lost",
    "/task @bo go back to the deploy of 02:11 in 20 min",
    "/need somebody who knows the gateway",
    "/can every second payment fails | Bo goes back | nothing",
    "/decide no deploys tonight because we do not know yet",
    "/workstream gateway @bo: find out what it answers",
    "/mitigation the EU pool is drained @cem",
    "/role ops @bo",
    "/stage mitigation",
    "/bridge https://meet.nordlicht.example/inc",
    "/runbook checkout-errors",
    "/unsure is it the deploy at all?",
)


def parts_of(html: str) -> list[str]:
    return re.findall(r'<section[^>]* id="([^"]+)"[^>]* data-part', html)


def test_parts_are_found_wherever_they_stand() -> None:
    page = f"<body><div>{BAND.format(said='Sie brennt')}</div><section id=x>no part</section>{TASKS}</body>"
    parts = split(page, "token")
    assert list(parts) == ["band", "work-tasks"]
    assert parts["band"].html == BAND.format(said="Sie brennt").strip()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ('<time datetime="T" data-t="ago">2 min</time>', '<time datetime="T" data-t="ago">3 min</time>'),
        (
            '<time datetime="T" class="" data-t="due" data-before="in {}">in 2 min</time>',
            '<time datetime="T" class="late" data-t="due" data-before="in {}">late by 1 min</time>',
        ),
        ('<input name="csrf" value="token-a">', '<input name="csrf" value="token-b">'),
    ],
)
def test_what_a_browser_keeps_fresh_by_itself_is_no_news(before: str, now: str) -> None:
    sent = split(BAND.format(said=before), "token-a")
    after = split(BAND.format(said=now), "token-b")
    assert news(after, sent) == ""
    assert fingerprint(after) == fingerprint(sent)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Ana commands", "Bo commands"),
        ('<time datetime="T" data-t="ago">2 min</time>', '<time datetime="U" data-t="ago">2 min</time>'),
        ('<time datetime="T">Mon 03:14</time>', '<time datetime="T">03:14</time>'),
        ('<p class="">x</p>', '<p class="late">x</p>'),
    ],
)
def test_every_other_difference_is_news(before: str, now: str) -> None:
    sent = split(BAND.format(said=before) + TASKS, "token")
    after = split(BAND.format(said=now) + TASKS, "token")
    assert parts_of(news(after, sent)) == ["band"]
    assert fingerprint(after) != fingerprint(sent)


def test_a_browser_of_which_nothing_is_known_is_sent_everything() -> None:
    parts = split(BAND.format(said="x") + TASKS, "token")
    assert parts_of(news(parts, None)) == ["band", "work-tasks"]


def test_a_part_that_was_not_there_is_news() -> None:
    sent = split(TASKS, "token")
    assert parts_of(news(split(BAND.format(said="x") + TASKS, "token"), sent)) == ["band"]


def test_a_page_carries_the_fingerprint_of_its_parts() -> None:
    page = f'<body data-fingerprint="{FINGERPRINT_MARK}">{TASKS}</body>'
    assert f'data-fingerprint="{fingerprint(split(TASKS, "token"))}"' in with_fingerprint(page, "token")


@pytest.fixture
async def busy(declared: Do, api: httpx.AsyncClient) -> str:
    """An incident in which every part of the page says something."""
    key: str = await declared(severity="sev-1", services=("checkout",))
    for line in BUSY:
        answer = await api.post(f"/api/v1/incidents/{key}/lines", json={"line": line})
        assert answer.is_success, (line, answer.text)
    return key


def stream_of(html: str) -> str:
    found = re.search(r'data-stream="([^"]+)" data-version="(\d+)" data-fingerprint="([0-9a-f]+)"', html)
    assert found
    return f"{found[1]}?after={found[2]}&has={found[3]}"


@pytest.mark.parametrize(
    ("name", "role"), [("ana", Role.RESPONDER), ("bo", Role.ADMIN), ("dana", Role.RESPONDER), ("eli", Role.VIEWER)]
)
async def test_a_note_is_sent_as_its_entry_alone_to_whoever_has_the_page(
    busy: str, enter: Do, run: Do, listen: Callable[..., Any], clock: FakeClock, name: str, role: Role
) -> None:
    someone = await enter(name, role)
    page = await someone.see(f"/incidents/{busy}")
    assert len(parts_of(page)) > 20
    clock.advance(seconds=50)
    async with listen(someone, stream_of(page)) as stream:
        await run(busy, m.AddNote(text="First"))
        message = await stream.next_of("change")
        assert parts_of(message.data) == []
        assert message.data.count("<li") == 1
        await run(busy, m.SetSeverity(severity="sev-2", reason="Only the EU"))
        changed = parts_of((await stream.next_of("change")).data)
        assert "band" in changed
        assert not {"picture-board", "work-tasks", "picture-decisions"} & set(changed)


async def test_a_page_that_is_no_longer_so_is_sent_the_parts_before_anything_happens(
    busy: str, enter: Do, listen: Callable[..., Any]
) -> None:
    ana = await enter()
    page = await ana.see(f"/incidents/{busy}")
    async with listen(ana, stream_of(page)[:-1] + "x") as stream:
        message = await stream.next_of("change")
        assert set(parts_of(message.data)) == set(parts_of(page))
        assert message.id is None


async def test_no_part_has_a_section_in_it(busy: str, enter: Do) -> None:
    """`split` ends a part at the first end of a section."""
    page = await (await enter()).see(f"/incidents/{busy}")
    assert [name for name, part in split(page, "").items() if part.html.count("<section") > 1] == []


async def test_a_name_that_changes_in_the_catalog_changes_on_open_pages(
    declared: Do,
    enter: Do,
    run: Do,
    node: Node,
    nordlicht: Catalog,
    clock: FakeClock,
    listen: Callable[..., Any],
) -> None:
    ana, key = await enter(), await declared()
    page = await ana.see(f"/incidents/{key}")
    async with listen(ana, stream_of(page)) as stream:
        await run(key, m.AddNote(text="The stream is up"))
        await stream.next_of("change")
        people = {**nordlicht.people, "ana": replace(nordlicht.people["ana"], full_name="Ana Ribeiro-Lund")}
        async with node.db.transaction() as conn:
            await catalogs.write(conn, replace(nordlicht, people=people), actor="operator", now=clock.now())
        node.news.tell("catalog")
        message = await stream.next_of("change")
        assert "Ana Ribeiro-Lund" in message.data
        assert message.id is None
