"""The rules: what was found and where a watch stood -> where it stands, what is said, when to look again. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from sev1.catalog.matchers import all_match, parse
from sev1.catalog.model import Check, Composite, Heartbeat, StatusFeed
from sev1.watch.model import FiringAlert, Judged, Kind, Outcome, Sample, Signal, State, Status, VendorIncident

COMPOSITE_EVERY = timedelta(seconds=5)
SAMPLES = 30
"""A window is counted in so many parts."""
SEVERITIES = {"critical": "critical", "major": "warning", "minor": "warning", "none": "info", "maintenance": "info"}
OPEN_MAX = 50


def heartbeat(
    spec: Heartbeat, state: State, seen_at: datetime | None, listening_since: datetime, now: datetime
) -> Judged:
    """Missed when nothing came for `every_s` and `grace_s`.

    Counted from the last sign of life, from when sev1 learnt of it, or from when sev1 began to listen after being away,
    whichever is latest: what could not be heard was not missed (mission 1.2).
    """
    last = seen_at or state.known_since or now
    allowed = timedelta(seconds=spec.every_s + spec.grace_s)
    overdue_since_ping = now >= last + allowed
    deadline = max(last, listening_since) + allowed
    if now >= deadline:
        heard = f"last heard of at {seen_at:%Y-%m-%d %H:%M:%S} UTC" if seen_at else "never heard of"
        why = f"Missed: expected every {spec.every_s} s, {heard}."
        summary = spec.summary or f"The heartbeat {spec.name} was missed"
        signal = _signal("heartbeat", spec, "firing", summary, why)
        # Once more while it lasts, so that an alert that was put away by hand comes back.
        return Judged(
            state=_moved(state, "trouble", why, now, firing=True),
            due_at=now + timedelta(seconds=max(spec.every_s, 60)),
            signals=(signal,),
        )
    if state.firing and overdue_since_ping:
        # Still missed from before we were away; only a ping ends it.
        return Judged(state=_moved(state, "trouble", state.why, now, firing=True), due_at=deadline)
    status: Status = "waiting" if seen_at is None else "ok"
    why = "Waiting for its first sign of life." if seen_at is None else f"Heard of at {seen_at:%H:%M:%S} UTC."
    if overdue_since_ping:
        why = f"sev1 was away until {listening_since:%H:%M:%S} UTC; it has until {deadline:%H:%M:%S} UTC."
    return _settled("heartbeat", spec, state, status, why, deadline, now)


def check(spec: Check, state: State, outcome: Outcome, now: datetime) -> Judged:
    """An alert after `fail_after` failures in a row, over after `recover_after` successes in a row."""
    due_at = now + timedelta(seconds=spec.every_s)
    failures = 0 if outcome.ok else state.failures + 1
    successes = state.successes + 1 if outcome.ok else 0
    counted = msgspec.structs.replace(state, failures=failures, successes=successes)
    if not outcome.ok and (state.firing or failures >= spec.fail_after):
        signal = _signal("check", spec, "firing", f"The check {spec.name} fails: {outcome.why}", outcome.why)
        return Judged(state=_moved(counted, "trouble", outcome.why, now, firing=True), due_at=due_at, signals=(signal,))
    if state.firing and successes < spec.recover_after:
        why = f"{outcome.why} {successes} of {spec.recover_after} successes until it counts as recovered."
        return Judged(state=_moved(counted, "trouble", why, now, firing=True), due_at=due_at)
    if not outcome.ok:
        why = f"{outcome.why} {failures} of {spec.fail_after} failures until it is an alert."
        return Judged(state=_moved(counted, "ok", why, now, firing=False), due_at=due_at)
    return _settled("check", spec, counted, "ok", outcome.why, due_at, now)


def composite(spec: Composite, state: State, alerts: Sequence[FiringAlert], now: datetime) -> Judged:
    """`at_least` of its conditions fire and began within `window_s` of each other; or `count` occurrences within it.

    Once it fires, it lasts while so many conditions fire, whenever their alerts began.
    """
    due_at = now + COMPOSITE_EVERY
    if spec.count is not None:
        return _counted(spec, state, alerts, due_at, now)
    wanted = spec.at_least or len(spec.match)
    began: dict[int, list[datetime]] = {}
    for at, text in enumerate(spec.match):
        matchers = parse(text)
        if hits := sorted(alert.received_at for alert in alerts if all_match(matchers, alert.labels)):
            began[at] = hits
    together = most_within(began, timedelta(seconds=spec.window_s))
    holds = len(began) >= wanted if state.firing else together >= wanted
    why = f"{len(began)} of {len(spec.match)} conditions fire, {together} of them within {spec.window_s} s; {wanted} make the alert."
    return _on_or_off(spec, state, holds, why, due_at, now)


def most_within(began: dict[int, list[datetime]], window: timedelta) -> int:
    """The most conditions that have an alert in one window. `began`: condition -> when its alerts came in, sorted."""
    moments = sorted({instant for instants in began.values() for instant in instants})
    return max(
        (
            sum(any(start <= at <= start + window for at in instants) for instants in began.values())
            for start in moments
        ),
        default=0,
    )


def _counted(spec: Composite, state: State, alerts: Sequence[FiringAlert], due_at: datetime, now: datetime) -> Judged:
    window = timedelta(seconds=spec.window_s)
    conditions = [parse(text) for text in spec.match]
    times = {
        str(alert.id): alert.times
        for alert in alerts
        if any(all_match(matchers, alert.labels) for matchers in conditions)
    }
    # The newest sample that is as old as the window is where counting begins; older ones are forgotten.
    samples = list(state.samples)
    while len(samples) > 1 and samples[1].at <= now - window:
        samples.pop(0)
    before = samples[0].times if samples else {}
    young = {str(alert.id) for alert in alerts if alert.received_at >= now - window}
    # All of an alert that came in within the window; of an older one what was added since counting began.
    found = sum(n if a in young else max(0, n - before.get(a, n)) for a, n in times.items())
    if not samples or now - samples[-1].at >= window / SAMPLES:
        samples.append(Sample(now, times))
    assert spec.count is not None
    why = f"{found} within {spec.window_s} s; {spec.count} make the alert."
    kept = msgspec.structs.replace(state, samples=tuple(samples[-SAMPLES - 2 :]))
    return _on_or_off(spec, kept, found >= spec.count, why, due_at, now)


def _on_or_off(spec: Composite, state: State, holds: bool, why: str, due_at: datetime, now: datetime) -> Judged:
    if not holds:
        return _settled("composite", spec, state, "ok", why, due_at, now)
    signals = () if state.firing else (_signal("composite", spec, "firing", spec.summary, why),)
    return Judged(state=_moved(state, "trouble", why, now, firing=True), due_at=due_at, signals=signals)


def feed(spec: StatusFeed, state: State, incidents: Sequence[VendorIncident] | None, why: str, now: datetime) -> Judged:
    """Each open incident fires, each that is over or gone ends. None: the page has not changed since last time."""
    due_at = now + timedelta(seconds=spec.every_s)
    if incidents is None:
        status: Status = "trouble" if state.open else "ok"
        return Judged(state=_moved(state, status, why, now, firing=bool(state.open)), due_at=due_at)
    still = {incident.id: incident for incident in incidents if incident.open}
    shown = dict(list(still.items())[:OPEN_MAX])
    signals = [_vendor_signal(spec, incident) for incident in shown.values()]
    signals += [
        Signal(key=f"status-feed/{spec.name}/{gone}", status="resolved", summary=title)
        for gone, title in state.open.items()
        if gone not in shown
    ]
    opened = {incident.id: incident.title for incident in shown.values()}
    words = f"{len(still)} open: {next(iter(opened.values()))}." if opened else "Nothing is open there."
    moved = _moved(state, "trouble" if opened else "ok", words, now, firing=bool(opened))
    return Judged(state=msgspec.structs.replace(moved, open=opened), due_at=due_at, signals=tuple(signals))


def feed_unreadable(spec: StatusFeed, state: State, why: str, now: datetime) -> Judged:
    """A status page that cannot be read says nothing about its vendor: what was open stays open, nothing is alerted."""
    return Judged(
        state=_moved(state, "unreachable", why, now, firing=bool(state.open)),
        due_at=now + timedelta(seconds=spec.every_s),
    )


def gone(kind: Kind, name: str, state: State) -> tuple[Signal, ...]:
    """It is no longer in the catalog: what fires of it ends."""
    if kind == "status-feed":
        return tuple(
            Signal(key=f"{kind}/{name}/{i}", status="resolved", summary=title) for i, title in state.open.items()
        )
    if not state.firing:
        return ()
    return (Signal(key=f"{kind}/{name}", status="resolved", summary=f"The {kind} {name} is no longer in the catalog"),)


def _settled(
    kind: Kind,
    spec: Heartbeat | Check | Composite,
    state: State,
    status: Status,
    why: str,
    due_at: datetime,
    now: datetime,
) -> Judged:
    over = (_signal(kind, spec, "resolved", f"The {kind} {spec.name} is all right again", why),) if state.firing else ()
    return Judged(state=_moved(state, status, why, now, firing=False), due_at=due_at, signals=over)


def _moved(state: State, status: Status, why: str, now: datetime, *, firing: bool) -> State:
    since = state.since if state.status == status and state.since else now
    return msgspec.structs.replace(state, status=status, why=why, since=since, checked_at=now, firing=firing)


def _signal(kind: Kind, spec: Heartbeat | Check | Composite, status: str, summary: str, why: str) -> Signal:
    return Signal(
        key=f"{kind}/{spec.name}",
        status="firing" if status == "firing" else "resolved",
        summary=summary[:1000],
        severity=spec.severity,
        service=spec.service,
        labels={"alertname": spec.name, "watch": kind},
        annotations={"why": why},
    )


def _vendor_signal(spec: StatusFeed, incident: VendorIncident) -> Signal:
    return Signal(
        key=f"status-feed/{spec.name}/{incident.id}",
        status="firing",
        summary=incident.title,
        severity=spec.severities.get(incident.impact, SEVERITIES[incident.impact]),
        service=spec.service,
        labels={"alertname": spec.name, "watch": "status-feed", "impact": incident.impact},
        annotations={"why": f"{spec.name} says so: {incident.status or 'open'}."},
        links=(incident.url,) if incident.url else (),
    )
