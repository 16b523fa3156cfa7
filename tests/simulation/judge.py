"""Judges each commit of a page by the oracle: the right people at the right time, nothing after an answer, nothing lost.

It keeps its own idea of where each page stands, made from the events alone. What it finds wrong it raises at once, so a
failure is the first thing that went wrong, with the page and the instant.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from msgspec import Struct

from sev1.catalog.model import Catalog, EscalationPolicy, Override
from sev1.oncall.model import Away
from sev1.paging import model as m
from sev1.paging.fix import FixDidNotHelp, FixDue, FixHelped, FixReported, WatchFix
from tests.simulation.oracle import Expected, Oracle, successor

Place = tuple[int, int]
RESTARTS = (m.Open, m.UnattendedDue, m.SnoozeDue)


class Circumstances(Struct):
    """What is known of the world at the moment of a commit."""

    now: datetime
    exceptions: Mapping[str, Sequence[Override | Away]]
    on_leave: Sequence[str]
    lately_silent: Sequence[str]
    timers: Mapping[str, datetime]
    """Of the page, after the commit."""
    lasts: bool = False
    """An alert of the page fires that will say when it is over."""
    signalled: datetime | None = None
    """When another was signalled, last."""


class Track(Struct):
    policy: EscalationPolicy
    severity: str | None
    place: Place = (-1, 0)
    asked: list[str] = []
    later: list[str] = []
    silent: list[str] = []
    pending: Place | None = None
    due: datetime | None = None
    answered: bool = False
    """Somebody has it: acknowledged, snoozed, or over."""
    over: bool = False
    exhausted: bool = False
    incident: bool = False
    must_attend: bool = False
    snoozed: bool = False
    watched_since: datetime | None = None
    """A fix is watched."""


class Judge:
    def __init__(self, catalog: Catalog, until: datetime) -> None:
        self.oracle = Oracle(catalog, until)
        self.tracks: dict[str, Track] = {}
        self.started = 0
        self.skipped = 0

    def commit(self, key: str, command: m.PageCommand, events: Sequence[m.PageEvent], seen: Circumstances) -> None:
        if isinstance(command, m.Open):
            self.tracks[key] = Track(policy=command.policy, severity=command.severity)
        _Commit(self, key, self.tracks[key], command, seen).judge(events)


class _Commit:
    """One command of one page."""

    def __init__(self, judge: Judge, key: str, track: Track, command: m.PageCommand, seen: Circumstances) -> None:
        self.oracle, self.all = judge.oracle, judge
        self.key, self.track, self.command, self.seen = key, track, command, seen
        self.asked_for = isinstance(command, m.EscalateTo | m.JoinAlerts)
        """A person, or a worse alert, may start a step although somebody has the page."""
        self.expected: Place | None = None
        self.again = False
        """The same step goes on with whose turn is next."""
        self.skips = 0
        self.starts = 0

    def wrong(self, what: str) -> NoReturn:
        raise AssertionError(f"{self.key} at {self.seen.now:%Y-%m-%d %H:%M:%S}, {type(self.command).__name__}: {what}")

    def judge(self, events: Sequence[m.PageEvent]) -> None:
        was_due, watch_over = self._must_act(), self._watch_over()
        self.expected = self._expected()
        for event in events:
            self._event(event)
        if was_due and not any(isinstance(e, m.StepStarted | m.PageHeld | m.PolicyExhausted) for e in events):
            self.wrong("something was due and nothing followed")
        if watch_over and not any(isinstance(e, FixHelped | FixDidNotHelp) for e in events):
            self.wrong("a fix was watched and nobody hears whether it helped")
        self._waits()

    # --- what is expected of a command -----------------------------------------------------------------------------

    def _must_act(self) -> bool:
        """Whether the command has to ask somebody, wait with a reason, or say that nobody is left."""
        track, command = self.track, self.command
        if isinstance(command, m.Open) or track.over:
            return not track.over
        if isinstance(command, m.EscalationDue):
            return not track.answered and track.due == command.due
        if isinstance(command, m.UnattendedDue):
            return track.must_attend and not track.incident and track.due == command.due
        if isinstance(command, m.SnoozeDue):
            return track.snoozed and track.due == command.due
        return isinstance(command, m.ReportUnreachable) and self._all_silent(command.person)

    def _watch_over(self) -> bool:
        return isinstance(self.command, FixDue) and not self.track.over and self._watched_until() == self.command.due

    def _watched_until(self) -> datetime | None:
        since = self.track.watched_since
        return since + timedelta(seconds=self.track.policy.watch_fix_s) if since else None

    def _all_silent(self, person: str) -> bool:
        track = self.track
        waits = not track.answered and not track.exhausted and track.pending is None
        return waits and person in track.asked and set(track.asked) <= {*track.silent, person}

    def _expected(self) -> Place | None:
        track, command = self.track, self.command
        if isinstance(command, RESTARTS):
            return 0, 0
        if isinstance(command, m.JoinAlerts):
            return max(track.place[0], 0), track.place[1]
        if isinstance(command, m.ReportUnreachable) and track.policy.steps[max(track.place[0], 0)].round_robin:
            silent = [*track.silent, command.person]
            self.again = bool(self._asks(track.place, silent).first) if track.place[0] >= 0 else False
            if self.again:
                return track.place
        return track.pending or successor(track.policy, track.place)

    def _asks(self, place: Place, silent: Sequence[str] = ()) -> Expected:
        track, seen = self.track, self.seen
        return self.oracle.asks(
            track.policy, place[0], track.severity, seen.now, seen.exceptions, seen.on_leave, seen.lately_silent, silent
        )

    # --- events ----------------------------------------------------------------------------------------------------

    def _event(self, event: m.PageEvent) -> None:  # noqa: PLR0912 - one case an event
        track = self.track
        if track.over and not isinstance(event, m.PageOpened):
            self.wrong(f"{type(event).__name__} on a page that is over")
        match event:
            case m.StepStarted():
                self._started(event)
            case m.StepSkipped():
                if (event.step, event.round) != self.expected:
                    self.wrong(f"skipped {event.step}, {event.round}, expected {self.expected}")
                if self._asks((event.step, event.round)).first:
                    self.wrong(f"skipped a step that has somebody: {event.reason}")
                self.skips += 1
                self.all.skipped += 1
                track.place = (event.step, event.round)
                self.expected = successor(track.policy, track.place)
            case m.PageHeld():
                self._held(event)
            case m.PolicyExhausted():
                if self.expected is not None and self.skips < len(track.policy.steps):
                    self.wrong(f"gave up before {self.expected}")
                track.exhausted, track.later, track.pending = True, [], None
                track.due = track.due if track.answered else None
            case m.AlertsJoined():
                track.severity = event.severity or track.severity
            case m.PageAcknowledged() | m.PageSnoozed():
                track.answered, track.later, track.pending = True, [], None
                track.snoozed = isinstance(event, m.PageSnoozed)
                track.must_attend = isinstance(event, m.PageAcknowledged) and track.policy.unattended_after_s > 0
                track.due = event.until if isinstance(event, m.PageSnoozed) else event.attend_by
                if isinstance(self.command, WatchFix) and track.must_attend:
                    watch_s = track.policy.watch_fix_s + track.policy.unattended_after_s
                    self._due_in(track.due, watch_s)
            case FixReported():
                track.watched_since = self.seen.now
                self._due_in(event.until, track.policy.watch_fix_s)
            case FixHelped() | FixDidNotHelp():
                if not isinstance(self.command, FixDue) or self._watched_until() != self.command.due:
                    self.wrong("a fix was judged before its time")
                again = self.seen.signalled and track.watched_since and self.seen.signalled > track.watched_since
                goes_on = bool(self.seen.lasts or again)
                if goes_on == isinstance(event, FixHelped):
                    self.wrong(f"{type(event).__name__}, but alerts {'go on' if goes_on else 'are quiet'}")
                track.watched_since = None
            case m.PageUnattended() | m.SnoozeEnded():
                track.answered = track.snoozed = track.must_attend = track.exhausted = False
            case m.PageReassigned():
                track.answered = track.snoozed = track.must_attend = track.exhausted = False
                track.asked, track.later, track.silent, track.due = [event.person], [], [], event.next_at
                self._due_in(
                    event.next_at, self.oracle.wait_s(track.policy.steps[max(track.place[0], 0)], track.severity)
                )
            case m.PersonUnreachable():
                track.silent = [*track.silent, event.person]
            case m.IncidentLinked():
                track.incident = True
            case m.PageResolved():
                track.answered = track.over = True
                track.watched_since = None
            case _:
                pass

    def _started(self, event: m.StepStarted) -> None:
        track, place = self.track, (event.step, event.round)
        self.starts += 1
        self.all.started += 1
        if self.starts > 1:
            self.wrong("two steps started at once")
        if track.answered and not self.asked_for:
            self.wrong("somebody has the page and it pages on")
        if isinstance(self.command, m.EscalationDue) and (track.due is None or self.seen.now < track.due):
            self.wrong("too early")
        step = track.policy.steps[event.step]
        wait_s = self.oracle.wait_s(step, track.severity)
        names = [paged.person for paged in event.people]
        if event.widens:
            if place != track.place or not track.later or names != track.later:
                self.wrong(f"asked {names} as well, expected {track.later}")
            track.asked, track.later = track.asked + names, []
            self._due_in(event.next_at, wait_s - wait_s // 2)
        else:
            self._rightly_started(event, place, names, wait_s)
        track.due, track.pending, track.exhausted = event.next_at, None, False
        track.answered = track.snoozed = track.must_attend = False

    def _rightly_started(self, event: m.StepStarted, place: Place, names: list[str], wait_s: int) -> None:
        track = self.track
        if track.later and isinstance(self.command, m.EscalationDue | m.ReportUnreachable):
            self.wrong(f"{track.later} of the step were not asked")
        if place != self.expected:
            self.wrong(f"started {place}, expected {self.expected}")
        if not isinstance(self.command, m.EscalateTo) and self._must_wait():
            self.wrong("it had to wait for office hours")
        expected = self._asks(place, track.silent if self.again else ())
        later = [paged.person for paged in event.later]
        if names != expected.first or later != expected.later:
            self.wrong(f"asked {names} then {later}, expected {expected.first} then {expected.later}")
        if track.policy.steps[event.step].round_robin:
            self.oracle.took_turn(track.policy, event.step, names[0])
        if not all(paged.because for paged in event.people) or not event.reason:
            self.wrong("no reason is given")
        passed = {paged.person for paged in event.passed_over}
        track.silent = [person for person in track.silent if person in passed]
        track.place, track.asked, track.later = place, names, later
        self._due_in(event.next_at, wait_s // 2 if later else wait_s)

    def _must_wait(self) -> datetime | None:
        return self.oracle.must_wait(self.track.policy, self.track.severity, self.seen.now)

    def _held(self, event: m.PageHeld) -> None:
        track, until = self.track, self._must_wait()
        paused = self.seen.now + timedelta(seconds=track.policy.pause_s)
        if (event.step, event.round) != self.expected:
            self.wrong(f"waits for {event.step}, {event.round}, expected {self.expected}")
        after_the_pause = track.pending == self.expected and isinstance(self.command, m.EscalationDue)
        next_round = event.step == 0 and event.round == track.place[1] + 1
        is_pause = next_round and not after_the_pause and track.policy.pause_s > 0
        if event.until != (paused if is_pause else until):
            self.wrong(f"waits until {event.until}, expected {paused if is_pause else until}")
        track.pending, track.due, track.later = (event.step, event.round), event.until, []
        track.answered = track.snoozed = track.must_attend = track.exhausted = False
        track.silent = []

    def _due_in(self, due: datetime | None, seconds: int) -> None:
        if due != self.seen.now + timedelta(seconds=seconds):
            self.wrong(f"next at {due}, expected in {seconds} s")

    def _waits(self) -> None:
        """No page is lost: while nobody has it, something is due, later than now."""
        track, timers = self.track, self.seen.timers
        if track.over or (track.exhausted and not track.answered):
            kinds: list[str] = []
        elif not track.answered:
            kinds = ["escalate"]
        elif track.snoozed:
            kinds = ["snooze"]
        else:
            kinds = ["unattended"] if track.must_attend and not track.incident else []
        if self._watched_until():
            kinds = [*kinds, "fix"]
        if list(timers) != kinds:
            self.wrong(f"waits for {list(timers)}, expected {kinds}")
        for kind, due in timers.items():
            expected = self._watched_until() if kind == "fix" else track.due
            if due != expected:
                self.wrong(f"{kind} is due at {due}, expected {expected}")
