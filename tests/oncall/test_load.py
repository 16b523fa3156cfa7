"""Whether on call was shared fairly, and what a quarter cost each person."""

from sev1.oncall.load import Week, fairness, loads


def week(person, n, **more):
    return Week(person=person, week=f"2026-W{n:02}", **more)


def test_a_persons_quarter_is_the_sum_of_their_weeks_and_nobody_is_left_out():
    found = [week("ana", 9, hours=168.0, pages=4, night_pages=2, interrupted_nights=1), week("ana", 10, hours=1.5)]
    ana, bo = loads(found, ["ana", "bo"])
    assert (ana.hours, ana.pages, ana.night_pages, ana.interrupted_nights) == (169.5, 4, 2, 1)
    assert [one.week for one in ana.weeks] == ["2026-W09", "2026-W10"]
    assert (bo.hours, bo.weeks) == (0, ())


def test_a_team_that_shares_evenly_is_fair():
    found = [week(person, 9, hours=168.0, pages=n, night_pages=1) for n, person in enumerate(("ana", "bo", "cem"))]
    fair = fairness(loads(found, ["ana", "bo", "cem"]))
    assert fair.uneven == ()
    assert (fair.pages.least, fair.pages.median, fair.pages.most) == (0, 1, 2)


def test_who_carries_far_more_than_the_middle_is_said_without_a_name():
    found = [week("ana", 9, hours=500.0, night_pages=9), week("bo", 9, hours=100.0), week("cem", 9, hours=168.0)]
    fair = fairness(loads(found, ["ana", "bo", "cem"]))
    assert fair.uneven == (
        "Hours on call are uneven: one person has 500, the middle of the team 168.",
        "Pages at night are uneven: one person has 9, the middle of the team 0.",
    )


def test_a_difference_too_small_to_matter_and_a_team_of_one_are_not_called_uneven():
    assert fairness(loads([week("ana", 9, pages=2, hours=20.0)], ["ana", "bo", "cem"])).uneven == ()
    assert fairness(loads([week("ana", 9, hours=900.0)], ["ana"])).uneven == ()
    assert fairness([]).hours.people == 0
