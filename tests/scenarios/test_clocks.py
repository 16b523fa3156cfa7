"""Updates for several audiences, through the API, with the clock moved by hand."""

from msgspec.structs import replace

from sev1.catalog import store
from sev1.catalog.audience import Audience
from sev1.catalog.contact import EmailMethod
from tests.scenarios.stage import Stage


async def with_audiences(stage: Stage) -> None:
    """Executives are promised news from the start of a SEV-1; customers once they were told."""
    async with stage.node.db.transaction() as conn:
        catalog = await store.read(conn)
        audiences = (
            Audience(
                name="executives",
                title="Executives",
                announce=(EmailMethod(address="board@nordlicht.example"),),
                update_every_min={"sev-1": 60},
            ),
            Audience(
                name="customers", title="Customers", announce=(EmailMethod(address="customers@nordlicht.example"),)
            ),
        )
        organisation = replace(catalog.organisation, audiences=audiences)
        await store.write(conn, replace(catalog, organisation=organisation), actor="test", now=stage.clock.now())


async def test_each_audience_is_told_over_its_own_channels_and_hears_the_end(stage: Stage):
    await with_audiences(stage)
    await stage.declares(severity="sev-1")
    answer = await stage.says("INC-1", "/can for customers: Paying by card fails at the moment | We are mending it")
    assert answer["recorded"][0]["headline"] == "Update for customers"
    assert stage.mailed("Update: Paying by card fails") == ["customers@nordlicht.example"]
    mail = stage.post.mails[-1].get_body(("plain",)).get_content()
    assert "We are mending it" in mail
    assert "/incidents/" not in mail
    assert stage.mailed("SEV-1 update") == []
    for criterion in ("restored", "impact_ended", "stable", "no_residual"):
        await stage.says("INC-1", f"/confirm {criterion}")
    await stage.says("INC-1", "/resolve", "/all-clear Cards work again.")
    assert stage.mailed("All clear: Cards work again.") == ["customers@nordlicht.example"]


async def test_the_holder_is_reminded_before_and_the_commander_told_once_when_it_is_late(stage: Stage):
    await with_audiences(stage)
    await stage.declares(severity="sev-1", commander="ana")
    await stage.says("INC-1", "/role comms @bo", "/can all is slow")
    await stage.later(minutes=24)
    assert stage.mailed("The update is due") == []
    await stage.later(minutes=2)
    assert stage.mailed("The update is due") == ["bo@nordlicht.example"]
    await stage.later(minutes=40)
    assert len(stage.mailed("The update is due")) == 1
    assert stage.mailed("The update promised by") == ["ana@nordlicht.example"]
    assert stage.mailed("The update for executives is due") == ["bo@nordlicht.example"]
    assert stage.mailed("The update for executives promised by") == ["ana@nordlicht.example"]
    headlines = [entry["headline"] for entry in await stage.api("GET", "/incidents/INC-1/timeline")]
    assert headlines[-2:] == [
        "The update promised by 2026-03-02 03:44 UTC is late",
        "The update for executives promised by 2026-03-02 04:14 UTC is late",
    ]
    state = (await stage.says("INC-1", "/promise executives in 45 min"))["incident"]
    assert state["clocks"]["executives"]["late"] is False


async def test_a_decision_is_numbered_and_its_outcome_is_in_the_record_and_the_postmortem(stage: Stage):
    await stage.declares()
    answer = await stage.says("INC-1", "/decide roll back because errors began with the deploy")
    assert answer["recorded"][0]["headline"] == "Decision D1: roll back"
    answer = await stage.says("INC-1", "/outcome D1 it did not: errors stay at 42 %")
    assert answer["recorded"][0]["headline"] == "D1 did not work: roll back"
    [decision] = answer["incident"]["decisions"]
    assert (decision["worked"], decision["outcome"]) == (False, "errors stay at 42 %")
    assert (await stage.says("INC-1", "/outcome D1 it did not: errors stay at 42 %"))["recorded"] == []
    assert "D1 did not work: roll back" in await stage.api("GET", "/incidents/INC-1/postmortem")
    await stage.says("INC-1", "/outcome D2 it worked", expect=404)


async def test_who_does_not_exist_cannot_be_told(stage: Stage):
    await stage.declares()
    refused = await stage.does("INC-1", "post_update", condition="c", audience="press", expect=400)
    assert "Choose one of internal, executives, customers" in refused["detail"]
    refused = await stage.says("INC-1", "/can for custmers: cards fail", expect=400)
    assert "Did you mean customers?" in refused["detail"]
    refused = await stage.says("INC-1", "/promise press in 20 min", expect=400)
    assert "There is no audience 'press'" in refused["detail"]
    text = await stage.says("INC-1", "/can for some: it works")
    assert text["incident"]["update"]["condition"] == "for some: it works"
