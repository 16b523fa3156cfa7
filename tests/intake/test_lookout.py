"""While the inbox is long, the first signal of each problem is noted; while it is short, nothing is looked at."""

from sev1.intake.inbox import Address
from sev1.intake.lookout import BACKLOG_BYTES, NOTED_MAX, Lookout, Noted

RANKS = {"sev-1": 1, "critical": 9, "": 9}
CHECKOUT = ("HighErrors", "checkout")
SEARCH = ("Slow", "search")


class Inbox:
    """Only how much was ever stored."""

    def __init__(self) -> None:
        self.stored_bytes = 0
        self.woken = 0
        self.lookout = Lookout(lambda: self.stored_bytes, RANKS.get, on_note=self._wake)

    def _wake(self) -> None:
        self.woken += 1


def noted(row: int, *problems: tuple[str, str]) -> Noted:
    return Noted(Address(1, row), frozenset(problems))


def test_it_is_needed_only_while_much_is_unread():
    inbox = Inbox()
    inbox.stored_bytes = BACKLOG_BYTES
    assert not inbox.lookout.is_needed
    inbox.stored_bytes += 1
    assert inbox.lookout.is_needed
    inbox.lookout.read(1)
    assert not inbox.lookout.is_needed
    inbox.stored_bytes += 10 * BACKLOG_BYTES
    assert inbox.lookout.is_needed
    inbox.lookout.caught_up()
    assert not inbox.lookout.is_needed


def test_the_first_of_each_problem_is_noted_and_more_of_the_same_is_not():
    inbox = Inbox()
    inbox.lookout.look(7, [("critical", CHECKOUT)], Address(1, 10))
    inbox.lookout.look(7, [("critical", CHECKOUT)], Address(1, 11))
    inbox.lookout.look(7, [("critical", CHECKOUT), ("critical", SEARCH)], Address(1, 12))
    assert inbox.woken == 2
    assert inbox.lookout.take(10) == [noted(10, CHECKOUT), noted(12, SEARCH)]
    assert inbox.lookout.take(10) == []


def test_the_same_words_over_another_key_are_another_problem():
    inbox = Inbox()
    inbox.lookout.look(7, [("critical", CHECKOUT)], Address(1, 10))
    inbox.lookout.look(8, [("critical", CHECKOUT)], Address(1, 11))
    assert len(inbox.lookout.take(10)) == 2


def test_the_worst_goes_first_then_the_oldest():
    inbox = Inbox()
    for row in range(1, 6):
        inbox.lookout.look(7, [("critical", (f"Storm{row}", "x"))], Address(1, row))
    inbox.lookout.look(7, [("sev-1", SEARCH)], Address(1, 99))
    assert [one.address.row for one in inbox.lookout.take(3)] == [99, 1, 2]


def test_what_wakes_nobody_is_not_noted():
    inbox = Inbox()
    inbox.lookout.look(7, [("warning", CHECKOUT), ("info", SEARCH)], Address(1, 10))
    assert inbox.lookout.take(10) == []


def test_once_triage_has_caught_up_the_next_storm_begins_anew():
    inbox = Inbox()
    inbox.lookout.look(7, [("critical", CHECKOUT)], Address(1, 10))
    inbox.lookout.caught_up()
    assert inbox.lookout.take(10) == []
    inbox.lookout.look(7, [("critical", CHECKOUT)], Address(1, 20))
    assert inbox.lookout.take(10) == [noted(20, CHECKOUT)]


def test_what_is_remembered_is_bounded():
    inbox = Inbox()
    for row in range(3 * NOTED_MAX):
        inbox.lookout.look(7, [("critical", (f"Problem{row}", "x"))], Address(1, row))
    assert len(inbox.lookout.take(10 * NOTED_MAX)) == NOTED_MAX


def test_all_is_seen_once_triage_has_read_what_came_before_looking_began():
    inbox = Inbox()
    lookout = inbox.lookout
    inbox.stored_bytes = 3 * BACKLOG_BYTES
    assert not lookout.sees_all
    lookout.look(7, [("critical", CHECKOUT)], Address(1, 10))
    inbox.stored_bytes += 5 * BACKLOG_BYTES
    lookout.read(3 * BACKLOG_BYTES - 1)
    assert not lookout.sees_all, "one byte is left that nobody has looked at"
    lookout.read(1)
    assert lookout.sees_all


def test_what_came_while_nobody_looked_is_not_seen_though_all_before_it_was():
    inbox = Inbox()
    lookout = inbox.lookout
    inbox.stored_bytes = 2 * BACKLOG_BYTES
    lookout.look(7, [("critical", CHECKOUT)], Address(1, 10))
    lookout.read(2 * BACKLOG_BYTES)
    inbox.stored_bytes += 2 * BACKLOG_BYTES
    assert lookout.is_needed
    assert not lookout.sees_all
    lookout.look(7, [("critical", SEARCH)], Address(1, 11))
    assert not lookout.sees_all, "it sees only what comes from now on"
    lookout.read(BACKLOG_BYTES - 1)
    assert not lookout.sees_all
    lookout.caught_up()
    assert not lookout.sees_all


def test_not_all_is_seen_while_more_is_noted_than_the_express_lane_holds():
    inbox = Inbox()
    lookout = inbox.lookout
    for row in range(NOTED_MAX):
        lookout.look(7, [("critical", (f"Storm{row}", "x"))], Address(1, row))
    assert not lookout.sees_all
    lookout.take(1)
    assert lookout.sees_all
