"""Restricted incidents: who may see one, from the first second on (mission 3.3).

Everybody with a role sees it, and who was admitted. A role lets its holder in for good: handing it over does not shut
anybody out, removing does. What all readers ask is `command/sight.py`.
"""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Event, NameOf, PersonName, Prose, Scene, Words
from sev1.engine.decider import Fact
from sev1.engine.errors import Refused


class Privacy(Struct, frozen=True, kw_only=True):
    restricted: bool = False
    admitted: tuple[str, ...] = ()
    """In the order in which they came; whoever holds a role sees it as well."""
    reason: str = ""
    since: datetime | None = None


class Restrict(Command, frozen=True, kw_only=True, tag="restrict"):
    """From now on only those see it who have a role in it, and who asks for this."""

    reason: Prose


class Unrestrict(Command, frozen=True, kw_only=True, tag="unrestrict"):
    """Everybody may see it, and all that was written in it."""

    reason: Prose


class Admit(Command, frozen=True, kw_only=True, tag="admit"):
    person: PersonName


class Remove(Command, frozen=True, kw_only=True, tag="remove"):
    person: PersonName


class IncidentRestricted(Event, frozen=True, kw_only=True, tag="incident_restricted"):
    reason: str = ""
    admitted: tuple[str, ...] = ()
    """Whom it is open to from now on."""


class RestrictionLifted(Event, frozen=True, kw_only=True, tag="restriction_lifted"):
    reason: str


class PersonAdmitted(Event, frozen=True, kw_only=True, tag="person_admitted"):
    person: str


class PersonRemoved(Event, frozen=True, kw_only=True, tag="person_removed"):
    person: str


PrivacyCommand = Restrict | Unrestrict | Admit | Remove
PrivacyEvent = IncidentRestricted | RestrictionLifted | PersonAdmitted | PersonRemoved


def decide(privacy: Privacy, command: PrivacyCommand, scene: Scene) -> list[PrivacyEvent]:
    """What needs the whole incident, such as who may lift the restriction, is checked before (`command/restricted.py`)."""
    match command:
        case Restrict():
            if privacy.restricted:
                return []
            admitted = tuple(dict.fromkeys((*privacy.admitted, scene.commander, scene.by.id)))
            return [IncidentRestricted(reason=command.reason, admitted=admitted)]
        case Unrestrict():
            return [RestrictionLifted(reason=command.reason)] if privacy.restricted else []
        case Admit():
            _must_be_restricted(privacy)
            return [] if command.person in privacy.admitted else [PersonAdmitted(person=command.person)]
        case Remove():
            _must_be_restricted(privacy)
            return [PersonRemoved(person=command.person)] if command.person in privacy.admitted else []
        case _:
            assert_never(command)


def _must_be_restricted(privacy: Privacy) -> None:
    if not privacy.restricted:
        raise Refused("Everybody may see this incident. Restrict it first: /restrict because …")


def evolve(privacy: Privacy, fact: Fact[PrivacyEvent]) -> Privacy:
    event = fact.event
    match event:
        case IncidentRestricted():
            return Privacy(restricted=True, admitted=event.admitted, reason=event.reason, since=fact.at)
        case RestrictionLifted():
            return Privacy()
        case PersonAdmitted():
            return replace(privacy, admitted=(*privacy.admitted, event.person))
        case PersonRemoved():
            return replace(privacy, admitted=tuple(name for name in privacy.admitted if name != event.person))
        case _:
            assert_never(event)


def words(event: PrivacyEvent, name_of: NameOf) -> Words:
    match event:
        case IncidentRestricted():
            open_to = ", ".join(name_of(name) for name in event.admitted)
            return "milestone", "⛔", "Restricted", (("Reason", event.reason), ("Open to", open_to))
        case RestrictionLifted():
            return "milestone", "⚠️", "No longer restricted: everybody may see it", (("Reason", event.reason),)
        case PersonAdmitted():
            return "role", "", f"Admitted {name_of(event.person)}", ()
        case PersonRemoved():
            return "role", "", f"Removed {name_of(event.person)}: may no longer see it", ()
        case _:
            assert_never(event)
