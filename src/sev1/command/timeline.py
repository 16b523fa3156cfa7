"""The timeline, rendered from events and never logged by hand (mission 8.5). One entry an event, in words."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.audience import INTERNAL
from sev1.command import model as m
from sev1.command.parts import part_of
from sev1.command.terms import EntryKind, NameOf, Words
from sev1.command.undo import can_be_undone, corrected_by
from sev1.command.undo_words import words_of_correction
from sev1.engine.decider import Fact


class Entry(Struct, frozen=True, kw_only=True):
    version: int
    """Stable within the incident: its address is `/incidents/INC-1#entry-7`."""
    at: datetime
    by: str
    """Name of who did it."""
    via: str
    kind: EntryKind
    sign: str
    """A road sign, or nothing."""
    headline: str
    details: tuple[tuple[str, str], ...] = ()
    """Label and text, in order."""
    corrects: int = 0
    """The entry that this one takes back; 0: none."""
    corrected_by: int = 0
    """The entry that took this one back; 0: it stands."""
    undoable: bool = False
    """Whether it can be taken back now."""


def render(facts: Iterable[Fact[m.IncidentEvent]], name_of: NameOf, entries: m.Entries | None = None) -> list[Entry]:
    """The timeline of an incident, oldest first, without what is only for the record.

    With `entries`, those of its state now, it says which were taken back and which can be.
    """
    made = [(fact, entry(fact, name_of)) for fact in facts]
    return [_now(fact, one, entries) if entries else one for fact, one in made if one.kind != "hidden"]


def _now(fact: Fact[m.IncidentEvent], one: Entry, entries: m.Entries) -> Entry:
    by = entries.corrected.get(fact.version, 0)
    undoable = can_be_undone(entries, fact)
    return replace(one, corrected_by=by, undoable=undoable) if by or undoable else one


def entry(fact: Fact[m.IncidentEvent], name_of: NameOf) -> Entry:
    """One event in words. The words come from the event alone, so an old incident reads the same for ever."""
    kind, sign, headline, details = words_of_correction(fact.event, name_of) or _words(fact.event, name_of)
    return Entry(
        version=fact.version,
        at=fact.at,
        by=name_of(fact.by.id) if fact.by.id != "sev1" else fact.by.name,
        via=fact.by.via,
        kind=kind,
        sign=sign,
        headline=headline,
        details=tuple((label, text) for label, text in details if text),
        corrects=corrected_by(fact.event),
    )


def _words(event: m.IncidentEvent, name_of: NameOf) -> Words:  # noqa: C901, PLR0912 - one case an event
    details: tuple[tuple[str, str], ...]
    match event:
        case m.IncidentDeclared():
            assumed = " (worst plausible: impact unknown)" if event.severity_assumed else ""
            return (
                "milestone",
                "⚠️",
                f"Declared as {event.severity.upper()}{assumed}: {event.title}",
                (
                    ("Incident Commander", f"{name_of(event.commander)} (temporary)"),
                    ("Services", ", ".join(event.services)),
                ),
            )
        case m.RoleAssigned():
            title = m.ROLE_TITLES[event.role]
            if event.previous == event.person:
                return "role", "", f"{title}: {name_of(event.person)}, no longer for now only", ()
            if event.previous:
                return "role", "", f"{title}: {name_of(event.previous)} → {name_of(event.person)}", ()
            return "role", "", f"{title}: {name_of(event.person)}", ()
        case m.RoleReleased():
            return "role", "", f"{name_of(event.person)} laid down the role {m.ROLE_TITLES[event.role]}", ()
        case m.SeverityChanged():
            if event.new == event.old:
                return "milestone", "⚠️", f"Severity confirmed: {event.new.upper()}", (("Reason", event.reason),)
            word = "raised" if event.new < event.old else "lowered"
            headline = f"Severity {word}: {event.old.upper()} → {event.new.upper()}"
            return "milestone", "⚠️", headline, (("Reason", event.reason),)
        case m.StageChanged():
            return "milestone", "", f"Stage: {m.STAGE_TITLES[event.old]} → {m.STAGE_TITLES[event.new]}", ()
        case m.UpdatePosted():
            details = (("Condition", event.condition), ("Actions", event.actions), ("Needs", event.needs))
            to = "" if event.audience == INTERNAL else f" for {event.audience}"
            return "update", "📣", f"Update{to}", details
        case m.DecisionRecorded():
            details = (("Reason", event.reason), ("Alternatives", event.alternatives))
            ref = f" D{event.number}" if event.number else ""
            where = " on the bridge" if event.on_bridge else ""
            return "decision", "🧭", f"Decision{ref}{where}: {event.decision}", details
        case m.NoteAdded():
            return "note", "", event.text, ()
        case m.PageLinked():
            return "link", "", f"Linked page {event.page}", ()
        case m.AlertsLinked():
            return "link", "", f"Linked {_alerts(event.alerts)}", (("Services", ", ".join(event.services)),)
        case m.ResponderPaged():
            return "role", "", f"Paged {name_of(event.person)}: {event.ask}", ()
        case m.ImpactMitigated():
            return "milestone", "", "Impact mitigated", ()
        case m.MitigationDenied() | m.NoteStruck():
            raise TypeError(f"a correction without the entry that it corrects: {event!r}")
        case m.TimesCorrected():
            times = (
                ("Began", f"{event.started_at:%Y-%m-%d %H:%M:%S} UTC"),
                ("Detected", f"{event.detected_at:%Y-%m-%d %H:%M:%S} UTC"),
                ("Reason", event.reason),
            )
            return "note", "", "Times corrected", times
        case m.CriterionConfirmed():
            return "gate", "✅", f"Confirmed: {m.CRITERIA[event.criterion]}", (("Despite", "; ".join(event.despite)),)
        case m.CriterionOverridden():
            return "gate", "⚠️", f"Overridden: {m.CRITERIA[event.criterion]}", (("Reason", event.reason),)
        case m.CriterionWithdrawn():
            return "gate", "⚠️", f"No longer holds: {m.CRITERIA[event.criterion]}", (("Reason", event.reason),)
        case m.IncidentResolved():
            details = (("Still open under it", ", ".join(event.despite)), ("Reason", event.reason))
            return "milestone", "✅", "Resolved", details
        case m.AllClearGiven():
            thanks = ", ".join(name_of(name) for name in event.thanks)
            return "milestone", "✅", "All clear", (("Message", event.message), ("Thanks to", thanks))
        case m.ClosedAsFalseAlarm():
            return "milestone", "✅", "Closed as a false alarm. Declaring was right.", (("Note", event.note),)
        case m.IncidentReopened():
            return "milestone", "⚠️", "Reopened", (("Reason", event.reason),)
        case _:
            part = part_of(event)
            assert part is not None, f"no part knows {event!r}"
            return part.words(event, name_of)


def _alerts(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(f"A-{n}" for n in numbers[:3])
    return shown if len(numbers) <= 3 else f"{shown} and {len(numbers) - 3} more alerts"
