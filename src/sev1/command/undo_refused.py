"""What to do instead where an entry cannot be taken back: it went out to people, or saying it again is the way. Pure."""

from sev1.command import model as m
from sev1.command.parts.board import ItemSharpened
from sev1.command.parts.bridge import BridgeOpened
from sev1.command.parts.clocks import UpdatePromised
from sev1.command.parts.decisions import OutcomeRecorded
from sev1.command.parts.handover import CommandHandedOver
from sev1.command.parts.intake import IntakeAnswered
from sev1.command.parts.merging import MergedInto, TookIn
from sev1.command.parts.mitigations import MitigationAdded, MitigationChanged, MitigationRemoved
from sev1.command.parts.needs import NeedRaised, NeedTaken
from sev1.command.parts.priority import PriorityFollows, PrioritySet
from sev1.command.parts.privacy import IncidentRestricted, PersonAdmitted, PersonRemoved, RestrictionLifted
from sev1.command.parts.reach import CommandTaken
from sev1.command.parts.recovery import RecoveryTicked
from sev1.command.parts.runs import RunEnded, RunStarted, StepTicked
from sev1.command.parts.tasks import TaskCarried, TaskChanged, TaskGiven, TaskReopened, TaskTaken
from sev1.command.parts.workstreams import WorkstreamChanged, WorkstreamOpened
from sev1.engine.decider import Fact


def instead(fact: Fact[m.IncidentEvent]) -> str:
    """Why an entry stays, and the line that says what is right."""
    said = _of_the_incident(fact.event) or _of_work(fact.event)
    return said or f"Entry {fact.version} cannot be undone. Say what is right: /note …"


def _of_the_incident(event: m.IncidentEvent) -> str:  # noqa: C901, PLR0912 - one case an event
    match event:
        case m.IncidentDeclared():
            return "The declaration went out. If it was nothing: /false-alarm"
        case m.UpdatePosted():
            return "The update went out to people. Correct it by posting another: /can …"
        case m.DecisionRecorded(number=number):
            return f"A decision stays on the record. Decide anew, or say what became of it: /outcome D{number} it did not: …"
        case OutcomeRecorded(number=number):
            return f"Say it anew; the later word holds: /outcome D{number} …"
        case m.ResponderPaged(person=person):
            return f"{person} has been woken. Tell them what is different."
        case m.PageLinked() | m.AlertsLinked():
            return "A link stays: it says what was looked at. Say what is right: /note …"
        case m.TimesCorrected():
            return "Correct the times anew, with the reason."
        case m.CriterionWithdrawn(criterion=criterion):
            return f"Confirm it anew, by your name: /confirm {criterion}"
        case m.IncidentResolved() | m.AllClearGiven() | m.ClosedAsFalseAlarm():
            return "It went out that it is over. If it is not: /reopen because …"
        case MergedInto() | TookIn():
            return "Both are one now, and both were told. If that is wrong: /reopen because … in the one that ended"
        case m.IncidentReopened():
            return "It went out that it is open again. If it is not, resolve it again."
        case CommandHandedOver(previous=previous) | CommandTaken(previous=previous):
            return f"Command is handed over by being read back: /handover @{previous}"
        case BridgeOpened():
            return "Whoever was called has the address. Close the bridge, or open the right one: /bridge off"
        case IntakeAnswered(question=question):
            return f"Answer it anew; the later word holds: /{question} …"
        case PrioritySet() | PriorityFollows():
            return f"It was P{event.old}. Set it anew with the reason, or let it follow the severity: /priority follow"
        case UpdatePromised():
            return "Promise another time: /promise in 30 min"
        case IncidentRestricted():
            return "What was restricted stays so until somebody says why not: /unrestrict because …"
        case RestrictionLifted():
            return "It has been open to all since. Restrict it anew: /restrict because …"
        case PersonAdmitted(person=person):
            return f"{person} was told. If they should no longer see it: /remove @{person}"
        case PersonRemoved(person=person):
            return f"Admit them anew: /admit @{person}"
        case _:
            return ""


def _of_work(event: m.IncidentEvent) -> str:  # noqa: C901, PLR0912 - one case an event
    match event:
        case ItemSharpened(text=text):
            return f"Say it anew with what would prove it wrong: /guess {text} unless …"
        case TaskGiven(number=number):
            return f"Whoever has it was told. If it need not be done: /drop T{number}"
        case TaskTaken(number=number, previous=previous):
            return f"They were told. Give it to somebody else: /take T{number} @{previous or '…'}"
        case TaskChanged(number=number) | TaskCarried(number=number):
            return f"Change it anew: /change T{number} …"
        case TaskReopened(number=number):
            return f"Finish it anew: /done T{number} …"
        case NeedRaised(number=number):
            return f"It was asked for. If it is no longer needed: /drop N{number}"
        case NeedTaken(number=number):
            return f"They were told. Ask somebody else: /take N{number} @…"
        case MitigationAdded(number=number):
            return f"Say that it is gone: /done M{number}"
        case MitigationChanged(number=number):
            return f"Change it anew: /change M{number} …"
        case MitigationRemoved(text=text):
            return f"List it anew if it is still there: /mitigation {text}"
        case WorkstreamOpened(number=number):
            return f"If it is not wanted: /drop W{number}"
        case WorkstreamChanged(number=number):
            return f"Change it anew: /workstream W{number} …"
        case StepTicked(run=run, step=step):
            return f"Say what came of it anew; the later word holds: /tick C{run} {step} …"
        case RunStarted(number=number):
            return f"If it is not wanted: /run C{number} end"
        case RunEnded():
            return "Begin it anew: /run …"
        case RecoveryTicked():
            return "Say why it no longer holds: /withdraw R1 because …"
        case _:
            return ""
