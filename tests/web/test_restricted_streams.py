"""Streams that are open when an incident is restricted, somebody is removed, or a lent sight ends."""

from collections.abc import Awaitable, Callable
from typing import Any

from sev1.access import break_glass
from sev1.access.model import Role
from sev1.app import Node
from sev1.command import model as m
from sev1.command.parts.privacy import Admit, Remove, Restrict
from sev1.engine.clock import FakeClock

Do = Callable[..., Awaitable[Any]]


async def ends_without(stream: Any, secret: str) -> bool:
    """Whether the stream ends, and told nothing of `secret` before."""
    while (message := await stream.next()) is not None:
        assert secret not in message.data
    return bool(stream.ended)


async def test_an_open_stream_ends_when_the_incident_is_restricted(
    enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    bo, key = await enter("bo"), await declared()
    async with listen(bo, f"/incidents/{key}/events?after=1") as stream:
        assert stream.status == 200
        await run(key, Restrict(reason="kestrel"), m.AddNote(text="the kestrel keys"))
        assert await ends_without(stream, "kestrel")
    await bo.see(f"/incidents/{key}/events", status=404)
    await bo.see(f"/news?about=incident/{key}", status=404)
    await bo.see("/news?about=incident/INC-99", status=404)


async def test_an_open_stream_ends_when_one_is_removed_and_goes_on_for_the_others(
    enter: Do, declared: Do, run: Do, listen: Callable[..., Any]
) -> None:
    ana, bo, key = await enter("ana"), await enter("bo"), await declared(restricted=True)
    await run(key, Admit(person="bo"))
    async with (
        listen(bo, f"/incidents/{key}/events?after=3") as his,
        listen(ana, f"/incidents/{key}/events?after=3") as hers,
    ):
        assert (his.status, hers.status) == (200, 200)
        await run(key, Remove(person="bo"), m.AddNote(text="the kestrel keys"))
        assert await ends_without(his, "kestrel")
        told = ""
        while "kestrel" not in told:
            told += (await hers.next_of("change")).data


async def test_a_stream_by_a_lent_sight_ends_with_it(
    enter: Do, declared: Do, run: Do, node: Node, clock: FakeClock, listen: Callable[..., Any]
) -> None:
    eli, key = await enter("eli", Role.ADMIN), await declared(restricted=True)
    await eli.see(f"/incidents/{key}", status=404)
    form = {"what": "incident", "incident": key, "minutes": "5", "reason": "nobody answers", "at_once": "yes"}
    assert (await eli.send("/break-glass", on="/break-glass", **form)).status_code == 303
    async with listen(eli, f"/incidents/{key}/events?after=0") as stream:
        assert "Card payments fail" in (await stream.next_of("change")).data
        clock.advance(minutes=5)
        await run(key, m.AddNote(text="the kestrel keys"))
        assert await ends_without(stream, "kestrel")
    await eli.see(f"/incidents/{key}", status=404)
    async with node.db.connection() as conn:
        used = await break_glass.uses(conn, [1])
    assert f"/incidents/{key}/events" in [use.path for use in used[1]]
