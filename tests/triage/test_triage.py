"""From the inbox to alerts and pages, over a real PostgreSQL."""

from datetime import timedelta

import msgspec

from sev1.catalog.model import Catalog, Organisation
from sev1.engine.database import Database
from sev1.paging import model as paging
from sev1.triage import alerts

from .world import World, organisation, print_of

CHECKOUT = {
    "alertname": "HighErrors",
    "service": "checkout",
    "severity": "critical",
    "env": "prod",
    "summary": "42 % errors",
}


async def test_a_critical_alert_becomes_an_alert_a_verdict_and_a_page(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    alert, page = await world.alert(), await world.page()
    assert (alert.key, alert.status, alert.tier, alert.service, alert.severity) == (
        "A-1", "firing", "page", "checkout", "critical",
    )  # fmt: skip
    assert (alert.summary, alert.page, alert.times) == ("42 % errors", "P-1", 1)
    assert alert.fingerprint == print_of(CHECKOUT)
    assert [s.name for s in alert.verdict.stages] == ["dedup", "silence", "inhibit", "tier", "route", "group"]
    assert alert.verdict.conclusion == "Opens P-1."
    assert (page.key, page.status, page.title, page.alert_count) == ("P-1", "triggered", "42 % errors", 1)
    assert page.why == "Page: route prod-critical says so. Goes to Payments primary (service checkout)."
    assert [p.person for p in page.people] == ["ana"]
    assert page.brief.since == alert.starts_at
    assert await world.history(alert.id) == ["fired"]


async def test_the_stored_payload_can_be_found_from_the_alert(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    alert = await world.alert()
    rows = await world.rows(
        "SELECT format FROM inbox WHERE writer = $1 AND id = $2", alert.payload_writer, alert.payload_id
    )
    assert [row["format"] for row in rows] == ["prometheus"]


async def test_a_repeated_signal_is_counted_and_prolongs_the_alert(world: World):
    for _ in range(3):
        await world.prometheus(CHECKOUT)
        await world.triage()
        world.clock.advance(minutes=1)
    alert = await world.alert()
    assert alert.times == 3
    assert alert.expires_at == world.clock.now() + timedelta(minutes=3)
    assert (await world.page()).alert_count == 1
    assert await world.history(alert.id) == ["fired"]


async def test_repeats_within_one_batch_are_counted_as_well(world: World):
    for _ in range(5):
        await world.prometheus(CHECKOUT)
    await world.triage()
    assert (await world.alert()).times == 5


async def test_the_newest_words_of_the_sender_are_shown(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    await world.prometheus({**CHECKOUT, "summary": "80 % errors"})
    await world.triage()
    assert (await world.alert()).summary == "80 % errors"


async def test_alerts_of_one_group_join_one_page(world: World):
    await world.prometheus(*({**CHECKOUT, "instance": f"web-{n}"} for n in range(3)))
    await world.triage()
    await world.prometheus({**CHECKOUT, "instance": "web-9"})
    await world.triage()
    page = await world.page()
    assert page.alert_count == 4
    assert [a.verdict.conclusion for a in await world.alerts()] == [
        "Opens P-1.",
        "Joins P-1: same alertname, service.",
        "Joins P-1: same alertname, service.",
        "Joins P-1: same alertname, service.",
    ]


async def test_a_resolve_of_the_last_alert_resolves_the_page(world: World):
    one, two = {**CHECKOUT, "instance": "a"}, {**CHECKOUT, "instance": "b"}
    await world.prometheus(one, two)
    await world.triage()
    await world.prometheus(one, over=True)
    await world.triage()
    assert (await world.page()).status == "triggered"
    await world.prometheus(two, over=True)
    await world.triage()
    page = await world.page()
    assert (page.status, page.resolution) == ("resolved", "All alerts resolved.")
    assert [a.status for a in await world.alerts()] == ["resolved", "resolved"]
    assert await world.history(1) == ["fired", "resolved"]


async def test_firing_resolved_firing_in_one_batch_is_two_episodes(world: World):
    await world.prometheus(CHECKOUT)
    await world.prometheus(CHECKOUT, over=True)
    await world.prometheus(CHECKOUT)
    await world.triage()
    first, second = await world.alerts()
    assert (first.status, second.status) == ("resolved", "firing")
    assert first.page is None
    assert "before anybody could be paged" in first.verdict.conclusion
    assert second.page == "P-1"
    assert (await world.page()).alert_count == 1


async def test_what_was_over_before_it_was_triaged_wakes_nobody(world: World):
    await world.prometheus(CHECKOUT)
    await world.prometheus(CHECKOUT, over=True)
    await world.triage()
    assert await world.pages() == []
    assert await world.history((await world.alert()).id) == ["fired", "resolved"]


async def test_a_problem_that_comes_back_is_a_new_alert_and_a_new_page(world: World):
    for over in (False, True, False):
        await world.prometheus(CHECKOUT, over=over)
        await world.triage()
        world.clock.advance(minutes=1)
    assert [a.status for a in await world.alerts()] == ["resolved", "firing"]
    assert [p.status for p in await world.pages()] == ["resolved", "triggered"]


async def test_a_resolve_of_something_unknown_is_nothing(world: World):
    await world.prometheus(CHECKOUT, over=True)
    await world.pagerduty("acknowledge", "orphan")
    await world.triage()
    assert await world.alerts() == []


async def test_the_same_fingerprint_through_two_keys_is_two_problems(world: World):
    await world.prometheus(CHECKOUT, key=1)
    await world.prometheus(CHECKOUT, key=7)
    await world.triage()
    assert [a.key_id for a in await world.alerts()] == [1, 7]


async def test_a_key_stands_in_for_a_missing_service(world: World):
    bound = await world.key(service="checkout")
    await world.prometheus({"alertname": "X", "severity": "critical"}, key=bound)
    await world.prometheus({"alertname": "X", "severity": "critical", "service": "search"}, key=bound)
    await world.triage()
    first, second = await world.alerts()
    assert (first.service, first.labels["service"]) == ("checkout", "checkout")
    assert second.service == "search"


async def test_a_start_in_the_future_is_the_time_of_receipt(world: World):
    now = world.clock.now()
    body = [{"labels": {"alertname": "X"}, "startsAt": now + timedelta(hours=2), "endsAt": now + timedelta(hours=3)}]
    await world.put("prometheus", msgspec.json.encode(body))
    await world.triage()
    assert (await world.alert()).starts_at == now


async def test_an_unknown_service_goes_to_the_fallback_policy(world: World):
    await world.prometheus({**CHECKOUT, "service": "chekout"})
    await world.triage()
    alert, page = await world.alert(), await world.page()
    assert (alert.service, alert.verdict.policy) == (None, "everyone")
    assert 'the catalog has no service "chekout"' in page.why
    assert [p.person for p in page.people] == ["bo"]


async def test_an_alert_for_which_there_is_nobody_is_visible_and_paged_once_somebody_is(db: Database, world: World):
    await world.apply(Catalog(organisation=Organisation(name="organisation", title="New")))
    await world.prometheus(CHECKOUT)
    await world.triage()
    assert await world.pages() == []
    async with db.connection() as conn:
        (lost,) = await alerts.unrouted(conn)
    assert lost.tier == "page"
    assert lost.verdict.conclusion.startswith("Nobody to page")
    await world.apply(organisation())
    await world.triage()
    assert (await world.page()).title == "42 % errors"
    assert (await world.alert()).page == "P-1"
    async with db.connection() as conn:
        assert await alerts.unrouted(conn) == []


async def test_a_ticket_is_kept_and_pages_nobody(world: World):
    await world.prometheus({**CHECKOUT, "severity": "warning"})
    await world.triage()
    assert (await world.alert()).tier == "ticket"
    assert await world.pages() == []


async def test_a_problem_that_gets_worse_is_paged(world: World):
    await world.pagerduty("trigger", "disk", severity="warning")
    await world.triage()
    assert await world.pages() == []
    await world.pagerduty("trigger", "disk", severity="critical")
    await world.triage()
    alert = await world.alert()
    assert (alert.tier, alert.page, alert.severity, alert.times) == ("page", "P-1", "critical", 2)
    assert await world.history(alert.id) == ["fired", "looked-at-again"]


async def test_labels_that_change_and_change_back_in_one_batch_did_not_change(world: World):
    await world.pagerduty("trigger", "disk", severity="warning")
    await world.triage()
    await world.pagerduty("trigger", "disk", severity="critical")
    await world.pagerduty("trigger", "disk", severity="warning")
    await world.triage()
    alert = await world.alert()
    assert (alert.tier, alert.times, len(alert.verdict.stages)) == ("ticket", 3, 6)


async def test_an_alert_that_joins_a_page_of_an_incident_belongs_to_it(world: World):
    await world.prometheus({**CHECKOUT, "instance": "a"})
    await world.triage()
    await world.say("P-1", paging.LinkIncident(incident="INC-1"))
    await world.prometheus({**CHECKOUT, "instance": "b"})
    await world.triage()
    assert [a.incident for a in await world.alerts()] == [None, "INC-1"]


# PagerDuty ------------------------------------------------------------------------------------------------------------


async def test_a_pagerduty_acknowledge_stops_the_escalation(world: World):
    key = await world.key("pagerduty")
    await world.pagerduty("trigger", "db", key=key)
    await world.triage()
    await world.pagerduty("acknowledge", "db", key=key)
    await world.triage()
    page = await world.page()
    assert (page.status, page.acknowledged_by) == ("acknowledged", "key:pagerduty key")
    assert await world.history(1) == ["fired", "acknowledged"]


async def test_trigger_acknowledge_and_resolve_in_one_batch_leave_nothing_open(world: World):
    await world.pagerduty("trigger", "db")
    await world.pagerduty("acknowledge", "db")
    await world.pagerduty("resolve", "db")
    await world.triage()
    assert (await world.alert()).status == "resolved"
    assert await world.pages() == []


async def test_trigger_and_acknowledge_in_one_batch_open_an_acknowledged_page(world: World):
    await world.pagerduty("trigger", "db")
    await world.pagerduty("acknowledge", "db")
    await world.triage()
    assert (await world.page()).status == "acknowledged"


async def test_each_deduplication_key_of_pagerduty_is_a_problem_of_its_own(world: World):
    await world.pagerduty("trigger", "db")
    await world.pagerduty("trigger", "cache")
    await world.triage()
    assert [p.title for p in await world.pages()] == ["db is broken", "cache is broken"]


async def test_a_trigger_after_a_person_resolved_the_page_opens_a_new_one(world: World):
    await world.pagerduty("trigger", "db")
    await world.triage()
    await world.say("P-1", paging.Resolve())
    await world.pagerduty("trigger", "db")
    await world.triage()
    assert [p.status for p in await world.pages()] == ["resolved", "triggered"]
    assert [a.status for a in await world.alerts()] == ["resolved", "firing"]


async def test_alerts_whose_sender_never_ends_them_end_with_their_page(world: World):
    await world.pagerduty("trigger", "db")
    await world.prometheus(CHECKOUT)
    await world.triage()
    await world.say("P-1", paging.Resolve())
    await world.say("P-2", paging.Resolve())
    await world.triage()
    pagerduty, prometheus = await world.alerts()
    assert (pagerduty.source, pagerduty.status) == ("pagerduty", "resolved")
    assert (prometheus.source, prometheus.status) == ("prometheus", "firing")


async def test_what_still_fires_long_after_its_page_was_resolved_is_paged_again(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    await world.say("P-1", paging.Resolve())
    for _ in range(29):
        world.clock.advance(minutes=2)
        await world.prometheus(CHECKOUT)
        await world.triage()
    assert len(await world.pages()) == 1
    world.clock.advance(minutes=2)
    await world.prometheus(CHECKOUT)
    await world.triage()
    assert [p.status for p in await world.pages()] == ["resolved", "triggered"]
    alert = await world.alert()
    assert (alert.page, alert.times) == ("P-2", 31)
    assert "still fires 1 h after P-1 was resolved" in alert.verdict.stages[0].reason


# expiry ---------------------------------------------------------------------------------------------------------------


async def test_an_alert_that_is_not_sent_again_ends_and_so_does_its_page(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    world.clock.advance(minutes=4)
    await world.triage()
    alert = await world.alert()
    assert (alert.status, alert.resolved_at) == ("resolved", alert.expires_at)
    assert await world.history(alert.id) == ["fired", "expired"]
    assert (await world.page()).status == "resolved"


async def test_nothing_expires_while_the_inbox_holds_what_may_prolong_it(world: World):
    await world.prometheus(CHECKOUT)
    await world.triage()
    world.clock.advance(minutes=5)
    await world.prometheus(CHECKOUT)
    assert await world.expire() is False
    await world.triage()
    assert (await world.alert()).times == 2


async def test_nothing_expires_right_after_a_start(world: World):
    from sev1.triage.expire import ExpireStep

    await world.prometheus(CHECKOUT)
    await world.step()
    world.clock.advance(hours=1)
    restarted = ExpireStep(world.db, world.commands, world.catalogs, world.clock)
    assert await restarted() is False
    world.clock.advance(minutes=3)
    assert await restarted() is True
    assert (await world.alert()).status == "resolved"
