"""Schedules in which several people are on call at once, as schedules of one person each. Pure.

Opsgenie and Grafana OnCall put everybody on call whose rotation holds, OnCall only those of the highest level. A schedule
here has one person at a time, so such a schedule becomes several, its lanes, which a policy pages together. In every
lane the highest level that holds decides, and within a level the lane's own shifts lie on top of the others': so no lane
ever shows somebody who is not on call, and all lanes together show everybody who is.
"""

from typing import Any

from msgspec import Struct

from sev1.catalog.importers.turns import meet, spans
from sev1.catalog.model import Layer


class Rolling(Struct, frozen=True, kw_only=True):
    """A rotation through groups of people who are on call together."""

    groups: tuple[tuple[str, ...], ...]
    """None of them empty."""
    fields: dict[str, Any]
    """The other fields of the layer, zone included."""
    level: int = 0


def lanes(shifts: list[Rolling]) -> list[tuple[Layer, ...]]:
    """The layers of each schedule that is needed, one at least when there are shifts."""
    levels: dict[int, list[list[Layer]]] = {}
    for shift in shifts:
        tracks = levels.setdefault(shift.level, [])
        for layer in _single(shift):
            _place(layer, tracks)
    width = max((len(tracks) for tracks in levels.values()), default=0)
    return [
        tuple(layer for _, tracks in sorted(levels.items()) for layer in _seen_from(tracks, lane))
        for lane in range(width)
    ]


def _single(shift: Rolling) -> list[Layer]:
    """A layer for each place in the groups. In a smaller group the first has the further places as well."""
    width = max(len(group) for group in shift.groups)
    return [
        Layer(people=tuple(group[place] if place < len(group) else group[0] for group in shift.groups), **shift.fields)
        for place in range(width)
    ]


def _place(layer: Layer, tracks: list[list[Layer]]) -> None:
    for track in tracks:
        if all(_apart(layer, other) for other in track):
            track.append(layer)
            return
    tracks.append([layer])


def _apart(one: Layer, other: Layer) -> bool:
    """Whether the two never hold at the same time, as far as their dates and windows show."""
    if one.time_zone != other.time_zone:
        return False
    for first, second in ((one, other), (other, one)):
        if first.ends is not None and (first.ends, first.hand_over_at) <= (second.starts, second.hand_over_at):
            return True
    return not meet(spans(one.restrictions), spans(other.restrictions))


def _seen_from(tracks: list[list[Layer]], lane: int) -> list[Layer]:
    own = lane % len(tracks)
    others = [layer for number, track in enumerate(tracks) if number != own for layer in track]
    return [*others, *tracks[own]]
