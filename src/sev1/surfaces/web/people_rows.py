"""Who works in an incident, as its page lists them. Pure (mission 10.1)."""

from collections.abc import Iterable

from msgspec import Struct

from sev1.surfaces.people_view import AtWork
from sev1.surfaces.web.board_view import Line


class PersonRow(Struct, frozen=True, kw_only=True):
    work: AtWork
    is_me: bool
    lines: tuple[Line, ...]


def people_rows(people: Iterable[AtWork], me: str, commander: str) -> tuple[PersonRow, ...]:
    return tuple(PersonRow(work=one, is_me=one.person == me, lines=_lines(one, me, commander)) for one in people)


def _lines(one: AtWork, me: str, commander: str) -> tuple[Line, ...]:
    """What the visitor may propose: their own break, and as commander that of others."""
    if me not in {one.person, commander}:
        return ()
    if one.break_until:
        return (Line(label="back", line="/back" if one.person == me else f"/back @{one.person}"),)
    if one.person == me:
        return (Line(label="break", line="/break 20 min cover @" if me == commander else "/break 20 min"),)
    return (Line(label="break", line=f"/break @{one.person} 20 min"),)
