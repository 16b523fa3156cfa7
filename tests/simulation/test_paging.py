"""Years of paging under faults, in seconds. A failure names its seed, and the same seed replays it."""

from datetime import timedelta

import pytest

from sev1.paging import model as m
from tests.simulation.world import Row, World

SEEDS = range(1, 27)
WEEKS = 10
"""26 seeds of 10 weeks: 260 weeks a run."""


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    world = World(request.param, WEEKS)
    world.run()
    assert len(world.states) > 50, f"seed {world.seed}: nothing much happened"
    return world


def said(world: World, row: Row) -> str:
    return f"seed {world.seed}: {row.delivery.about} to {row.delivery.person} ({row.state})"


def test_every_notice_ends_as_sent_failed_or_taken_back(world: World):
    for row in world.outbox:
        assert row.state in {"sent", "failed", "cancelled"}, said(world, row)
        if row.state == "sent":
            assert row.arrived, said(world, row)
        if row.state == "failed":
            assert row.delivery.log, said(world, row)


def test_a_notice_is_taken_back_only_by_an_answer_to_its_page(world: World):
    answers = m.PageAcknowledged | m.PageSnoozed | m.PageResolved | m.PageReassigned
    for row in world.outbox:
        if row.state == "cancelled":
            facts = world.facts[row.delivery.about]
            assert any(isinstance(f.event, answers) and f.at == row.cancelled_at for f in facts), said(world, row)


def test_nobody_is_paged_after_the_acknowledgement_was_committed(world: World):
    for row in world.outbox:
        if row.cancelled_at is not None:
            assert all(start <= row.cancelled_at for start in row.started), said(world, row)


def test_no_step_starts_on_an_acknowledged_page_unless_it_was_lost_or_somebody_asked(world: World):
    for key, facts in world.facts.items():
        acknowledged = False
        for before, fact in zip([None, *facts], facts, strict=False):
            match fact.event:
                case m.PageAcknowledged() | m.PageSnoozed():
                    acknowledged = True
                case m.PageUnattended() | m.SnoozeEnded() | m.PageReassigned():
                    acknowledged = False
                case m.StepStarted():
                    assert not acknowledged, f"seed {world.seed}: {key} at {fact.at} after {before}"


def test_a_notice_arrives_once_and_once_more_for_each_worker_that_was_cut_off_marked_as_a_repeat(world: World):
    for row in world.outbox:
        assert len(row.arrived) <= 1 + row.cut_off, said(world, row)
        assert all(row.arrived[1:]), f"{said(world, row)}: a repeat was not marked"


def test_no_page_is_forgotten(world: World):
    """A page that is still open at the end is one that said so: exhausted, or in the hands of an incident."""
    for key, page in world.states.items():
        if page.is_open:
            assert page.exhausted or page.incident, f"seed {world.seed}: {key} is {page.status} and nothing is due"
        assert page.paged or page.exhausted, f"seed {world.seed}: {key} asked nobody"


def test_each_step_waits_as_long_as_the_policy_promises_and_not_much_longer(world: World):
    for key, facts in world.facts.items():
        due = None
        for fact in facts:
            if isinstance(fact.event, m.StepStarted):
                if due and fact.event.reason == "Nobody answered the step before.":
                    late = fact.at - due
                    # A stalled worker, its lease, and the next one stalling as well.
                    assert timedelta(0) <= late <= timedelta(hours=1), f"seed {world.seed}: {key} late by {late}"
                due = fact.event.next_at
            elif isinstance(fact.event, m.PageReassigned):
                due = fact.event.next_at


def test_replaying_the_events_gives_the_same_pages(world: World):
    for key, page in world.states.items():
        assert world.replayed(key) == page, f"seed {world.seed}: {key}"


def test_a_seed_replays_to_the_same_events():
    first, second = World(7, 5), World(7, 5)
    first.run()
    second.run()
    assert first.facts == second.facts
    assert first.facts != {}
