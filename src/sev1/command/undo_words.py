"""Corrections in words: each begins by saying that something was undone. Pure."""

from sev1.command import model as m
from sev1.command.parts.board import LETTERS, ItemReopened, ItemSettled
from sev1.command.parts.needs import NeedReopened
from sev1.command.parts.tasks import TaskReopened
from sev1.command.parts.workstreams import WorkstreamStateSet
from sev1.command.terms import EntryKind, NameOf, Words
from sev1.command.undo import corrected_by


def words_of_correction(event: m.IncidentEvent, name_of: NameOf) -> Words | None:
    """None for an event that takes nothing back."""
    if not corrected_by(event):
        return None
    kind, headline = _said(event, name_of)
    return kind, "", f"Undone: {headline}", ()


def _said(  # noqa: C901, PLR0912 - one case an event
    event: m.IncidentEvent, name_of: NameOf
) -> tuple[EntryKind, str]:
    match event:
        case m.RoleAssigned(role=role, person=person):
            return "role", f"{m.ROLE_TITLES[role]} is {name_of(person)} again"
        case m.RoleReleased(role=role, person=person):
            return "role", f"{name_of(person)} is not {m.ROLE_TITLES[role]}"
        case m.SeverityChanged(new=new, assumed=assumed):
            return "milestone", f"severity is {new.upper()} again" + (", assumed" if assumed else "")
        case m.StageChanged(new=new):
            return "milestone", f"the stage is {m.STAGE_TITLES[new]} again"
        case m.MitigationDenied():
            return "milestone", "the impact is not mitigated"
        case m.CriterionWithdrawn(criterion=criterion, holds_again=before):
            state = "as it was confirmed before" if before else "not confirmed"
            return "gate", f"{state}: {m.CRITERIA[criterion]}"
        case m.NoteStruck():
            return "note", "the note is struck"
        case TaskReopened(number=number, text=text):
            return "work", f"T{number} is open again: {text}"
        case NeedReopened(number=number, text=text):
            return "work", f"N{number} is open again: {text}"
        case ItemSettled(kind=kind, number=number, text=text):
            return "board", f"{LETTERS[kind]}{number} is off the board: {text}"
        case ItemReopened(kind=kind, number=number, text=text):
            return "board", f"{LETTERS[kind]}{number} is open again: {text}"
        case WorkstreamStateSet(number=number, title=title, state=state):
            return "work", f"W{number} {title} is {state} again"
        case _:
            raise TypeError(f"takes nothing back: {event!r}")
