"""Grafana OnCall's API as a catalog: the fixtures are answers as its documentation shows them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sev1.catalog.importers import grafana_oncall
from sev1.catalog.importers.draft import NotImportable, report
from sev1.catalog.importers.written import files
from sev1.oncall.schedule import on_call

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("grafana-oncall-*.json"))


@pytest.fixture
def shop():
    return grafana_oncall.read([(path.name, path.read_bytes()) for path in FIXTURES], NOW)


def read(*values):
    return grafana_oncall.read([(f"{n}.json", json.dumps(value).encode()) for n, value in enumerate(values)], NOW)


def people_at(imported, stem, instant):
    at = datetime.fromisoformat(instant)
    held = [schedule for name, schedule in imported.catalog.schedules.items() if name.startswith(stem)]
    return {shift.person for schedule in held if (shift := on_call(schedule, at))}


def test_the_result_is_a_catalog_that_plan_accepts(shop, accepted):
    catalog = accepted(shop)
    assert list(catalog.people) == ["ana", "bo", "cem", "dana"]
    assert catalog.teams["platform"].members == ("ana", "bo", "cem")
    assert catalog.services["alerts-fire"].policy == "default"


@pytest.mark.parametrize(
    ("instant", "person"),
    [
        ("2026-03-06T13:59:00Z", "cem"),  # Friday 08:59
        ("2026-03-06T14:00:00Z", "ana"),  # the rotation starts from the second group
        ("2026-03-06T22:00:00Z", "cem"),  # 17:00
        ("2026-03-08T14:00:00Z", "cem"),  # Sunday, after the clocks went forward
        ("2026-03-09T12:59:00Z", "cem"),  # Monday 08:59 in summer time
        ("2026-03-09T13:00:00Z", "bo"),
        ("2026-03-10T11:59:00Z", "cem"),
        ("2026-03-10T12:00:00Z", "dana"),  # the override
        ("2026-03-10T14:00:00Z", "bo"),
        ("2026-03-16T13:00:00Z", "ana"),
    ],
)
def test_the_same_person_is_on_call(shop, instant, person):
    assert people_at(shop, "primary", instant) == {person}


@pytest.mark.parametrize(
    ("instant", "people"),
    [
        ("2026-03-06T14:59:00Z", set()),
        ("2026-03-06T15:00:00Z", {"ana", "bo"}),
        ("2026-03-07T15:00:00Z", {"cem"}),
        ("2026-03-08T13:59:00Z", {"cem"}),  # 09:59 in summer time
        ("2026-03-08T14:00:00Z", {"ana", "bo"}),
        ("2026-03-13T13:59:00Z", {"ana", "bo"}),  # the last begins at `until` and runs to its end
        ("2026-03-13T14:00:00Z", set()),
    ],
)
def test_a_group_is_on_call_together_until_the_rotation_ends(shop, instant, people):
    assert people_at(shop, "pair", instant) == people


def test_waits_belong_to_the_step_before_and_steps_without_a_wait_between_are_one(shop):
    policy = shop.catalog.policies["default"]
    assert [([t.name for t in step.targets], step.wait_s) for step in policy.steps] == [
        (["primary", "pair", "pair-2"], 900),
        (["dana"], 300),
    ]
    assert policy.repeat == 5


def test_what_changed_or_was_left_is_said(shop, sentences):
    changed, left = sentences(shop, "changed"), sentences(shop, "left")
    chain = 'OnCall escalation chain "Default" (F1)'
    assert "begins with a wait of 60 seconds" in changed[chain]
    assert "only at some hours" in changed[chain]
    assert "calls a webhook" in left[chain]
    assert "pages nobody" in left['OnCall escalation chain "Nothing" (F2)']
    assert "calendar elsewhere" in left['OnCall schedule "Elsewhere" (SW3)']
    assert "calendar elsewhere" in left['OnCall schedule "Pair" (SW2) overrides']
    assert "leaves out whole weeks" in left['OnCall schedule "Gaps" (SW4) shift "Every second week"']
    assert "ended on 2026-01-10" in left['OnCall schedule "Primary" (SW1) shift "Old cover"']
    assert "not in the export" in left['OnCall schedule "Primary" (SW1) shift O9']
    assert "no escalation chain" in left['OnCall integration "Void" (C2)']
    assert "us-(east|west)" in left["OnCall route R3 of integration C1"]
    assert "geheim" not in report(shop) + "".join(files(shop, "c").values())


def test_importing_twice_writes_the_same(shop):
    again = grafana_oncall.read([(path.name, path.read_bytes()) for path in reversed(FIXTURES)], NOW)
    assert files(again, "c") == files(shop, "c")


USER = {"id": "U1", "email": "ana@x.example", "username": "ana"}


def with_shift(**changes):
    shift = {
        "id": "O1", "name": "S", "type": "rolling_users", "level": 0, "start": "2026-03-02T09:00:00", "duration": 86400,
        "frequency": "daily", "interval": 1, "rolling_users": [["U1"]], **changes,
    }  # fmt: skip
    schedule = {"id": "S1", "name": "S", "type": "web", "time_zone": "UTC", "shifts": ["O1"]}
    return read({"results": [USER]}, {"results": [shift]}, {"results": [schedule]})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rolling_users": [["U9"]]}, "The user U9 in it was not imported"),
        ({"rolling_users": [["U1"], []]}, "A turn in it has nobody"),
        ({"rolling_users": None}, "A turn in it has nobody"),
        ({"type": "lunar"}, "type lunar are not known"),
        ({"frequency": "monthly"}, "recurs by month"),
        ({"by_monthday": [1]}, "recurs by month"),
        ({"frequency": None}, "recurs by month"),
        ({"interval": -1}, "recurs by month"),
        ({"duration": 0}, "It lasts no time"),
        ({"duration": 90000}, "they overlap"),
        ({"until": "9999-12-31T23:00:00"}, "further away than a calendar reaches"),
        ({"interval": 2}, "gaps that are not the same in every week"),
        ({"by_day": ["XX"], "frequency": "weekly"}, "days of the week cannot be read"),
        ({"by_day": ["MO"], "frequency": "weekly", "duration": 90000}, "last longer than a day"),
        ({"by_day": ["MO"], "frequency": "hourly"}, "leaves out whole weeks or days"),
        ({"time_zone": "Mars/Base"}, '"Mars/Base" is not known'),
        (
            {"type": "single_event", "users": ["U1"], "start": "2026-05-01T00:00:00", "level": -1},
            "adds to the other shifts",
        ),
        ({"type": "override", "users": [], "start": "2026-05-01T00:00:00"}, "several people on call once, or nobody"),
    ],
)
def test_a_shift_that_cannot_be_said_is_left_out_with_the_reason(sentences, changes, sentence):
    imported = with_shift(**changes)
    assert imported.catalog.schedules == {}
    assert any(sentence in told for told in sentences(imported, "left").values())


def test_turns_of_hours_and_of_weeks_with_a_window():
    hours = with_shift(frequency="hourly", interval=12, duration=43200, rolling_users=[["U1"]])
    assert hours.catalog.schedules["s"].rotation.every.hours == 12
    week = with_shift(frequency="weekly", start="2026-03-06T17:00:00", duration=226800)
    assert people_at(week, "s", "2026-03-09T07:59:00Z") == {"ana"}
    assert people_at(week, "s", "2026-03-09T08:00:00Z") == set()
    assert people_at(week, "s", "2026-03-13T16:59:00Z") == set()
    assert people_at(week, "s", "2026-03-13T17:00:00Z") == {"ana"}


def test_another_products_file_is_refused():
    with pytest.raises(NotImportable, match="sev1 import opsgenie"):
        read({"data": [{"id": "1", "name": "S", "timezone": "UTC", "rotations": []}]})


@pytest.mark.parametrize(
    "value", [[], 5, {}, {"results": 5}, {"results": [5, None]}, {"results": [{"id": 1, "start": {}, "duration": []}]}]
)
def test_odd_shapes_make_nothing_and_never_break(value):
    assert read(value).made == ()


def test_a_rotation_that_begins_in_the_middle_of_a_week_changes_with_the_week():
    days = {"by_day": ["MO", "TU", "WE", "TH", "FR"], "week_start": "MO", "duration": 28800}
    users = [USER, {"id": "U2", "email": "bo@x.example", "username": "bo"}]
    shift = {
        "id": "O1", "name": "S", "type": "rolling_users", "level": 0, "start": "2026-03-04T09:00:00",
        "frequency": "weekly", "interval": 1, "rolling_users": [["U1"], ["U2"]], **days,
    }  # fmt: skip
    schedule = {"id": "S1", "name": "S", "type": "web", "time_zone": "UTC", "shifts": ["O1"]}
    imported = read({"results": users}, {"results": [shift]}, {"results": [schedule]})
    assert people_at(imported, "s", "2026-03-06T10:00:00Z") == {"ana"}
    assert people_at(imported, "s", "2026-03-09T10:00:00Z") == {"bo"}  # Monday, five days after the start
    assert people_at(imported, "s", "2026-03-13T16:59:00Z") == {"bo"}
    assert people_at(imported, "s", "2026-03-16T10:00:00Z") == {"ana"}


def test_one_person_each_time_is_a_round_robin_unless_others_are_asked_at_once():
    bo = {"id": "U2", "email": "bo@x.example", "username": "bo"}
    chains = [{"id": "F1", "name": "In turn", "team_id": None}, {"id": "F2", "name": "Mixed", "team_id": None}]

    def step(chain: str, position: int, kind: str, **more: object) -> dict:
        return {"id": f"{chain}{position}", "escalation_chain_id": chain, "position": position, "type": kind, **more}

    steps = [
        step("F1", 0, "notify_person_next_each_time", persons_to_notify_next_each_time=["U1", "U2"]),
        step("F1", 1, "wait", duration=300),
        step("F1", 2, "notify_persons", persons_to_notify=["U2"]),
        step("F2", 0, "notify_person_next_each_time", persons_to_notify_next_each_time=["U1"]),
        step("F2", 1, "notify_persons", persons_to_notify=["U2"]),
    ]
    imported = read({"results": [USER, bo]}, {"results": chains}, {"results": steps})
    assert [s.round_robin for s in imported.catalog.policies["in-turn"].steps] == [True, False]
    assert [s.round_robin for s in imported.catalog.policies["mixed"].steps] == [False]
    assert any("at once with others" in str(entry) for entry in imported.entries)
