"""How an object lies in the database, so that the previous release reads it too while both run. Pure.

The release before layers asks every schedule for a `rotation` of days or weeks, and pages nobody when it cannot read the
catalog. So a schedule that has more is stored with the nearest rotation that it knows, and with its own beside it: a
node of the previous release then asks somebody of the right people, if not always at the right hour.
"""

from typing import Any

import msgspec
from msgspec import Struct

from sev1.catalog.model import Length, Rotation, Schedule

AS_WRITTEN = "rotation_as_written"
"""The schedule's own `rotation`, null when it has layers; only where the stored one is a stand-in."""


def as_stored(value: Struct) -> Any:
    """What is written to the row: the object, or plain data that a release before layers can decode as well."""
    if not isinstance(value, Schedule):
        return value
    base = value.rotation or value.layers[0]
    if value.rotation is not None and not isinstance(base.every, Length):
        return value
    spec: dict[str, Any] = msgspec.to_builtins(value)
    return spec | {"rotation": msgspec.to_builtins(_nearest(base)), AS_WRITTEN: spec["rotation"]}


def as_written(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec of a row as this release wrote the object."""
    if AS_WRITTEN not in spec:
        return spec
    rest = {name: value for name, value in spec.items() if name != AS_WRITTEN}
    return rest | {"rotation": spec[AS_WRITTEN]}


def _nearest(base: Rotation) -> Rotation:
    every = base.every
    if isinstance(every, Length):
        every = "week" if every.days * 24 + every.hours >= 7 * 24 else "day"
    return Rotation(
        people=base.people,
        every=every,
        hand_over_at=base.hand_over_at,
        hand_over_on=base.hand_over_on,
        starts=base.starts,
    )
