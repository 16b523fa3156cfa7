"""Everything that is pointed out in a text: blame, words that the glossary has another word for, jargon. Pure.

A hint never keeps anybody from saying something (mission 2.2): it is shown while the text is written, and beside the
answer when it was sent.
"""

import functools
import re
from collections.abc import Iterator, Mapping

from sev1.catalog.glossary import Audience, Glossary, key_of, said_to
from sev1.catalog.term import Term
from sev1.language.blame import blame
from sev1.language.model import Hint
from sev1.language.vague import unsure

LONGEST = 20_000
"""Characters that are looked at. What comes after is not."""
MOST = 20

_QUOTED = re.compile(r"`[^`\n]{0,2000}`|https?://[^\s<>]{1,2000}|(?m:^>[^\n]{0,4000})")
"""Code, addresses and what somebody else said are left alone."""
_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(r"[ \t\n'’-]{1,3}")

Phrases = Mapping[str, tuple[tuple[tuple[str, ...], Term], ...]]
"""By first word, what a phrase goes on with and whose it is; the longest first."""


def hints(
    text: str, glossary: Glossary, people: frozenset[str] = frozenset(), audience: Audience | None = None
) -> list[Hint]:
    """At most 20 hints, in the order of the text, none over another; of two in one place, blame comes first.

    `people` are the names of people, so that theirs are known; `audience` says who reads it, and only then is jargon
    pointed out.
    """
    looked_at = _QUOTED.sub(lambda quoted: _blank(quoted[0]), text[:LONGEST])
    found: list[Hint] = []
    for hint in (
        *blame(looked_at, people),
        *_aliases(looked_at, text, glossary),
        *(_jargon(looked_at, text, glossary, audience) if audience else ()),
        *unsure(looked_at),
    ):
        if all(hint.end <= other.start or other.end <= hint.start for other in found):
            found.append(hint)
    return sorted(found, key=lambda hint: hint.start)[:MOST]


def _blank(quoted: str) -> str:
    """As long as what was there, and not a word: a `.` keeps what stands around it from becoming one sentence."""
    return "." * len(quoted)


def _aliases(looked_at: str, text: str, glossary: Glossary) -> Iterator[Hint]:
    for start, end, term in _occurrences(looked_at, _phrases_of_aliases(glossary)):
        written = text[start:end]
        yield Hint(
            kind="alias",
            start=start,
            end=end,
            text=written,
            why=f'Our word for "{written}" is "{term.title}": {term.meaning}',
            instead=_as_written(term.title, written),
        )


def _jargon(looked_at: str, text: str, glossary: Glossary, audience: Audience) -> Iterator[Hint]:
    for start, end, term in _occurrences(looked_at, _phrases_to_translate(glossary, audience)):
        said, written = said_to(term, audience), text[start:end]
        yield Hint(
            kind="jargon",
            start=start,
            end=end,
            text=written,
            why=f'"{written}" is a word of ours. Those who read this say: {said}.',
            instead=_as_written(said, written),
        )


@functools.lru_cache(maxsize=4)
def _phrases_of_aliases(glossary: Glossary) -> Phrases:
    return _phrases([(key_of(alias), term) for term in glossary.terms for alias in term.aliases])


@functools.lru_cache(maxsize=16)
def _phrases_to_translate(glossary: Glossary, audience: Audience) -> Phrases:
    return _phrases([(key_of(term.title), term) for term in glossary.terms if said_to(term, audience)])


def _phrases(keys: list[tuple[tuple[str, ...], Term]]) -> Phrases:
    found: dict[str, list[tuple[tuple[str, ...], Term]]] = {}
    for key, term in keys:
        if key:
            found.setdefault(key[0], []).append((key[1:], term))
            if len(key) == 1:  # the plural of a phrase is that of its last word
                found.setdefault(key[0] + "s", []).append(((), term))
    return {first: tuple(sorted(rest, key=lambda one: -len(one[0]))) for first, rest in found.items()}


def _occurrences(text: str, phrases: Phrases) -> Iterator[tuple[int, int, Term]]:
    words = [(match[0].casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]
    at = 0
    while at < len(words):
        word, start, _ = words[at]
        for rest, term in phrases.get(word, ()):
            if len(words) - at > len(rest) and _goes_on(text, words[at : at + 1 + len(rest)], rest):
                yield start, words[at + len(rest)][2], term
                at += len(rest)
                break
        at += 1


def _goes_on(text: str, words: list[tuple[str, int, int]], rest: tuple[str, ...]) -> bool:
    """Whether the words after the first are `rest`, or its plural, with nothing but a space or a hyphen between them."""
    for number, wanted in enumerate(rest, 1):
        word = words[number][0]
        if word != wanted and not (number == len(rest) and word == wanted + "s"):
            return False
        if not _BETWEEN.fullmatch(text, words[number - 1][2], words[number][1]):
            return False
    return True


def _as_written(word: str, instead_of: str) -> str:
    """With a capital where one stood, unless the whole word was capitals."""
    return word[0].upper() + word[1:] if instead_of[0].isupper() and not instead_of.isupper() else word
