"""The screen of whoever was woken a minute ago."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sev1.catalog.model import Catalog
from sev1.engine.decider import Actor, Fact
from sev1.notify.model import DeliveryView
from sev1.paging import model as p
from sev1.paging.plan import plan_of
from sev1.paging.react import people_of_steps
from sev1.surfaces.web import page_view as view

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def page(nordlicht: Catalog) -> p.Page:
    return p.Page(
        key="P-1",
        status="triggered",
        title="Card payments fail",
        service="checkout",
        severity="sev-1",
        why="Page: route money says so.",
        policy=nordlicht.policies["payments"],
        step=0,
        people=(p.Paged(person="bo", because="on call for payments-primary until Mon 09:00 Europe/Berlin"),),
        next_at=NOW + timedelta(minutes=3),
        opened_at=NOW - timedelta(minutes=1),
        alert_count=1,
    )


def screen(page: p.Page, catalog: Catalog, me: str) -> view.PageScreen:
    who = people_of_steps(page.policy, catalog, NOW, {}) if page.policy else ()
    plan = plan_of(page.policy, catalog, NOW, {}, page.severity, page=page) if page.policy else ()
    return view.page_screen(page, [], catalog, who, me, NOW, plan)


def test_whoever_is_asked_learns_that_it_is_them_and_why(page: p.Page, nordlicht: Catalog) -> None:
    shown = screen(page, nordlicht, "bo")
    assert shown.is_mine
    assert shown.standing == "Waits for you."
    assert shown.why == (
        "You are on call for payments-primary until Mon 09:00 Europe/Berlin. Page: route money says so."
    )


def test_the_five_questions_are_answered_from_the_catalog_where_the_alert_is_silent(
    page: p.Page, nordlicht: Catalog
) -> None:
    shown = screen(page, nordlicht, "bo")
    assert shown.impact == "Customers cannot pay"
    assert shown.first.startswith("Deployed in the last hour?")
    assert shown.verify[0].title == "Checkout dashboard"
    assert shown.team == "Payments in #payments"
    assert shown.runbook is not None
    assert "bo" not in {helper.email.split("@")[0] for helper in shown.stuck}


@pytest.mark.parametrize(
    ("changes", "me", "sentence"),
    [
        ({}, "ana", "Waits for Bo Lindqvist."),
        ({"people": (p.Paged(person="bo", because=""), p.Paged(person="ana", because=""))}, "ana",
         "Waits for you and Bo Lindqvist."),
        ({"exhausted": True}, "ana", "Nobody answered, and there is nobody left to page. Take it, or reassign it by name."),
        ({"status": "acknowledged", "acknowledged_by": "bo", "acknowledged_at": NOW}, "ana",
         "Bo Lindqvist has it since 09:00 UTC."),
        ({"status": "acknowledged", "acknowledged_by": "ana", "acknowledged_at": NOW}, "ana", "You have it since 09:00 UTC."),
        ({"status": "snoozed", "acknowledged_by": "bo", "snoozed_until": NOW + timedelta(hours=1)}, "ana",
         "Bo Lindqvist snoozed it until 10:00 UTC."),
        ({"status": "resolved", "resolution": "INC-1 is over."}, "ana", "Over: INC-1 is over."),
    ],
)  # fmt: skip
def test_one_sentence_says_who_has_it(
    page: p.Page, nordlicht: Catalog, changes: dict[str, object], me: str, sentence: str
) -> None:
    assert view.standing(replace(page, **changes), nordlicht, me, NOW) == sentence


def test_it_says_whom_the_next_step_asks_and_nobody_after_the_last(page: p.Page, nordlicht: Catalog) -> None:
    assert screen(page, nordlicht, "bo").next_people != ""
    last = replace(page, step=len(page.policy.steps) - 1, round=page.policy.repeat)  # type: ignore[union-attr]
    shown = screen(last, nordlicht, "bo")
    assert shown.next_people == ""
    assert not shown.can_escalate


def test_every_kind_of_event_has_words(nordlicht: Catalog, page: p.Page) -> None:
    assert page.policy is not None
    paged = (p.Paged(person="bo", because="on call"),)
    events: list[p.PageEvent] = [
        p.PageOpened(title="T", group_key="g", policy=page.policy, why="W"),
        p.AlertsJoined(count=2, summary="S"),
        p.StepStarted(step=0, round=1, people=paged, reason="First step.", next_at=None),
        p.StepSkipped(step=1, round=0, reason="Nobody is on call for this step."),
        p.PolicyExhausted(),
        p.PageAcknowledged(attend_by=None),
        p.PageUnattended(after_s=1800),
        p.PageSnoozed(until=NOW),
        p.SnoozeEnded(),
        p.PageReassigned(person="ana", next_at=None),
        p.NoticeSent(person="bo", method="email", receipt="250 ok", repeat=True),
        p.PersonUnreachable(person="bo", error="no route"),
        p.IncidentLinked(incident="INC-1"),
        p.PageResolved(reason="resolved by Bo"),
    ]
    by = Actor(id="bo", name="Bo", via="web")
    lines = view.history([Fact(version=n, at=NOW, by=by, event=e) for n, e in enumerate(events, 1)], nordlicht)
    assert [line.version for line in lines] == list(range(14, 0, -1))
    assert all(line.text for line in lines)
    texts = "\n".join(line.text for line in lines)
    assert "Step 1, round 2: asked Bo Lindqvist. First step." in texts
    assert "Acknowledged, then nothing for 30 min: paged again." in texts
    assert "again (the first may not have arrived)" in texts


def test_a_delivery_that_failed_is_told_with_its_reason(nordlicht: Catalog) -> None:
    def delivery(state: str, **more: object) -> DeliveryView:
        given: dict[str, object] = {
            "id": uuid.uuid4(), "about": "P-1", "person": "bo", "kind": "page", "state": state, "method_kind": "email",
            "to": "b…@nordlicht.example", "attempts": 1, "repeat": False, "created_at": NOW, "due_at": NOW,
            "finished_at": None, "receipt": None, "error": None, "log": (),
        }  # fmt: skip
        return DeliveryView(**{**given, **more})  # type: ignore[arg-type]

    sent, failed = view.receipts(
        [delivery("sent", receipt="250 kept"), delivery("failed", error="no such mailbox", attempts=3)], nordlicht
    )
    assert (sent.state, sent.details, sent.failed) == ("handed over", ("250 kept",), False)
    assert (failed.state, failed.details) == ("not delivered after 3 attempts", ("no such mailbox",))
    assert failed.failed
    assert (failed.who, failed.how) == ("Bo Lindqvist", "mail to b…@nordlicht.example")


def test_what_happens_when_nobody_answers_is_told_in_order(page: p.Page, nordlicht: Catalog) -> None:
    shown = screen(page, nordlicht, "ana")
    assert shown.ahead[0].at == page.next_at
    assert shown.ahead[0].text == "asks Cem Arslan"
    assert shown.ahead[0].details[0].startswith("Cem Arslan: on call for ")
    assert shown.next_people == "Cem Arslan"
    assert [line.at for line in shown.ahead[1:3]] == [NOW + timedelta(minutes=8), NOW + timedelta(minutes=13)]


def test_a_page_that_waits_for_office_hours_says_so(page: p.Page, nordlicht: Catalog) -> None:
    why = "SEV-4 may wait until Mon 09:00 Europe/Berlin: it is outside Mon–Fri 09:00–17:00."
    waiting = replace(page, people=(), step=-1, pending=p.Pending(step=0, round=0, reason=why))
    assert screen(waiting, nordlicht, "ana").standing == f"Waits. {why}"


def test_the_history_says_who_was_passed_over_skipped_and_held(nordlicht: Catalog) -> None:
    by = Actor(id="sev1", name="sev1", via="timer")
    bo, ana = (
        p.Paged(person="bo", because="in team payments"),
        p.Paged(person="ana", because="on leave until Mon 09:00"),
    )
    events: list[p.PageEvent] = [
        p.PageHeld(until=NOW + timedelta(hours=1), step=0, round=0, reason="SEV-4 may wait."),
        p.StepSkipped(step=0, round=0, reason="Only for SEV-1 and worse: this is SEV-3."),
        p.StepStarted(step=1, round=0, people=(bo,), reason="r", next_at=NOW, passed_over=(ana,), later=(ana,)),
        p.StepStarted(step=1, round=0, people=(ana,), reason="Nobody who is awake answered.", next_at=NOW, widens=True),
    ]
    facts = [Fact(version=n, at=NOW, by=by, event=event) for n, event in enumerate(events, 1)]
    widened, started, skipped, held = view.history(facts, nordlicht)
    assert held.text.endswith("SEV-4 may wait.")
    assert skipped.text == "Step 1 skipped. Only for SEV-1 and worse: this is SEV-3."
    assert "Ana Ribeiro passed over: on leave until Mon 09:00" in started.details
    assert "Ana Ribeiro: on leave until Mon 09:00; asked if nobody answers before" in started.details
    assert widened.text == "Step 2: also asked Ana Ribeiro. Nobody who is awake answered."
