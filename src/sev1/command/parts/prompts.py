"""Questions of the OODA loop that somebody put off: which, by whom, until when (mission 8.8).

What is asked is chosen in `command/prompts.py` from the whole incident, and so is who may put it off.
"""

from datetime import datetime
from typing import Literal, assert_never

from msgspec import Struct

from sev1.command.terms import Command, Event, NameOf, PersonName, Words
from sev1.engine.decider import Fact

PromptKind = Literal[
    "impact",
    "worst_case",
    "cause",
    "disproof",
    "unknown",
    "decide",
    "act",
    "outcome",
    "comms_lead",
    "scribe",
    "faster",
    "say_it",
    "write_it",
]


class PutOff(Struct, frozen=True, kw_only=True):
    person: str
    """Who was asked."""
    at: datetime
    until: datetime
    """Not asked before."""


class LaterPrompt(Command, frozen=True, kw_only=True, tag="later_prompt"):
    """Not now: the question comes back after its interval at the earliest, if it still stands then."""

    kind: PromptKind | None = None
    """None: whatever is asked now."""
    person: PersonName | None = None
    """Who is asked; None: whoever says so."""


class PromptPutOff(Event, frozen=True, kw_only=True, tag="prompt_put_off"):
    kind: PromptKind
    person: str
    until: datetime


PromptCommand = LaterPrompt
PromptEvent = PromptPutOff
Prompts = dict[PromptKind, PutOff]


def evolve(prompts: Prompts, fact: Fact[PromptEvent]) -> Prompts:
    event = fact.event
    match event:
        case PromptPutOff():
            return {**prompts, event.kind: PutOff(person=event.person, at=fact.at, until=event.until)}
        case _:
            assert_never(event)


def words(event: PromptEvent, _: NameOf) -> Words:
    return "hidden", "", f"Not now: the question about {event.kind.replace('_', ' ')}", ()
