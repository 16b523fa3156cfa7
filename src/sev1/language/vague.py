"""Tasks that nobody can finish, and words that say too little. Pure (mission 10.4).

A task says what to do to which thing and what comes out of it. "Look into it" and "check the DB" say neither when it is
done nor what to report.
"""

import re

from sev1.language.model import Hint

_LOOKING = (
    r"look(?:ing)?\s{1,3}(?:into|at|over|through)|"
    r"have\s{1,3}(?:another\s{1,3}|a\s{1,3}|a\s{1,3}quick\s{1,3}|one\s{1,3}more\s{1,3})?look(?:\s{1,3}(?:at|into))?|"
    r"take\s{1,3}a\s{1,3}(?:quick\s{1,3}|closer\s{1,3})?look(?:\s{1,3}(?:at|into))?|investigat(?:e|ing)|check(?:\s{1,3}(?:on|out|up\s{1,3}on))?|"
    r"dig\s{1,3}into|debug|analy[sz]e|explore|research|deal\s{1,3}with|handle|take\s{1,3}care\s{1,3}of|sort\s{1,3}out|follow\s{1,3}up(?:\s{1,3}(?:on|with))?|"
    r"work\s{1,3}on|help(?:\s{1,3}with)?|fix|improve|monitor|watch|keep\s{1,3}an\s{1,3}eye\s{1,3}on|see\s{1,3}what(?:['’]s|\s{1,3}is)\s{1,3}(?:going\s{1,3}on|wrong|happening)|do\s{1,3}something(?:\s{1,3}about)?"
)
_LEAD = re.compile(
    rf"\s{{0,3}}(?:(?:please|pls|can\s{{1,3}}(?:you|someone|somebody)|could\s{{1,3}}you|someone|somebody|let['’]s|we\s{{1,3}}should|just|maybe|quickly|try\s{{1,3}}to)\s{{1,3}}){{0,3}}(?P<verb>{_LOOKING})(?!\w)",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"\b(?:whether|if|which|how\s{1,3}many|how\s{1,3}much|how\s{1,3}long|why|since\s{1,3}when|when|who|what|where|until|so\s{1,3}that|report|tell|post|"
    r"below|above|within|less\s{1,3}than|more\s{1,3}than|at\s{1,3}least|at\s{1,3}most|back\s{1,3}to|by\s{1,3}\d|compare|against|for\s{1,3}(?:errors|duplicates|gaps)|"
    r"and\s{1,3}(?:report|say|tell|post|write|restart|roll|scale|drain|page|turn|switch)\b)|[<>≤≥]|\d{1,6}\s{0,2}(?:%|ms|s|min|h)\b",
    re.IGNORECASE,
)
_SEEING = re.compile(r"see\s{1,3}what", re.IGNORECASE)
_WORDS = re.compile(r"\w{1,60}")
LOOKED_AT_MAX = 2_000
LONG_ENOUGH = 10
"""Words with which even a task that begins by looking has said what is meant."""

_UNSURE = re.compile(
    r"(?<![\w-])(?:(?P<soon>asap|as\s{1,3}soon\s{1,3}as\s{1,3}possible|any\s{1,3}minute\s{1,3}now|in\s{1,3}a\s{1,3}bit|shortly|momentarily)"
    r"|(?P<hope>should\s{1,3}be\s{1,3}(?:fine|ok|okay|fixed|good)(?:\s{1,3}now)?|hopefully|fingers\s{1,3}crossed)"
    r"|(?P<much>(?:some|a\s{1,3}few|a\s{1,3}lot\s{1,3}of|a\s{1,3}bunch\s{1,3}of|many|several)\s{1,3}(?:users|customers|requests|errors|people))"
    r")(?![\w-])",
    re.IGNORECASE,
)
_WHY = {
    "soon": "Nobody can plan by it. Until when?",
    "hope": "It leaves open whether it is so. What was seen, and where?",
    "much": "How many? A rough number, or a share, tells more.",
}
MOST = 10


def vague(task_text: str) -> Hint | None:
    """What to sharpen in a task; None for one that says what to do and what comes out of it, and for an empty one."""
    text = task_text[:LOOKED_AT_MAX]
    lead = _LEAD.match(text)
    if lead is None:
        return None
    rest = text[lead.end() :]
    if not _SEEING.match(lead["verb"]) and (_OUTCOME.search(rest) or len(_WORDS.findall(rest)) >= LONG_ENOUGH):
        return None
    what = " ".join(rest.split()).rstrip(".!?") or "it"
    return Hint(
        kind="vague",
        start=lead.start("verb"),
        end=len(text.rstrip()),
        text=text[lead.start("verb") :].rstrip(),
        why=f'Nobody can tell when this is done. Which question about "{what[:60]}" is to be answered, and by when?',
    )


def unsure(text: str) -> list[Hint]:
    """Words of a text that say too little: when, whether, how many."""
    found = []
    for match in _UNSURE.finditer(text):
        why = _WHY[match.lastgroup or "soon"]
        found.append(Hint(kind="vague", start=match.start(), end=match.end(), text=match[0], why=why))
        if len(found) >= MOST:
            break
    return found
