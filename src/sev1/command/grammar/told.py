"""Readers of the lines about who is told, and when. Pure."""

import re
from typing import Any

from sev1.catalog.audience import INTERNAL
from sev1.command.grammar.fields import fields
from sev1.command.grammar.reading import Rest
from sev1.command.parts import bridge, clocks, decisions
from sev1.engine.errors import Invalid


def promise(rest: Rest) -> dict[str, Any]:
    """`[AUDIENCE] in 45 min`."""
    due_at = rest.take_moment()
    if due_at is None:
        raise Invalid("Say when the next update comes, like in 45 min or by 14:30.", field="due_at")
    word = re.sub(r"^for\s+", "", rest.take_all(), flags=re.IGNORECASE).casefold().rstrip(":")
    known = (INTERNAL, *rest.speaker.audiences)
    if word and word not in known:
        raise Invalid(f"There is no audience {word!r}. Choose one of {', '.join(known)}.", field="audience")
    return fields(clocks.PromiseUpdate, audience=word, due_at=due_at)


_VERDICT = re.compile(
    r"(?:it\s+)?(?:(?P<bad>(?:did\s*n[o'’]?t|didn[’']?t|has\s+not|hasn[’']?t)(?:\s+work(?:ed)?)?|failed|no)"
    r"|(?P<good>worked|works|helped|yes))\b[\s:.,;-]*",
    re.IGNORECASE,
)


def outcome(rest: Rest) -> dict[str, Any]:
    """`D1 it worked: WHAT CAME OF IT`, or `D1 it did not: …`."""
    ref = rest.take_ref("D")
    if ref is None:
        raise Invalid("Say which decision first, like D1.", field="number")
    verdict = _VERDICT.match(rest.text)
    if verdict is None:
        raise Invalid("Say whether it worked: `it worked` or `it did not`.", field="worked")
    said = rest.take_all()[verdict.end() :]
    return fields(decisions.RecordOutcome, number=ref[1], worked=verdict["bad"] is None, outcome=said)


def on_bridge(rest: Rest) -> dict[str, Any]:
    """`URL with @a @b`, `with @c`, `off`, `nothing`."""
    people = []
    while person := rest.take_person():
        people.append(person)
    words = re.sub(r"(?:[\s,;]+(?:with|and)(?!\S))*[\s,;]*$", "", f" {rest.take_all()}", flags=re.IGNORECASE).strip()
    match words.casefold():
        case "off" | "close" | "closed":
            return fields(bridge.CloseBridge)
        case "nothing" | "nothing decided":
            return fields(bridge.NothingDecided)
        case "" if not people:
            raise Invalid("Give the address of the bridge, `off`, or `nothing` when nothing was decided.", field="url")
        case url if url and not url.startswith("https://"):
            raise Invalid("The address of a bridge begins with https://.", field="url")
        case _:
            return fields(bridge.OpenBridge, url=words, people=people or None)


_ON_BRIDGE = re.compile(r"^\s*on the bridge\s*:\s*|[\s,]*\(on the bridge\)\s*$", re.IGNORECASE)


def take_on_bridge(rest: Rest) -> bool:
    """Whether a decision says that it was taken on the bridge: `on the bridge: …` or `… (on the bridge)`."""
    rest.text, found = _ON_BRIDGE.subn("", rest.text, count=1)
    return bool(found)
