"""Whether a fix helped: the rules by themselves."""

from datetime import timedelta

import pytest

from sev1.engine.errors import Refused
from sev1.paging import model as m
from sev1.paging.fix import Firing, FixDidNotHelp, FixDue, FixHelped, FixReported, Signalled, WatchFix, still_firing
from tests.paging.test_decide import ANA, BO, PAGES, T0, History

LASTS = Firing(alert=1, summary="Card payments fail", times=3, ends=True)
NEVER_ENDS = Firing(alert=2, summary="New error", times=7, ends=False)


def watched(*alerts: Firing, **changes: int) -> History:
    page = History(**changes)
    page.when(WatchFix(note="rolled back", alerts=alerts))
    return page


def over(page: History, *alerts: Firing) -> list[m.PageEvent]:
    due = PAGES.timers(page.state)["fix"]
    return page.when(FixDue(due=due, alerts=alerts), after_s=(due - page.now).total_seconds())


def test_whoever_says_that_the_fix_is_in_has_the_page_and_the_escalation_stops():
    page = watched(watch_fix_s=120)
    assert page.state.status == "acknowledged"
    assert page.state.acknowledged_by == "ana"
    assert PAGES.timers(page.state) == {
        "unattended": T0 + timedelta(seconds=120 + 1800),
        "fix": T0 + timedelta(seconds=120),
    }


def test_what_lasts_says_that_it_did_not_help_and_names_three():
    page = watched(LASTS)
    many = [Firing(alert=n, summary=f"alert {n}", times=1, ends=True) for n in range(5)]
    assert over(page, *many) == [
        FixDidNotHelp(after_s=300, firing=5, examples=("alert 0", "alert 1", "alert 2")),
    ]
    assert page.state.status == "acknowledged"
    assert "fix" not in PAGES.timers(page.state)


def test_quiet_says_that_it_helped_and_resolves_nothing_by_itself():
    page = watched(LASTS)
    assert over(page) == [FixHelped(after_s=300)]
    assert page.state.status == "acknowledged"
    assert page.state.fix is not None
    assert page.state.fix.outcome == "helped"


@pytest.mark.parametrize(("times", "fires"), [(7, False), (8, True)])
def test_of_what_never_ends_only_a_new_signal_tells_that_it_goes_on(times: int, fires: bool):
    assert (
        bool(still_firing([Signalled(alert=2, times=7)], [Firing(alert=2, summary="s", times=times, ends=False)]))
        is fires
    )
    assert still_firing([], [NEVER_ENDS]) == [NEVER_ENDS], "it is new since the fix"


def test_a_second_fix_begins_the_watch_anew_and_the_first_timer_decides_nothing():
    page = watched(LASTS)
    first = PAGES.timers(page.state)["fix"]
    page.when(WatchFix(note="restarted as well"), BO, after_s=60)
    assert page.when(FixDue(due=first, alerts=(LASTS,)), after_s=240) == []
    assert page.state.fix is not None
    assert (page.state.fix.by, page.state.fix.outcome) == ("bo", "watched")


def test_the_same_click_twice_is_one_fix():
    page = watched()
    assert page.when(WatchFix(note="rolled back"), ANA, after_s=2) == []
    assert [type(e) for e in page.when(WatchFix(note="rolled back"), ANA, after_s=9)] == [
        m.PageAcknowledged,
        FixReported,
    ]


def test_a_page_that_is_over_watches_nothing():
    page = watched(LASTS)
    due = PAGES.timers(page.state)["fix"]
    page.when(m.Resolve(reason="All alerts resolved."))
    assert PAGES.timers(page.state) == {}
    assert page.when(FixDue(due=due, alerts=(LASTS,)), after_s=300) == []
    with pytest.raises(Refused, match="is over"):
        page.when(WatchFix())


def test_a_fix_ends_a_snooze_and_goes_on_when_the_page_is_passed_on():
    page = History()
    page.when(m.Snooze(until=T0 + timedelta(hours=1)))
    page.when(WatchFix())
    assert page.state.status == "acknowledged"
    page.when(m.Reassign(person="bo"), after_s=10)
    assert set(PAGES.timers(page.state)) == {"escalate", "fix"}
