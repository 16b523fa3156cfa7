"""Opsgenie's API (v2) -> people, teams, schedules, escalation policies and services, with a report. Pure.

Read are the answers to GET /v2/users, /v2/teams/ID, /v2/schedules?expand=rotation, /v2/schedules/ID/overrides/ALIAS,
/v2/escalations and /v1/services, and the bare objects that backup tools write, by Opsgenie's API documentation. Two traps:
rotations of one schedule that hold at the same time are all on call, and the delay of an escalation rule counts from the
alert, not from the rule before.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct, field

from sev1.catalog.contact import ContactMethod, EmailMethod
from sev1.catalog.importers.directory import Asked, by_phone, calendar_bounds, override
from sev1.catalog.importers.draft import Imported, text
from sev1.catalog.importers.export import Export
from sev1.catalog.importers.lanes import Rolling, lanes
from sev1.catalog.importers.opsgenie_restrictions import Limits, windows_of
from sev1.catalog.importers.sources import converted, titled
from sev1.catalog.importers.turns import DAY_S, HOUR_S, WEEK_S, ends_on, is_zone, local, restrictions, rotation
from sev1.catalog.model import Override, Team

_UNIT_S = {"hourly": HOUR_S, "daily": DAY_S, "weekly": WEEK_S}
_DELAY_S = {"minutes": 60, "hours": HOUR_S, "days": DAY_S}


class _Ref(Struct):
    id: str = ""
    type: str = ""
    username: str = ""
    name: str = ""


class _Contact(Struct, rename="camel"):
    to: str = ""
    contact_method: str = ""
    enabled: bool = True

    def method(self) -> ContactMethod | None:
        """What it is here; numbers are written as `49-1701234567`. None for what has no form here."""
        match self.contact_method:
            case "email":
                return EmailMethod(address=self.to)
            case "sms" | "voice":
                country, _, number = self.to.rpartition("-")
                return by_phone(self.contact_method, country, number)
        return None


class _User(Struct, rename="camel"):
    id: str
    username: str
    full_name: str = ""
    time_zone: str | None = None
    blocked: bool = False
    user_contacts: list[_Contact] = []


class _Member(Struct):
    user: _Ref


class _Team(Struct):
    id: str
    name: str = ""
    members: list[_Member] = []


class _Rotation(Struct, rename="camel"):
    start_date: datetime
    type: str
    participants: list[_Ref]
    id: str = ""
    name: str = ""
    length: int = 1
    end_date: datetime | None = None
    time_restriction: Limits | None = None
    enabled: bool = True


class _Schedule(Struct, rename="camel"):
    id: str
    name: str = ""
    timezone: str | None = None
    enabled: bool = True
    rotations: list[_Rotation] | None = None
    overrides: list[dict[str, Any]] = []


class _Override(Struct, rename="camel"):
    user: _Ref
    start_date: datetime
    end_date: datetime
    rotations: list[_Ref] = []
    parent: _Ref | None = field(default=None, name="_parent")


class _Delay(Struct, rename="camel"):
    time_amount: int = 0
    time_unit: str = "minutes"


class _Rule(Struct, rename="camel"):
    recipient: _Ref
    condition: str = "if-not-acked"
    notify_type: str = "default"
    delay: _Delay = field(default_factory=_Delay)


class _Repeat(Struct, rename="camel"):
    wait_interval: int = 0
    count: int = 0


class _Escalation(Struct, rename="camel"):
    id: str
    name: str = ""
    rules: list[_Rule] = []
    owner_team: _Ref | None = None
    repeat: _Repeat | None = None


class _Service(Struct, rename="camel"):
    id: str
    name: str = ""
    team_id: str = ""
    description: str | None = None


def read(found: Iterable[tuple[str, bytes]], now: datetime) -> Imported:
    """The import of several files together; what ended before `now` is history. Raises `NotImportable`."""
    return _Reading(now).read(found)


class _Reading(Export):
    vendor = "opsgenie"
    product = "Opsgenie"
    kinds: ClassVar[Mapping[str, str]] = {
        kind: kind for kind in ("user", "team", "schedule", "escalation", "service", "override")
    }
    called_by = ("name", "fullName", "username")

    def carry_over(self) -> None:
        for user in self.each("user", _User):
            self._user(user)
        for team in self.each("team", _Team):
            ids = [member.user.id for member in team.members]
            members = [self.directory.people[one] for one in ids if one in self.directory.people]
            self.directory.team(team.id, team.name, members, _named("team", team))
        overrides = self.each("override", _Override)
        for schedule in self.each("schedule", _Schedule):
            belonging = [one for one in overrides if one.parent and one.parent.id == schedule.id]
            with calendar_bounds(self.draft, _named("schedule", schedule)):
                self._schedule(schedule, [*self._own(schedule), *belonging])
        for one in overrides:
            if one.parent is None:
                reason = "It does not say of which schedule it is."
                self.draft.left(f"Opsgenie override from {one.start_date:%Y-%m-%d %H:%M}", reason, "Make it by hand.")
        escalations = self.each("escalation", _Escalation)
        for escalation in escalations:
            self._escalation(escalation)
        for service in self.each("service", _Service):
            self._service(service, escalations)

    def sort(self, name: str, value: Any) -> None:
        if isinstance(value, dict) and isinstance(value.get("paging"), dict) and value["paging"].get("next"):
            self.one_page_of_more(name)
        known = False
        for number, item in enumerate(_objects(value)):
            kind = _kind(item)
            if kind is None:
                continue
            known = True
            identity = str(item.get("id") or item.get("alias") or f"{name}#{number}")
            # A list names a team without its members, GET /v2/teams/ID with them: what says more is kept.
            self.items[kind][identity] = {**self.items[kind].get(identity, {}), **item}
        if not known:
            todo = "Export users, teams, schedules with expand=rotation, escalations and services."
            self.draft.left(name, "Nothing in it is known.", todo)

    def _user(self, user: _User) -> None:
        source = titled("Opsgenie", "user", {"id": user.id, "name": user.full_name or user.username}, "name")
        enabled = [contact for contact in user.user_contacts if contact.enabled]
        known = [method for contact in enabled if (method := contact.method())]
        name = self.directory.person(user.id, user.full_name, user.username, user.time_zone, known, source)
        if name is None:
            return
        others = sorted({contact.contact_method for contact in enabled if not contact.method()} - {""})
        if others:
            reason = f"Of their contact methods {text(', '.join(others), most=100)} are not carried over."
            self.draft.left(source, reason, "Add what sev1 can reach to `contact` of their file.")
        if user.blocked:
            reason = "They are blocked there and get nothing; here they are paged."
            self.draft.changed(source, reason, "Take them out of rotations and policies.", f"person {name}")

    def _own(self, schedule: _Schedule) -> list[_Override]:
        source = f"{_named('schedule', schedule)} override"
        return converted(self.draft, schedule.overrides, _Override, lambda _: source)

    def _schedule(self, schedule: _Schedule, overrides: list[_Override]) -> None:
        source = _named("schedule", schedule)
        zone = schedule.timezone
        if not schedule.enabled:
            self.draft.left(source, "It is disabled.", "Nothing.")
        elif not zone or not is_zone(zone):
            what = f'Its time zone "{text(zone, most=60)}" is not known.' if zone else "It has no time zone."
            todo = "Set timezone to a name such as Europe/Berlin: with a guessed one the wrong person would be paged."
            self.draft.left(source, what, todo)
        elif schedule.rotations is None:
            self.draft.left(source, "Its rotations are not in the export.", "Export schedules with expand=rotation.")
        else:
            rolling = [made for one in schedule.rotations if (made := self._rotation(one, zone, source))]
            if rolling:
                found = self._overrides(overrides, source)
                self.directory.schedule(schedule.id, schedule.name, zone, lanes(rolling), found, source)
            else:
                self.draft.left(source, "None of its rotations can be carried over.", "Write it by hand.")

    def _rotation(self, one: _Rotation, zone: str, schedule: str) -> Rolling | None:
        source = f'{schedule} rotation "{text(one.name, text(one.id, "without a name"), most=80)}"'
        if not one.enabled or (one.end_date and one.end_date <= self.now):
            self.draft.left(source, "It is disabled or has ended.", "Nothing.")
            return None
        groups = self._groups(one, source)
        first = local(one.start_date, zone)
        length_s = _UNIT_S.get(one.type, 0) * one.length
        fields = rotation(first, length_s)
        held = windows_of(one.time_restriction)
        if groups is None:
            return None
        if fields is None or (one.time_restriction and not held):
            what = "Its length cannot be read" if fields is None else "Its restrictions leave nothing"
            self.draft.left(source, f"{what}.", "Write the rotation by hand.")
            return None
        if length_s % DAY_S:
            reason = (
                "Turns are counted by the clock on the wall; where the clocks change one is an hour longer or shorter."
            )
            self.draft.changed(source, reason, "Nothing.")
        ends = None
        if one.end_date:
            ends, exact = ends_on(local(one.end_date, zone), first.time())
            if not exact:
                reason = f"It ends with the hand-over of {ends}, not in the middle of a turn."
                self.draft.changed(source, reason, "Write an override for the hours between.")
        limits = restrictions(held) if held else ()
        return Rolling(groups=groups, fields={"title": text(one.name), "ends": ends, "restrictions": limits, **fields})

    def _groups(self, one: _Rotation, source: str) -> tuple[tuple[str, ...], ...] | None:
        """Who is on call in each turn; a team is all of its members at once."""
        groups: list[tuple[str, ...]] = []
        teams = self.draft.found(Team)
        for participant in one.participants:
            if participant.type == "user" and participant.id in self.directory.people:
                groups.append((self.directory.people[participant.id],))
            elif participant.type == "team" and participant.id in self.directory.teams:
                groups.append(teams[self.directory.teams[participant.id]].members)
            else:
                what = text(participant.username or participant.name or participant.id, "nobody", most=80)
                reason = f'A turn in it is of {text(participant.type, "unknown", most=30)} "{what}", which has no form here or was not imported.'
                todo = "Export the user or team as well; leaving the turn out would give everybody another one."
                self.draft.left(source, reason, todo)
                return None
        if not groups:
            self.draft.left(source, "It has nobody in it.", "Nothing.")
            return None
        return tuple(groups)

    def _overrides(self, found: list[_Override], schedule: str) -> list[Override]:
        made: list[Override] = []
        for one in sorted(found, key=lambda each: (each.start_date, each.end_date)):
            source = f"{schedule} override from {one.start_date:%Y-%m-%d %H:%M}"
            if one.end_date <= self.now:
                continue
            person = self.directory.people.get(one.user.id)
            held = override(person, one.start_date, one.end_date, "Override in Opsgenie") if person else None
            if held is None:
                self.draft.left(source, "Its user was not imported, or it lasts no time.", "Make it by hand.")
                continue
            made.append(held)
            if one.rotations:
                reason = "It replaced single rotations there; here it replaces everybody of the schedule."
                self.draft.changed(source, reason, "Check who is on call then.")
        return made

    def _escalation(self, escalation: _Escalation) -> None:
        source = _named("escalation", escalation)
        rules = sorted(escalation.rules, key=_after_s)
        asked: list[Asked] = []
        for after_s, together in itertools.groupby(rules, key=_after_s):
            step = Asked()
            for rule in together:
                step.targets += self.directory.targets(rule.recipient.type, rule.recipient.id, source)
                self._note_rule(rule, source)
            if asked:
                asked[-1].wait_s = after_s - asked[-1].wait_s
            elif after_s:
                reason = f"Its first rule waits {after_s // 60} minutes; here the first step is paged at once."
                self.draft.changed(source, reason, "Nothing, or let alerts wait before they page.")
            asked.append(step)
            step.wait_s = after_s
        if asked:
            asked[-1].wait_s = escalation.repeat.wait_interval * 60 if escalation.repeat else 0
        self.directory.policy(
            escalation.id, escalation.name, asked, escalation.repeat.count if escalation.repeat else 0, source
        )

    def _note_rule(self, rule: _Rule, source: str) -> None:
        if rule.condition != "if-not-acked":
            reason = "A rule asks whether the alert is closed; here a step is paged when nobody has acknowledged."
            self.draft.changed(source, reason, "Nothing.")
        if rule.notify_type not in {"default", "all", "users"}:
            reason = f"A rule notifies {text(rule.notify_type, most=30)}; here whoever is on call, or the whole team, is paged."
            self.draft.changed(source, reason, "Check the step.")

    def _service(self, service: _Service, escalations: list[_Escalation]) -> None:
        source = _named("service", service)
        owner = self.directory.teams.get(service.team_id)
        own = [
            e
            for e in escalations
            if e.owner_team and e.owner_team.id == service.team_id and e.id in self.directory.policies
        ]
        if own:
            policy = self.directory.policies[own[0].id]
            if len(own) > 1:
                reason = f"Its team has {len(own)} escalations and routing rules between them; it pages by {policy}."
                self.draft.changed(source, reason, "Name the right policy.")
        elif owner is not None:
            made = self._everybody(service.team_id, owner)
            if made is None:
                return
            policy = made
            self.draft.changed(source, "Its team has no escalation; it pages the whole team.", "Name a policy.")
        else:
            self.draft.left(source, "Neither its team nor an escalation of it was imported.", "Export them as well.")
            return
        self.directory.service(service.name, service.description, owner, policy, source)

    def _everybody(self, team_id: str, team: str) -> str | None:
        """The policy that pages a whole team, made once."""
        key = f"everybody of {team_id}"
        step = Asked(targets=self.directory.targets("team", team_id, f"team {team}"))
        return self.directory.policies.get(key) or self.directory.policy(
            key, f"{team} everybody", [step], 2, f"Opsgenie team {team} (no escalation)"
        )


def _after_s(rule: _Rule) -> int:
    return rule.delay.time_amount * _DELAY_S.get(rule.delay.time_unit, 60)


def _named(what: str, item: Any) -> str:
    return titled("Opsgenie", what, {"id": item.id, "name": item.name}, "name")


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The objects of an answer (`data`), of a list, or of a file that holds several under one key each."""
    if isinstance(value, dict) and _kind(value) is not None:
        yield value
    elif isinstance(value, dict | list) and depth < 4:
        for held in value.values() if isinstance(value, dict) else value:
            yield from _objects(held, depth + 1)


def _kind(item: dict[str, Any]) -> str | None:
    """What an object is, by the keys that only it has."""
    if "username" in item and "fullName" in item:
        return "user"
    if "timezone" in item:
        return "schedule"
    if "rules" in item and "name" in item:
        return "escalation"
    if {"startDate", "endDate", "user"} <= item.keys():
        return "override"
    if "teamId" in item:
        return "service"
    if "members" in item or item.keys() == {"id", "name", "description", "links"}:
        return "team"
    return None
