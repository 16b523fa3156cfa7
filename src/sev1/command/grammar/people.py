"""Readers of the lines about who commands, and how they are. Pure."""

import re
from typing import Any

from sev1.command.grammar.fields import fields, needed
from sev1.command.grammar.reading import Rest
from sev1.command.parts import handover as h
from sev1.command.parts import reach
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
