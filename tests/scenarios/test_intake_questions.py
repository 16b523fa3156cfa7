"""The five intake questions, through the API, on a real database (mission 7.4)."""

from datetime import timedelta

from sev1.intake import changes
from sev1.intake.changes import ReceivedChange
from sev1.intake.model import InboundChange
from tests.scenarios.stage import Stage


async def changed(stage: Stage, service: str, summary: str, hours_ago: float) -> None:
    now = stage.clock.now()
    change = InboundChange(at=now - timedelta(hours=hours_ago), summary=summary, source="ci")
    async with stage.node.db.transaction() as conn:
        await changes.add(conn, [ReceivedChange(change=change, key_id=1, service=service, received_at=now)])


def answers(incident: dict) -> dict[str, dict]:
    return {one["question"]: one for one in incident["intake"]}


async def test_declared_from_a_page_the_record_answers_and_people_confirm_or_say_better(stage: Stage):
    await changed(stage, "checkout", "Deploy 1.4", 1)
    await changed(stage, "payments", "New card processor", 3)
    await changed(stage, "checkout", "Deploy 1.3", 30)
    await changed(stage, "warehouse", "Not near it", 1)
    await stage.fires()
    declared = await stage.declares(page="P-1")
    found = answers(declared)
    assert [one["confirmed"] for one in found.values()] == [True, False, False, False, False]
    assert found["summary"]["text"] == "Card payments fail"
    assert found["began"]["text"] == "2026-03-02 03:12 UTC"
    assert "Checkout" in found["blast"]["text"]
    assert "In its wake" not in found["blast"]["text"]
    assert [line.split(": ", 1)[1] for line in found["changed"]["text"].splitlines()] == [
        "Deploy 1.4",
        "New card processor",
    ]
    assert "Payments" in found["tell"]["text"]

    answer = await stage.says("INC-1", "/changed")
    assert answer["recorded"][0]["headline"] == "Confirmed: what changed before"
    answer = await stage.says("INC-1", "/tell the card processor")
    assert answer["recorded"][0]["details"] == [["Answer", "the card processor"]]
    answer = await stage.says("INC-1", "/began 2026-03-02 03:05 UTC")
    assert answer["incident"]["started_at"] == "2026-03-02T03:05:00Z"
    standing = answers(answer["incident"])
    assert [question for question, one in standing.items() if not one["confirmed"]] == ["blast"]
    timeline = [entry["headline"] for entry in await stage.api("GET", "/incidents/INC-1/timeline")]
    assert not any("From the record" in headline for headline in timeline)


async def test_an_alert_that_is_linked_later_answers_what_was_open(stage: Stage):
    await stage.fires()
    declared = await stage.declares()
    assert [one["text"] for one in declared["intake"]] == ["Card payments fail", "", "", "", ""]
    refused = await stage.says("INC-1", "/blast", expect=400)
    assert "Nothing is on record" in refused["detail"]
    found = answers((await stage.says("INC-1", "/link A-1"))["incident"])
    assert "Checkout" in found["blast"]["text"]
    assert found["began"]["confirmed"] is False
    assert found["changed"]["text"] == ""


async def test_an_alert_that_came_later_does_not_move_the_beginning_that_the_record_knows(stage: Stage):
    await stage.fires()
    await stage.declares()
    page = (await stage.api("GET", "/pages?status=any"))[0]["id"]
    found = answers((await stage.says("INC-1", f"/link {page}"))["incident"])
    assert (found["began"]["text"], found["began"]["confirmed"]) == ("2026-03-02 03:12 UTC", False)
    assert "Checkout" in found["blast"]["text"]
    await stage.later(minutes=6)
    await stage.fires("SearchSlow", labels={"service": "search"})
    found = answers((await stage.says("INC-1", "/link A-2"))["incident"])
    assert found["began"]["text"] == "2026-03-02 03:12 UTC"
    assert "Search" in found["blast"]["text"]
    briefing = await stage.api("GET", "/incidents/INC-1/briefing")
    assert "Not answered yet: what changed before." in str(briefing)
    assert "(from the record, not confirmed)" in str(briefing)
