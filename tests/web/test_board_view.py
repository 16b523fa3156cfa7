"""Of what is settled or done the page shows the latest few: an incident may go on for days."""

from datetime import timedelta

from msgspec.structs import replace
from tests.web.test_incident_view import INCIDENT, NOW

from sev1.catalog.model import Catalog
from sev1.command.parts.board import Item
from sev1.command.parts.tasks import Task
from sev1.surfaces.web.board_view import OPEN_SHOWN, OVER_SHOWN, board_view
from sev1.surfaces.web.work_view import work_view

MANY = OVER_SHOWN + 5


def test_the_latest_settled_items_are_shown_and_all_are_counted():
    board = {
        n: Item(
            number=n, kind="hypothesis", text=f"guess {n}", by="ana", at=NOW, outcome="refuted",
            settled_by="bo", settled_at=NOW + timedelta(minutes=n),
        )
        for n in range(1, MANY + 1)
    }  # fmt: skip
    board[MANY + 1] = Item(number=MANY + 1, kind="known", text="it is slow", by="ana", at=NOW)
    view = board_view(board, Catalog())
    assert [row.ref for row in view.settled] == [f"H{n}" for n in range(MANY, MANY - OVER_SHOWN, -1)]
    assert view.settled_count == MANY
    assert [row.text for group in view.groups for row in group.rows] == ["it is slow"]


def test_of_what_stands_the_latest_of_each_kind_are_shown_and_the_earlier_are_counted():
    board = {n: Item(number=n, kind="known", text=f"fact {n}", by="ana", at=NOW) for n in range(1, OPEN_SHOWN + 6)}
    board[99] = Item(number=99, kind="blocker", text="no access", by="ana", at=NOW)
    groups = {group.kind: group for group in board_view(board, Catalog()).groups}
    assert [row.ref for row in groups["known"].rows] == [f"K{n}" for n in range(6, OPEN_SHOWN + 6)]
    assert (groups["known"].earlier, groups["blocker"].earlier) == (5, 0)


def test_the_latest_done_tasks_are_shown_and_all_are_counted():
    tasks = {
        n: Task(number=n, text=f"task {n}", owner="bo", due_at=NOW, by="ana", at=NOW, state="done",
                closed_at=NOW + timedelta(minutes=n))
        for n in range(1, MANY + 1)
    }  # fmt: skip
    view = work_view(replace(INCIDENT, tasks=tasks), Catalog(), "ana")
    assert [row.ref for row in view.over] == [f"T{n}" for n in range(MANY, MANY - OVER_SHOWN, -1)]
    assert view.over_count == MANY
