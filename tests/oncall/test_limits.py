"""Shifts that break a team's own limits are refused: at apply, which plan announces, and over all schedules at once."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from sev1.catalog import store as catalogs
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Length, Override, Person, Rotation, Schedule, ShiftLimits, Team
from sev1.cli.catalog import limit_lines
from sev1.cli.main import app as cli
from sev1.engine.clock import FakeClock
from sev1.oncall import store, swaps
from sev1.oncall.apply import apply
from sev1.oncall.limits import breaches, catalog_breaches, newly_broken
from sev1.oncall.swaps import NewSwap

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday, 09:00 in Berlin: the hand-over
HOUR = timedelta(hours=1)


def schedule(name, *people, every="week", **more):
    rotation = Rotation(people=people, every=every, starts=date(2026, 3, 2), **more)
    return Schedule(name=name, title=name.title(), time_zone="Europe/Berlin", rotation=rotation)


def catalog(*schedules, **limits):
    people = {
        name: Person(
            name=name, full_name=name.title(), email=f"{name}@s.example", contact=(EmailMethod(address="a@s.example"),)
        )
        for name in ("ana", "bo", "cem")
    }
    teams = {"t": Team(name="t", title="T", members=tuple(people), limits=ShiftLimits(**limits) if limits else None)}
    return Catalog(people=people, teams=teams, schedules={one.name: one for one in schedules})


def sentences(whole, **exceptions):
    return [one.sentence for one in catalog_breaches(whole, NOW, exceptions)]


HALF_DAYS = Length(hours=12)


def test_a_rotation_without_enough_rest_is_found_where_it_is_worst():
    """Where the clocks go forward, ana's night off is an hour shorter."""
    whole = catalog(schedule("web", "ana", "bo", every=HALF_DAYS), rest_h=16)
    assert sentences(whole) == [
        "ana would rest 11 h between two shifts from Sat 28 Mar 20:00 UTC; the limit is 16 h.",
        "bo would rest 12 h between two shifts from Tue 3 Mar 08:00 UTC; the limit is 16 h.",
    ]
    assert sentences(catalog(schedule("web", "ana", "bo", every=HALF_DAYS), rest_h=11)) == []


def test_a_team_without_limits_has_nothing_to_break():
    assert sentences(catalog(schedule("web", "ana"))) == []


def test_the_same_person_week_after_week_is_found():
    whole = catalog(schedule("web", "ana", "bo"), schedule("shop", "bo", "ana"), consecutive_weeks=2)
    assert sentences(whole) == [
        "ana would be on call 13 weeks in a row or more from Mon 2 Mar 08:00 UTC; the limit is 2.",
        "bo would be on call 13 weeks in a row or more from Mon 2 Mar 08:00 UTC; the limit is 2.",
    ]


def test_a_run_that_ends_is_counted_exactly():
    whole = catalog(schedule("web", "ana", "ana", "bo", "cem"), consecutive_weeks=1)
    assert sentences(whole) == ["ana would be on call 2 weeks in a row from Mon 2 Mar 08:00 UTC; the limit is 1."]


def test_the_hour_by_which_a_week_grows_or_shrinks_when_clocks_change_is_no_second_week():
    whole = catalog(schedule("web", "ana", "bo"), consecutive_weeks=1)
    for day in (datetime(2026, 10, 19, 7, tzinfo=UTC), datetime(2026, 3, 16, 8, tzinfo=UTC)):
        assert catalog_breaches(whole, day, {}) == []


def test_a_healthy_rotation_is_healthy_on_whatever_day_it_is_looked_at():
    whole = catalog(schedule("web", "ana", "bo"), consecutive_weeks=1, rest_h=24)
    assert [n for n in range(366) if catalog_breaches(whole, NOW + n * timedelta(hours=25), {})] == []


def test_a_run_that_is_under_way_is_counted_from_its_beginning_and_one_that_is_over_is_not_said():
    whole = catalog(schedule("web", "ana", "ana", "bo", "cem"), consecutive_weeks=1)
    [one] = catalog_breaches(whole, NOW + timedelta(days=9), {})
    assert one.sentence == "ana would be on call 2 weeks in a row from Mon 2 Mar 08:00 UTC; the limit is 1."
    weekly = catalog(schedule("web", "bo", "cem"), consecutive_weeks=1)
    past = {"web": [Override(person="bo", start=NOW + timedelta(days=7), end=NOW + timedelta(days=14))]}
    assert len(catalog_breaches(weekly, NOW, past)) == 1
    assert catalog_breaches(weekly, NOW + timedelta(days=22), past) == []


def test_an_override_in_the_middle_of_a_week_is_judged_by_the_weeks_that_its_person_really_has():
    """ana has every other week: within one of hers nothing is added, between two of them three become a row."""
    whole = catalog(schedule("web", "ana", "bo"), consecutive_weeks=1)
    for day, found in ((2, []), (9, ["ana would be on call 3 weeks in a row; the limit is 1."])):
        cover = Override(person="ana", start=NOW + timedelta(days=day), end=NOW + timedelta(days=day) + HOUR)
        assert breaches(whole, "web", cover, {}, 0) == found


async def test_a_swap_is_judged_by_what_comes_out_of_it_and_not_half_way(db):
    """Taking the week beside one's own would be two in a row; giving one's own away in return leaves one."""
    whole = catalog(schedule("web", "ana", "bo", "cem"), consecutive_weeks=1)
    week = [NOW + n * timedelta(days=7) for n in range(3)]
    take = {"schedule": "web", "asked_of": "bo", "start": week[0], "end": week[1]}
    async with db.transaction() as conn:
        await catalogs.write(conn, whole, actor="operator", now=NOW)
        alone = await swaps.ask(conn, whole, NewSwap(**take), asked_by="ana", now=NOW)
        both = NewSwap(**take, back_start=week[1], back_end=week[2])
        exchange = await swaps.ask(conn, whole, both, asked_by="ana", now=NOW)
    with pytest.raises(store.Unhealthy, match="bo would be on call 2 weeks in a row"):
        async with db.transaction() as conn:
            await swaps.answer(conn, whole, alone, "accepted", actor="bo", now=NOW)
    async with db.transaction() as conn:
        await swaps.answer(conn, whole, exchange, "accepted", actor="bo", now=NOW)
        assert await conn.fetchval("SELECT count(*) FROM schedule_overrides") == 2


def test_an_override_is_judged_by_all_schedules_of_its_person():
    whole = catalog(schedule("web", "ana", "bo"), schedule("shop", "cem"), rest_h=11)
    cover = Override(person="ana", start=NOW + timedelta(days=7) + 4 * HOUR, end=NOW + timedelta(days=7) + 8 * HOUR)
    assert breaches(whole, "shop", cover, {}, 0) == ["ana would rest 4 h between two shifts; the limit is 11 h."]
    far = Override(person="ana", start=cover.start + 24 * HOUR, end=cover.end + 24 * HOUR)
    assert breaches(whole, "shop", far, {}, 0) == []


def test_what_was_broken_before_stops_no_other_change_but_worse_does():
    mild, hard = (catalog(schedule("web", *people), consecutive_weeks=1) for people in (
        ("ana", "ana", "bo", "cem"), ("ana", "ana", "ana", "cem")))  # fmt: skip
    before, worse = catalog_breaches(mild, NOW, {}), catalog_breaches(hard, NOW, {})
    assert newly_broken(before, before) == []
    assert [one.found for one in newly_broken(before, worse)] == [3]
    assert newly_broken(worse, before) == []
    old, new = limit_lines(before, before), limit_lines([], before)
    assert "refuses" not in old[0]
    assert new[0].endswith("the limit is 1. `sev1 apply` refuses it without --override-limits REASON.")


async def test_apply_refuses_an_unhealthy_change_and_changes_nothing(db):
    fine, bad = (catalog(schedule("web", *p), consecutive_weeks=1) for p in (("ana", "bo"), ("ana",)))
    async with db.transaction() as conn:
        await apply(conn, fine, actor="ana", now=NOW)
    with pytest.raises(
        store.Unhealthy, match=r"ana would be on call 13 weeks in a row .* --override-limits"
    ) as refused:
        async with db.transaction() as conn:
            await apply(conn, bad, actor="ana", now=NOW)
    assert len(refused.value.data["limits"]) == 1
    async with db.connection() as conn:
        assert (await catalogs.read(conn)).schedules["web"].rotation.people == ("ana", "bo")


async def test_a_reason_lets_it_through_and_is_kept_and_needed_once(db):
    bad = catalog(schedule("web", "ana"), consecutive_weeks=1)
    async with db.transaction() as conn:
        await apply(conn, bad, actor="ana", now=NOW, anyway="bo joins in May")
        [line] = await conn.fetch("SELECT actor, data FROM audit_log WHERE action = 'catalog.apply.unhealthy'")
        assert (line["actor"], line["data"]["anyway"]) == ("ana", "bo joins in May")
        assert "13 weeks in a row" in line["data"]["limits"][0]
        other = replace(bad, schedules=bad.schedules | {"shop": schedule("shop", "bo", "cem", hand_over_at=time(12))})
        await apply(conn, other, actor="ana", now=NOW)
        assert await conn.fetchval("SELECT count(*) FROM audit_log WHERE action = 'catalog.apply.unhealthy'") == 1


async def test_a_swap_that_breaks_a_limit_is_refused_when_it_is_accepted_and_a_reason_is_kept(db):
    whole = catalog(schedule("web", "ana", "bo"), schedule("shop", "cem"), rest_h=11)
    start = NOW + timedelta(days=7) + 4 * HOUR  # ana's own week has ended four hours before
    wanted = NewSwap(schedule="shop", asked_of="ana", start=start, end=start + HOUR)
    async with db.transaction() as conn:
        await catalogs.write(conn, whole, actor="operator", now=NOW)
        number = await swaps.ask(conn, whole, wanted, asked_by="cem", now=NOW)
    with pytest.raises(store.Unhealthy, match="ana would rest 4 h between two shifts; the limit is 11 h"):
        async with db.transaction() as conn:
            await swaps.answer(conn, whole, number, "accepted", actor="ana", now=NOW)
    async with db.transaction() as conn:
        done = await swaps.answer(conn, whole, number, "accepted", actor="ana", now=NOW, anyway="cem is ill")
        kept = await conn.fetchval("SELECT data FROM audit_log WHERE action = 'schedule.override'")
    assert (done.state, kept["anyway"], len(kept["limits"])) == ("accepted", "cem is ill", 1)


TEXT = """
kind: person
name: ana
full_name: Ana
email: ana@s.example
contact: [{kind: email, address: ana@s.example}]
---
kind: team
name: t
title: T
members: [ana]
limits: {consecutive_weeks: 2}
---
kind: schedule
name: web
title: Web
rotation: {people: [ana], every: week, starts: 2026-01-05}
"""


async def test_on_the_terminal_plan_shows_it_and_apply_wants_the_reason(
    fresh_database_url, tmp_path: Path, monkeypatch
):
    (tmp_path / "all.yaml").write_text(TEXT)
    monkeypatch.setenv("SEV1_DATABASE_URL", fresh_database_url)
    monkeypatch.setattr("sev1.cli.catalog.clock", FakeClock(NOW))

    async def run(*arguments: str):
        return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments))

    shown = await run("plan", str(tmp_path))
    assert shown.exit_code == 0, shown.output
    assert "`sev1 apply` refuses it without --override-limits REASON." in shown.stderr
    refused = await run("apply", str(tmp_path))
    assert refused.exit_code == 1
    assert "Nothing was changed." in refused.stderr
    done = await run("apply", str(tmp_path), "--override-limits", "we are one")
    assert done.exit_code == 0, done.output
    after = await run("plan", str(tmp_path))
    assert "limit: ana would be on call 17 weeks in a row or more from Mon 2 Feb 08:00 UTC" in after.stderr
    assert "refuses it" not in after.stderr
