"""Grafana OnCall's API (v1) -> people, teams, schedules, escalation policies and services, with a report. Pure.

Read are the answers to GET /api/v1/users, /teams, /schedules, /on_call_shifts, /escalation_chains, /escalation_policies,
/integrations and /routes, by the "OnCall API" documentation. Schedules of type `web` and `calendar` are shifts; one of
type `ical` lives in a calendar elsewhere and cannot be carried over. What becomes of a shift is in `oncall_shifts`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct

from sev1.catalog.importers.directory import Asked, calendar_bounds
from sev1.catalog.importers.draft import Imported, text
from sev1.catalog.importers.export import Export
from sev1.catalog.importers.lanes import Rolling, lanes
from sev1.catalog.importers.oncall_shifts import Shift, Unmappable, override_of, rolling_of
from sev1.catalog.importers.sources import titled
from sev1.catalog.importers.turns import is_zone
from sev1.catalog.model import Override

_REPEATS = 5
"""How often OnCall itself repeats a chain at most."""
_IGNORED_STEPS = {
    "notify_whole_channel": "tells a Slack channel",
    "notify_user_group": "tells a Slack user group",
    "trigger_webhook": "calls a webhook",
    "trigger_action": "calls a webhook",
    "declare_incident": "declares an incident",
    "resolve": "resolves the alert group by itself",
}
_CONDITIONS = {
    "notify_if_time_from_to": "only at some hours",
    "notify_if_num_alerts_in_window": "only from some number of alerts on",
}


class _User(Struct):
    id: str
    email: str
    username: str = ""
    name: str = ""
    timezone: str | None = None
    teams: list[str] = []


class _Team(Struct):
    id: str
    name: str = ""


class _Schedule(Struct):
    id: str
    name: str = ""
    type: str = "web"
    time_zone: str | None = None
    shifts: list[str] | None = None
    ical_url_overrides: str | None = None


class _Chain(Struct):
    id: str
    name: str = ""
    team_id: str | None = None


class _Step(Struct):
    id: str
    escalation_chain_id: str
    type: str
    position: int = 0
    duration: float | None = None
    important: bool = False
    persons_to_notify: list[str] | None = None
    persons_to_notify_next_each_time: list[str] | None = None
    notify_on_call_from_schedule: str | None = None
    team_to_notify: str | None = None
    notify_team_members: str | None = None


class _Default(Struct):
    escalation_chain_id: str | None = None


class _Integration(Struct):
    id: str
    name: str | None = None
    type: str = ""
    description_short: str | None = None
    team_id: str | None = None
    default_route: _Default | None = None


class _Route(Struct):
    id: str
    integration_id: str
    routing_regex: str | None = None
    routing_type: str = "regex"
    escalation_chain_id: str | None = None
    position: int = 0
    is_the_last_route: bool = False


def read(found: Iterable[tuple[str, bytes]], now: datetime) -> Imported:
    """The import of several files together; what ended before `now` is history. Raises `NotImportable`."""
    return _Reading(now).read(found)


class _Reading(Export):
    vendor = "grafana-oncall"
    product = "OnCall"
    kinds: ClassVar[Mapping[str, str]] = {
        kind: kind for kind in ("user", "team", "schedule", "shift", "chain", "step", "integration", "route")
    }
    called_by = ("name", "username")

    def carry_over(self) -> None:
        users = self.each("user", _User)
        for user in users:
            self._user(user)
        for team in self.each("team", _Team):
            members = [
                self.directory.people[u.id] for u in users if team.id in u.teams and u.id in self.directory.people
            ]
            self.directory.team(team.id, team.name, members, _named("team", team))
        shifts = {shift.id: shift for shift in self.each("shift", Shift)}
        for schedule in self.each("schedule", _Schedule):
            with calendar_bounds(self.draft, _named("schedule", schedule)):
                self._schedule(schedule, shifts)
        steps = sorted(self.each("step", _Step), key=lambda step: (step.position, step.id))
        for chain in self.each("chain", _Chain):
            self._chain(chain, [step for step in steps if step.escalation_chain_id == chain.id])
        for integration in self.each("integration", _Integration):
            self._integration(integration)
        self._routes(self.each("route", _Route))

    def sort(self, name: str, value: Any) -> None:
        if isinstance(value, dict) and isinstance(value.get("next"), str):
            self.one_page_of_more(name)
        known = False
        for item in _objects(value):
            kind = _kind(item)
            if kind is not None:
                known = True
                self.items[kind][str(item.get("id"))] = item
        if not known:
            todo = "Export users, teams, schedules, on_call_shifts, escalation_chains, escalation_policies and integrations."
            self.draft.left(name, "Nothing in it is known.", todo)

    def _user(self, user: _User) -> None:
        source = titled("OnCall", "user", {"id": user.id, "name": user.username or user.name}, "name")
        self.directory.person(user.id, user.name or user.username, user.email, user.timezone, [], source)

    def _schedule(self, schedule: _Schedule, shifts: dict[str, Shift]) -> None:
        source = _named("schedule", schedule)
        # The documented default; a name that is not known is something else.
        zone = schedule.time_zone or "UTC"
        if schedule.type == "ical":
            reason = "It lives in a calendar elsewhere."
            self.draft.left(source, reason, "Write its rotation by hand.")
            return
        if not is_zone(zone):
            todo = "Set time_zone to a name such as Europe/Berlin: with a guessed one the wrong person would be paged."
            self.draft.left(source, f'Its time zone "{text(zone, most=60)}" is not known.', todo)
            return
        if schedule.time_zone is None:
            self.draft.changed(source, "It has no time zone, which OnCall reads as UTC.", "Check its hand-overs.")
        held = [shifts[one] for one in schedule.shifts or [] if one in shifts]
        for one in sorted(set(schedule.shifts or []) - shifts.keys()):
            self.draft.left(
                f"{source} shift {text(one, most=40)}", "It is not in the export.", "Export /on_call_shifts."
            )
        rolling, overrides = self._shifts(held, zone, source)
        if schedule.ical_url_overrides:
            self.draft.left(f"{source} overrides", "They live in a calendar elsewhere.", "Make them by hand.")
        if rolling:
            self.directory.schedule(schedule.id, schedule.name, zone, lanes(rolling), overrides, source)
        else:
            self.draft.left(
                source, "None of its shifts can be carried over.", "Export /on_call_shifts, or write it by hand."
            )

    def _shifts(self, held: list[Shift], zone: str, schedule: str) -> tuple[list[Rolling], list[Override]]:
        highest = max((shift.level for shift in held if not shift.once), default=-1)
        rolling: list[Rolling] = []
        overrides: list[Override] = []
        for shift in held:
            source = f'{schedule} shift "{text(shift.name, shift.id, most=80)}"'
            try:
                if shift.once:
                    overrides += override_of(shift, zone, self.directory.people, self.now, highest)
                    continue
                made, notes = rolling_of(shift, zone, self.directory.people, self.now)
            except Unmappable as error:
                self.draft.left(source, f"{error}.", "Write it by hand, or export what is missing.")
                continue
            rolling.append(made)
            for note in notes:
                self.draft.changed(source, note, "Check who is on call around that time.")
        return rolling, overrides

    def _chain(self, chain: _Chain, steps: list[_Step]) -> None:
        source = _named("escalation chain", chain)
        asked: list[Asked] = []
        repeat = 0
        waits = True
        for step in steps:
            if step.type == "wait":
                self._wait(asked, step, source)
                waits = True
            elif step.type == "repeat_escalation":
                repeat = _REPEATS
            elif step.type in _CONDITIONS:
                reason = f"A step lets those after it happen {_CONDITIONS[step.type]}; here they always happen."
                self.draft.changed(source, reason, "Use routes or maintenance windows instead.")
            elif step.type in _IGNORED_STEPS:
                self.draft.left(source, f"A step {_IGNORED_STEPS[step.type]}.", "Nothing, or do it another way.")
            else:
                if waits:
                    asked.append(Asked())
                    waits = False
                self._notify(asked[-1], step, source)
        self.directory.policy(chain.id, chain.name, asked, repeat, source)

    def _wait(self, asked: list[Asked], step: _Step, source: str) -> None:
        if asked:
            asked[-1].wait_s += int(step.duration or 0)
        else:
            reason = (
                f"It begins with a wait of {int(step.duration or 0)} seconds; here the first step is paged at once."
            )
            self.draft.changed(source, reason, "Nothing, or let alerts wait before they page.")

    def _notify(self, asked: Asked, step: _Step, source: str) -> None:
        people = step.persons_to_notify
        if step.type == "notify_person_next_each_time":
            people = step.persons_to_notify_next_each_time
        in_turn = step.type == "notify_person_next_each_time"
        if not asked.targets:
            asked.in_turn = in_turn
        elif in_turn or asked.in_turn:
            asked.in_turn = False
            reason = (
                "A step pages the next of several people each time, at once with others; here all of them are paged."
            )
            self.draft.changed(source, reason, "Make a schedule of them.")
        wanted = [("user", one) for one in people or []]
        if step.notify_on_call_from_schedule:
            wanted.append(("schedule", step.notify_on_call_from_schedule))
        if team := step.team_to_notify or step.notify_team_members:
            wanted.append(("team", team))
        if not wanted:
            self.draft.left(
                source, f"A step of the type {text(step.type, most=60)} has no form here.", "Write it by hand."
            )
        for kind, identity in wanted:
            asked.targets += self.directory.targets(kind, identity, source)

    def _integration(self, integration: _Integration) -> None:
        source = titled(
            "OnCall", "integration", {"id": integration.id, "name": integration.name or integration.type}, "name"
        )
        chain = (integration.default_route.escalation_chain_id if integration.default_route else None) or ""
        if chain not in self.directory.policies:
            reason = "Its default route names no escalation chain that was imported."
            self.draft.left(source, reason, "Make a key with `sev1 key create` and a service by hand.")
            return
        owner = self.directory.teams.get(integration.team_id or "")
        title = integration.name or integration.type
        self.directory.service(title, integration.description_short, owner, self.directory.policies[chain], source)
        reason = "Its address and key are not copied."
        self.draft.left(
            source, reason, "Make a key with `sev1 key create KIND --service NAME` and point the sender at it."
        )

    def _routes(self, routes: list[_Route]) -> None:
        for route in routes:
            if not route.is_the_last_route:
                source = f"OnCall route {text(route.id, most=40)} of integration {text(route.integration_id, most=40)}"
                policy = self.directory.policies.get(route.escalation_chain_id or "", "none")
                what = "template" if route.routing_type == "jinja2" else "regular expression"
                reason = (
                    f"It looks for a {what} in the whole payload; routes here match labels. Its policy is {policy}."
                )
                self.draft.left(
                    source, reason, f"Write a route for: {text(route.routing_regex, 'everything', most=100)}"
                )


def _named(what: str, item: Any) -> str:
    return titled("OnCall", what, {"id": item.id, "name": item.name}, "name")


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The objects of an answer (`results`), of a list, or of a file that holds several under one key each."""
    if isinstance(value, dict) and _kind(value) is not None:
        yield value
    elif isinstance(value, dict | list) and depth < 4:
        for held in value.values() if isinstance(value, dict) else value:
            yield from _objects(held, depth + 1)


_BY_KEYS: tuple[tuple[str, set[str]], ...] = (
    ("route", {"id", "integration_id"}),
    ("step", {"id", "escalation_chain_id", "type"}),
    ("shift", {"id", "start", "duration"}),
    ("integration", {"id", "default_route"}),
    ("user", {"id", "email", "username"}),
    ("schedule", {"id", "name", "on_call_now"}),
    ("schedule", {"id", "name", "shifts"}),
    ("schedule", {"id", "name", "ical_url_primary"}),
    ("team", {"id", "name", "avatar_url"}),
    ("chain", {"id", "name", "team_id"}),
)


def _kind(item: dict[str, Any]) -> str | None:
    """What an object is, by the keys that only it has."""
    return next((kind for kind, keys in _BY_KEYS if keys <= item.keys()), None)
