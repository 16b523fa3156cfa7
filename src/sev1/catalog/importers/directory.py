"""Who is who in another product: its ids, and what they became here. Pure.

What a rule refers to and was not exported is never guessed: a target that is missing is left out of its step and a
rotation with an unknown person as a whole, because without them everybody's turn would be another.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from sev1.catalog.contact import ContactMethod, EmailMethod, SmsMethod, VoiceMethod
from sev1.catalog.importers.draft import Draft, text
from sev1.catalog.importers.turns import is_zone
from sev1.catalog.model import (
    EscalationPolicy,
    Layer,
    Override,
    Person,
    PersonTarget,
    Rotation,
    Schedule,
    ScheduleTarget,
    Service,
    Step,
    Target,
    Team,
    TeamTarget,
)

SHORTEST_WAIT_S, LONGEST_WAIT_S, MOST_STEPS, MOST_REPEATS = 10, 24 * 3600, 20, 20
USUAL_WAIT_S = 300
MOST_CONTACTS = 20
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def by_phone(kind: str, country: str, number: str) -> SmsMethod | VoiceMethod | None:
    """A telephone number in its parts, as `sms` or `voice`; None when it is no number that can be dialled (E.164)."""
    digits = "+" + "".join(char for char in f"{country}{number}" if char.isascii() and char.isdigit())
    if not _NUMBER.fullmatch(digits):
        return None
    return SmsMethod(number=digits) if kind == "sms" else VoiceMethod(number=digits)


class Asked(Struct, kw_only=True):
    """A step of a policy while it is put together."""

    targets: list[Target] = field(default_factory=list)
    wait_s: int = 0
    in_turn: bool = False
    """One of the targets each time, whose turn was longest ago."""


class Directory(Struct):
    """By the ids of the product, the names here."""

    draft: Draft
    people: dict[str, str] = {}
    teams: dict[str, str] = {}
    schedules: dict[str, tuple[str, ...]] = {}
    """A schedule with several people at once became several."""
    policies: dict[str, str] = {}
    _emails: dict[str, str] = {}

    def person(
        self, identity: str, title: str, email: str, zone: str | None, contact: Sequence[ContactMethod], source: str
    ) -> str | None:
        """Takes a person; without contact methods their sign-in address is one. Two users with the same address are one person: sign-in goes by it."""
        same = self._emails.get(email.casefold())
        if same:
            self.people[identity] = same
            reason = "Another user has the same mail address; here they are one person."
            self.draft.changed(source, reason, "Give each an address of their own, and import again.", f"person {same}")
            return same
        known = is_zone(zone)
        ordered = dict.fromkeys(contact) or {EmailMethod(address=email): None}
        name = self.draft.name("person", title or email.partition("@")[0])
        value = Person(
            name=name,
            full_name=text(title, text(email, "Unnamed")),
            email=email,
            time_zone=str(zone) if known else "UTC",
            contact=tuple(ordered)[:MOST_CONTACTS],
        )
        if not self.draft.add(value, source):
            return None
        if zone and not known:
            reason = f'Their time zone "{text(zone, most=60)}" is not known here; they are in UTC.'
            self.draft.changed(source, reason, "Write `time_zone`, such as Europe/Berlin.", f"person {name}")
        self.people[identity] = self._emails[email.casefold()] = name
        return name

    def team(self, identity: str, title: str, members: Iterable[str], source: str) -> None:
        """Takes a team of people by their names here."""
        found = tuple(dict.fromkeys(members))
        if not found:
            todo = "Export the members of the team and its users as well."
            self.draft.left(source, "Nobody of it is among the imported users.", todo)
            return
        name = self.draft.name("team", title)
        if self.draft.add(Team(name=name, title=text(title, "Team"), members=found), source):
            self.teams[identity] = name

    def schedule(
        self,
        identity: str,
        title: str,
        zone: str,
        lanes: Sequence[tuple[Layer, ...]],
        overrides: Sequence[Override],
        source: str,
    ) -> None:
        """Takes a schedule, as one for each lane."""
        names: list[str] = []
        for number, layers in enumerate(lanes, start=1):
            suffix = f" ({number} of {len(lanes)})" if len(lanes) > 1 else ""
            name = self.draft.name("schedule", title if number == 1 else f"{title[:50]} {number}")
            value = Schedule(
                name=name,
                title=text(title, "Schedule", most=480) + suffix,
                time_zone=zone,
                overrides=tuple(overrides),
                **_turns(layers),
            )
            if self.draft.add(value, source):
                names.append(name)
        if len(lanes) > 1:
            reason = (
                f"Several people are on call at once; here these are {len(lanes)} schedules that are paged together."
            )
            self.draft.changed(source, reason, "Nothing, or make it one rotation.", f"schedules {', '.join(names)}")
        if names:
            self.schedules[identity] = tuple(names)

    def targets(self, kind: str, identity: str, source: str) -> list[Target]:
        """The targets for a user, a schedule or a team; none, and a line in the report, when it was not imported."""
        found: list[Target] = []
        if kind == "user" and identity in self.people:
            found = [PersonTarget(name=self.people[identity])]
        elif kind == "schedule" and identity in self.schedules:
            found = [ScheduleTarget(name=name) for name in self.schedules[identity]]
        elif kind == "team" and identity in self.teams:
            found = [TeamTarget(name=self.teams[identity])]
        if not found:
            reason = f"It pages {text(kind, 'something', most=40)} {text(identity, 'without an id', most=60)}, which was not imported."
            self.draft.changed(source, reason, "Export it as well, or name somebody else.")
        return found

    def policy(self, identity: str, title: str, asked: Sequence[Asked], repeat: int, source: str) -> str | None:
        """Takes an escalation policy. Steps without anybody to page are left out; their wait is added to the one before."""
        steps: list[Asked] = []
        for one in asked:
            if one.targets:
                steps.append(one)
            elif steps:
                steps[-1].wait_s += one.wait_s
        if not steps:
            self.draft.left(source, "It pages nobody who was imported.", "Write the policy by hand.")
            return None
        name = self.draft.name("escalation-policy", title)
        value = EscalationPolicy(
            name=name,
            title=text(title, "Policy"),
            steps=tuple(
                Step(targets=tuple(dict.fromkeys(step.targets)), wait_s=_wait(step.wait_s), round_robin=step.in_turn)
                for step in steps[:MOST_STEPS]
            ),
            repeat=max(0, min(repeat, MOST_REPEATS)),
        )
        if not self.draft.add(value, source):
            return None
        cut = [
            (len(steps) > MOST_STEPS, f"Only its first {MOST_STEPS} steps are kept."),
            (repeat > MOST_REPEATS, f"It repeats {MOST_REPEATS} times, not {repeat}."),
            (
                any(step.wait_s != _wait(step.wait_s) for step in steps),
                "A step waits from 10 seconds to a day; 0 became 300.",
            ),
        ]
        for happened, reason in cut:
            if happened:
                self.draft.changed(source, reason, "Check the steps.", f"escalation-policy {name}")
        self.policies[identity] = name
        return name

    def service(self, title: str, description: object, owner: str | None, policy: str, source: str) -> None:
        """Takes a service. Without a team that was imported, everybody of its policy answers for it."""
        name = self.draft.name("service", title)
        if owner is None:
            owner = self.draft.owner_for(policy, source)
            reason = "It has no team that was imported; a team of everybody whom its policy pages answers for it."
            self.draft.changed(source, reason, "Name the team that owns it.", f"service {name}")
        value = Service(
            name=name,
            title=text(title, "Service"),
            description=text(description, most=2000),
            owner=owner,
            policy=policy,
        )
        self.draft.add(value, source)


@contextlib.contextmanager
def calendar_bounds(draft: Draft, source: str) -> Iterator[None]:
    """Reports a schedule with a time that no calendar holds, such as the year 9999 in another zone."""
    try:
        yield
    except OverflowError:
        draft.left(source, "A time or a length in it is further away than a calendar reaches.", "Correct it.")


def override(person: str, start: datetime, end: datetime, reason: str) -> Override | None:
    """None for one that lasts no time at all."""
    return Override(person=person, start=start, end=end, reason=reason) if start < end else None


def _turns(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """A single layer that always holds is written as a rotation."""
    (first, *others) = layers
    if others or first.restrictions or first.ends or first.time_zone:
        return {"layers": layers}
    names = Rotation.__struct_fields__
    return {"rotation": Rotation(**{name: getattr(first, name) for name in names})}


def _wait(wait_s: int) -> int:
    return max(SHORTEST_WAIT_S, min(wait_s, LONGEST_WAIT_S)) if wait_s else USUAL_WAIT_S
