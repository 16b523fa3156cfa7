"""A verdict that many alerts share is stored once, and nobody can tell."""

from datetime import timedelta

import msgspec

from sev1.catalog.model import Organisation
from sev1.measure.alert_health import health_of
from sev1.triage import alerts
from sev1.triage.model import Verdict

from .world import World, organisation

FALLBACK = Organisation(name="organisation", title="Shop", fallback_policy="everyone")
ODD = {"alertname": "Odd", "severity": "purple"}
HERE = {"alertname": "HighErrors", "service": "checkout", "severity": "critical", "env": "prod"}


def many(labels: dict[str, str], count: int) -> list[dict[str, str]]:
    return [{**labels, "instance": f"host-{number}"} for number in range(count)]


async def alone(world: World, labels: dict[str, str]) -> Verdict:
    """What the stages say of one that comes by itself and joins the open page."""
    await world.prometheus({**labels, "instance": "alone"})
    await world.triage()
    return (await world.alerts())[-1].verdict


async def stored(world: World) -> int:
    async with world.db.connection() as conn:
        return int(await conn.fetchval("SELECT count(*) FROM shared_verdicts"))


async def test_alike_alerts_of_a_batch_share_one_stored_verdict_and_each_shows_all_of_it(world: World):
    await world.prometheus(*many(HERE, 20))
    await world.triage()
    first, *others = await world.alerts()
    assert first.verdict.stages[-1].outcome == "opens"
    assert await stored(world) == 1, "the first opened the page, nineteen joined it"
    by_itself = await alone(world, HERE)
    assert await stored(world) == 1, "what nobody shares stands with its alert"
    assert {msgspec.json.encode(other.verdict) for other in others} == {msgspec.json.encode(by_itself)}


async def test_queries_find_alerts_by_what_a_shared_verdict_says(world: World):
    await world.apply(organisation(organisation=FALLBACK))
    await world.prometheus(*many(ODD, 3))
    await world.triage()
    now = world.clock.now()
    async with world.db.connection() as conn:
        assert len(await alerts.nobody_routes(conn)) == 3
        assert len(await alerts.without_tier(conn)) == 3
        (untiered,) = await alerts.untiered_by_rule(conn, now - timedelta(days=1))
        ends = await alerts.loose_ends(conn)
    assert (untiered.alerts, untiered.why) == (3, "severity=purple means nothing here")
    assert (ends.nobody_routes, ends.without_tier) == (3, 3)


async def test_the_health_of_a_service_knows_the_severity_of_a_shared_verdict(world: World):
    await world.apply(organisation())
    await world.prometheus(*many(HERE, 3))
    await world.triage()
    async with world.db.connection() as conn:
        health = await health_of(conn, "checkout", world.clock.now() + timedelta(minutes=1), time_zone="UTC")
    assert {line.severity for line in health.frequency} == {"sev-1"}


async def test_one_that_is_judged_again_leaves_the_verdict_of_the_others_as_it_was(world: World):
    await world.apply(organisation())
    await world.prometheus(*many(HERE, 3))
    await world.triage()
    before = {alert.id: alert.verdict for alert in await world.alerts()}
    await world.silence('instance="host-1"')
    await world.triage()
    first, second, third = await world.alerts()
    assert second.held == "silenced"
    assert second.verdict.conclusion.startswith("Silenced by S-")
    assert [first.verdict, third.verdict] == [before[first.id], before[third.id]]


async def test_the_previous_release_can_read_what_stands_with_an_alert_that_shares_its_verdict(world: World):
    await world.apply(organisation(organisation=FALLBACK))
    await world.prometheus(*many(ODD, 3))
    await world.triage()
    async with world.db.connection() as conn:
        (gist,) = await conn.fetch("SELECT DISTINCT verdict FROM alerts WHERE verdict ? 'of'")
    read = msgspec.convert(gist["verdict"], Verdict)
    assert [(stage.name, stage.outcome) for stage in read.stages] == [("route", "fallback")]
    assert read.tier_from == "nothing"


async def test_a_verdict_that_the_previous_release_puts_in_the_place_of_a_shared_one_is_the_one_that_counts(
    world: World,
):
    await world.prometheus(*many(HERE, 3))
    await world.triage()
    first, second, _ = await world.alerts()
    async with world.db.connection() as conn:
        await conn.execute("UPDATE alerts SET verdict = $1 WHERE id = $2", first.verdict, second.id)
    assert (await world.alerts())[1].verdict == first.verdict


async def test_history_keeps_where_an_alert_went_at_first_whatever_is_decided_later(world: World):
    await world.apply(organisation())
    await world.prometheus(*many(HERE, 3))
    await world.triage()
    at_first = (await world.alerts())[1].verdict.conclusion
    assert at_first.startswith("Joins P-1: ")

    async def lines() -> list[tuple[str, str]]:
        async with world.db.connection() as conn:
            return [(line.what, line.reason) for line in await alerts.transitions(conn, 2)]

    assert await lines() == [("fired", at_first)]
    await world.silence('instance="host-1"', minutes=30)
    await world.triage()
    world.clock.advance(minutes=31)
    await world.prometheus(*many(HERE, 3))
    await world.triage()
    (fired, silenced, again) = await lines()
    assert fired == ("fired", at_first)
    assert silenced[0] == "silenced"
    assert again[0] == "looked-at-again"


async def test_what_repeats_reads_only_the_alerts_that_it_is_about_whatever_the_statistics_say(world: World):
    async with world.db.connection() as conn:
        await conn.execute(
            "INSERT INTO alerts (key_id, fingerprint, source, status, summary, labels, annotations, starts_at, received_at,"
            " updated_at, expires_at, verdict) SELECT 9, n::text, 'prometheus', 'firing', 'x', '{}', $2, $1::timestamptz,"
            " $1, $1, $1::timestamptz + interval '1 h', '{}' FROM generate_series(1, 10000) AS n",
            world.clock.now(), {"description": "x" * 1000},
        )  # fmt: skip
    await world.prometheus(*many(HERE, 100))
    await world.triage()
    before = await read_so_far(world)
    await world.prometheus(*many(HERE, 100))
    await world.step()
    assert await read_so_far(world) - before < 1000
    assert {alert.times for alert in await world.alerts(key_id=1)} == {2}


async def read_so_far(world: World) -> int:
    """Alerts and entries of their indexes that PostgreSQL has read."""
    async with world.db.connection() as conn:
        await conn.execute("SELECT pg_stat_force_next_flush()")
    (row,) = await world.rows(
        "SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'alerts')"
        " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'alerts') AS n"
    )
    return int(row["n"])
