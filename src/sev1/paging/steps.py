"""Which step of a policy starts, and when the next is due. Pure (missions 7.1, 7.3).

start     the step at a place, or the next that has somebody
proceed   the same, unless the page may wait for office hours
go_on     the wait is over without an answer
"""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from sev1.catalog.model import EscalationPolicy
from sev1.paging import model as m
from sev1.paging.eligible import held_until

Eligibles = tuple[m.Eligible, ...]
"""Whom each step of the policy would ask now."""

Place = tuple[int, int]
"""A step and its round."""


def following(policy: EscalationPolicy, place: Place) -> Place | None:
    step, round_ = place
    if step + 1 < len(policy.steps):
        return step + 1, round_
    if round_ < policy.repeat:
        return 0, round_ + 1
    return None


def ahead(state: m.Page) -> Place | None:
    """What starts next."""
    assert state.policy is not None
    if state.pending:
        return state.pending.step, state.pending.round
    return following(state.policy, (state.step, state.round))


def go_on(state: m.Page, who: Eligibles, reason: str, now: datetime) -> list[m.PageEvent]:
    """The wait is over without an answer: the rest of the step, what was held back, the next step, or nobody is left."""
    assert state.policy is not None
    policy = state.policy
    if state.pending:
        place = (state.pending.step, state.pending.round)
        return proceed(policy, state.severity, place, who, state.pending.reason, now)
    if state.later:
        wait_s = policy.steps[state.step].wait_for(state.severity)
        return [
            m.StepStarted(
                step=state.step,
                round=state.round,
                people=state.later,
                reason="Nobody who is awake answered.",
                next_at=now + timedelta(seconds=wait_s - wait_s // 2),
                widens=True,
            )
        ]
    place_after = following(policy, (state.step, state.round))
    if place_after is None:
        return [m.PolicyExhausted()]
    if place_after[1] > state.round and policy.pause_s:
        return [_pause(policy, place_after, now)]
    return proceed(policy, state.severity, place_after, who, reason, now)


def again(state: m.Page, who: Eligibles, reason: str, now: datetime) -> list[m.PageEvent]:
    assert state.policy is not None
    return proceed(state.policy, state.severity, (0, 0), who, reason, now)


def _pause(policy: EscalationPolicy, place: Place, now: datetime) -> m.PageHeld:
    reason = f"Nobody answered any step; round {place[1] + 1} begins after a pause of {policy.pause_s} s."
    return m.PageHeld(until=now + timedelta(seconds=policy.pause_s), step=place[0], round=place[1], reason=reason)


def proceed(
    policy: EscalationPolicy, severity: str | None, place: Place, who: Eligibles, reason: str, now: datetime
) -> list[m.PageEvent]:
    """Starts at `place`, or waits for office hours where the policy lets such a page wait."""
    if held := held_until(policy, severity, now):
        until, why = held
        return [m.PageHeld(until=until, step=place[0], round=place[1], reason=why)]
    return start(policy, severity, place, who, reason, now)


def start(
    policy: EscalationPolicy,
    severity: str | None,
    place: Place,
    who: Eligibles,
    reason: str,
    now: datetime,
    silent: AbstractSet[str] = frozenset(),
) -> list[m.PageEvent]:
    """Starts the step at `place`, or the next one that has somebody; a step without anybody is skipped and says so.

    `silent` are those who cannot be reached: a round-robin passes them over.
    """
    events: list[m.PageEvent] = []
    for skipped in range(len(policy.steps)):
        step, round_ = place
        here = who[step] if step < len(who) else m.Eligible()
        people, passed = here.people, here.passed_over
        if policy.steps[step].round_robin:
            people = left_of(who, step, silent)[:1]
            told = {one.person for one in passed}
            passed += tuple(
                m.Paged(person=one.person, because="cannot be reached")
                for one in here.people
                if one.person in silent and one.person not in told
            )
        if people:
            wait_s = policy.steps[step].wait_for(severity)
            first_s = wait_s // 2 if here.later else wait_s
            events.append(
                m.StepStarted(
                    step=step,
                    round=round_,
                    people=people,
                    reason=reason,
                    next_at=now + timedelta(seconds=first_s),
                    later=here.later,
                    passed_over=passed,
                )
            )
            return events
        nobody = "Nobody of this step can be reached." if here.people else here.nobody
        events.append(m.StepSkipped(step=step, round=round_, reason=nobody, passed_over=passed))
        place_after = following(policy, place)
        if place_after is None or skipped + 1 == len(policy.steps):
            break
        if place_after[1] > round_ and policy.pause_s:
            return [*events, _pause(policy, place_after, now)]
        place = place_after
    return [*events, m.PolicyExhausted()]


def left_of(who: Eligibles, step: int, silent: AbstractSet[str]) -> tuple[m.Paged, ...]:
    """The candidates of a round-robin who can be reached, as far as is known."""
    here = who[step] if 0 <= step < len(who) else m.Eligible()
    return tuple(one for one in here.people if one.person not in silent)
