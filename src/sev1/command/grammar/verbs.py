"""What can be said in an incident: the one table that every surface reads (mission T.2). Pure."""

import re
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from sev1.command import model as m
from sev1.command.grammar import ending, intake, people, running, told, undoing, urgency
from sev1.command.grammar.fields import fields as _fields
from sev1.command.grammar.fields import needed as _needed
from sev1.command.grammar.reading import Rest
from sev1.command.parts import board, family, merging, mitigations, needs, privacy, tasks, workstreams
from sev1.command.terms import Command
from sev1.engine.errors import Invalid

Group = Literal["Say", "Know", "Work", "Command", "End"]
Choice = Literal[
    "severity",
    "stage",
    "role",
    "criterion",
    "person",
    "board",
    "task",
    "work",
    "need",
    "runbook",
    "audience",
    "decision",
    "recovery",
    "priority",
    "run",
    "",
]


class Verb(Struct, frozen=True, kw_only=True):
    name: str
    group: Group
    usage: str
    """What follows the name; capitals are to be replaced, brackets may be left out."""
    does: str
    example: str
    read: Callable[[Rest], dict[str, Any]]
    """The command as fields: what the API would be sent, with its `type`."""
    also: tuple[str, ...] = ()
    first: Choice = ""
    """What the first word is one of, for completion."""


# --- say --------------------------------------------------------------------------------------------------------------

_CAN_LABEL = re.compile(r"(?:^|\s|\|)\s*(c|condition|a|actions?|n|needs?)\s*:\s*", re.IGNORECASE)


def _can(rest: Rest) -> dict[str, Any]:
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
    return _fields(
        m.PostUpdate,
        condition=_needed(pieces["c"], "what the condition is now"),
        actions=pieces["a"],
        needs=pieces["n"],
        audience=audience,
    )


def _decide(rest: Rest) -> dict[str, Any]:
    on_bridge = told.take_on_bridge(rest)
    alternatives = rest.take_clause("instead of", "rather than")
    reason = rest.take_clause("because", "since")
    return _fields(
        m.RecordDecision,
        decision=_needed(rest.take_all(), "what was decided"),
        reason=reason,
        alternatives=alternatives,
        on_bridge=on_bridge or None,
    )


def _note(rest: Rest) -> dict[str, Any]:
    return _fields(m.AddNote, text=_needed(rest.take_all(), "what to note"))


# --- know -------------------------------------------------------------------------------------------------------------


def _put(kind: board.BoardKind, what: str) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        disproof = rest.take_clause("unless", "wrong if") if kind in {"hypothesis", "assumption"} else ""
        return _fields(board.PutOnBoard, kind=kind, text=_needed(rest.take_all(), what), disproof=disproof)

    return read


def _settle(outcome: board.Outcome, letters: str, example: str) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        ref = rest.take_ref(letters)
        if ref is None:
            raise Invalid(f"Say which line of the board, like {example}.", field="item")
        evidence = re.sub(r"^(because|since|:|as)\s+", "", rest.take_all(), flags=re.IGNORECASE)
        return _fields(board.SettleItem, item=ref[1], outcome=outcome, evidence=evidence)

    return read


def _confirm(rest: Rest) -> dict[str, Any]:
    """A guess that turned out true, or a criterion of the gate."""
    if re.match(r"\s*[AHah]-?\d", rest.text):
        return _settle("confirmed", "AH", "H4")(rest)
    return _fields(m.ConfirmCriterion, criterion=_criterion(rest))


# --- work -------------------------------------------------------------------------------------------------------------


def _task(rest: Rest) -> dict[str, Any]:
    """`W1 @bo WHAT by TIME`: the workstream may also stand at the end, as `in W1`."""
    first = rest.take_ref("W")
    due_at = rest.take_moment()
    owner = rest.take_person()
    stream = re.search(r"(?:^|\s)in\s+(W)(\d{1,4})$", rest.text, re.IGNORECASE)
    if stream:
        rest.text = rest.text[: stream.start()]
    due_at = due_at or rest.take_moment()
    return _fields(
        tasks.GiveTask,
        text=_needed(rest.take_all().lstrip("-: "), "what is to be done"),
        owner=owner,
        due_at=due_at,
        workstream=first[1] if first else int(stream[2]) if stream else None,
    )


def _take(rest: Rest) -> dict[str, Any]:
    ref = _work_ref(rest, "TN", "T3")
    person = rest.take_person() or rest.speaker.me
    if ref[0] == "T":
        return _fields(tasks.TakeTask, task=ref[1], person=person)
    return _fields(needs.TakeNeed, need=ref[1], person=person)


def _done(rest: Rest) -> dict[str, Any]:
    letter, number = _work_ref(rest, "TNMW", "T3")
    said = rest.take_all().lstrip(": ")
    match letter:
        case "T":
            return _fields(tasks.FinishTask, task=number, outcome=said)
        case "N":
            return _fields(needs.MeetNeed, need=number, outcome=said)
        case "M":
            return _fields(mitigations.RemoveMitigation, mitigation=number, how=said)
        case _:
            return _fields(workstreams.SetWorkstreamState, workstream=number, state="done", note=said)


def _drop(rest: Rest) -> dict[str, Any]:
    letter, number = _work_ref(rest, "TNW", "T3")
    said = re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE)
    match letter:
        case "T":
            return _fields(tasks.DropTask, task=number, reason=said)
        case "N":
            return _fields(needs.DropNeed, need=number, reason=said)
        case _:
            return _fields(workstreams.SetWorkstreamState, workstream=number, state="dropped", note=said)


def _change(rest: Rest) -> dict[str, Any]:
    """A task said more exactly or due later; a mitigation that stays longer or changes hands."""
    letter, number = _work_ref(rest, "TM", "T3")
    moment = rest.take_moment()
    if letter == "M":
        return _fields(mitigations.ChangeMitigation, mitigation=number, owner=rest.take_person(), remove_by=moment)
    text = rest.take_all().lstrip(": ")
    if not text and not moment:
        raise Invalid("Say what the task is now, or by when to report.")
    return _fields(tasks.ChangeTask, task=number, text=text, due_at=moment)


def _work_ref(rest: Rest, letters: str, example: str) -> tuple[str, int]:
    ref = rest.take_ref(letters)
    if ref is None:
        raise Invalid(f"Say which one first, like {example}.")
    return ref


def _need(rest: Rest) -> dict[str, Any]:
    owner = rest.take_person()
    return _fields(needs.RaiseNeed, text=_needed(rest.take_all(), "what is needed"), owner=owner)


def _workstream(rest: Rest) -> dict[str, Any]:
    """`TITLE: GOAL @lead`; after a reference what changes."""
    ref = rest.take_ref("W")
    lead = rest.take_person()
    title, colon, goal = rest.take_all().partition(":")
    if ref:
        return _fields(
            workstreams.ChangeWorkstream, workstream=ref[1], goal=(goal if colon else title).strip() or None, lead=lead
        )
    return _fields(
        workstreams.OpenWorkstream, title=_needed(title, "what the workstream is called"), goal=goal.strip(), lead=lead
    )


def _mitigation(rest: Rest) -> dict[str, Any]:
    until = rest.take_moment()
    owner = rest.take_person()
    until = until or rest.take_moment()
    text = _needed(rest.take_all(), "what holds the impact down for now")
    return _fields(mitigations.AddMitigation, text=text, owner=owner, remove_by=until)


# --- command ----------------------------------------------------------------------------------------------------------


def _sev(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    word = rest.take_word()
    digit = re.fullmatch(r"(?:sev-?)?([0-5])", word, re.IGNORECASE)
    if digit is None:
        choices = ", ".join(name.upper() for name in rest.speaker.severities)
        raise Invalid(f"Say which severity: {choices}.", field="severity")
    return _fields(m.SetSeverity, severity=f"sev-{digit[1]}", reason=reason or rest.take_all())


def _stage(rest: Rest) -> dict[str, Any]:
    word = rest.take_word().casefold()
    stage = next((stage for stage in m.STAGES if word and stage.startswith(word)), None)
    if stage is None:
        raise Invalid(f"Say which stage: {', '.join(m.STAGES[1:5])}.", field="stage")
    return _fields(m.SetStage, stage=stage)


ROLE_WORDS: dict[str, m.Role] = {
    **{role: role for role in m.ROLE_TITLES},
    "commander": "ic",
    "operations": "ops",
    "communications": "comms",
    "expert": "sme",
    "executive": "sponsor",
}


def _role_word(rest: Rest) -> m.Role:
    word = rest.take_word().casefold()
    if word not in ROLE_WORDS:
        raise Invalid(f"Say which role: {', '.join(m.ROLE_TITLES)}.", field="role")
    return ROLE_WORDS[word]


def _role(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    role = _role_word(rest)
    return _fields(m.AssignRole, role=role, person=person or rest.speaker.me)


def _release(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    return _fields(m.ReleaseRole, role=_role_word(rest), person=person or rest.speaker.me)


def _page(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    if person is None:
        raise Invalid("Say whom to wake, like @bo.", field="person")
    ask = re.sub(r"^(because|for|to)\s+", "", rest.take_all(), flags=re.IGNORECASE)
    return _fields(m.PageResponder, person=person, ask=_needed(ask, "what you ask of them"))


def _whom(command: type[Command], what: str) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        person = rest.take_person()
        if person is None:
            raise Invalid(f"Say whom to {what}, like @bo.", field="person")
        return _alone(command)(rest) | {"person": person}

    return read


def _link(rest: Rest) -> dict[str, Any]:
    word = rest.take_word().upper()
    if re.fullmatch(r"P-\d{1,18}", word):
        return _fields(m.LinkPage, page=word)
    if re.fullmatch(r"A-\d{1,18}", word):
        return _fields(m.LinkAlerts, alerts=[int(word[2:])])
    raise Invalid("Give the number of a page or an alert, like P-7 or A-12.")


def _parent(rest: Rest) -> dict[str, Any]:
    """`INC-3`, or `none because REASON`."""
    word = rest.take_word()
    if word.casefold() in {"none", "-"}:
        return _fields(family.LeaveParent, reason=re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE))
    return _fields(family.SetParent, parent=_incident_key(word, "that it belongs under"))


def _incident_key(word: str, which: str) -> str:
    if not re.fullmatch(r"(?:INC-?)?\d{1,18}", word, re.IGNORECASE):
        raise Invalid(f"Give the number of the incident {which}, like INC-3.")
    return f"INC-{re.sub(r'[^0-9]', '', word)}"


def _merge(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    into = _incident_key(rest.take_word(), "that goes on")
    return _fields(merging.MergeInto, into=into, reason=_needed(reason or rest.take_all(), "why it is the same"))


_SEVERITY_AT_END = re.compile(r"(?:^|[\s,;])sev[- ]?([0-5])[.!]?$", re.IGNORECASE)


def _child(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    severity = _SEVERITY_AT_END.search(rest.text)
    if severity:
        rest.text = rest.text[: severity.start()]
    return _fields(
        family.DeclareChild,
        title=_needed(rest.take_all(), "what is wrong, in one line"),
        commander=person,
        severity=f"sev-{severity[1]}" if severity else None,
    )


def _raise(rest: Rest) -> dict[str, Any]:
    return _fields(family.EscalateNeed, need=_work_ref(rest, "N", "N2")[1])


# --- end --------------------------------------------------------------------------------------------------------------

CRITERION_WORDS: dict[str, m.Criterion] = {
    "restored": "restored",
    "impact": "impact_ended",
    "impact_ended": "impact_ended",
    "stable": "stable",
    "no": "no_residual",
    "residual": "no_residual",
    "no_residual": "no_residual",
}


def _criterion(rest: Rest) -> m.Criterion:
    word = rest.take_word().casefold().replace("-", "_")
    if word not in CRITERION_WORDS:
        raise Invalid(f"Say which criterion: {', '.join(m.CRITERIA)}.", field="criterion")
    if word in {"impact", "no"}:
        rest.text = re.sub(r"^(ended|residual)\b\s*", "", rest.text, flags=re.IGNORECASE)
    return CRITERION_WORDS[word]


def _with_reason(command: type[Command]) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        criterion = _criterion(rest)
        reason = rest.take_clause("because", "since") or rest.take_all()
        return _fields(command, criterion=criterion, reason=_needed(reason, "why"))

    return read


def _withdraw(rest: Rest) -> dict[str, Any]:
    """A criterion of the gate, or a step of the recovery."""
    if re.match(r"\s*R-?\d", rest.text, re.IGNORECASE):
        return ending.unrecovered(rest)
    return _with_reason(m.WithdrawCriterion)(rest)


def _said(command: type[Command], field: str, *, needed: str = "") -> Callable[[Rest], dict[str, Any]]:
    """All the text is one field; `needed` says what is missing when there is none."""

    def read(rest: Rest) -> dict[str, Any]:
        text = re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE)
        return _fields(command, **{field: _needed(text, needed) if needed else text})

    return read


def _resolve(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    return {**_alone(m.ResolveIncident)(rest), **({"reason": reason} if reason else {})}


def _alone(command: type[Command]) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        if rest.text:
            raise Invalid(f"Nothing follows it; {rest.text[:40]!r} has no meaning here.")
        return _fields(command)

    return read


VERBS: tuple[Verb, ...] = (
    Verb(
        name="can", also=("update",), group="Say", read=_can,
        usage="[for AUDIENCE:] CONDITION [| ACTIONS] [| NEEDS]",
        does="Update everybody, or one audience: what is happening, what is done, what is needed.",
        example="/can 42 % of card payments fail | rolling back the 03:05 deploy | needs: a DBA",
    ),
    Verb(
        name="decide", also=("decision",), group="Say", read=_decide,
        usage="[on the bridge:] DECISION [because REASON] [instead of ALTERNATIVES]",
        does="Write a decision down.",
        example="/decide roll back because errors began with the deploy instead of waiting for the cache",
    ),
    Verb(
        name="outcome", group="Say", read=told.outcome, usage="D1 it worked, or it did not[: WHAT CAME OF IT]", first="decision",
        does="Say what became of a decision.", example="/outcome D1 it worked: errors are at 0.1 %",
    ),
    Verb(
        name="promise", group="Say", read=told.promise, usage="[AUDIENCE] in 45 min", first="audience",
        does="Say when an audience hears next.", example="/promise customers in 45 min",
    ),
    Verb(
        name="note", group="Say", read=_note, usage="TEXT", does="Add a note to the timeline. A line without / is one.",
        example="/note checkout-7 restarted by itself at 03:20",
    ),
    Verb(
        name="undo", group="Say", read=undoing.undo, usage="[ENTRY]",
        does="Take back what an entry did, if nothing builds on it; without a number your latest.", example="/undo 7",
    ),
    Verb(
        name="unsure", also=("overwhelmed",), group="Say", read=people.unsure, usage="[openly] [WHAT FEELS WRONG]",
        does="Tell whoever commands, in confidence. It is in no record and no report.",
        example="/unsure I have never done this failover",
    ),
    Verb(
        name="know", also=("known", "fact"), group="Know", read=_put("known", "what is known"), usage="FACT",
        does="Put a fact on the board.", example="/know errors began at 03:05",
    ),
    Verb(
        name="unknown", also=("question",), group="Know", read=_put("unknown", "what is not known"), usage="QUESTION",
        does="Put an open question on the board.", example="/unknown is the standby in sync?",
    ),
    Verb(
        name="assume", also=("assumption",), group="Know", read=_put("assumption", "what you assume"),
        usage="ASSUMPTION [unless WHAT WOULD DISPROVE IT]", does="Put an assumption on the board.",
        example="/assume only the EU is hit unless US dashboards show it too",
    ),
    Verb(
        name="guess", also=("hypothesis",), group="Know", read=_put("hypothesis", "what you guess"),
        usage="HYPOTHESIS unless WHAT WOULD DISPROVE IT", does="Put a guess on the board, with what would prove it wrong.",
        example="/guess the pool is exhausted unless pg_stat_activity shows idle connections",
    ),
    Verb(
        name="blocked", also=("blocker",), group="Know", read=_put("blocker", "what blocks"), usage="WHAT",
        does="Say what blocks the response.", example="/blocked nobody has access to the vendor's console",
    ),
    Verb(
        name="confirm", group="Know", read=_confirm, usage="H4 EVIDENCE, or a criterion of the gate", first="criterion",
        does="A guess turned out true; or a criterion for the end holds.", example="/confirm restored",
    ),
    Verb(
        name="refute", group="Know", read=_settle("refuted", "KAH", "H4"), usage="H4 EVIDENCE", first="board",
        does="A guess turned out wrong.", example="/refute H4 the pool has 40 idle connections",
    ),
    Verb(
        name="answer", group="Know", read=_settle("answered", "U", "U2"), usage="U2 ANSWER", first="board",
        does="An open question is answered.", example="/answer U2 the standby is 3 s behind",
    ),
    Verb(
        name="unblock", also=("clear",), group="Know", read=_settle("cleared", "B", "B5"), usage="B5 WHAT CLEARED IT",
        first="board", does="A blocker is gone.", example="/unblock B5 the vendor let us in",
    ),
    Verb(
        name="archive", group="Know", read=_settle("archived", "KUAHB", "H4"), usage="H4 [WHY]", first="board",
        does="Take a line off the board that no longer matters.", example="/archive H4 another cause was found",
    ),
    Verb(
        name="summary", group="Know", read=intake.answer("summary"), usage="[WHAT HAPPENS]",
        does="Say in one sentence what happens. Like the next four without a text: what the record says holds.",
        example="/summary paying by card fails for everybody",
    ),
    Verb(
        name="blast", also=("blast-radius",), group="Know", read=intake.answer("blast"), usage="[WHO AND WHAT]",
        does="Say how far it reaches.", example="/blast all card payments in Europe, about 40 % of orders",
    ),
    Verb(
        name="began", group="Know", read=intake.began, usage="[03:05, 20 min ago or yesterday 23:50]",
        does="Say when it began.", example="/began 20 min ago",
    ),
    Verb(
        name="changed", group="Know", read=intake.answer("changed"), usage="[WHAT]",
        does="Say what changed before it began.", example="/changed the 03:05 deploy of checkout",
    ),
    Verb(
        name="tell", group="Know", read=intake.answer("tell"), usage="[WHOM]",
        does="Say who else must know.", example="/tell the payment provider and support",
    ),
    Verb(
        name="task", group="Work", read=_task, usage="[@PERSON] WHAT [by TIME] [in W1]", first="person",
        does="Give a task: who, what, report by when.",
        example="/task @bo measure the replication lag of db-2 by 14:30",
    ),
    Verb(
        name="take", group="Work", read=_take, usage="T3 or N2 [@PERSON]", first="work",
        does="Take a task or a need, or give it to somebody.", example="/take T3",
    ),
    Verb(
        name="done", group="Work", read=_done, usage="T3, N2, M1 or W1 [OUTCOME]", first="work",
        does="A task is done, a need met, a mitigation removed, a workstream through.",
        example="/done T3 lag is below 1 s",
    ),
    Verb(
        name="drop", group="Work", read=_drop, usage="T3, N2 or W1 [because REASON]", first="work",
        does="It need not be done any more.", example="/drop T3 because the standby was promoted",
    ),
    Verb(
        name="change", also=("sharpen", "later"), group="Work", read=_change, usage="T3 [WHAT] [by TIME]", first="work",
        does="Say a task more exactly, or when to report; let a mitigation stay longer.",
        example="/change T3 find out which deploy changed the pool size by 15:00",
    ),
    Verb(
        name="need", group="Work", read=_need, usage="WHAT [@PERSON]", does="Ask for what is missing.",
        example="/need a DBA who knows the standby @gus",
    ),
    Verb(
        name="workstream", also=("stream",), group="Work", read=_workstream, usage="TITLE: GOAL [@LEAD]",
        does="Open a workstream with one lead and one goal.",
        example="/workstream Database: the standby is safe to promote @gus",
    ),
    Verb(
        name="run", also=("runbook",), group="Work", read=running.run, usage="RUNBOOK, or C1 end [because WHY]", first="runbook",
        does="Begin a runbook as a checklist, or end one before its DONE.", example="/run database-failover",
    ),
    Verb(
        name="tick", group="Work", read=running.tick, usage="[C1] STEP [done, skipped or failed] [NOTE]", first="run",
        does="Say what came of a step of a runbook; at a STOP what you checked, at a VERIFY what you saw.",
        example="/tick C1 2 done the standby is promoted",
    ),
    Verb(
        name="mitigation", group="Work", read=_mitigation, usage="WHAT [@OWNER] [until TIME]",
        does="List something temporary that has to be removed again.",
        example="/mitigation card retries are switched off @bo until tomorrow 12:00",
    ),
    Verb(
        name="sev", also=("severity",), group="Command", read=_sev, usage="0–5 [because REASON]", first="severity",
        does="Change the severity. Lowering it needs the reason.", example="/sev 2 because only one region, measured",
    ),
    Verb(
        name="priority", group="Command", read=urgency.priority, usage="1–5 because REASON, or follow", first="priority",
        does="Say how fast the business wants it. Without that it follows the severity.",
        example="/priority 1 because the contract has a penalty from 06:00",
    ),
    Verb(
        name="stage", group="Command", read=_stage, usage="STAGE", first="stage", does="Move to a stage.",
        example="/stage mitigation",
    ),
    Verb(
        name="role", group="Command", read=_role, usage="ROLE [@PERSON]", first="role", does="Give a role, or take it.",
        example="/role ops @bo",
    ),
    Verb(
        name="release", group="Command", read=_release, usage="ROLE [@PERSON]", first="role", does="Lay a role down.",
        example="/release scribe",
    ),
    Verb(
        name="handover", also=("hand-over",), group="Command", read=people.handover, usage="@PERSON [NOTE] or off", first="person",
        does="Offer command to somebody, who reads it back; until then you command.",
        example="/handover @gus my shift ends at 06:00",
    ),
    Verb(
        name="accept", group="Command", read=people.accept, usage="all, or the points: HOW IT STANDS, IN YOUR WORDS",
        does="Take the command that is offered to you, by confirming the five points and reading back.",
        example="/accept all: card payments fail in the EU, Bo rolls back, I post the next update at 04:10",
    ),
    Verb(
        name="reject", also=("decline",), group="Command", read=people.decline, usage="because REASON",
        does="Decline the command that is offered to you.", example="/reject because I have been up for 20 hours",
    ),
    Verb(
        name="break", group="Command", read=people.rest_for, usage="[@PERSON] [20 min] [cover @PERSON]",
        does="Take a break, or give one to somebody; whoever commands says who covers.",
        example="/break 20 min cover @bo",
    ),
    Verb(
        name="back", group="Command", read=people.back, usage="[@PERSON]", first="person",
        does="Back from the break before its time.", example="/back",
    ),
    Verb(
        name="call-ic", group="Command", read=people.call, usage="[WHY]",
        does="Page the Incident Commander, who does not answer here.", example="/call-ic we have to decide on the failover",
    ),
    Verb(
        name="takeover", also=("take-over",), group="Command", read=people.takeover, usage="[@PERSON] because REASON", first="person",
        does="Take command when the commander was called and did not answer.",
        example="/takeover because Ana does not answer",
    ),
    Verb(
        name="not-now", also=("dismiss",), group="Command", read=people.not_now, usage="[@PERSON]", first="person",
        does="Put off what you are asked. It comes back later, if it still stands.", example="/not-now",
    ),
    Verb(
        name="page", also=("wake",), group="Command", read=_page, usage="@PERSON WHAT YOU ASK", first="person",
        does="Wake one more person.", example="/page @gus is the standby in sync?",
    ),
    Verb(
        name="link", group="Command", read=_link, usage="P-7 or A-12", does="Link a page or an alert.",
        example="/link A-12",
    ),
    Verb(
        name="restrict", group="Command", read=_said(privacy.Restrict, "reason", needed="why only some may see it"),
        usage="because REASON", does="Only those with a role and who is admitted see it from now on.",
        example="/restrict because an account was taken over",
    ),
    Verb(
        name="unrestrict", group="Command", read=_said(privacy.Unrestrict, "reason", needed="why everybody may see it"),
        usage="because REASON", does="Let everybody see it again, and all that was written.",
        example="/unrestrict because customers were informed",
    ),
    Verb(
        name="admit", group="Command", read=_whom(privacy.Admit, "admit"), usage="@PERSON", first="person",
        does="Let somebody see a restricted incident.", example="/admit @gus",
    ),
    Verb(
        name="remove", group="Command", read=_whom(privacy.Remove, "remove"), usage="@PERSON", first="person",
        does="Somebody may no longer see a restricted incident.", example="/remove @gus",
    ),
    Verb(
        name="child", group="Command", read=_child, usage="TITLE [@PERSON] [sev 0–5]",
        does="Declare an incident under this one, with a commander of its own.",
        example="/child Refunds are late @bo sev 3",
    ),
    Verb(
        name="parent", group="Command", read=_parent, usage="INC-3 or none [because REASON]",
        does="Put this incident under another one, or take it out again.", example="/parent INC-3",
    ),
    Verb(
        name="merge", also=("duplicate",), group="Command", read=_merge, usage="INC-3 because REASON",
        does="This is the same as another incident, which goes on with the open work of both.",
        example="/merge INC-3 because both are the failed deploy",
    ),
    Verb(
        name="raise", group="Command", read=_raise, usage="N2", first="need",
        does="Raise a need to the parent; the answer comes back.", example="/raise N2",
    ),
    Verb(
        name="bridge", group="Command", read=told.on_bridge, usage="https://… [with @PEOPLE], off, or nothing",
        does="Open or close the bridge, call people onto it, or say that nothing was decided there.",
        example="/bridge https://meet.example/sev1 with @bo @gus",
    ),
    Verb(
        name="mitigated", group="End", read=_alone(m.MarkMitigated), usage="",
        does="The impact has stopped or is clearly smaller.", example="/mitigated",
    ),
    Verb(
        name="override", group="End", read=_with_reason(m.OverrideCriterion), usage="CRITERION because REASON",
        first="criterion", does="A criterion for the end need not hold.",
        example="/override stable because the alert is the vendor's",
    ),
    Verb(
        name="withdraw", group="End", read=_withdraw, usage="CRITERION or R1–R8 because REASON",
        first="criterion", does="A criterion, or a step of the recovery, no longer holds.", example="/withdraw restored because errors are back",
    ),
    Verb(
        name="resolve", group="End", read=_resolve, usage="[because REASON]",
        does="Say that it is over. All four criteria must hold; with incidents under it open, say why.", example="/resolve",
    ),
    Verb(
        name="all-clear", also=("allclear",), group="End", read=_said(m.GiveAllClear, "message"), usage="[MESSAGE]",
        does="One message to everybody: it is over. Stands the responders down.",
        example="/all-clear Payments work again. Thank you.",
    ),
    Verb(
        name="recovered", group="End", read=ending.recovered, usage="R1–R8 [NOTE], or R1–R8 does not apply because REASON", first="recovery",
        does="A step of the recovery is done, or does not apply.", example="/recovered R2 row counts match the backup",
    ),
    Verb(
        name="recovery", group="End", read=ending.recovery, usage="R1–R8 @PERSON", first="recovery",
        does="Say who sees to a step of the recovery.", example="/recovery R3 @bo",
    ),
    Verb(
        name="carry", also=("follow-up",), group="End", read=ending.carry, usage="T3 @PERSON until TIME", first="task",
        does="Make a follow-up of a task: it outlives the incident.", example="/carry T3 @bo until Friday 12:00",
    ),
    Verb(
        name="review", group="End", read=ending.review, usage="@PERSON by TIME", first="person",
        does="Plan the review and say who leads it.", example="/review @ana by Friday 10:00",
    ),
    Verb(
        name="false-alarm", group="End", read=_said(m.CloseFalseAlarm, "note"), usage="[NOTE]",
        does="It was nothing. Declaring it was right.", example="/false-alarm a test card",
    ),
    Verb(
        name="reopen", group="End", read=_said(m.Reopen, "reason", needed="why it is open again"),
        usage="because REASON", does="It is not over.", example="/reopen because errors are back at 20 %",
    ),
)  # fmt: skip

BY_NAME: dict[str, Verb] = {name: verb for verb in VERBS for name in (verb.name, *verb.also)}
