"""A batch of signals becomes episodes: what began, went on, was acknowledged or ended, each problem on its own.

Signals of one fingerprint are taken in the order in which they came: firing, resolved, firing is two episodes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field

from sev1.intake.model import InboundEvent, InboundLink
from sev1.triage.model import OpenAlert, Subject, Verdict
from sev1.triage.pipeline import known

NOTES_MAX = 100
"""Notes of one alert in one batch; what is beyond is left out."""

Who = tuple[int, str]
"""(key id, fingerprint): one problem."""


class Signal(Struct, frozen=True, kw_only=True):
    """An inbound event with where it came from."""

    event: InboundEvent
    key_id: int
    service: str | None = None
    """The service that its key stands for."""
    received_at: datetime
    writer: int
    row: int
    """Writer and id of the inbox row that holds the raw payload."""

    @property
    def who(self) -> Who:
        return self.key_id, self.event.fingerprint

    @property
    def labels(self) -> dict[str, str]:
        """As sent; the key's service stands in for a missing label `service`."""
        labels = self.event.labels
        if self.service and not labels.get("service"):
            return {**labels, "service": self.service}
        return labels


class Episode(Struct, kw_only=True):
    """One alert as the batch leaves it."""

    id: int = 0
    """0 until a new one has its number."""
    before: OpenAlert | None = None
    """The firing alert as it was before the batch; None: this is a new one."""
    known_before: OpenAlert | None = None
    """For a new one, the alert of the same problem that it follows on."""
    key_id: int
    fingerprint: str
    source: str
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    links: tuple[InboundLink, ...]
    starts_at: datetime
    expires_at: datetime | None
    received_at: datetime
    writer: int
    row: int
    signals: int = 0
    """How many occurrences the batch tells of."""
    resolved_at: datetime | None = None
    end: str = ""
    """Why it ended, as a sentence."""
    acknowledged: bool = False
    notes: list[str] = []
    """What the sender added to its history, oldest first."""
    judge: bool = False
    """The stages have to look at it."""
    again: str = ""
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def firing(self) -> bool:
        return self.resolved_at is None

    @property
    def subject(self) -> Subject:
        return Subject(
            id=self.id,
            key_id=self.key_id,
            fingerprint=self.fingerprint,
            labels=self.labels,
            annotations=self.annotations,
            before=self.before or self.known_before,
            again=self.again,
        )


def fold(signals: Iterable[Signal], firing: Mapping[Who, OpenAlert], now: datetime) -> list[Episode]:
    """The episodes that `signals` touch, in the order in which they were first touched.

    `firing` holds the alerts that fire already, for every key and fingerprint among the signals.
    An acknowledgement, a note or a resolve of something that does not fire is nothing.
    """
    folding = _Folding(firing, now)
    for signal in signals:
        if folding.is_outdated(signal):
            continue
        episode: Episode | None = None
        match signal.event.action:
            case "firing":
                episode = folding.fires(signal)
            case "acknowledged":
                if episode := folding.current(signal):
                    episode.acknowledged = True
            case "resolved":
                if episode := folding.current(signal):
                    episode.resolved_at = signal.received_at
                    episode.end = "The sender says it is over."
            case "noted":
                episode = folding.current(signal)
        if signal.event.note and episode and len(episode.notes) < NOTES_MAX:
            episode.notes.append(signal.event.note)
    return folding.episodes


class _Folding:
    def __init__(self, firing: Mapping[Who, OpenAlert], now: datetime) -> None:
        self._before = firing
        self._now = now
        self._latest: dict[Who, Episode] = {}
        self.episodes: list[Episode] = []

    def current(self, signal: Signal) -> Episode | None:
        """What fires now under the signal's fingerprint, if anything does."""
        who = signal.who
        if episode := self._latest.get(who):
            return episode if episode.firing else None
        before = self._before.get(who)
        return None if before is None else self._add(who, _known(before, signal))

    def is_outdated(self, signal: Signal) -> bool:
        """Whether it came before what opened the alert, which the express lane took ahead of its turn.

        Then its words, and perhaps its end, are those of an earlier time.
        """
        before = self._before.get(signal.who)
        if before is None or before.payload_writer != signal.writer or before.payload_id is None:
            return False
        return signal.row < before.payload_id

    def fires(self, signal: Signal) -> Episode:
        episode = self.current(signal)
        if episode is None:
            return self._add(signal.who, _new(signal, None))
        outcome = known(episode.before, signal.labels, self._now)
        if outcome == "over" and episode.before:
            episode.resolved_at = episode.before.page_resolved_at
            episode.end = f"{episode.before.page}, its page, was resolved."
            return self._add(signal.who, _new(signal, episode.before))
        _take(episode, signal)
        if not episode.is_new:
            # The last of several signals decides: labels that changed and changed back did not change.
            episode.judge = outcome != "same"
        return episode

    def _add(self, who: Who, episode: Episode) -> Episode:
        self._latest[who] = episode
        self.episodes.append(episode)
        return episode


def _new(signal: Signal, after: OpenAlert | None) -> Episode:
    event = signal.event
    # A problem cannot begin after it was reported: the sender's clock is fast.
    starts_at = min(event.starts_at or signal.received_at, signal.received_at)
    return Episode(
        known_before=after,
        key_id=signal.key_id,
        fingerprint=event.fingerprint,
        source=event.source,
        summary=event.summary,
        labels=signal.labels,
        annotations=event.annotations,
        links=event.links,
        starts_at=starts_at,
        expires_at=event.expires_at,
        received_at=signal.received_at,
        writer=signal.writer,
        row=signal.row,
        signals=event.count,
        judge=True,
    )


def _known(before: OpenAlert, signal: Signal) -> Episode:
    event = signal.event
    return Episode(
        id=before.id,
        before=before,
        key_id=before.key_id,
        fingerprint=before.fingerprint,
        source=event.source,
        summary=event.summary,
        labels=before.labels,
        annotations=event.annotations,
        links=event.links,
        starts_at=before.starts_at,
        expires_at=before.expires_at,
        received_at=signal.received_at,
        writer=signal.writer,
        row=signal.row,
    )


def _take(episode: Episode, signal: Signal) -> None:
    """A repeated signal: the newest words count, the beginning stays."""
    event = signal.event
    episode.signals += event.count
    episode.summary = event.summary
    episode.labels = signal.labels
    episode.annotations = event.annotations
    episode.links = event.links
    episode.expires_at = event.expires_at
