"""What waits for somebody to pick it up, so that a newcomer helps instead of adding noise (mission 8.10). Pure."""

from typing import Literal

from msgspec import Struct

from sev1.command import model as m

MOST_SHOWN = 6
ROLES_WANTED: tuple[m.Role, ...] = ("ops", "comms", "scribe")
"""Vacant, these are missed; the others are filled when the incident asks for them."""


class Opening(Struct, frozen=True, kw_only=True):
    kind: Literal["task", "need", "role", "question"]
    ref: str
    """`T3`, `N1`, `U2`; of a role its name."""
    text: str
    line: str
    """The line of the grammar that picks it up, or begins the answer."""


def openings(incident: m.Incident) -> list[Opening]:
    """Tasks and needs without an owner, roles without a holder, questions without an answer: in the order in which
    picking them up helps, `MOST_SHOWN` at most. Nothing once the incident is over.
    """
    if not incident.is_open:
        return []
    tasks = sorted((t for t in incident.tasks.values() if t.is_open and t.owner is None), key=lambda t: t.due_at)
    found = [Opening(kind="task", ref=t.ref, text=t.text, line=f"/take {t.ref}") for t in tasks]
    found += [
        Opening(kind="need", ref=need.ref, text=need.text, line=f"/take {need.ref}")
        for need in incident.needs.values()
        if need.is_open and need.owner is None
    ]
    found += [
        Opening(kind="role", ref=role, text=m.ROLE_TITLES[role], line=f"/role {role} @me")
        for role in ROLES_WANTED
        if not incident.roles.get(role)
    ]
    found += [
        Opening(kind="question", ref=item.ref, text=item.text, line=f"/answer {item.ref} ")
        for item in incident.board.values()
        if item.kind == "unknown" and item.outcome is None
    ]
    return found[:MOST_SHOWN]


def most_wanted(incident: m.Incident) -> Opening | None:
    """The task or need that waits most; None while somebody has each of them."""
    return next((one for one in openings(incident) if one.kind in ("task", "need")), None)


def is_involved(incident: m.Incident, person: str) -> bool:
    """Whether `person` holds a role, leads a workstream, or has something to do in it."""
    return (
        any(person in holders for holders in incident.roles.values())
        or any(stream.lead == person for stream in incident.workstreams.values() if stream.is_open)
        or any(task.owner == person for task in incident.tasks.values() if task.is_open)
        or any(need.owner == person for need in incident.needs.values() if need.is_open)
    )
