"""What could come next in a line that somebody types. Pure."""

import re

from msgspec import Struct

from sev1.catalog.audience import INTERNAL
from sev1.command import model as m
from sev1.command.grammar.reading import Speaker
from sev1.command.grammar.verbs import BY_NAME, VERBS, Verb
from sev1.command.parts.priority import MEANS
from sev1.command.parts.recovery import STEPS

MOST_SHOWN = 8


class Candidate(Struct, frozen=True, kw_only=True):
    text: str
    """What takes the place of the last word."""
    says: str
    """What it is, beside it."""


def complete(line: str, speaker: Speaker) -> list[Candidate]:
    """What may stand in the place of the last word of `line`, best first; nothing where any text may follow."""
    if not line.startswith("/"):
        return []
    word = re.split(r"\s", line)[-1]
    if word == line:
        return _verbs(line[1:].casefold())
    if word.startswith("@"):
        return _people(word[1:].casefold(), speaker)
    verb = BY_NAME.get(line[1:].split(maxsplit=1)[0].casefold()) if line[1:].split(maxsplit=1) else None
    if verb is None or len(line.split()) > 2 or (line.endswith(" ") and len(line.split()) > 1):
        return []
    found = [c for c in _choices(verb, speaker) if c.text.casefold().startswith(word.casefold())]
    return found[:MOST_SHOWN]


def _verbs(begun: str) -> list[Candidate]:
    verbs = [verb for verb in VERBS if any(name.startswith(begun) for name in (verb.name, *verb.also))]
    verbs.sort(key=lambda verb: not verb.name.startswith(begun))
    return [Candidate(text=f"/{verb.name}", says=verb.does) for verb in verbs[: MOST_SHOWN if begun else None]]


def _people(begun: str, speaker: Speaker) -> list[Candidate]:
    """Those with a role in the incident first."""
    roles = speaker.incident.roles if speaker.incident else {}
    held = {name: role for role, holders in roles.items() for name in holders}
    fitting = [
        (name not in held, name)
        for name, full in speaker.people.items()
        if name.casefold().startswith(begun) or any(part.startswith(begun) for part in full.casefold().split())
    ]
    return [
        Candidate(
            text=f"@{name}",
            says=speaker.people[name] + (f", {m.ROLE_TITLES[held[name]]}" if name in held else ""),
        )
        for _, name in sorted(fitting)[:MOST_SHOWN]
    ]


def _choices(verb: Verb, speaker: Speaker) -> list[Candidate]:
    incident = speaker.incident
    match verb.first:
        case "severity":
            return [Candidate(text=name[-1], says=name.upper()) for name in speaker.severities]
        case "stage":
            return [Candidate(text=stage, says=m.STAGE_TITLES[stage]) for stage in m.STAGES[1:5]]
        case "role":
            return [Candidate(text=role, says=title) for role, title in m.ROLE_TITLES.items()]
        case "person":
            return _people("", speaker)
        case "criterion":
            guesses = [c for c in _on_board(incident) if verb.name == "confirm" and c.text[0] in "AH"]
            return [*(Candidate(text=name, says=says) for name, says in m.CRITERIA.items()), *guesses]
        case "board":
            return [c for c in _on_board(incident) if _fits(verb, c.text[0])]
        case "work" | "task" | "need":
            return _work(incident, verb)
        case _:
            return _named(verb, speaker)


def _named(verb: Verb, speaker: Speaker) -> list[Candidate]:
    """What the catalog and the incident have under a name."""
    match verb.first:
        case "decision":
            known = speaker.incident.decisions.values() if speaker.incident else ()
            return [Candidate(text=one.ref, says=one.decision) for one in known if one.worked is None]
        case "audience":
            return [Candidate(text=name, says="audience") for name in (INTERNAL, *speaker.audiences)]
        case "priority":
            levels = [Candidate(text=str(level), says=f"P{level}: {means}") for level, means in MEANS.items()]
            return [*levels, Candidate(text="follow", says="what the severity has it")]
        case "recovery":
            done = speaker.incident.recovery.ticks if speaker.incident else {}
            return [
                Candidate(text=f"R{number}", says=says)
                for number, (step, says) in enumerate(STEPS.items(), 1)
                if step not in done
            ]
        case "runbook":
            return [Candidate(text=name, says=title) for name, title in speaker.runbooks.items()]
        case "run":
            known_runs = speaker.incident.runs.values() if speaker.incident else ()
            return [Candidate(text=run.ref, says=run.title) for run in known_runs if run.is_open]
        case _:
            return []


_BOARD_LETTERS = {"refute": "KAH", "answer": "U", "unblock": "B", "archive": "KUAHB"}


def _fits(verb: Verb, letter: str) -> bool:
    return letter in _BOARD_LETTERS.get(verb.name, "")


def _on_board(incident: m.Incident | None) -> list[Candidate]:
    items = incident.board.values() if incident else ()
    return [Candidate(text=item.ref, says=item.text) for item in items if item.outcome is None]


def _work(incident: m.Incident | None, verb: Verb) -> list[Candidate]:
    if incident is None:
        return []
    lists = {"T": incident.tasks, "N": incident.needs, "M": incident.mitigations, "W": incident.workstreams}
    letters = {"take": "TN", "done": "TNMW", "drop": "TNW", "change": "TM", "raise": "N"}.get(verb.name, "T")
    return [
        Candidate(text=one.ref, says=one.title if letter == "W" else one.text)
        for letter in letters
        for one in lists[letter].values()  # type: ignore[attr-defined]
        if one.is_open
    ]
