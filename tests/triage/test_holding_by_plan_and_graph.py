"""Maintenance windows, the dependency graph and flapping: what is held, until when, and that it pages afterwards."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sev1.catalog.model import Flapping, Maintenance, Organisation, Route, Service
from sev1.paging import model as paging
from sev1.triage import alerts, recheck_store, snapshot
from sev1.triage.flapping import History, damped_until
from sev1.triage.rules import RulesCache

from .world import World, organisation

CHECKOUT = {"alertname": "HighErrors", "service": "checkout", "severity": "critical", "summary": "42 % errors"}
DB_DOWN = {"alertname": "Down", "service": "payments-db", "severity": "critical", "summary": "Database down"}


def planned(world: World, **changes: object) -> Maintenance:
    now = world.clock.now()
    window = Maintenance(
        name="move",
        title="Move of the database",
        owner="payments",
        reason="new disks",
        services=("checkout",),
        at=time(now.hour, now.minute),
        duration_min=10,
        on=now.date(),
    )
    return msgspec.structs.replace(window, **changes)


def graph(*, ask: bool = True, worst: bool = False, tier: int = 3, **more: object):
    base = organisation()
    services = {
        **base.services,
        "payments-db": Service(name="payments-db", title="Database", owner="payments", policy="payments-primary"),
        "payments": Service(
            name="payments", title="Payments", owner="payments", policy="payments-primary", depends_on=("payments-db",)
        ),
        "checkout": msgspec.structs.replace(base.services["checkout"], depends_on=("payments",), tier=tier),
    }
    head = Organisation(
        name="organisation", title="Shop", fallback_policy="everyone", inhibit_dependents=ask, inhibit_worst=worst
    )
    return organisation(services=services, organisation=head, **more)


async def fires(world: World, *labels: dict[str, str], minutes: int = 0, over: bool = False) -> None:
    world.clock.advance(minutes=minutes)
    await world.prometheus(*labels, over=over)
    await world.triage()


async def test_maintenance_holds_and_says_by_which_and_until_when_and_then_it_pages(world: World):
    await world.apply(organisation(maintenance={"move": planned(world)}))
    await fires(world, CHECKOUT)
    alert = await world.alert()
    assert (alert.hold, alert.held_by, alert.page) == ("maintenance", "maintenance:move", None)
    end = world.clock.now().replace(second=0, microsecond=0) + timedelta(minutes=10)
    reason = f"Held by maintenance Move of the database (payments: new disks) until {end:%H:%M} UTC."
    assert alert.verdict.conclusion == reason
    for _ in range(5):
        await fires(world, CHECKOUT, minutes=2)
    alert = await world.alert()
    assert (alert.held, alert.page) == (None, "P-1")
    assert "Maintenance move, which held it, has ended." in alert.verdict.stages[0].reason


async def test_maintenance_of_another_service_holds_nothing(world: World):
    await world.apply(organisation(maintenance={"move": planned(world, services=("search",))}))
    await fires(world, CHECKOUT)
    assert (await world.alert()).page == "P-1"


async def test_what_depends_on_a_service_that_is_down_is_held_and_the_reason_names_the_path(world: World):
    await world.apply(graph())
    await fires(world, DB_DOWN)
    await fires(world, CHECKOUT)
    cause, alert = await world.alerts()
    assert (alert.held, alert.held_by, alert.page) == ("inhibited", cause.key, None)
    path = "checkout depends on payments, which depends on payments-db"
    assert alert.verdict.conclusion == f"Held: {path}, which {cause.key} says is down."
    await fires(world, DB_DOWN, over=True)
    await fires(world, CHECKOUT)
    assert (await world.alerts(service="checkout"))[0].page == "P-2"


async def test_a_cause_that_is_silenced_holds_nothing_any_more(world: World):
    await world.apply(graph())
    await fires(world, DB_DOWN)
    await fires(world, CHECKOUT)
    await world.silence('service="payments-db"')
    await world.triage()
    assert (await world.alerts(service="checkout"))[0].page == "P-2"


async def test_alike_alerts_that_share_a_verdict_are_free_too_when_what_caused_them_is_silenced(world: World):
    await world.apply(graph())
    await fires(world, DB_DOWN)
    await fires(world, *({**CHECKOUT, "instance": str(number)} for number in range(3)))
    assert {alert.held for alert in await world.alerts(service="checkout")} == {"inhibited"}
    assert len(await world.rows("SELECT 1 FROM shared_verdicts")) == 1
    await world.silence('service="payments-db"')
    await world.triage()
    assert {(alert.held, alert.page) for alert in await world.alerts(service="checkout")} == {(None, "P-2")}


async def test_a_cause_in_the_same_batch_holds_too_whatever_the_order(world: World):
    await world.apply(graph())
    await fires(world, CHECKOUT, DB_DOWN)
    held = {alert.service: alert.held for alert in await world.alerts()}
    assert held == {"checkout": "inhibited", "payments-db": None}


async def test_the_graph_holds_nothing_unless_asked(world: World):
    await world.apply(graph(ask=False))
    await fires(world, CHECKOUT, DB_DOWN)
    assert len(await world.pages()) == 2


async def test_tier_one_and_sev_one_page_whatever_their_cause_unless_asked(world: World):
    await world.apply(graph(tier=1))
    await fires(world, CHECKOUT, DB_DOWN)
    assert len(await world.pages()) == 2
    stage = (await world.alerts(service="checkout"))[0].verdict.stage("inhibit")
    assert stage is not None
    assert "checkout is tier 1" in stage.reason


async def test_a_worst_alert_is_held_when_the_organisation_asks(world: World):
    await world.apply(graph(tier=1, worst=True))
    await fires(world, {**CHECKOUT, "severity": "sev-1"}, DB_DOWN)
    assert len(await world.pages()) == 1


async def test_alerts_with_a_common_upstream_share_one_page(world: World):
    route = Route(name="all", match=(), group_by_dependency=True, group_limit=2)
    await world.apply(graph(ask=False, routes={"all": route}))
    await fires(world, CHECKOUT, DB_DOWN)
    await fires(world, {**DB_DOWN, "alertname": "Slow", "service": "payments"})
    assert {alert.page for alert in await world.alerts()} == {"P-1"}
    last = (await world.alerts(service="payments"))[0]
    assert "share" in last.verdict.conclusion
    assert "The page holds 2 alerts already" in last.verdict.conclusion


async def test_a_worse_alert_that_joins_pages_again(world: World):
    await world.apply(organisation(routes={}))
    await fires(world, {**CHECKOUT, "severity": "sev-2", "pod": "a"})
    await world.say("P-1", paging.Acknowledge())
    await fires(world, {**CHECKOUT, "severity": "sev-1", "pod": "b"})
    page = await world.page()
    assert (page.status, page.severity) == ("triggered", "sev-1")


async def test_a_milder_alert_that_joins_wakes_nobody_again(world: World):
    await world.apply(organisation(routes={}))
    await fires(world, {**CHECKOUT, "severity": "sev-1", "pod": "a"})
    await world.say("P-1", paging.Acknowledge())
    await fires(world, {**CHECKOUT, "severity": "sev-2", "pod": "b"})
    page = await world.page()
    assert (page.status, page.severity) == ("acknowledged", "sev-1")


async def test_what_flaps_opens_no_page_until_it_is_calm_and_then_it_does(world: World):
    rule = Flapping(changes=4, window_min=60, calm_min=5)
    await world.apply(organisation(routes={"all": Route(name="all", flapping=rule)}))
    for _ in range(4):
        await fires(world, CHECKOUT, minutes=1)
        await fires(world, CHECKOUT, minutes=1, over=True)
    assert len(await world.pages()) == 2
    await fires(world, CHECKOUT, minutes=1)
    newest = (await world.alerts())[-1]
    assert (newest.hold, newest.verdict.flapping) == ("flapping", True)
    assert "it is flapping, 9 changes in 60 min" in newest.verdict.conclusion
    for _ in range(5):
        await fires(world, CHECKOUT, minutes=1)
    newest = (await world.alerts())[-1]
    assert (newest.held, newest.page) == (None, "P-3")


INSTANT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@given(st.lists(st.integers(0, 170), min_size=1, max_size=60), st.integers(2, 20), st.integers(1, 60))
@settings(deadline=None)
def test_damping_ends_by_itself_and_never_takes_the_first_page(minutes: list[int], changes: int, calm: int):
    rule = Flapping(changes=changes, window_min=180, calm_min=calm)
    at = tuple(INSTANT - timedelta(minutes=minute) for minute in minutes)
    assert damped_until(History(changes=at, paged=False), rule, INSTANT) is None
    until = damped_until(History(changes=at, paged=True), rule, INSTANT)
    if until is not None:
        assert INSTANT < until <= INSTANT + timedelta(minutes=calm)
        assert damped_until(History(changes=at, paged=True), rule, until) is None


async def test_an_fyi_is_held_back_while_its_service_has_an_incident_and_shown_after(world: World):
    await world.apply(organisation())
    await world.rows(
        "INSERT INTO incidents (id, number, version, status, title, severity, stage, commander, services, started_at,"
        " detected_at, declared_at, state) VALUES ('INC-1', 1, 1, 'open', 'x', 'sev-2', 'triage', 'ana', '{checkout}',"
        " $1, $1, $1, '{}')",
        world.clock.now(),
    )
    await fires(world, {**CHECKOUT, "severity": "info"})
    alert = await world.alert()
    assert alert.verdict.during == "INC-1"
    assert alert.verdict.conclusion == "FYI: severity=info. Held back while INC-1 is open on checkout."
    assert await world.alerts(hold_back_fyi=True) == []
    async with world.db.connection() as conn:
        assert (await alerts.loose_ends(conn)).fyi_held_back == 1
        await conn.execute("UPDATE incidents SET resolved_at = $1", world.clock.now())
    assert [a.id for a in await world.alerts(hold_back_fyi=True)] == [alert.id]


async def test_what_is_judged_again_has_the_episode_that_fires_in_its_history(world: World):
    for over in (False, True, False):
        await fires(world, CHECKOUT, over=over, minutes=1)
    async with world.db.connection() as conn:
        episodes = await recheck_store.episodes(conn, {2: "Look again."})
        rules = RulesCache().of(await world.catalogs.current(conn))
        context = await snapshot.read(conn, rules, episodes, world.clock.now())
    (history,) = context.history.values()
    minutes = [(world.clock.now() - at) / timedelta(minutes=1) for at in sorted(history.changes)]
    assert [round(one) for one in minutes] == [2, 1, 0]
    assert history.paged


async def test_what_nobody_routes_and_what_fits_no_tier_are_listed_by_rule(world: World):
    head = Organisation(name="organisation", title="Shop", fallback_policy="everyone", fallback_owner="payments")
    await world.apply(organisation(organisation=head))
    await fires(world, {"alertname": "Odd", "severity": "purple", "n": "1"}, {"alertname": "Odd", "n": "2"}, CHECKOUT)
    async with world.db.connection() as conn:
        lost = await alerts.nobody_routes(conn)
        rules = await alerts.untiered_by_rule(conn, world.clock.now() - timedelta(days=7))
    assert {alert.labels["alertname"] for alert in lost} == {"Odd"}
    assert "Payments keeps what nobody routes" in lost[0].verdict.stages[4].reason
    assert [(rule.rule, rule.alerts) for rule in rules] == [("Odd", 2)]
    assert date.min < rules[0].last_at.date()
