"""Readers of the lines that say what is known, what is decided and what is to be done. Pure."""

import re
from collections.abc import Callable
from typing import Any

from sev1.command import model as m
from sev1.command.grammar import told
from sev1.command.grammar.commanding import criterion
from sev1.command.grammar.fields import fields, reference
from sev1.command.grammar.fields import needed as required
from sev1.command.grammar.reading import Rest
from sev1.command.parts import board, mitigations, needs, tasks, workstreams
from sev1.engine.errors import Invalid

# --- say --------------------------------------------------------------------------------------------------------------

_CAN_LABEL = re.compile(r"(?:^|\s|\|)\s*(c|condition|a|actions?|n|needs?)\s*:\s*", re.IGNORECASE)


def can(rest: Rest) -> dict[str, Any]:
    """`CONDITION | ACTIONS | NEEDS`, or with the labels `actions:` and `needs:` in any order; `for customers:` first."""
    audience = rest.take_audience()
    text = rest.take_all()
    pieces = {"c": "", "a": "", "n": ""}
    if _CAN_LABEL.search(text):
        first, *labelled = _CAN_LABEL.split(text)
        pieces["c"] = first.strip(" |")
        for label, words in zip(labelled[::2], labelled[1::2], strict=True):
            pieces[label[0].lower()] = words.strip(" |")
    else:
        pieces.update(zip("can", (piece.strip() for piece in text.split("|", 2)), strict=False))
    return fields(
        m.PostUpdate,
        condition=required(pieces["c"], "what the condition is now"),
        actions=pieces["a"],
        needs=pieces["n"],
        audience=audience,
    )


def decide(rest: Rest) -> dict[str, Any]:
    on_bridge = told.take_on_bridge(rest)
    alternatives = rest.take_clause("instead of", "rather than")
    reason = rest.take_clause("because", "since")
    return fields(
        m.RecordDecision,
        decision=required(rest.take_all(), "what was decided"),
        reason=reason,
        alternatives=alternatives,
        on_bridge=on_bridge or None,
    )


def note(rest: Rest) -> dict[str, Any]:
    return fields(m.AddNote, text=required(rest.take_all(), "what to note"))


# --- know -------------------------------------------------------------------------------------------------------------


def put(kind: board.BoardKind, what: str) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        disproof = rest.take_clause("unless", "wrong if") if kind in {"hypothesis", "assumption"} else ""
        return fields(board.PutOnBoard, kind=kind, text=required(rest.take_all(), what), disproof=disproof)

    return read


def settle(outcome: board.Outcome, letters: str, example: str) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        ref = rest.take_ref(letters)
        if ref is None:
            raise Invalid(f"Say which line of the board, like {example}.", field="item")
        evidence = re.sub(r"^(because|since|:|as)\s+", "", rest.take_all(), flags=re.IGNORECASE)
        return fields(board.SettleItem, item=ref[1], outcome=outcome, evidence=evidence)

    return read


def confirm(rest: Rest) -> dict[str, Any]:
    """A guess that turned out true, or a criterion of the gate."""
    if re.match(r"\s*[AHah]-?\d", rest.text):
        return settle("confirmed", "AH", "H4")(rest)
    return fields(m.ConfirmCriterion, criterion=criterion(rest))


# --- work -------------------------------------------------------------------------------------------------------------


def task(rest: Rest) -> dict[str, Any]:
    """`W1 @bo WHAT by TIME`: the workstream may also stand at the end, as `in W1`."""
    first = rest.take_ref("W")
    due_at = rest.take_moment()
    owner = rest.take_person()
    stream = re.search(r"(?:^|\s)in\s+(W)(\d{1,4})$", rest.text, re.IGNORECASE)
    if stream:
        rest.text = rest.text[: stream.start()]
    due_at = due_at or rest.take_moment()
    return fields(
        tasks.GiveTask,
        text=required(rest.take_all().lstrip("-: "), "what is to be done"),
        owner=owner,
        due_at=due_at,
        workstream=first[1] if first else int(stream[2]) if stream else None,
    )


def take(rest: Rest) -> dict[str, Any]:
    ref = reference(rest, "TN", "T3")
    person = rest.take_person() or rest.speaker.me
    if ref[0] == "T":
        return fields(tasks.TakeTask, task=ref[1], person=person)
    return fields(needs.TakeNeed, need=ref[1], person=person)


def done(rest: Rest) -> dict[str, Any]:
    letter, number = reference(rest, "TNMW", "T3")
    said = rest.take_all().lstrip(": ")
    match letter:
        case "T":
            return fields(tasks.FinishTask, task=number, outcome=said)
        case "N":
            return fields(needs.MeetNeed, need=number, outcome=said)
        case "M":
            return fields(mitigations.RemoveMitigation, mitigation=number, how=said)
        case _:
            return fields(workstreams.SetWorkstreamState, workstream=number, state="done", note=said)


def drop(rest: Rest) -> dict[str, Any]:
    letter, number = reference(rest, "TNW", "T3")
    said = re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE)
    match letter:
        case "T":
            return fields(tasks.DropTask, task=number, reason=said)
        case "N":
            return fields(needs.DropNeed, need=number, reason=said)
        case _:
            return fields(workstreams.SetWorkstreamState, workstream=number, state="dropped", note=said)


def change(rest: Rest) -> dict[str, Any]:
    """A task said more exactly or due later; a mitigation that stays longer or changes hands."""
    letter, number = reference(rest, "TM", "T3")
    moment = rest.take_moment()
    if letter == "M":
        return fields(mitigations.ChangeMitigation, mitigation=number, owner=rest.take_person(), remove_by=moment)
    text = rest.take_all().lstrip(": ")
    if not text and not moment:
        raise Invalid("Say what the task is now, or by when to report.")
    return fields(tasks.ChangeTask, task=number, text=text, due_at=moment)


def need(rest: Rest) -> dict[str, Any]:
    owner = rest.take_person()
    return fields(needs.RaiseNeed, text=required(rest.take_all(), "what is needed"), owner=owner)


def workstream(rest: Rest) -> dict[str, Any]:
    """`TITLE: GOAL @lead`; after a reference what changes."""
    ref = rest.take_ref("W")
    lead = rest.take_person()
    title, colon, goal = rest.take_all().partition(":")
    if ref:
        return fields(
            workstreams.ChangeWorkstream, workstream=ref[1], goal=(goal if colon else title).strip() or None, lead=lead
        )
    return fields(
        workstreams.OpenWorkstream, title=required(title, "what the workstream is called"), goal=goal.strip(), lead=lead
    )


def mitigation(rest: Rest) -> dict[str, Any]:
    until = rest.take_moment()
    owner = rest.take_person()
    until = until or rest.take_moment()
    text = required(rest.take_all(), "what holds the impact down for now")
    return fields(mitigations.AddMitigation, text=text, owner=owner, remove_by=until)
