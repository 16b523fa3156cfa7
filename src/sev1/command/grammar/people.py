"""Readers of the lines about who commands, and how they are. Pure."""

import re
from typing import Any

from sev1.command import model as m
from sev1.command.grammar.fields import fields, needed
from sev1.command.grammar.reading import Rest
from sev1.command.parts import handover as h
from sev1.command.parts import pace, prompts, reach
from sev1.engine.errors import Invalid

POINT_WORDS: dict[str, h.Point] = {
    **{point: point for point in h.POINTS},
    "severity": "state",
    "stage": "state",
    "who": "people",
    "roles": "people",
    "decided": "decisions",
    "open": "decisions",
    "update": "next",
}


def handover(rest: Rest) -> dict[str, Any]:
    """`@PERSON [NOTE]`, or `off`."""
    person = rest.take_person()
    if person is None:
        if rest.text.casefold() in {"off", "none"}:
            return fields(h.WithdrawOffer)
        raise Invalid("Say to whom, like @bo.", field="person")
    return fields(h.OfferCommand, person=person, note=rest.take_all())


def accept(rest: Rest) -> dict[str, Any]:
    """`all: READ BACK`, or the points that are confirmed by name."""
    named, colon, said = rest.take_all().partition(":")
    words = [word for word in re.split(r"[\s,;]+|\band\b", named.casefold()) if word]
    unknown = [word for word in words if word not in POINT_WORDS and word not in {"all", "five"}]
    if not colon or unknown:
        raise Invalid(
            f"Name the points that you confirm, {', '.join(h.POINTS)} or all, then a colon and how it stands.",
            field="points",
        )
    points = h.POINTS if "all" in words else [point for point in h.POINTS if point in {POINT_WORDS[w] for w in words}]
    return {**fields(h.AcceptCommand, read_back=needed(said, "how it stands, in your own words")), "points": [*points]}


def decline(rest: Rest) -> dict[str, Any]:
    reason = re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE)
    return fields(h.DeclineCommand, reason=needed(reason, "why not, so that somebody else is found"))


def call(rest: Rest) -> dict[str, Any]:
    return fields(reach.CallCommander, ask=re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE))


def takeover(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    person = rest.take_person() or rest.speaker.me
    return fields(reach.TakeCommand, person=person, reason=needed(reason or rest.take_all(), "why you take over"))


def unsure(rest: Rest) -> dict[str, Any]:
    """`[openly] [TEXT]`."""
    openly = re.match(r"openly\b[\s:,]*", rest.text, re.IGNORECASE)
    text = rest.take_all()[openly.end() if openly else 0 :]
    return {**fields(m.SayUnsure, text=text), **({"openly": True} if openly else {})}


_SPAN = re.compile(r"(?:^|\s)(?:for\s+)?(\d{1,3})\s*(min(?:ute)?s?|m|h(?:ours?)?)(?=\s|$)", re.IGNORECASE)


def rest_for(rest: Rest) -> dict[str, Any]:
    """`[@PERSON] [20 min] [cover @PERSON]`."""
    covered = Rest(rest.take_clause("cover", "covers", "covered by"), rest.speaker)
    cover = covered.take_person()
    if covered.text:
        raise Invalid("Say who covers at the end, like cover @bo.", field="owner")
    person = rest.take_person() or rest.speaker.me
    span = _SPAN.search(rest.text)
    if span:
        rest.text = (rest.text[: span.start()] + rest.text[span.end() :]).strip()
    if rest.text:
        raise Invalid("Say how long, like 20 min, and who covers, like cover @bo.", field="minutes")
    minutes = int(span[1]) * (60 if span[2][0].lower() == "h" else 1) if span else None
    return fields(pace.TakeBreak, person=person, minutes=minutes, owner=cover)


def back(rest: Rest) -> dict[str, Any]:
    return fields(pace.EndBreak, person=rest.take_person() or rest.speaker.me)


def not_now(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    if rest.text:
        raise Invalid(f"Nothing follows it; {rest.text[:40]!r} has no meaning here.")
    return fields(prompts.LaterPrompt, person=person)
