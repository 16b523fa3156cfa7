"""Two incidents that are one: suspected with reasons, merged with both histories."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.command.test_decide import INCIDENTS, T0, History

from sev1.catalog.model import Catalog, Service
from sev1.command import model as m
from sev1.command.merge import handed_on
from sev1.command.parts import merging as g
from sev1.command.parts.board import PutOnBoard, SettleItem
from sev1.command.parts.bridge import BridgeOpened, OpenBridge
from sev1.command.parts.intake import AnswerIntake
from sev1.command.parts.needs import MeetNeed, RaiseNeed
from sev1.command.parts.tasks import FinishTask, GiveTask, TaskGiven
from sev1.command.similar import Sought, similar
from sev1.command.terms import MOST, Kin
from sev1.engine.errors import Invalid, Refused
from sev1.measure.times import summarise

OPEN = Kin(key="INC-1", other_title="Cards fail", other_status="open")
CATALOG = Catalog(
    services={
        name: Service(name=name, title=name.capitalize(), owner="team", depends_on=needs)
        for name, needs in {"checkout": ("payments",), "payments": (), "search": ()}.items()
    }
)


def running(key: str = "INC-9", **more: Any) -> m.Incident:
    title = more.pop("title", "Card payments fail in Europe")
    state = History(m.Declare(title=title, services=("payments",))).state
    return replace(state, key=key, **more)


@pytest.mark.parametrize(
    ("sought", "because"),
    [
        (Sought(title="Nobody can pay", services=("payments",)), ["both affect Payments"]),
        (Sought(title="Europe: card payments", services=()), ["the titles say nearly the same"]),
        (Sought(title="x", belongs_to=("INC-9",)), ["its page or alert belongs there already"]),
        (
            Sought(title="Card payments in Europe", services=("checkout",)),
            ["Checkout depends on Payments", "the titles say nearly the same"],
        ),
        (Sought(title="Nobody can pay", services=("checkout",)), None),
        (Sought(title="Search is slow", services=("search",)), None),
        (Sought(title="", services=()), None),
    ],
)
def test_a_duplicate_is_suspected_with_reasons(sought, because):
    found = similar(sought, [running()], CATALOG)
    assert [list(one.because) for one in found] == ([because] if because else [])


def test_the_likeliest_comes_first_and_no_more_than_three():
    many = [running(f"INC-{number}") for number in range(5)]
    found = similar(Sought(title="Card payments fail in Europe", belongs_to=("INC-3",)), many, CATALOG)
    assert found[0].id == "INC-3"
    assert len(found) == 3


def two() -> tuple[History, History]:
    source, survivor = History(m.Declare(title="Refunds fail", services=("checkout",))), History()
    source.when(GiveTask(text="measure the lag", owner="bo", due_at=T0 + timedelta(minutes=10)))
    source.when(GiveTask(text="done already", owner="bo"))
    source.when(FinishTask(task=2))
    source.when(RaiseNeed(text="a DBA"))
    source.when(RaiseNeed(text="coffee"))
    source.when(MeetNeed(need=2))
    source.when(m.LinkAlerts(alerts=(4, 5)))
    survivor.when(GiveTask(text="roll back", owner="gus"))
    return source, survivor


def test_the_other_takes_over_open_work_alerts_services_and_the_earlier_beginning():
    source, survivor = two()
    source.when(m.CorrectTimes(started_at=T0 - timedelta(minutes=9), detected_at=T0, reason="graph"))
    before = source.state
    [merged] = source.when(g.MergeInto(into="INC-2", reason="the same deploy"), kin=OPEN)
    assert merged == g.MergedInto(into="INC-2", title="Cards fail", reason="the same deploy")
    assert (source.state.status, source.state.is_open) == ("merged", False)
    assert INCIDENTS.timers(source.state) == {}
    into, command = handed_on(before, "INC-2", "the same deploy")
    assert into == "INC-2"
    events = survivor.when(command, after_min=20)
    assert [type(event).__name__ for event in events] == [
        "TookIn",
        "TimesCorrected",
        "AlertsLinked",
        "TaskGiven",
        "NeedRaised",
    ]
    task = next(event for event in events if isinstance(event, TaskGiven))
    assert (task.number, task.text, task.owner) == (2, "measure the lag (INC-1 T1)", "bo")
    assert task.due_at == survivor.now + timedelta(minutes=30)
    assert survivor.state.alerts == (4, 5)
    assert survivor.state.services == ("checkout",)
    assert survivor.state.started_at == T0 - timedelta(minutes=9)
    assert survivor.when(command) == []


def test_what_stands_on_the_board_and_what_people_answered_come_over_where_nobody_said_it_here():
    source, survivor = two()
    for history in (source, survivor):
        history.when(PutOnBoard(kind="known", text="42 % fail"))
    source.when(PutOnBoard(kind="hypothesis", text="the pool is full", disproof="40 are idle"))
    source.when(PutOnBoard(kind="blocker", text="no access"))
    source.when(SettleItem(item=3, outcome="cleared", evidence="Gus gave it"))
    source.when(AnswerIntake(question="blast", text="Portugal"))
    source.when(AnswerIntake(question="tell", text="the bank"))
    survivor.when(AnswerIntake(question="blast", text="all of Europe"))
    _, command = handed_on(source.state, "INC-2", "same")
    survivor.when(command)
    assert [(item.ref, item.text, item.disproof) for item in survivor.state.board.values()] == [
        ("K1", "42 % fail", ""),
        ("H2", "the pool is full (INC-1 H2)", "40 are idle"),
    ]
    assert survivor.state.intake["blast"].text == "all of Europe"
    assert survivor.state.intake["tell"].text == "the bank (INC-1)"


@pytest.mark.parametrize(
    ("here", "url", "called"),
    [
        (None, "https://meet.example/1", ()),
        ("https://meet.example/2", "https://meet.example/2", ("bo",)),
        ("https://meet.example/1", "https://meet.example/1", ()),
    ],
)
def test_one_bridge_goes_on_and_who_was_on_the_other_is_called_onto_it(here, url, called):
    source, survivor = two()
    source.when(OpenBridge(url="https://meet.example/1", people=("ana", "bo")))
    if here:
        survivor.when(OpenBridge(url=here, people=("ana",)))
    _, command = handed_on(source.state, "INC-2", "same")
    opened = survivor.when(command)[-1]
    assert isinstance(opened, BridgeOpened)
    assert (opened.url, opened.people, opened.called) == (url, ("ana", "bo"), called)
    assert survivor.state.bridge.people == ("ana", "bo")


def test_more_than_the_one_that_goes_on_can_hold_is_refused_before_anything_happens():
    source, survivor = two()
    source.when(PutOnBoard(kind="known", text="one more"))
    for number in range(MOST):
        survivor.when(PutOnBoard(kind="known", text=f"fact {number}"))
    _, command = handed_on(source.state, "INC-2", "same")
    with pytest.raises(Refused, match="more than 500 items on its board"):
        survivor.when(command)


def test_what_was_merged_is_not_commanded_any_more_and_comes_back_by_reopening_only():
    source, _ = two()
    source.when(g.MergeInto(into="INC-2", reason="same"), kin=OPEN)
    with pytest.raises(Refused, match="was merged into INC-2: go on there"):
        source.when(m.SetSeverity(severity="sev-1"))
    source.when(m.AddNote(text="a note may still be added"))
    source.when(m.Reopen(reason="it was another one"))
    assert source.state.is_open
    assert source.state.merging.into is None


@pytest.mark.parametrize(
    ("into", "kin", "refused"),
    [
        ("INC-1", OPEN, "cannot be merged into itself"),
        ("INC-2", replace(OPEN, other_status="closed"), "INC-2 is closed"),
        ("INC-2", replace(OPEN, open_children=("INC-7",)), "INC-7 under this one would be left alone"),
        ("INC-2", replace(OPEN, above=("INC-2",)), "INC-1 is under INC-2, which sees to it"),
    ],
)
def test_what_cannot_be_merged_says_why(into, kin, refused):
    source, _ = two()
    with pytest.raises((Refused, Invalid), match=refused):
        source.when(g.MergeInto(into=into, reason="same"), kin=kin)
    assert source.state.is_open


def test_a_restricted_incident_is_merged_into_nothing():
    history = History(m.Declare(title="A breach", restricted=True))
    with pytest.raises(Refused, match="stands alone"):
        history.when(g.MergeInto(into="INC-2", reason="same"), kin=OPEN)


def test_what_was_merged_is_counted_once():
    source, survivor = two()
    source.when(g.MergeInto(into="INC-2", reason="same"), kin=OPEN)
    assert summarise([source.state, survivor.state], T0, T0 + timedelta(days=1)).incidents == 1
