"""Nobody commands until they drop: breaks and a hand-over proposed in time, through the whole product (missions 10.1, 10.3)."""

from datetime import timedelta

from sev1.command import store
from tests.scenarios.stage import Stage
from tests.scenarios.test_restricted_incidents import browser


async def hours(stage: Stage, count: float) -> None:
    """Time passes in steps of ten minutes; everybody but Ana does nothing."""
    for _ in range(round(count * 6)):
        stage.clock.jump_to(stage.clock.now() + timedelta(minutes=10))
        await stage.settle()


async def test_the_commander_is_asked_in_private_to_hand_over_before_the_limit_of_the_severity(stage: Stage):
    ana = await browser(stage, "ana")
    hana = await browser(stage, "hana")
    await stage.declares(severity="sev-1", commander="ana", services=["checkout"])
    await stage.says("INC-1", "/role ops @bo")
    await hours(stage, 3.75)
    assert stage.mailed("Hand command over soon") == ["ana@nordlicht.example"]
    assert stage.mailed("has worked 2 h") == ["ana@nordlicht.example"]
    [subject] = [str(mail["Subject"]) for mail in stage.post.mails if "Hand command over" in str(mail["Subject"])]
    assert "To whom:" in subject
    await stage.says("INC-1", "/can 42 % fail")
    hers = (await stage.http.get("/incidents/INC-1", headers=ana)).text
    assert "You have worked 3 h" in hers
    assert "<strong>tired</strong>" in hers
    others = (await stage.http.get("/incidents/INC-1", headers=hana)).text
    assert "tired" not in others
    timeline = str(await stage.api("GET", "/incidents/INC-1/timeline"))
    assert "rest for" not in timeline
    assert "tired" not in timeline + await stage.api("GET", "/incidents/INC-1/postmortem")
    people = await stage.api("GET", "/incidents/INC-1/people")
    assert [(one["person"], one["level"]) for one in people if one["person"] == "ana"] == [("ana", "")]
    await hours(stage, 0.5)
    assert stage.mailed("Hand command over now") == ["ana@nordlicht.example"]


async def test_a_break_is_covered_and_ends_by_itself(stage: Stage):
    await stage.declares(commander="ana")
    refused = await stage.says("INC-1", "/break @ana 30 min", expect=409)
    assert "say who covers" in refused["detail"]
    answer = await stage.says("INC-1", "/break @ana 30 min cover @bo")
    assert answer["recorded"][0]["headline"].endswith("covers")
    assert stage.mailed("You cover for ana until") == ["bo@nordlicht.example"]
    assert answer["incident"]["commander"] == "ana"
    await stage.later(minutes=31)
    assert stage.mailed("Your break is over") == ["ana@nordlicht.example"]
    [row] = [one for one in await stage.api("GET", "/incidents/INC-1/people") if one["person"] == "ana"]
    assert (row["break_until"], row["roles"]) == (None, ["Incident Commander"])


async def test_of_a_restricted_incident_nobody_from_outside_is_named_as_a_successor(stage: Stage):
    await stage.declares("Kestrel", severity="sev-1", commander="ana", restricted=True, services=["checkout"])
    await stage.says("INC-1", "/role security @dana")
    await hours(stage, 3.75)
    async with stage.node.db.connection() as conn:
        incident = await store.get(conn, "INC-1")
    assert incident is not None
    assert [one.person for one in incident.pace.stints["ana"].successors] == ["dana"]
