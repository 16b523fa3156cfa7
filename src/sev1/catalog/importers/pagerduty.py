"""PagerDuty's REST API (v2) -> people, teams, schedules, escalation policies and services, with a report. Pure.

Read are the answers to GET /users?include[]=contact_methods&include[]=notification_rules, /teams,
/schedules?include[]=schedule_layers or /schedules/ID, /escalation_policies and /services, by the documentation of
"REST API v2". Two traps: the API lists the layers of a schedule with the one that decides first, and a rotation is counted
from `rotation_virtual_start`, which may lie before its `start`.
"""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from msgspec import Struct

from sev1.catalog.contact import ContactMethod, EmailMethod
from sev1.catalog.importers.directory import Asked, by_phone, calendar_bounds, override
from sev1.catalog.importers.draft import Imported, text
from sev1.catalog.importers.export import Export
from sev1.catalog.importers.sources import titled
from sev1.catalog.importers.turns import begun, ends_on, is_zone, local, restrictions, rotated, rotation, windows
from sev1.catalog.model import Layer, Override

_KINDS = {
    "users": "user",
    "teams": "team",
    "schedules": "schedule",
    "escalation_policies": "escalation_policy",
    "services": "service",
}
_NOTHING_TO_DO = "Nothing."


class _Ref(Struct):
    id: str
    type: str = ""


class _Contact(Struct, frozen=True):
    id: str = ""
    type: str = ""
    address: str | None = None
    country_code: int | None = None

    @property
    def kind(self) -> str:
        return self.type.removesuffix("_reference").removesuffix("_contact_method")

    def method(self) -> ContactMethod | None:
        """What it is here; None for what has no form here, and for a reference without the address."""
        if not self.address:
            return None
        match self.kind:
            case "email":
                return EmailMethod(address=self.address)
            case "phone" | "sms":
                return by_phone(self.kind, str(self.country_code or ""), self.address)
        return None


class _Rule(Struct):
    start_delay_in_minutes: int = 0
    contact_method: _Contact = _Contact()
    urgency: str = "high"


class _User(Struct):
    id: str
    email: str
    name: str = ""
    time_zone: str | None = None
    contact_methods: list[_Contact] = []
    notification_rules: list[_Rule] = []
    teams: list[_Ref] = []


class _Team(Struct):
    id: str
    name: str = ""


class _Turn(Struct):
    user: _Ref


class _Window(Struct):
    type: str
    start_time_of_day: time
    duration_seconds: int
    start_day_of_week: int | None = None


class _Layer(Struct):
    start: datetime
    rotation_virtual_start: datetime
    rotation_turn_length_seconds: int
    users: list[_Turn]
    id: str = ""
    name: str = ""
    end: datetime | None = None
    restrictions: list[_Window] = []


class _Override(Struct):
    start: datetime
    end: datetime
    user: _Ref


class _Rendered(Struct):
    rendered_schedule_entries: list[_Override] = []


class _Schedule(Struct):
    id: str
    name: str = ""
    time_zone: str | None = None
    schedule_layers: list[_Layer] | None = None
    overrides: list[_Override] = []
    overrides_subschedule: _Rendered | None = None


class _Step(Struct):
    targets: list[_Ref]
    escalation_delay_in_minutes: int = 30


class _Policy(Struct):
    id: str
    name: str = ""
    escalation_rules: list[_Step] = []
    num_loops: int = 0
    teams: list[_Ref] = []


class _Service(Struct):
    id: str
    name: str = ""
    description: str | None = None
    status: str = "active"
    escalation_policy: _Ref | None = None
    teams: list[_Ref] = []
    acknowledgement_timeout: int | None = None


def read(found: Iterable[tuple[str, bytes]], now: datetime) -> Imported:
    """The import of several files together; what ended before `now` is history. Raises `NotImportable`."""
    return _Reading(now).read(found)


class _Reading(Export):
    vendor = "pagerduty"
    product = "PagerDuty"
    kinds = _KINDS
    called_by = ("name", "summary")

    def carry_over(self) -> None:
        users = self.each("users", _User)
        for user in users:
            self._user(user)
        for team in self.each("teams", _Team):
            members = [
                self.directory.people[user.id]
                for user in users
                if user.id in self.directory.people and any(ref.id == team.id for ref in user.teams)
            ]
            self.directory.team(team.id, team.name, members, titled_as("team", team))
        for schedule in self.each("schedules", _Schedule):
            with calendar_bounds(self.draft, titled_as("schedule", schedule)):
                self._schedule(schedule)
        policies = self.each("escalation_policies", _Policy)
        for policy in policies:
            self._policy(policy)
        for service in self.each("services", _Service):
            self._service(service, {policy.id: policy for policy in policies})

    def sort(self, name: str, value: Any) -> None:
        """Puts the objects of a file with the others of their kind; the same object twice counts once."""
        if not isinstance(value, dict):
            self.draft.left(name, "It is no answer of the API: not an object.", "Save the whole answer.")
            return
        if value.get("more") is True:
            self.one_page_of_more(name, "Export all pages (offset and limit), and import them together.")
        known = False
        for plural, singular in _KINDS.items():
            held = value.get(plural, value.get(singular))
            items = held if isinstance(held, list) else [held] if isinstance(held, dict) else []
            known = known or plural in value or singular in value
            for item in items:
                identity = str(item.get("id")) if isinstance(item, dict) else f"{name}#{len(self.items[plural])}"
                self.items[plural][identity] = (
                    {**self.items[plural].get(identity, {}), **item} if isinstance(item, dict) else item
                )
        if value.get("overrides"):
            reason = "Its overrides do not say of which schedule they are."
            self.draft.left(
                name, reason, "Put them into the schedule as `overrides`, or export it with since and until."
            )
        elif not known:
            keys = text(", ".join(sorted(value)), "none", most=100)
            self.draft.left(name, f"Nothing in it is known; its keys are: {keys}.", "Export " + ", ".join(_KINDS) + ".")

    def _user(self, user: _User) -> None:
        source = titled_as("user", user)
        by_id = {contact.id: contact for contact in user.contact_methods}
        rules = sorted(
            (rule for rule in user.notification_rules if rule.urgency == "high"), key=lambda r: r.start_delay_in_minutes
        )
        ordered = [by_id.get(rule.contact_method.id, rule.contact_method) for rule in rules] + user.contact_methods
        contact = [method for one in ordered if (method := one.method())]
        name = self.directory.person(user.id, user.name, user.email, user.time_zone, contact, source)
        if name is None:
            return
        # A reference to one that was exported is that one; what is left has no form here, or no address.
        others = sorted({one.kind for one in ordered if not one.method()} - {"email", ""})
        if others:
            reason = f"Of their contact methods {', '.join(others)} are not carried over."
            self.draft.left(source, reason, "Add what sev1 can reach to `contact` of their file.")
        if any(c.type.startswith("email") and not c.address for c in user.contact_methods):
            reason = "The export names their contact methods without the addresses; their sign-in address is used."
            self.draft.changed(source, reason, "Export users with include[]=contact_methods.", f"person {name}")
        if any(rule.start_delay_in_minutes for rule in rules):
            reason = "Contact methods are tried one after the other when one fails, not after minutes."
            self.draft.changed(source, reason, _NOTHING_TO_DO, f"person {name}")

    def _schedule(self, schedule: _Schedule) -> None:
        source = titled_as("schedule", schedule)
        zone = schedule.time_zone
        if not zone or not is_zone(zone):
            what = f'Its time zone "{text(zone, most=60)}" is not known.' if zone else "It has no time zone."
            todo = "Set time_zone to a name such as Europe/Berlin: with a guessed one the wrong person would be paged."
            self.draft.left(source, what, todo)
            return
        if schedule.schedule_layers is None:
            todo = "Export it with include[]=schedule_layers, or by GET /schedules/ID."
            self.draft.left(source, "Its layers are not in the export.", todo)
            return
        # The API has the layer that decides first, we have it last.
        layers = [made for layer in reversed(schedule.schedule_layers) if (made := self._layer(layer, zone, source))]
        if not layers:
            self.draft.left(source, "None of its layers can be carried over.", "Write it by hand.")
            return
        self.directory.schedule(
            schedule.id, schedule.name, zone, [tuple(layers)], self._overrides(schedule, source), source
        )

    def _layer(self, layer: _Layer, zone: str, schedule: str) -> Layer | None:
        source = f'{schedule} layer "{text(layer.name, text(layer.id, "without a name"), most=80)}"'
        if layer.end is not None and layer.end <= self.now:
            self.draft.left(source, f"It ended on {layer.end:%Y-%m-%d}.", _NOTHING_TO_DO)
            return None
        unknown = [turn.user.id for turn in layer.users if turn.user.id not in self.directory.people]
        length_s = layer.rotation_turn_length_seconds
        if unknown or not layer.users or length_s <= 0:
            what = f"The user {text(unknown[0], most=40)} in it was not imported" if unknown else "It has nobody in it"
            todo = "Export the user as well: without them everybody's turn would be another."
            self.draft.left(source, f"{what}." if unknown or not layer.users else "Its turns have no length.", todo)
            return None
        start = local(layer.start, zone)
        first, turn = begun(local(layer.rotation_virtual_start, zone), length_s, start)
        fields = rotation(first, length_s)
        held = [window for one in layer.restrictions for window in _windows(one)]
        if fields is None or (layer.restrictions and not held):
            what = (
                f"Its turns of {length_s} seconds are no whole hours"
                if fields is None
                else "Its restrictions leave nothing"
            )
            self.draft.left(source, f"{what}.", "Write the layer by hand.")
            return None
        if first != start and layer.start > self.now:
            reason = f"It begins with the turn of {first:%Y-%m-%d %H:%M}, not in its middle."
            self.draft.changed(source, reason, "Write an override until then.")
        if length_s % 86_400:
            reason = (
                "Turns are counted by the clock on the wall; where the clocks change one is an hour longer or shorter."
            )
            self.draft.changed(source, reason, _NOTHING_TO_DO)
        people = [self.directory.people[turn.user.id] for turn in layer.users]
        return Layer(
            title=text(layer.name),
            people=rotated(people, turn),
            ends=self._ends(layer, zone, first.time(), source),
            restrictions=restrictions(held) if held else (),
            **fields,
        )

    def _ends(self, layer: _Layer, zone: str, hand_over_at: time, source: str) -> Any:
        if layer.end is None:
            return None
        day, exact = ends_on(local(layer.end, zone), hand_over_at)
        if not exact:
            reason = f"It ends with the hand-over of {day}, not in the middle of a turn."
            self.draft.changed(source, reason, "Write an override for the hours between.")
        return day

    def _overrides(self, schedule: _Schedule, source: str) -> list[Override]:
        rendered = schedule.overrides_subschedule
        found: dict[tuple[datetime, datetime, str], Override] = {}
        for one in [*schedule.overrides, *(rendered.rendered_schedule_entries if rendered else [])]:
            if one.end <= self.now:
                continue
            person = self.directory.people.get(one.user.id)
            made = override(person, one.start, one.end, "Override in PagerDuty") if person else None
            if made is None:
                what = f"override from {one.start:%Y-%m-%d %H:%M}"
                self.draft.left(
                    f"{source} {what}", "Its user was not imported, or it lasts no time.", "Make it by hand."
                )
            else:
                found[one.start, one.end, one.user.id] = made
        return [made for _, made in sorted(found.items())]

    def _policy(self, policy: _Policy) -> None:
        source = titled_as("escalation policy", policy)
        asked: list[Asked] = []
        for step in policy.escalation_rules:
            one = Asked(wait_s=step.escalation_delay_in_minutes * 60)
            for target in step.targets:
                one.targets += self.directory.targets(target.type.removesuffix("_reference"), target.id, source)
            asked.append(one)
        self.directory.policy(policy.id, policy.name, asked, policy.num_loops, source)

    def _service(self, service: _Service, policies: dict[str, _Policy]) -> None:
        source = titled_as("service", service)
        wanted = service.escalation_policy.id if service.escalation_policy else ""
        if service.status == "disabled":
            self.draft.left(source, "It is disabled.", _NOTHING_TO_DO)
        elif wanted not in self.directory.policies:
            reason = "Its escalation policy was not imported, so nobody would be woken for it."
            self.draft.left(source, reason, "Export the policy as well.")
        else:
            refs = service.teams or policies[wanted].teams
            owner = next((self.directory.teams[ref.id] for ref in refs if ref.id in self.directory.teams), None)
            self.directory.service(service.name, service.description, owner, self.directory.policies[wanted], source)
            if service.acknowledgement_timeout not in {None, 1800}:
                reason = "What is acknowledged and then left alone is paged again after 30 minutes, by its policy."
                self.draft.changed(source, reason, "Set `unattended_after_s` in the policy.")


def titled_as(what: str, item: Any) -> str:
    return titled("PagerDuty", what, {"id": item.id, "name": item.name}, "name")


def _windows(one: _Window) -> list[tuple[int, time, time]]:
    day = None if one.type == "daily_restriction" else ((one.start_day_of_week or 1) - 1) % 7
    return windows(day, one.start_time_of_day.replace(tzinfo=None), one.duration_seconds)
