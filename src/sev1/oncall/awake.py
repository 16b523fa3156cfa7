"""Who is awake: the right person by local time is preferred over the best person (mission 10.3). Pure."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from sev1.catalog.model import Catalog, Person


class Wakefulness(Struct, frozen=True, kw_only=True):
    person: str
    awake: bool
    because: str
    """`03:14 in Europe/Berlin, awake 08:00 to 22:00`."""


def wakefulness(person: Person, at: datetime) -> Wakefulness:
    """Whether a person is usually awake at the instant `at` (aware), with the reason."""
    local = at.astimezone(ZoneInfo(person.time_zone)).time().replace(second=0, microsecond=0)
    start, end = person.awake.start, person.awake.end
    # Somebody who works nights is awake over midnight; both times equal means always.
    awake = start <= local < end if start < end else local >= start or local < end
    because = f"{local:%H:%M} in {person.time_zone}, awake {start:%H:%M} to {end:%H:%M}"
    return Wakefulness(person=person.name, awake=awake, because=because)


def awake_first(people: Iterable[str], catalog: Catalog, at: datetime) -> list[Wakefulness]:
    """The eligible people, those who are awake first, otherwise in the given order. Who is unknown is left out."""
    found = [wakefulness(catalog.people[name], at) for name in dict.fromkeys(people) if name in catalog.people]
    return sorted(found, key=lambda one: not one.awake)
