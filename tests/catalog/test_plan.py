"""What an apply would change, and how that reads."""

import msgspec
from msgspec.structs import replace

from sev1.catalog.model import Catalog, Runbook
from sev1.catalog.plan import FieldChange, plan, render


def test_the_same_catalog_changes_nothing(small):
    again = replace(small, version=7)
    assert plan(small, again).empty
    assert render(plan(small, again)) == "0 to create, 0 to change, 0 to delete"


def test_objects_come_and_go(small):
    changes = plan(Catalog(severities=small.severities), small)
    assert [(change.kind, change.name) for change in changes.created] == [
        ("organisation", "shop"),
        ("person", "ana"),
        ("person", "bo"),
        ("team", "payments"),
        ("service", "checkout"),
        ("service", "ledger"),
        ("schedule", "primary"),
        ("escalation-policy", "standard"),
        ("route", "everything"),
    ]
    assert [change.name for change in changes.deleted] == ["organisation"]
    back = plan(small, Catalog(severities=small.severities))
    assert len(back.deleted) == 9
    assert back.summary == "1 to create, 0 to change, 9 to delete"


def test_a_change_is_told_field_by_field(small):
    policy = small.policies["standard"]
    step = replace(policy.steps[0], wait_s=600)
    schedule = small.schedules["primary"]
    rotation = replace(schedule.rotation, people=("bo", "ana"))
    new = replace(
        small,
        policies={"standard": replace(policy, steps=(step,), repeat=5)},
        schedules={"primary": replace(schedule, rotation=rotation)},
        services=small.services | {"ledger": replace(small.services["ledger"], policy="standard")},
    )
    changes = plan(small, new)
    assert {change.name: change.fields for change in changes.changed} == {
        "primary": (FieldChange(field="rotation.people", old=("ana", "bo"), new=("bo", "ana")),),
        "standard": (
            FieldChange(field="steps[0].wait_s", old=300, new=600),
            FieldChange(field="repeat", old=2, new=5),
        ),
        "ledger": (FieldChange(field="policy", old=None, new="standard"),),
    }


def test_a_plan_reads_well_on_a_terminal(small):
    ana = small.people["ana"]
    new = replace(
        small,
        people={"ana": replace(ana, full_name="Ana\x1b[31m", time_zone="UTC", contact=(*ana.contact, *ana.contact))},
        teams={"payments": replace(small.teams["payments"], members=("ana",), channel="#pay")},
        runbooks={"fix": Runbook(name="fix", title="Fix it", body="# Fix it\n")},
    )
    lines = render(plan(small, new)).splitlines()
    assert [line for line in lines if "contact" not in line] == [
        "+ runbook fix  Fix it",
        "~ person ana  Ana�[31m",
        '    full_name: "Ana Ribeiro" → "Ana\\u001b[31m"',
        '    time_zone: "Europe/Lisbon" → "UTC"',
        "~ team payments  Payments",
        "    members: ana, bo → ana",
        '    channel: none → "#pay"',
        "- person bo  Bo Lindqvist",
        "",
        "1 to create, 2 to change, 1 to delete",
    ]
    assert "\x1b" not in "".join(lines)


def test_a_long_value_is_cut_off(small):
    new = replace(small, organisation=replace(small.organisation, title="x" * 300))
    [line] = [line for line in render(plan(small, new)).splitlines() if "title:" in line]
    assert line.endswith("xxx…")
    assert len(line) < 150


def test_a_changed_runbook_is_counted_in_lines(small):
    old = replace(small, runbooks={"fix": Runbook(name="fix", title="Fix", body="# Fix\n- one\n- two\n")})
    new = replace(small, runbooks={"fix": Runbook(name="fix", title="Fix", body="# Fix\n- one\n- three\n- four\n")})
    assert "    body: 2 lines new, 1 line gone" in render(plan(old, new)).splitlines()


def test_a_plan_travels_as_json(small):
    changes = plan(Catalog(), small)
    assert msgspec.json.decode(msgspec.json.encode(changes), type=type(changes)) == changes
