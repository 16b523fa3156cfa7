"""Temporary mitigations: what holds the impact down for now, with an owner, until each is removed (mission 11.4).

The list outlives the incident: what was throttled at night must not stay throttled for a year.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from sev1.command.terms import MOST, Command, Event, NameOf, Number, OptionalProse, PersonName, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid, NotFound, Refused

MitigationText = Annotated[str, Meta(min_length=1, max_length=1000)]
REMOVE_WITHIN = timedelta(days=7)
"""When nobody says until when it may stay."""


class Mitigation(Struct, frozen=True, kw_only=True):
    number: int
    text: str
    owner: str
    remove_by: datetime
    by: str
    at: datetime
    reminded_at: datetime | None = None
    removed_at: datetime | None = None
    how: str = ""

    @property
    def ref(self) -> str:
        return f"M{self.number}"

    @property
    def is_open(self) -> bool:
        return self.removed_at is None


class AddMitigation(Command, frozen=True, kw_only=True, tag="add_mitigation"):
    text: MitigationText
    owner: PersonName | None = None
    """None: whoever says so."""
    remove_by: datetime | None = None


class ChangeMitigation(Command, frozen=True, kw_only=True, tag="change_mitigation"):
    """Gives it to somebody else, or lets it stay until a later time."""

    mitigation: Number
    owner: PersonName | None = None
    remove_by: datetime | None = None


class RemoveMitigation(Command, frozen=True, kw_only=True, tag="remove_mitigation"):
    mitigation: Number
    how: OptionalProse = ""


class RemindOfMitigations(Command, frozen=True, kw_only=True, tag="remind_of_mitigations"):
    """The timer's: what should be gone by now."""


class MitigationAdded(Event, frozen=True, kw_only=True, tag="mitigation_added"):
    number: int
    text: str
    owner: str
    remove_by: datetime


class MitigationChanged(Event, frozen=True, kw_only=True, tag="mitigation_changed"):
    number: int
    text: str
    owner: str
    remove_by: datetime


class MitigationRemoved(Event, frozen=True, kw_only=True, tag="mitigation_removed"):
    number: int
    text: str
    how: str = ""


class MitigationOverdue(Event, frozen=True, kw_only=True, tag="mitigation_overdue"):
    number: int
    text: str
    owner: str
    remove_by: datetime


MitigationCommand = AddMitigation | ChangeMitigation | RemoveMitigation
MitigationEvent = MitigationAdded | MitigationChanged | MitigationRemoved | MitigationOverdue
Mitigations = dict[int, Mitigation]


def decide(
    mitigations: Mitigations, command: MitigationCommand | RemindOfMitigations, scene: Scene
) -> list[MitigationEvent]:
    match command:
        case AddMitigation():
            if len(mitigations) >= MOST:
                raise Refused(f"This incident has {MOST} mitigations.")
            return [
                MitigationAdded(
                    number=max(mitigations, default=0) + 1,
                    text=command.text.strip(),
                    owner=command.owner or scene.by.id,
                    remove_by=_ahead(command.remove_by, scene.now) or scene.now + REMOVE_WITHIN,
                )
            ]
        case ChangeMitigation():
            old = _in_place(mitigations, command.mitigation)
            owner, until = command.owner or old.owner, _ahead(command.remove_by, scene.now) or old.remove_by
            if (owner, until) == (old.owner, old.remove_by):
                return []
            return [MitigationChanged(number=old.number, text=old.text, owner=owner, remove_by=until)]
        case RemoveMitigation():
            old = _in_place(mitigations, command.mitigation)
            return [MitigationRemoved(number=old.number, text=old.text, how=command.how)]
        case RemindOfMitigations():
            return [
                MitigationOverdue(number=one.number, text=one.text, owner=one.owner, remove_by=one.remove_by)
                for one in mitigations.values()
                if one.is_open and one.reminded_at is None and one.remove_by <= scene.now
            ]
        case _:
            assert_never(command)


def _ahead(until: datetime | None, now: datetime) -> datetime | None:
    if until and until <= now:
        raise Invalid("The time by which it should be gone has passed. Give one that lies ahead.", field="remove_by")
    return until


def _in_place(mitigations: Mitigations, number: int) -> Mitigation:
    if number not in mitigations:
        raise NotFound(f"There is no mitigation M{number} in this incident.")
    if not mitigations[number].is_open:
        raise Refused(f"M{number} is removed already.")
    return mitigations[number]


def timers(mitigations: Mitigations) -> Mapping[str, datetime]:
    due = min((m.remove_by for m in mitigations.values() if m.is_open and m.reminded_at is None), default=None)
    return {"mitigation": due} if due else {}


def evolve(mitigations: Mitigations, fact: Fact[MitigationEvent]) -> Mitigations:
    event = fact.event
    match event:
        case MitigationAdded():
            one = Mitigation(
                number=event.number,
                text=event.text,
                owner=event.owner,
                remove_by=event.remove_by,
                by=fact.by.id,
                at=fact.at,
            )
        case MitigationChanged():
            one = replace(mitigations[event.number], owner=event.owner, remove_by=event.remove_by, reminded_at=None)
        case MitigationRemoved():
            one = replace(mitigations[event.number], removed_at=fact.at, how=event.how)
        case MitigationOverdue():
            one = replace(mitigations[event.number], reminded_at=fact.at)
        case _:
            assert_never(event)
    return {**mitigations, one.number: one}


def words(event: MitigationEvent, name_of: NameOf) -> Words:
    match event:
        case MitigationAdded():
            details = (("Remove by", spoken(event.remove_by)),)
            return "work", "⚠️", f"Temporary M{event.number} ({name_of(event.owner)}): {event.text}", details
        case MitigationChanged():
            details = (("Remove by", spoken(event.remove_by)),)
            return "work", "", f"M{event.number} is {name_of(event.owner)}'s: {event.text}", details
        case MitigationRemoved():
            return "work", "✅", f"M{event.number} removed: {event.text}", (("How", event.how),)
        case MitigationOverdue():
            return "work", "⚠️", f"M{event.number} should be gone ({name_of(event.owner)}): {event.text}", ()
        case _:
            assert_never(event)
