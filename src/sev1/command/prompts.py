"""One question at a time, to who can answer it: observe, orient, decide, act (mission 8.8). Pure.

Chosen from the state of the incident, in a loop of half the severity's rhythm of updates. Never two at once, never to somebody
who has just written something, and not again for a while when it was put off. A prompt records nothing and blocks nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Literal

from msgspec import Struct

from sev1.command import model as m
from sev1.command.on_the_bridge import asked_to_write
from sev1.command.parts.board import Item
from sev1.command.parts.prompts import LaterPrompt, PromptKind, PromptPutOff
from sev1.engine.decider import Actor
from sev1.engine.errors import Refused

Phase = Literal["observe", "orient", "decide", "act", "lead"]
SHORTEST_LOOP = timedelta(minutes=5)
FIRST = timedelta(minutes=5)
"""After the declaration nothing is asked for so long."""
BREATHER = timedelta(minutes=2)
"""Who has just done something in the incident is left alone."""
ALL_HANDS = 1
"""Severities up to this rank want a Communications lead and a scribe."""
SHOWN = 80
"""Characters of what somebody wrote that a question repeats."""


class Prompt(Struct, frozen=True, kw_only=True):
    kind: PromptKind
    phase: Phase
    text: str
    line: str
    """How an answer may begin, in the grammar of the bar."""


class Look(Struct, frozen=True, kw_only=True):
    """What a question is chosen from."""

    incident: m.Incident
    now: datetime
    loop: timedelta

    @property
    def age(self) -> timedelta:
        """Since it was declared, or opened again."""
        ends = self.incident.earlier_ends
        opened = ends[-1].reopened_at if ends else self.incident.declared_at
        return self.now - (opened or self.now)

    def settled(self, at: datetime, loops: float = 0.5) -> bool:
        """Whether `at` is so many loops ago that somebody would have followed it up by now."""
        return self.now - at >= self.loop * loops

    def on_board(self, *kinds: str) -> list[Item]:
        return [item for item in self.incident.board.values() if item.kind in kinds]


Found = tuple[str, str] | None
"""The question, and how an answer may begin."""


class Ask(Struct, frozen=True, kw_only=True):
    kind: PromptKind
    phase: Phase
    find: Callable[[Look], Found]
    role: m.Role = "ic"
    """Whom it is for."""
    again: int = 2
    """Loops before it is asked again when it was put off."""
    while_it_hurts: bool = False
    """Not asked any more once the impact is mitigated."""


def _impact(look: Look) -> Found:
    if look.age < FIRST or look.incident.update or look.on_board("known"):
        return None
    return "What do we know for certain, and what do customers feel?", "/know "


def _act(look: Look) -> Found:
    latest = max(look.incident.decisions.values(), key=lambda one: one.number, default=None)
    if latest is None or latest.worked is not None or not look.settled(latest.at):
        return None
    given = [task.at for task in look.incident.tasks.values()]
    in_place = [one.at for one in look.incident.mitigations.values()]
    if any(at >= latest.at for at in (*given, *in_place)):
        return None
    return f"Who carries out {latest.ref}, and by when? {_short(latest.decision)}", "/task @"


def _decide(look: Look) -> Found:
    confirmed = [item for item in look.on_board("hypothesis") if item.outcome == "confirmed" and item.settled_at]
    latest = max(confirmed, key=lambda item: item.settled_at or look.now, default=None)
    if latest is None or latest.settled_at is None or not look.settled(latest.settled_at):
        return None
    if any(one.at >= latest.settled_at for one in look.incident.decisions.values()):
        return None
    return f"{latest.ref} is confirmed. What do we do about it, and why? {_short(latest.text)}", "/decide "


def _comms_lead(look: Look) -> Found:
    if not _is_for_all_hands(look) or look.incident.roles.get("comms") or look.age < FIRST:
        return None
    return f"A {look.incident.severity.upper()} is felt outside. Who leads communications?", "/role comms @"


def _scribe(look: Look) -> Found:
    if not _is_for_all_hands(look) or look.incident.roles.get("scribe") or look.age < look.loop:
        return None
    return "Who writes down what is tried and decided?", "/role scribe @"


def _cause(look: Look) -> Found:
    guesses = look.on_board("hypothesis")
    if any(item.outcome in {None, "confirmed"} for item in guesses) or look.age < look.loop:
        return None
    if any(item.settled_at and not look.settled(item.settled_at) for item in guesses):
        return None
    return "What could explain it? A guess will do, with what would prove it wrong.", "/guess "


def _disproof(look: Look) -> Found:
    guesses = (i for i in look.on_board("hypothesis", "assumption") if not i.outcome and not i.disproof)
    oldest = next((item for item in guesses if look.settled(item.at)), None)
    if oldest is None:
        return None
    verb = "guess" if oldest.kind == "hypothesis" else "assume"
    return f"What would prove {oldest.ref} wrong? {_short(oldest.text)}", f"/{verb} {oldest.text} unless "


def _unknown(look: Look) -> Found:
    looked_into = " ".join(task.text for task in look.incident.tasks.values() if task.is_open)
    questions = (i for i in look.on_board("unknown") if not i.outcome and look.settled(i.at, 2))
    oldest = next((item for item in questions if item.ref not in looked_into), None)
    if oldest is None:
        return None
    return f"Who finds out {oldest.ref}? {_short(oldest.text)}", f"/task find out {oldest.ref} @"


def _outcome(look: Look) -> Found:
    waits = (one for one in look.incident.decisions.values() if one.worked is None and look.settled(one.at, 2))
    oldest = next(waits, None)
    return (f"Did {oldest.ref} work? {_short(oldest.decision)}", f"/outcome {oldest.ref} it ") if oldest else None


def _worst_case(look: Look) -> Found:
    incident = look.incident
    if look.age < look.loop * 2:
        return None
    label = incident.severity.upper()
    if incident.severity_assumed:
        return f"{label} is assumed. What is the worst that is still plausible, and what speaks against it?", "/sev "
    if not _is_for_all_hands(look):
        return f"What is the worst that this can still become? Raise it if {label} is too mild for that.", "/sev "
    return None


def _faster(look: Look) -> Found:
    if look.age < look.loop * 2 or any(one.is_open for one in look.incident.mitigations.values()):
        return None
    return "What would stop the impact sooner: rolling back, switching off, failing over?", "/mitigation "


def _say_it(look: Look) -> Found:
    told = look.incident.update.at if look.incident.update else None
    newer = [item for item in look.on_board("known") if not item.outcome and (told is None or item.at > told)]
    if not newer or not look.settled(newer[0].at):
        return None
    facts = "One fact is" if len(newer) == 1 else f"{len(newer)} facts are"
    return f"{facts} newer than the latest update. Who has to hear of it?", "/can "


def _write_it(look: Look) -> Found:
    latest = max((stint.last_at for stint in look.incident.pace.stints.values()), default=None)
    if latest is None or not look.settled(latest, 1):
        return None
    minutes = int((look.now - latest).total_seconds() // 60)
    return f"Nothing was written for {minutes} min. What was tried, and what was decided?", "/note "


ASKS: tuple[Ask, ...] = (
    Ask(kind="impact", phase="observe", find=_impact),
    Ask(kind="act", phase="act", find=_act),
    Ask(kind="decide", phase="decide", find=_decide, while_it_hurts=True),
    Ask(kind="comms_lead", phase="lead", find=_comms_lead, while_it_hurts=True),
    Ask(kind="cause", phase="orient", find=_cause, while_it_hurts=True),
    Ask(kind="disproof", phase="orient", find=_disproof, while_it_hurts=True),
    Ask(kind="unknown", phase="orient", find=_unknown, while_it_hurts=True),
    Ask(kind="outcome", phase="observe", find=_outcome),
    Ask(kind="scribe", phase="lead", find=_scribe, while_it_hurts=True),
    Ask(kind="worst_case", phase="observe", find=_worst_case, again=4, while_it_hurts=True),
    Ask(kind="faster", phase="decide", find=_faster, role="ops", while_it_hurts=True),
    Ask(kind="say_it", phase="act", find=_say_it, role="comms"),
    Ask(kind="write_it", phase="observe", find=_write_it, role="scribe"),
)
"""In the order in which they are thought of: what is known comes first, then what was found or decided and lies about."""
_OF: dict[PromptKind, Ask] = {ask.kind: ask for ask in ASKS}


def prompt(incident: m.Incident, me: str, now: datetime, rhythm_min: int | None) -> Prompt | None:
    """What `me` is asked now, if anything. `rhythm_min`: how often the severity wants news; None: it is only watched."""
    held = {role for role, holders in incident.roles.items() if me in holders}
    if not held or not incident.is_open or rhythm_min is None or _is_asked_more(incident, me, held, now):
        return None
    look = Look(incident=incident, now=now, loop=loop_of(rhythm_min))
    stint = incident.pace.stints.get(me)
    if stint and now - stint.last_at < BREATHER:
        return None
    if any(one.person == me and now - one.at < look.loop / 2 for one in incident.prompts.values()):
        return None
    for ask in ASKS:
        if ask.role not in held or (ask.while_it_hurts and incident.mitigated_at) or _rests(incident, ask, now):
            continue
        if found := ask.find(look):
            return Prompt(kind=ask.kind, phase=ask.phase, text=found[0], line=found[1])
    return None


def _is_asked_more(incident: m.Incident, me: str, held: set[m.Role], now: datetime) -> bool:
    """Whether something that does not wait is asked of `me`: of command, of the bridge, or what is due and late."""
    offer, due = incident.handover.offer, incident.next_update_at
    stint = incident.pace.stints.get(me)
    of_command = "ic" in held and (
        incident.reach.call is not None
        or not incident.missing
        or (stint is not None and stint.handover_proposed > 0 and offer is None)
    )
    return (
        of_command
        or (offer is not None and offer.person == me)
        or (incident.reach.unreachable_since is not None and me in incident.reach.offered)
        or (incident.bridge.asked_at is not None and me == asked_to_write(incident))
        or (due is not None and due <= now and not held.isdisjoint({"ic", "comms"}))
        or any(task.owner == me and task.is_open and task.due_at <= now for task in incident.tasks.values())
    )


def prompts(incident: m.Incident, now: datetime, rhythm_min: int | None) -> dict[str, Prompt]:
    """What every holder of a role is asked now."""
    holders = dict.fromkeys(name for held in incident.roles.values() for name in held)
    return {name: found for name in holders if (found := prompt(incident, name, now, rhythm_min))}


def loop_of(rhythm_min: int) -> timedelta:
    return max(SHORTEST_LOOP, timedelta(minutes=rhythm_min) / 2)


def put_off(
    state: m.Incident, command: LaterPrompt, rhythm_min: int | None, now: datetime, by: Actor
) -> list[m.IncidentEvent]:
    """Raises Refused when nothing is asked, or for somebody whom the question is not for."""
    person, kind = command.person or by.id, command.kind
    if kind is None:
        asked = prompt(state, person, now, rhythm_min)
        if asked is None:
            raise Refused(f"Nothing is asked of {'you' if person == by.id else f'@{person}'} right now.")
        kind = asked.kind
    ask = _OF[kind]
    if person not in state.roles.get(ask.role, ()):
        raise Refused(f"This question is for the {m.ROLE_TITLES[ask.role]}, who alone puts it off.")
    if _rests(state, ask, now):
        return []
    loop = loop_of(rhythm_min) if rhythm_min else SHORTEST_LOOP
    return [PromptPutOff(kind=kind, person=person, until=now + loop * ask.again)]


def _rests(incident: m.Incident, ask: Ask, now: datetime) -> bool:
    put = incident.prompts.get(ask.kind)
    return put is not None and now < put.until


def _is_for_all_hands(look: Look) -> bool:
    return int(look.incident.severity[-1]) <= ALL_HANDS


def _short(text: str) -> str:
    return shorten(text, SHOWN, placeholder=" …")
