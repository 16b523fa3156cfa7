"""Where a text blames a person instead of saying what made it possible. Pure (mission 2.2).

What somebody did is a fact and stays ("Ana rolled back the deploy"); pointed out is what judges them: fault verbs with a
person as the subject, what somebody should have done, and words of blame. Each rule has a rewording that asks what the
system would have needed.

Texts come from people under stress and from programs, so matching takes linear time: every repetition is bounded.
"""

import functools
import re
from collections.abc import Iterator

from msgspec import Struct

from sev1.language import names
from sev1.language.model import Hint

_GAP = r"[ \t\n]{1,3}"
_BEGIN = r"(?<![\w@'’.-])(?=[\w@])"
_END = r"(?![\w-])"
_ADVERBS = rf"(?:(?:just|simply|again|clearly|obviously|apparently|completely|totally|also|accidentally|stupidly|probably|even){_GAP}){{0,2}}"
_NOT = r"(?:did\s{1,3}not|didn['’]t|never|failed\s{1,3}to|forgot\s{1,3}to|neglected\s{1,3}to|did\s{1,3}not\s{1,3}bother\s{1,3}to|didn['’]t\s{1,3}bother\s{1,3}to)"
_NOTICING = (
    "check|test|verify|read|follow|notice|tell|think|look|pay|ask|review|care|know|understand|see|realise|realize|"
    "document|warn|listen|bother|escalate|catch|page|respond|react|communicate|announce"
)
_DONE = (
    r"known|checked|tested|verified|noticed|told|asked|seen|thought|read|followed|paged|escalated|rolled|reviewed|caught|"
    r"waited|looked|listened|acted|reacted|called|informed|warned|used|done|run|been\s{1,3}more\s{1,3}careful|realised|realized|"
    r"documented|announced|stopped|declared|communicated|double-checked|avoided|prevented|understood"
)
_PROD = r"prod(?:uction)?|the\s{1,3}(?:site|shop|service|system|database|cluster|whole\s{1,3}\w{1,20})|everything|it\s{1,3}all"
_TROUBLE = "outage|incident|failure|mess|disaster|problem|downtime|crash|breakage|data\\s{1,3}loss|bug|error|errors|regression|chaos"


class _Rule(Struct, frozen=True):
    pattern: str
    why: str
    instead: str | None
    """May use the pattern's groups: `\\g<verb>`."""
    person: bool = False
    """Whether the pattern begins with somebody."""


_SYSTEM = "It names a person as the cause. What made it possible, and what would have caught it?"
_HINDSIGHT = "It judges by what is known now. What was known then, and what would have helped?"
_WORD = "It judges a person. What happened, and what made it likely?"
_FAULT = "It asks who, where the answer to what and how makes the next time better."

_RULES: tuple[_Rule, ...] = (
    _Rule(
        rf"(?:should|could|ought{_GAP}to){_GAP}{_ADVERBS}have{_GAP}{_ADVERBS}(?P<verb>{_DONE}){_END}",
        _HINDSIGHT,
        r"there was no step in which anybody would have \g<verb>",
        person=True,
    ),
    _Rule(
        rf"(?:should|could)(?:['’]ve|n['’]t{_GAP}have|{_GAP}(?:not|never){_GAP}have|a){_GAP}{_ADVERBS}\w{{1,30}}{_END}",
        _HINDSIGHT,
        None,
        person=True,
    ),
    _Rule(
        rf"(?:forgot|neglected|failed){_GAP}to{_END}(?!{_GAP}(?:start|connect|load|mount|boot|respond|render|resolve){_END})",
        _SYSTEM,
        "nothing made us",
        person=True,
    ),
    _Rule(rf"forgot(?:{_GAP}about)?{_END}", _SYSTEM, "nothing reminded us of", person=True),
    _Rule(
        rf"{_ADVERBS}{_NOT}{_GAP}{_ADVERBS}(?P<verb>{_NOTICING}){_END}(?![^.\n]{{0,60}}\byet\b)",
        _SYSTEM,
        r"nothing made us \g<verb>",
        person=True,
    ),
    _Rule(
        rf"never{_GAP}{_ADVERBS}(?:checked|tested|verified|told|asked|noticed|looked|thought|reviewed|warned|documented){_END}",
        _SYSTEM,
        None,
        person=True,
    ),
    _Rule(rf"(?:panicked|freaked{_GAP}out){_END}", _WORD, "had little to go by", person=True),
    _Rule(rf"\w{{1,20}}{_GAP}(?:\w{{1,20}}{_GAP}){{1,4}}by{_GAP}mistake{_END}", _SYSTEM, None, person=True),
    _Rule(rf"{_ADVERBS}ignored{_END}", _SYSTEM, "nobody was able to act on", person=True),
    _Rule(
        rf"{_ADVERBS}(?:broke|ruined|wrecked|bricked|botched|caused(?!{_GAP}load{_END})|triggered{_GAP}(?=the{_GAP}(?:{_TROUBLE}){_END})){_END}",
        _SYSTEM,
        "a change affected",
        person=True,
    ),
    _Rule(
        rf"{_ADVERBS}(?:took{_GAP}down|brought{_GAP}down|crashed|killed|took{_GAP}out){_GAP}(?P<what>{_PROD}){_END}",
        _SYSTEM,
        r"a change affected \g<what>",
        person=True,
    ),
    _Rule(
        rf"{_ADVERBS}(?:took|brought){_GAP}(?P<what>{_PROD}){_GAP}down{_END}",
        _SYSTEM,
        r"a change affected \g<what>",
        person=True,
    ),
    _Rule(
        rf"{_ADVERBS}(?:screwed|messed|cocked|fucked){_GAP}up{_END}",
        _SYSTEM,
        "something went differently than expected",
        person=True,
    ),
    _Rule(
        rf"{_ADVERBS}(?:deleted|dropped|ran|pushed|picked|chose|restarted|deployed|merged|used|typed|entered|set|gave|copied){_GAP}the{_GAP}wrong{_END}",
        _SYSTEM,
        "nothing stood between us and the wrong",
        person=True,
    ),
    _Rule(
        rf"{_ADVERBS}(?:made|makes){_GAP}(?:a|an|the|another){_GAP}(?:\w{{1,20}}{_GAP})?(?:mistake|error|blunder){_END}",
        _SYSTEM,
        "a step went differently than expected",
        person=True,
    ),
    _Rule(
        rf"(?:is|was|are|were){_GAP}{_ADVERBS}(?:to{_GAP}blame|at{_GAP}fault)(?:{_GAP}for)?{_END}",
        _FAULT,
        "several things contributed to",
        person=True,
    ),
    _Rule(
        rf"(?:is|was|are|were){_GAP}{_ADVERBS}responsible{_GAP}for{_GAP}(?P<what>(?:the|this|that){_GAP}(?:{_TROUBLE})){_END}",
        _FAULT,
        r"several things contributed to \g<what>",
        person=True,
    ),
    _Rule(
        rf"(?:is|was|are|were){_GAP}(?:just{_GAP}|too{_GAP}|being{_GAP}|so{_GAP}){{0,2}}(?:lazy|sloppy|careless|negligent|reckless|incompetent|clumsy|stupid|dumb|clueless|inattentive|irresponsible|asleep{_GAP}at{_GAP}the{_GAP}wheel|not{_GAP}paying{_GAP}attention){_END}",
        _WORD,
        "the work left little room to notice",
        person=True,
    ),
    _Rule(rf"dropped{_GAP}the{_GAP}ball{_END}", _WORD, "a step was missed", person=True),
    _Rule(rf"(?:slept{_GAP}through|overslept|fell{_GAP}asleep){_END}", _WORD, "nothing woke us for", person=True),
    _Rule(
        rf"(?:on{_GAP}the{_GAP}\w{{1,20}}{_GAP})?(?:bothered|cared){_GAP}(?:to{_GAP}\w{{1,20}}|about){_END}",
        _WORD,
        None,
        person=True,
    ),
    _Rule(
        rf"(?:\w{{1,20}}{_GAP}){{1,5}}without{_GAP}(?:even{_GAP})?(?:testing|checking|asking|reading|telling|thinking|looking|review|permission){_END}",
        _SYSTEM,
        None,
        person=True,
    ),
)
"""Each follows somebody. The first that matches somewhere counts there."""

_ANYWHERE: tuple[_Rule, ...] = (
    _Rule(rf"why{_GAP}(?:didn['’]t|did{_GAP}nobody|did{_GAP}no{_GAP}one|did(?={_GAP}\w{{1,20}}{_GAP}not{_END}))(?:{_GAP}(?:you|he|she|they|we|anybody|anyone|somebody))?{_END}", _HINDSIGHT, None),
    _Rule(rf"(?:the{_GAP})?blame{_GAP}(?:lies|rests|is|falls|goes){_GAP}(?:with|on|to){_END}", _FAULT, "several things contributed, some of them near"),
    _Rule(rf"(?:poor|bad|terrible|lousy){_GAP}(?:judge?ment|discipline|work{_GAP}ethic|attitude){_END}", _WORD, "a decision that made sense with what was known"),
    _Rule(
        rf"(?:human|user|operator|pilot|pebkac|driver){_GAP}error{_END}(?!{_GAP}(?:message|handling|page|code|rate)s?{_END})",
        "It ends where learning begins: people act on what they see. What did the system show, and allow?",
        "a gap in our safeguards",
    ),
    _Rule(rf"pebkac{_END}", _WORD, "a gap in our safeguards"),
    _Rule(rf"(?:whose|who['’]s){_GAP}fault(?:{_GAP}(?:is|was){_GAP}(?:it|this|that))?{_END}", _FAULT, "what made it possible"),
    _Rule(rf"who{_GAP}(?:is|was){_GAP}(?:to{_GAP}blame|at{_GAP}fault|responsible){_GAP}for{_END}", _FAULT, "what contributed to"),
    _Rule(rf"(?:my|your|his|her|our|their){_GAP}(?:own{_GAP})?(?:fault|carelessness|negligence|stupidity|incompetence){_END}", _FAULT, "something our system made possible"),
    _Rule(rf"should{_GAP}have{_GAP}been{_GAP}(?:caught|noticed|spotted|known|avoided|prevented|tested|reviewed|obvious){_END}", _HINDSIGHT, "was not visible at the time"),
    _Rule(rf"(?:a|an|pure|sheer|plain|gross|through|by|of|out{_GAP}of){_GAP}(?:carelessness|negligence|incompetence|stupidity|laziness|sloppiness){_END}", _WORD, "a missing safeguard"),
    _Rule(rf"careless{_END}", _WORD, "risky"),
    _Rule(rf"(?:carelessly|negligently|recklessly|sloppily){_END}", _WORD, "without a safeguard"),
    _Rule(rf"(?:stupid|idiotic|dumb|sloppy|boneheaded|braindead){_GAP}(?P<what>mistake|error|change|commit|deploy|move|decision|bug){_END}", _WORD, r"surprising \g<what>"),
    _Rule(rf"(?:idiots?|morons?|imbeciles?){_END}", _WORD, None),
    _Rule(rf"fat-?{_GAP.replace('1,3', '0,3')}finger(?:ed|ing)?{_END}", _WORD, "mistyped, with nothing to catch it,"),
    _Rule(rf"heads{_GAP}(?:must|will|should|need{_GAP}to|have{_GAP}to){_GAP}roll{_END}", _FAULT, None),
    _Rule(rf"(?:did{_GAP}not|didn['’]t|don['’]t|does{_GAP}not|doesn['’]t){_GAP}(?:even{_GAP})?know{_GAP}what{_GAP}(?:he|she|they){_GAP}(?:is|was|were|are){_GAP}doing{_END}", _WORD, "had little to go by"),
)  # fmt: skip
"""Words that blame whoever is the subject."""

_NEUTRAL = re.compile(r"git\s{1,3}blame|blameless\w{0,5}|no\s{1,3}blame|without\s{1,3}blame|blame-?free", re.IGNORECASE)
SHOWN_MAX = 20
"""Hints of one text; whoever has more to mend begins at the top."""


class _Compiled(Struct, frozen=True):
    pattern: re.Pattern[str]
    rule: _Rule


@functools.lru_cache(maxsize=8)
def _compiled(people: frozenset[str]) -> tuple[_Compiled, ...]:
    who = names.pattern(people)
    after = [
        _Rule(rf"what{_GAP}(?:was|were){_GAP}{who}{_GAP}thinking{_END}", _HINDSIGHT, "what made it look right"),
        _Rule(rf"if{_GAP}(?:only{_GAP})?{who}(?:{_GAP}had(?:n['’]t|{_GAP}not)?|['’]d){_GAP}(?:only{_GAP})?(?:{_DONE}|paid{_GAP}attention){_END}", _HINDSIGHT, None),
        _Rule(rf"(?:mistake|blunder|slip|oversight|error){_GAP}(?:by|of){_GAP}{who}{_END}", _FAULT, "gap in our safeguards"),
        _Rule(rf"(?:is|was|['’]s){_GAP}(?:all{_GAP})?on{_GAP}{who}{_GAP}that{_END}", _FAULT, None),
        _Rule(rf"blam(?:e|es|ed|ing){_GAP}(?:it{_GAP}on{_GAP}|this{_GAP}on{_GAP}|on{_GAP})?{who}{_END}", _FAULT, "look at what led there"),
        _Rule(rf"(?:broken|ruined|messed{_GAP}up|screwed{_GAP}up){_GAP}by{_GAP}{who}(?!['’]s){_END}", _SYSTEM, "affected by a change"),
        _Rule(rf"caused{_GAP}by{_GAP}{who}(?P<of>['’]s)?{_END}", _SYSTEM, None),
        _Rule(rf"because{_GAP}of{_GAP}(?-i:{'|'.join(map(re.escape, sorted({*names.GIVEN, *people}, key=len, reverse=True)))})(?!['’]s){_END}", _SYSTEM, "because of what happened"),
        _Rule(rf"{who}['’]s{_GAP}(?:own{_GAP})?(?:fault|mistake|carelessness|negligence|error|stupidity|screw-?up|blunder){_END}", _FAULT, "something our system made possible"),
    ]  # fmt: skip
    with_person = [_Rule(rf"(?P<who>{who}){_GAP}{rule.pattern}", rule.why, rule.instead) for rule in _RULES]
    return tuple(
        _Compiled(re.compile(_BEGIN + rule.pattern, re.IGNORECASE), rule) for rule in (*with_person, *after, *_ANYWHERE)
    )


def blame(text: str, people: frozenset[str] = frozenset()) -> list[Hint]:
    """Everything that blames somebody, in order, without overlaps. `people` are the names of the catalog's people."""
    neutral = [match.span() for match in _NEUTRAL.finditer(text)]
    found: list[Hint] = []
    for compiled in _compiled(people):
        for hint in _of(compiled, text):
            if not any(_meet(hint, span) for span in neutral) and not any(_meet(hint, (h.start, h.end)) for h in found):
                found.append(hint)
            if len(found) >= SHOWN_MAX:
                break
    return sorted(found, key=lambda hint: hint.start)[:SHOWN_MAX]


def _of(compiled: _Compiled, text: str) -> Iterator[Hint]:
    for match in compiled.pattern.finditer(text):
        instead = match.expand(compiled.rule.instead) if compiled.rule.instead else compiled.rule.instead
        if instead and match[0][0].isupper() and _begins_sentence(text, match.start()):
            instead = instead[0].upper() + instead[1:]
        yield Hint(
            kind="blame", start=match.start(), end=match.end(), text=match[0], why=compiled.rule.why, instead=instead
        )


def _begins_sentence(text: str, at: int) -> bool:
    before = text[max(0, at - 4) : at].rstrip(" \t")
    return not before or before[-1] in ".!?:\n"


def _meet(hint: Hint, span: tuple[int, int]) -> bool:
    return hint.start < span[1] and span[0] < hint.end
