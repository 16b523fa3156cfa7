"""Silences and inhibition: what is held back, and that it pages when the reason is gone."""

from sev1.paging import model as paging
from sev1.triage import silences

from .world import World, organisation

CHECKOUT = {
    "alertname": "HighErrors",
    "service": "checkout",
    "severity": "critical",
    "env": "prod",
    "summary": "42 % errors",
}
APP = {**CHECKOUT, "kind": "app", "region": "eu"}
DB_DOWN = {"alertname": "DbDown", "severity": "critical", "env": "prod", "region": "eu", "summary": "Database down"}


async def keep_firing(world: World, *labels: dict[str, str], minutes: int) -> None:
    for _ in range(minutes):
        world.clock.advance(minutes=1)
        await world.prometheus(*labels)
        await world.triage()


async def test_a_silenced_alert_pages_nobody_until_the_silence_ends(world: World):
    silence = await world.silence('alertname="HighErrors"', minutes=10)
    await world.prometheus(CHECKOUT)
    await world.triage()
    alert = await world.alert()
    assert (alert.held, alert.held_by, alert.page) == ("silenced", str(silence.id), None)
    await keep_firing(world, CHECKOUT, minutes=9)
    assert await world.pages() == []
    await keep_firing(world, CHECKOUT, minutes=1)
    alert = await world.alert()
    assert (alert.held, alert.held_by, alert.page) == (None, None, "P-1")
    assert silence.label in alert.verdict.stages[0].reason
    assert await world.history(alert.id) == ["fired", "looked-at-again"]


async def test_a_silence_ended_early_pages_at_once_what_still_fires(world: World):
    silence = await world.silence('env="prod"')
    await world.prometheus(CHECKOUT)
    await world.triage()
    async with world.db.transaction() as conn:
        await silences.expire(conn, silence.id, by="ana", now=world.clock.now())
    await world.triage()
    assert (await world.page()).status == "triggered"


async def test_what_is_over_when_the_silence_ends_pages_nobody(world: World):
    await world.silence('env="prod"', minutes=10)
    await world.prometheus(CHECKOUT)
    await world.prometheus(CHECKOUT, over=True)
    await world.triage()
    world.clock.advance(minutes=10)
    await world.triage()
    assert await world.pages() == []


async def test_an_alert_under_two_silences_stays_quiet_until_the_second_ends(world: World):
    await world.silence('env="prod"', minutes=20)
    await world.silence('alertname="HighErrors"', minutes=10)
    await world.prometheus(CHECKOUT)
    await world.triage()
    await keep_firing(world, CHECKOUT, minutes=19)
    assert await world.pages() == []
    await keep_firing(world, CHECKOUT, minutes=1)
    assert len(await world.pages()) == 1


async def test_a_silence_that_begins_later_holds_back_from_then_on(world: World):
    now = world.clock.now()
    async with world.db.transaction() as conn:
        from datetime import timedelta

        from sev1.catalog.matchers import parse

        await silences.create(
            conn, matchers=parse("env=prod"), starts_at=now + timedelta(minutes=5),
            ends_at=now + timedelta(hours=1), created_by="Ana", comment="move", now=now,
        )  # fmt: skip
    await world.prometheus(CHECKOUT)
    await world.triage()
    assert (await world.alert()).held is None
    await keep_firing(world, CHECKOUT, minutes=5)
    assert (await world.alert()).held == "silenced"


async def test_a_new_silence_marks_what_fires_and_ends_a_page_on_which_nothing_else_fires(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    silence = await world.silence('alertname="HighErrors"', minutes=30)
    await world.triage()
    alert, page = await world.alert(), await world.page()
    assert (alert.held, alert.page) == ("silenced", "P-1")
    assert (page.status, page.resolution) == (
        "resolved", f"Silenced by {silence.label} (Ana: planned migration) until 03:44 UTC.",
    )  # fmt: skip
    await keep_firing(world, CHECKOUT, minutes=30)
    assert [p.status for p in await world.pages()] == ["resolved", "triggered"]
    assert (await world.alert()).page == "P-2"


async def test_a_silence_of_some_alerts_leaves_the_page_running(world: World):
    await world.prometheus({**CHECKOUT, "instance": "a"}, {**CHECKOUT, "instance": "b"})
    await world.triage()
    await world.silence('instance="a"')
    await world.triage()
    assert [a.held for a in await world.alerts()] == ["silenced", None]
    assert (await world.page()).status == "triggered"
    await world.prometheus({**CHECKOUT, "instance": "b"}, over=True)
    await world.triage()
    assert (await world.page()).status == "resolved"


async def test_a_silence_that_ends_brings_an_alert_back_to_its_running_page(world: World):
    a, b = {**CHECKOUT, "instance": "a"}, {**CHECKOUT, "instance": "b"}
    await world.prometheus(a, b)
    await world.triage()
    await world.silence('instance="a"', minutes=5)
    await world.triage()
    await keep_firing(world, a, b, minutes=5)
    assert [alert.held for alert in await world.alerts()] == [None, None]
    assert {alert.page for alert in await world.alerts()} == {"P-1"}
    assert len(await world.pages()) == 1


async def test_a_silence_of_one_key_leaves_the_alerts_of_others_alone(world: World):
    await world.silence('env="prod"', key=1)
    await world.prometheus(CHECKOUT, key=1)
    await world.prometheus(CHECKOUT, key=7)
    await world.triage()
    assert [a.held for a in await world.alerts()] == ["silenced", None]
    assert len(await world.pages()) == 1


async def test_a_pagerduty_alert_outlives_the_page_that_its_silence_ended(world: World):
    await world.pagerduty("trigger", "db")
    await world.triage()
    await world.silence('source="host"', minutes=10)
    await world.triage()
    assert (await world.page()).status == "resolved"
    assert (await world.alert()).status == "firing"
    world.clock.advance(minutes=10)
    await world.triage()
    assert [p.status for p in await world.pages()] == ["resolved", "triggered"]


async def test_a_silenced_page_that_was_acknowledged_is_over_too(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    await world.say("P-1", paging.Acknowledge())
    await world.silence('env="prod"')
    await world.triage()
    assert (await world.page()).status == "resolved"


async def test_many_alerts_are_silenced_in_parts(world: World):
    from sev1.triage.recheck import RecheckStep

    world.recheck = RecheckStep(world.db, world.commands, world.catalogs, world.clock, batch=7)
    await world.prometheus(*({**CHECKOUT, "instance": f"i-{n}"} for n in range(20)))
    await world.triage()
    await world.silence('instance=~"i-.*"')
    await world.triage()
    assert {a.held for a in await world.alerts()} == {"silenced"}
    assert (await world.page()).status == "resolved"


async def test_an_inhibited_alert_pages_when_its_cause_is_over_and_it_is_not(world: World):
    await world.prometheus(DB_DOWN)
    await world.triage()
    await world.prometheus(APP)
    await world.triage()
    _, app = await world.alerts()
    assert (app.held, app.held_by) == ("inhibited", "A-1")
    assert [p.title for p in await world.pages()] == ["Database down"]
    await world.prometheus(DB_DOWN, over=True)
    await world.triage()
    _, app = await world.alerts()
    assert (app.held, app.page) == (None, "P-2")
    assert "A-1, which inhibited it, is over." in app.verdict.stages[0].reason


async def test_a_cause_that_arrives_with_its_effects_inhibits_them_whatever_the_order(world: World):
    await world.prometheus(APP, DB_DOWN)
    await world.triage()
    app, _ = await world.alerts()
    assert (app.held, app.held_by) == ("inhibited", "A-2")
    assert [p.title for p in await world.pages()] == ["Database down"]


async def test_a_cause_that_is_over_in_the_same_batch_inhibits_nothing(world: World):
    await world.prometheus(DB_DOWN)
    await world.prometheus(APP)
    await world.prometheus(DB_DOWN, over=True)
    await world.triage()
    assert [a.held for a in await world.alerts(status="firing")] == [None]


async def test_a_known_cause_that_ends_in_the_batch_of_its_effect_inhibits_nothing(world: World):
    await world.prometheus(DB_DOWN)
    await world.triage()
    await world.prometheus(APP)
    await world.prometheus(DB_DOWN, over=True)
    await world.triage()
    assert [a.held for a in await world.alerts(status="firing")] == [None]


async def test_a_silenced_cause_inhibits_all_the_same(world: World):
    await world.silence('alertname="DbDown"')
    await world.prometheus(DB_DOWN)
    await world.triage()
    await world.prometheus(APP)
    await world.triage()
    assert [a.held for a in await world.alerts()] == ["silenced", "inhibited"]
    assert await world.pages() == []


async def test_an_inhibit_rule_that_is_taken_out_of_the_catalog_frees_what_it_held(world: World):
    await world.prometheus(DB_DOWN)
    await world.prometheus(APP)
    await world.triage()
    await world.apply(organisation(inhibit_rules={}))
    await world.triage()
    assert [a.held for a in await world.alerts()] == [None, None]
    assert len(await world.pages()) == 2


async def test_an_effect_moves_to_another_cause_when_the_first_is_over(world: World):
    other = {**DB_DOWN, "instance": "standby"}
    await world.prometheus(DB_DOWN, other)
    await world.prometheus(APP)
    await world.triage()
    await world.prometheus(DB_DOWN, over=True)
    await world.triage()
    (app,) = [a for a in await world.alerts() if a.labels.get("kind") == "app"]
    assert (app.held, app.held_by) == ("inhibited", "A-2")
