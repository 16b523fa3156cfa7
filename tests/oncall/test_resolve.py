"""From the targets of a step to people, each with the reason that their page will show."""

from datetime import UTC, date, datetime

import pytest

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import (
    Catalog,
    Override,
    Person,
    PersonTarget,
    Rotation,
    Schedule,
    ScheduleTarget,
    Team,
    TeamTarget,
)
from sev1.oncall.resolve import Recipient, resolve

NIGHT = datetime(2026, 1, 7, 2, 14, tzinfo=UTC)
SUNDAY = datetime(2026, 1, 11, 7, 0, tzinfo=UTC)


def person(name):
    email = f"{name}@shop.example"
    return Person(name=name, full_name=name.title(), email=email, contact=(EmailMethod(address=email),))


CATALOG = Catalog(
    people={name: person(name) for name in ("ana", "bo", "cem", "eve")},
    teams={
        "payments": Team(name="payments", title="Payments", members=("bo", "ana", "gone")),
        "ghosts": Team(name="ghosts", title="Ghosts", members=("gone",)),
    },
    schedules={
        "primary": Schedule(
            name="primary",
            title="Primary",
            time_zone="Europe/Berlin",
            rotation=Rotation(people=("ana", "bo"), starts=date(2026, 1, 5)),
        ),
        "haunted": Schedule(
            name="haunted", title="Haunted", rotation=Rotation(people=("gone",), starts=date(2026, 1, 5))
        ),
    },
)
PRIMARY = ScheduleTarget(name="primary")


def cover(name, reason=""):
    start, end = datetime(2026, 1, 7, 0, tzinfo=UTC), datetime(2026, 1, 7, 17, tzinfo=UTC)
    return {"primary": [Override(person=name, start=start, end=end, reason=reason)]}


def test_a_schedule_gives_whoever_is_on_call_and_until_when():
    found = resolve([PRIMARY], CATALOG, NIGHT, {})
    assert found.recipients == (Recipient("ana", "on call for Primary until Mon 09:00 Europe/Berlin"),)
    assert found.nobody == ()


def test_a_day_further_away_is_told_with_its_date():
    at = datetime(2026, 1, 5, 8, 1, tzinfo=UTC)
    [recipient] = resolve([PRIMARY], CATALOG, at, {}).recipients
    assert recipient.because == "on call for Primary until Mon 12 Jan 09:00 Europe/Berlin"


def test_an_override_made_at_run_time_counts():
    [recipient] = resolve([PRIMARY], CATALOG, NIGHT, cover("cem", "dentist")).recipients
    assert recipient == Recipient("cem", "covering Primary until Wed 18:00 Europe/Berlin (dentist)")
    [recipient] = resolve([PRIMARY], CATALOG, SUNDAY, cover("cem")).recipients
    assert recipient.person == "ana"


def test_a_person_is_named_where_they_are_named():
    [recipient] = resolve([PersonTarget(name="eve")], CATALOG, NIGHT, {}, named_in="step 2 of payments").recipients
    assert recipient == Recipient("eve", "named in step 2 of payments")
    [recipient] = resolve([PersonTarget(name="eve")], CATALOG, NIGHT, {}).recipients
    assert recipient.because == "named directly"


def test_a_team_gives_all_its_members():
    found = resolve([TeamTarget(name="payments")], CATALOG, NIGHT, {})
    assert found.recipients == (Recipient("bo", "in team payments"), Recipient("ana", "in team payments"))


def test_everybody_is_paged_once_for_the_first_reason_and_in_the_order_of_the_targets():
    targets = [PersonTarget(name="eve"), PRIMARY, TeamTarget(name="payments"), PersonTarget(name="eve")]
    found = resolve(targets, CATALOG, NIGHT, {})
    assert [recipient.person for recipient in found.recipients] == ["eve", "ana", "bo"]
    assert found.recipients[1].because.startswith("on call for Primary")


@pytest.mark.parametrize(
    ("target", "at", "sentence"),
    [
        (PRIMARY, datetime(2026, 1, 5, 7, 59, tzinfo=UTC), "nobody is on call for Primary at Mon 08:59 Europe/Berlin"),
        (PersonTarget(name="gone"), NIGHT, 'person "gone" is not in the catalog'),
        (TeamTarget(name="gone"), NIGHT, 'team "gone" has nobody in the catalog'),
        (TeamTarget(name="ghosts"), NIGHT, 'team "ghosts" has nobody in the catalog'),
        (ScheduleTarget(name="gone"), NIGHT, 'schedule "gone" is not in the catalog'),
        (ScheduleTarget(name="haunted"), NIGHT, 'person "gone", on call for Haunted, is not in the catalog'),
    ],
)
def test_a_target_that_reaches_nobody_is_told_and_the_others_still_count(target, at, sentence):
    found = resolve([target, PersonTarget(name="bo")], CATALOG, at, {})
    assert found.nobody == (sentence,)
    assert [recipient.person for recipient in found.recipients] == ["bo"]


def test_an_override_for_somebody_who_left_falls_back_to_the_rotation():
    """The catalog was applied without them while their override was still running."""
    found = resolve([PRIMARY], CATALOG, NIGHT, cover("gone"))
    assert [recipient.person for recipient in found.recipients] == ["ana"]
