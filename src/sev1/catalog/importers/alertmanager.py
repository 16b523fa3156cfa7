"""`alertmanager.yml` -> routes, receivers, inhibit rules and windows of time, with a report. Pure.

Read as Alertmanager's documentation has it: configuration, "route", "inhibit_rule", "time_interval" (0.22 to 0.28, old
and new spellings). What it sends to whom is kept; how often it repeats itself is not, because a page is repeated by its
escalation policy.
"""

from typing import Any

from msgspec import Struct

from sev1.catalog.importers import alertmanager_times as times
from sev1.catalog.importers.alertmanager_receivers import Receivers, is_address
from sev1.catalog.importers.alertmanager_routes import (
    Flat,
    Node,
    contradicts,
    flatten,
    matchers_of,
    nodes,
    tree,
)
from sev1.catalog.importers.draft import Draft, Imported, NotImportable, text
from sev1.catalog.importers.sources import VENDORS, require_vendor, yaml_value
from sev1.catalog.matchers import all_match
from sev1.catalog.model import InhibitRule, Maintenance, Organisation, Route, Team

_SPACING = 10
_GLOBALS_TODO = "Mail goes by SEV1_SMTP_URL; other products' secrets go into environment variables."


class FromAlertmanager(Struct, frozen=True, kw_only=True):
    imported: Imported
    receivers: dict[str, tuple[str, ...]]
    """Route here -> the receivers that Alertmanager would choose for what it matches."""


def read(name: str, raw: bytes, *, contact: str | None = None) -> FromAlertmanager:
    """The import of one file. Raises `NotImportable`."""
    if contact is not None and not is_address(contact):
        raise NotImportable(f'"{text(contact, most=80)}" is no mail address.')
    value = yaml_value(name, raw)
    require_vendor(name, value, "alertmanager")
    if not isinstance(value, dict) or "route" not in value:
        raise NotImportable(f"{name} has no `route`: it is not {VENDORS['alertmanager']}.")
    return _Reading(value, contact).all()


class _Reading:
    def __init__(self, value: dict[str, Any], contact: str | None) -> None:
        self.value = value
        self.draft = Draft()
        self.receivers = Receivers(draft=self.draft, contact=contact)
        self.root = tree(value["route"])
        self.chosen: dict[str, tuple[str, ...]] = {}
        self.intervals = self._intervals()

    def all(self) -> FromAlertmanager:
        self._receivers()
        flats, exact = flatten(self.root)
        if not exact:
            self.draft.changed(
                "route",
                "`continue` makes too many combinations; only the first receiver of each alert was kept.",
                "Write routes with `continue` as one route with both receivers.",
            )
        team = self._team()
        for number, flat in enumerate(flats, start=1):
            self._route(number, flat)
        self._windows(flats, team)
        for at, rule in enumerate(self._list("inhibit_rules")):
            self._inhibit(at, rule)
        self._organisation(team)
        self._notes()
        return FromAlertmanager(imported=self.draft.imported(), receivers=self.chosen)

    def _list(self, field: str) -> list[dict[str, Any]]:
        found = self.value.get(field) or []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise NotImportable(f"`{field}` must be a list of mappings.")
        return found

    def _receivers(self) -> None:
        for held in self._list("receivers"):
            if not isinstance(held.get("name"), str) or not held["name"]:
                raise NotImportable("A receiver has no name.")
            if held["name"] in self.receivers.people:
                raise NotImportable(f'The receiver "{held["name"]}" is written twice.')
            self.receivers.take(held)
        unknown = sorted({node.receiver for node in nodes(self.root)} - self.receivers.people.keys())
        if unknown:
            raise NotImportable(f'Routes name the receiver "{unknown[0]}", which does not exist.')

    def _team(self) -> str | None:
        members = tuple(dict.fromkeys(person for people in self.receivers.people.values() for person in people))
        if not members:
            return None
        name = self.draft.name("team", "alertmanager")
        self.draft.add(
            Team(name=name, title="Everybody whom Alertmanager told", members=members), "all receivers", aside=True
        )
        return name

    def _route(self, number: int, flat: Flat) -> None:
        source = " and ".join(node.path for node in flat.nodes)
        first = flat.nodes[0]
        policy = self.receivers.policy(flat.receivers)
        name = self.draft.name("route", "-and-".join(flat.receivers))
        value = Route(
            name=name,
            order=number * _SPACING,
            match=tuple(str(matcher) for matcher in flat.matchers),
            tier="page" if policy else "fyi",
            policy=policy,
            group_by=first.group_by,
        )
        if self.draft.add(value, source):
            self.chosen[name] = flat.receivers
        if len({node.group_by for node in flat.nodes}) > 1:
            reason = "Its receivers group alerts differently; here they share one page, grouped as the first says."
            self.draft.changed(source, reason, "Check `group_by`.", f"route {name}")

    def _windows(self, flats: list[Flat], team: str | None) -> None:
        for at, flat in enumerate(flats):
            for node in flat.nodes:
                for interval in node.muted_by:
                    self._mute(flats, at, node, interval, team, outside=False)
                if node.active_in:
                    self._mute(flats, at, node, ", ".join(node.active_in), team, outside=True)

    def _mute(self, flats: list[Flat], at: int, node: Node, interval: str, team: str | None, *, outside: bool) -> None:
        flat = flats[at]
        source = f'{node.path} {"active" if outside else "mute"}_time_intervals "{interval}"'
        names = node.active_in if outside else (interval,)
        try:
            self._require_known(names)
            self._require_alone(flats, at)
            held = [self.intervals[name] for name in names]
            windows = times.inactive(held) if outside else times.muted(held[0])
        except times.Unmappable as error:
            todo = "Plan maintenance by hand, or leave it: alerts are then paged at any time."
            self.draft.left(source, f"It cannot be a maintenance window: {error}.", todo)
            return
        if team is None:
            self.draft.left(source, "Nobody is told anyway.", "Nothing.")
            return
        for window in windows:
            self._maintenance(flat, interval, window, source, team, outside=outside)

    def _require_known(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self.intervals:
                raise times.Unmappable(f'the interval "{name}" does not exist')

    def _require_alone(self, flats: list[Flat], at: int) -> None:
        """A window holds every alert that matches; alerts of earlier routes must not be among them."""
        flat = flats[at]
        if len(flat.nodes) > 1:
            raise times.Unmappable("its alerts go to other receivers as well, by `continue`, which are not muted")
        if all_match(flat.matchers, {}):
            raise times.Unmappable("its route matches alerts without any label, so it would hold everything")
        (node,) = flat.nodes
        for earlier in flats[:at]:
            same = all((one.muted_by, one.active_in) == (node.muted_by, node.active_in) for one in earlier.nodes)
            if not same and not contradicts((*earlier.matchers, *flat.matchers)):
                paths = " and ".join(one.path for one in earlier.nodes)
                raise times.Unmappable(f"it would also hold alerts that {paths} takes first")

    def _maintenance(
        self, flat: Flat, interval: str, window: times.Window, source: str, team: str, *, outside: bool
    ) -> None:
        word = f"Outside of {interval}" if outside else interval
        value = Maintenance(
            name=self.draft.name("maintenance", word),
            title=text(word, "Muted"),
            owner=team,
            reason=text(f"Muted in Alertmanager: {source}"),
            match=tuple(str(matcher) for matcher in flat.matchers),
            time_zone=window.time_zone,
            at=window.at,
            duration_min=window.duration_min,
            weekdays=window.weekdays,
            days_of_month=window.days_of_month,
            months=window.months,
            years=window.years,
        )
        if self.draft.add(value, source) and window.time_zone != "UTC":
            reason = "It lasts so many minutes; where the clocks change within, it ends an hour off, once."
            self.draft.changed(
                source, reason, "Nothing, if an hour a year does not matter.", f"maintenance {value.name}"
            )

    def _intervals(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in ("time_intervals", "mute_time_intervals"):
            for held in self._list(field):
                found[str(held.get("name"))] = held.get("time_intervals")
        used = {name for node in nodes(self.root) for name in (*node.muted_by, *node.active_in)}
        for name in sorted(found.keys() - used):
            self.draft.left(f'time interval "{text(name, most=80)}"', "No route uses it.", "Nothing.")
        return found

    def _inhibit(self, at: int, rule: dict[str, Any]) -> None:
        title = text(rule.get("name"))
        source = f"inhibit_rules[{at}]" + (f' "{title}"' if title else "")
        sides = {side: matchers_of(rule, source, f"{side}_") for side in ("source", "target")}
        equal = rule.get("equal") or []
        if not isinstance(equal, list) or not all(isinstance(label, str) for label in equal):
            raise NotImportable(f"{source}.equal must be a list of labels.")
        if not all(sides.values()):
            empty = " and ".join(side for side, matchers in sides.items() if not matchers)
            self.draft.left(source, f"Its {empty} side matches every alert.", "Say which alerts are meant.")
            return
        value = InhibitRule(
            name=self.draft.name("inhibit-rule", title or f"inhibit-{at + 1:03d}"),
            source=tuple(str(matcher) for matcher in sides["source"]),
            target=tuple(str(matcher) for matcher in sides["target"]),
            equal=tuple(equal),
        )
        self.draft.add(value, source)

    def _organisation(self, team: str | None) -> None:
        fallback = self.receivers.policy((self.root.receiver,))
        value = Organisation(
            name="organisation", title="sev1", fallback_policy=fallback, fallback_owner=team if fallback else None
        )
        self.draft.add(value, f'default receiver "{text(self.root.receiver, most=80)}"', aside=fallback is None)

    def _notes(self) -> None:
        """What is different for the file as a whole, said once."""
        every = list(nodes(self.root))
        self.draft.changed(
            "route",
            "Alertmanager tells a receiver whatever the severity, so every route that tells somebody has `tier: page`.",
            "Remove `tier` from routes where the alert's severity should decide between page, ticket and FYI.",
        )
        on_env = [node.path for node in every if any(matcher.name == "env" for matcher in node.matchers)]
        if on_env:
            reason = "Routes here compare `env` normalised as well: production, prd and live count as prod, stage as staging."
            todo = f"Check the routes from {', '.join(on_env[:5])}."
            self.draft.changed("route matchers on env", reason, todo)
        if any("..." not in node.group_by for node in every):
            reason = "A page never mixes services: alerts are grouped by the label `service` as well."
            self.draft.changed("route group_by", reason, "Nothing.")
        if any(key in _texts_of(self.value["route"]) for key in ("group_wait", "group_interval", "repeat_interval")):
            reason = "group_wait, group_interval and repeat_interval are not kept: a page goes out at once and repeats by its policy."
            self.draft.left("route timing", reason, "Set `wait_s` and `repeat` in the policies.")
        if self.value.get("global"):
            reason = "Global settings (mail server, addresses and secrets of other products) are not copied."
            self.draft.left("global", reason, _GLOBALS_TODO)
        if self.value.get("templates"):
            reason = "Notification templates are not copied: sev1 writes its own messages."
            self.draft.left("templates", reason, "Nothing.")


def _texts_of(route: Any) -> set[str]:
    """Every key that stands on a route of the tree."""
    if not isinstance(route, dict):
        return set()
    return set(route).union(*(_texts_of(child) for child in route.get("routes") or []))
