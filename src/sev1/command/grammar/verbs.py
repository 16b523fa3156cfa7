"""What can be said in an incident: the one table that every surface reads (mission T.2). Pure."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from sev1.command import model as m
from sev1.command.grammar import commanding, ending, intake, people, running, saying, told, undoing, urgency
from sev1.command.grammar.reading import Rest
from sev1.command.parts import privacy

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


VERBS: tuple[Verb, ...] = (
    Verb(
        name="can", also=("update",), group="Say", read=saying.can,
        usage="[for AUDIENCE:] CONDITION [| ACTIONS] [| NEEDS]",
        does="Update everybody, or one audience: what is happening, what is done, what is needed.",
        example="/can 42 % of card payments fail | rolling back the 03:05 deploy | needs: a DBA",
    ),
    Verb(
        name="decide", also=("decision",), group="Say", read=saying.decide,
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
        name="note", group="Say", read=saying.note, usage="TEXT", does="Add a note to the timeline. A line without / is one.",
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
        name="know", also=("known", "fact"), group="Know", read=saying.put("known", "what is known"), usage="FACT",
        does="Put a fact on the board.", example="/know errors began at 03:05",
    ),
    Verb(
        name="unknown", also=("question",), group="Know", read=saying.put("unknown", "what is not known"), usage="QUESTION",
        does="Put an open question on the board.", example="/unknown is the standby in sync?",
    ),
    Verb(
        name="assume", also=("assumption",), group="Know", read=saying.put("assumption", "what you assume"),
        usage="ASSUMPTION [unless WHAT WOULD DISPROVE IT]", does="Put an assumption on the board.",
        example="/assume only the EU is hit unless US dashboards show it too",
    ),
    Verb(
        name="guess", also=("hypothesis",), group="Know", read=saying.put("hypothesis", "what you guess"),
        usage="HYPOTHESIS unless WHAT WOULD DISPROVE IT", does="Put a guess on the board, with what would prove it wrong.",
        example="/guess the pool is exhausted unless pg_stat_activity shows idle connections",
    ),
    Verb(
        name="blocked", also=("blocker",), group="Know", read=saying.put("blocker", "what blocks"), usage="WHAT",
        does="Say what blocks the response.", example="/blocked nobody has access to the vendor's console",
    ),
    Verb(
        name="confirm", group="Know", read=saying.confirm, usage="H4 EVIDENCE, or a criterion of the gate", first="criterion",
        does="A guess turned out true; or a criterion for the end holds.", example="/confirm restored",
    ),
    Verb(
        name="refute", group="Know", read=saying.settle("refuted", "KAH", "H4"), usage="H4 EVIDENCE", first="board",
        does="A guess turned out wrong.", example="/refute H4 the pool has 40 idle connections",
    ),
    Verb(
        name="answer", group="Know", read=saying.settle("answered", "U", "U2"), usage="U2 ANSWER", first="board",
        does="An open question is answered.", example="/answer U2 the standby is 3 s behind",
    ),
    Verb(
        name="unblock", also=("clear",), group="Know", read=saying.settle("cleared", "B", "B5"), usage="B5 WHAT CLEARED IT",
        first="board", does="A blocker is gone.", example="/unblock B5 the vendor let us in",
    ),
    Verb(
        name="archive", group="Know", read=saying.settle("archived", "KUAHB", "H4"), usage="H4 [WHY]", first="board",
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
        name="task", group="Work", read=saying.task, usage="[@PERSON] WHAT [by TIME] [in W1]", first="person",
        does="Give a task: who, what, report by when.",
        example="/task @bo measure the replication lag of db-2 by 14:30",
    ),
    Verb(
        name="take", group="Work", read=saying.take, usage="T3 or N2 [@PERSON]", first="work",
        does="Take a task or a need, or give it to somebody.", example="/take T3",
    ),
    Verb(
        name="done", group="Work", read=saying.done, usage="T3, N2, M1 or W1 [OUTCOME]", first="work",
        does="A task is done, a need met, a mitigation removed, a workstream through.",
        example="/done T3 lag is below 1 s",
    ),
    Verb(
        name="drop", group="Work", read=saying.drop, usage="T3, N2 or W1 [because REASON]", first="work",
        does="It need not be done any more.", example="/drop T3 because the standby was promoted",
    ),
    Verb(
        name="change", also=("sharpen", "later"), group="Work", read=saying.change, usage="T3 [WHAT] [by TIME]", first="work",
        does="Say a task more exactly, or when to report; let a mitigation stay longer.",
        example="/change T3 find out which deploy changed the pool size by 15:00",
    ),
    Verb(
        name="need", group="Work", read=saying.need, usage="WHAT [@PERSON]", does="Ask for what is missing.",
        example="/need a DBA who knows the standby @gus",
    ),
    Verb(
        name="workstream", also=("stream",), group="Work", read=saying.workstream, usage="TITLE: GOAL [@LEAD]",
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
        name="mitigation", group="Work", read=saying.mitigation, usage="WHAT [@OWNER] [until TIME]",
        does="List something temporary that has to be removed again.",
        example="/mitigation card retries are switched off @bo until tomorrow 12:00",
    ),
    Verb(
        name="sev", also=("severity",), group="Command", read=commanding.sev, usage="0–5 [because REASON]", first="severity",
        does="Change the severity. Lowering it needs the reason.", example="/sev 2 because only one region, measured",
    ),
    Verb(
        name="priority", group="Command", read=urgency.priority, usage="1–5 because REASON, or follow", first="priority",
        does="Say how fast the business wants it. Without that it follows the severity.",
        example="/priority 1 because the contract has a penalty from 06:00",
    ),
    Verb(
        name="stage", group="Command", read=commanding.stage, usage="STAGE", first="stage", does="Move to a stage.",
        example="/stage mitigation",
    ),
    Verb(
        name="role", group="Command", read=commanding.role, usage="ROLE [@PERSON]", first="role", does="Give a role, or take it.",
        example="/role ops @bo",
    ),
    Verb(
        name="release", group="Command", read=commanding.release, usage="ROLE [@PERSON]", first="role", does="Lay a role down.",
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
        name="page", also=("wake",), group="Command", read=commanding.page, usage="@PERSON WHAT YOU ASK", first="person",
        does="Wake one more person.", example="/page @gus is the standby in sync?",
    ),
    Verb(
        name="link", group="Command", read=commanding.link, usage="P-7 or A-12", does="Link a page or an alert.",
        example="/link A-12",
    ),
    Verb(
        name="restrict", group="Command", read=commanding.said(privacy.Restrict, "reason", needed="why only some may see it"),
        usage="because REASON", does="Only those with a role and who is admitted see it from now on.",
        example="/restrict because an account was taken over",
    ),
    Verb(
        name="unrestrict", group="Command", read=commanding.said(privacy.Unrestrict, "reason", needed="why everybody may see it"),
        usage="because REASON", does="Let everybody see it again, and all that was written.",
        example="/unrestrict because customers were informed",
    ),
    Verb(
        name="admit", group="Command", read=commanding.whom(privacy.Admit, "admit"), usage="@PERSON", first="person",
        does="Let somebody see a restricted incident.", example="/admit @gus",
    ),
    Verb(
        name="remove", group="Command", read=commanding.whom(privacy.Remove, "remove"), usage="@PERSON", first="person",
        does="Somebody may no longer see a restricted incident.", example="/remove @gus",
    ),
    Verb(
        name="child", group="Command", read=commanding.child, usage="TITLE [@PERSON] [sev 0–5]",
        does="Declare an incident under this one, with a commander of its own.",
        example="/child Refunds are late @bo sev 3",
    ),
    Verb(
        name="parent", group="Command", read=commanding.parent, usage="INC-3 or none [because REASON]",
        does="Put this incident under another one, or take it out again.", example="/parent INC-3",
    ),
    Verb(
        name="merge", also=("duplicate",), group="Command", read=commanding.merge, usage="INC-3 because REASON",
        does="This is the same as another incident, which goes on with the open work of both.",
        example="/merge INC-3 because both are the failed deploy",
    ),
    Verb(
        name="raise", group="Command", read=commanding.raise_need, usage="N2", first="need",
        does="Raise a need to the parent; the answer comes back.", example="/raise N2",
    ),
    Verb(
        name="bridge", group="Command", read=told.on_bridge, usage="https://… [with @PEOPLE], off, or nothing",
        does="Open or close the bridge, call people onto it, or say that nothing was decided there.",
        example="/bridge https://meet.example/sev1 with @bo @gus",
    ),
    Verb(
        name="mitigated", group="End", read=commanding.alone(m.MarkMitigated), usage="",
        does="The impact has stopped or is clearly smaller.", example="/mitigated",
    ),
    Verb(
        name="override", group="End", read=commanding.with_reason(m.OverrideCriterion), usage="CRITERION because REASON",
        first="criterion", does="A criterion for the end need not hold.",
        example="/override stable because the alert is the vendor's",
    ),
    Verb(
        name="withdraw", group="End", read=commanding.withdraw, usage="CRITERION or R1–R8 because REASON",
        first="criterion", does="A criterion, or a step of the recovery, no longer holds.", example="/withdraw restored because errors are back",
    ),
    Verb(
        name="resolve", group="End", read=commanding.resolve, usage="[because REASON]",
        does="Say that it is over. All four criteria must hold; with incidents under it open, say why.", example="/resolve",
    ),
    Verb(
        name="all-clear", also=("allclear",), group="End", read=commanding.said(m.GiveAllClear, "message"), usage="[MESSAGE]",
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
        name="false-alarm", group="End", read=commanding.said(m.CloseFalseAlarm, "note"), usage="[NOTE]",
        does="It was nothing. Declaring it was right.", example="/false-alarm a test card",
    ),
    Verb(
        name="reopen", group="End", read=commanding.said(m.Reopen, "reason", needed="why it is open again"),
        usage="because REASON", does="It is not over.", example="/reopen because errors are back at 20 %",
    ),
)  # fmt: skip

BY_NAME: dict[str, Verb] = {name: verb for verb in VERBS for name in (verb.name, *verb.also)}
