"""A weak signal or a near miss, from the line that somebody wrote to what became of it (mission 2.4)."""

import asyncio

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.engine import audit
from tests.scenarios.stage import Stage


async def test_a_near_miss_becomes_an_incident_and_both_name_each_other(stage: Stage):
    noted = await stage.api("POST", "/signals", {
        "text": "The failover needed two tries", "kind": "near-miss", "service": "checkout",
        "might_have": "Nobody could have paid until the morning", "tags": ["failover"],
    })  # fmt: skip
    assert (noted["id"], noted["state"], noted["noted_by"]) == ("SIG-1", "open", "test")
    assert stage.mailed() == []  # it wakes nobody
    promoted = await stage.api("POST", "/signals/1/promote", {"severity": "sev-3"})
    assert (promoted["state"], promoted["incident"]) == ("promoted", "INC-1")
    incident = await stage.api("GET", "/incidents/INC-1")
    assert incident["title"] == "The failover needed two tries"
    assert (incident["severity"], incident["services"]) == ("sev-3", ["checkout"])
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    assert any("SIG-1" in f"{entry['headline']}{entry['details']}" for entry in timeline)
    assert [one["id"] for one in await stage.api("GET", "/signals?incident=INC-1")] == ["SIG-1"]
    assert await stage.api("GET", "/signals?state=open") == []


async def test_of_two_who_settle_a_signal_at_once_one_is_told_so(stage: Stage):
    await stage.api("POST", "/signals", {"text": "The queue was slow to drain"})
    answers = await asyncio.gather(
        stage.ask("POST", "/signals/1/promote", {}),
        stage.ask("POST", "/signals/1/review", {"lesson": "Drain is bound to one worker"}),
        stage.ask("POST", "/signals/1/promote", {}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(await stage.api("GET", "/incidents")) == (await stage.api("GET", "/signals/1"))["state"].count(
        "promoted"
    )


async def test_every_step_is_in_the_audit_log_with_who_and_why(stage: Stage):
    await stage.api("POST", "/signals", {"text": "A certificate was renewed with a day to go"})
    await stage.api("POST", "/signals/1/review", {"lesson": "The check looks a week ahead now"})
    await stage.api("POST", "/signals", {"text": "A graph had a gap"})
    await stage.api("POST", "/signals/2/drop", {"reason": "The graph was moved, nothing was lost"})
    async with stage.node.db.connection() as conn:
        first, second = await audit.about(conn, "SIG-1"), await audit.about(conn, "SIG-2")
    assert [(one.actor, one.action) for one in first] == [
        ("test", "signal.noted"),
        ("test", "signal.reviewed"),
    ]
    assert first[1].data == {"lesson": "The check looks a week ahead now"}
    assert second[1].data == {"reason": "The graph was moved, nothing was lost"}


async def test_the_list_is_narrowed_and_paged(stage: Stage):
    for number in range(1, 6):
        tags = ["deploy"] if number % 2 else []
        await stage.api("POST", "/signals", {"text": f"odd {number}", "tags": tags, "service": "checkout"})
    listed = await stage.api("GET", "/signals?tag=deploy&limit=2")
    assert [one["number"] for one in listed] == [5, 3]
    assert [one["number"] for one in await stage.api("GET", "/signals?tag=deploy&limit=2&before=3")] == [1]
    assert await stage.api("GET", "/signals?service=search") == []
    assert await stage.api("GET", "/signals?kind=near-miss") == []


async def test_what_cannot_be_kept_is_refused_in_words_and_nothing_is_noted(stage: Stage):
    refused = await stage.api("POST", "/signals", {"text": "odd", "service": "chekout"}, expect=400)
    assert 'Did you mean "checkout"' in refused["detail"]
    await stage.api("POST", "/signals", {"text": "   "}, expect=400)
    await stage.api("POST", "/signals", {"text": "odd", "kind": "premonition"}, expect=400)
    await stage.api("POST", "/signals", {"text": "odd\0"}, expect=400)
    await stage.api("POST", "/signals", {"text": "odd"})
    await stage.api("POST", "/signals/1/review", {"lesson": "  "}, expect=400)
    await stage.api("POST", "/signals/1/drop", {}, expect=400)
    await stage.api("POST", "/signals/9/drop", {"reason": "no"}, expect=404)
    assert [one["text"] for one in await stage.api("GET", "/signals")] == ["odd"]


async def test_a_signal_names_its_incident_only_to_who_sees_it(stage: Stage):
    await stage.api("POST", "/signals", {"text": "Somebody signed in from two places at once"})
    await stage.api("POST", "/signals/1/promote", {"severity": "sev-2"})
    await stage.says("INC-1", "/restrict because an account was taken over")
    assert (await stage.api("GET", "/signals/1"))["incident"] == "INC-1"
    others = await tokens.create(stage.node.db, name="other", role=Role.RESPONDER, by=OPERATOR, now=stage.clock.now())
    headers = {"Authorization": f"Bearer {others.token}"}
    one = (await stage.http.get("/api/v1/signals/1", headers=headers)).json()
    assert (one["state"], one["incident"]) == ("promoted", None)
    listed = await stage.http.get("/api/v1/signals?state=promoted", headers=headers)
    assert [signal["incident"] for signal in listed.json()] == [None]
    assert (await stage.http.get("/api/v1/signals?incident=INC-1", headers=headers)).json() == []
