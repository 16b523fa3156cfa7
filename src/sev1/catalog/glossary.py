"""The glossary: the shipped terms with the organisation's own on top. Pure (mission 2.5).

The organisation has the last word: its term takes the place of a shipped one of the same name or title, and a word
that it claims, as a term or as an alias, is no longer the shipped glossary's.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from sev1.catalog.model import Catalog
from sev1.catalog.problems import Finding
from sev1.catalog.shipped_terms import SHIPPED
from sev1.catalog.term import Term

Audience = Literal["sre", "dev", "security", "business"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
_WORD = re.compile(r"\w+")


class Glossary(Struct, frozen=True):
    terms: tuple[Term, ...]
    """By title."""
    own: frozenset[str]
    """Names of those that the organisation wrote."""

    def find(self, word: str) -> Term | None:
        """The term of this name or title, or the one that has the word as an alias."""
        wanted = key_of(word)
        for term in self.terms:
            if wanted in {key_of(term.name), key_of(term.title)}:
                return term
        return next((term for term in self.terms if wanted in map(key_of, term.aliases)), None)

    def search(self, text: str) -> list[Term]:
        """The terms in which `text` stands: title, aliases, meaning or a translation. Everything for an empty text."""
        wanted = text.casefold().strip()
        return [term for term in self.terms if wanted in "\n".join(_texts(term)).casefold()]


def glossary_of(catalog: Catalog) -> Glossary:
    """What is in force in this organisation."""
    return _merged(tuple(catalog.glossary.values()))


@functools.lru_cache(maxsize=4)
def _merged(own: tuple[Term, ...]) -> Glossary:
    claimed = {key_of(word) for term in own for word in (term.title, *term.aliases)}
    names = {term.name for term in own}
    shipped = [
        replace(term, aliases=tuple(alias for alias in term.aliases if key_of(alias) not in claimed))
        for term in SHIPPED
        if term.name not in names and key_of(term.title) not in claimed
    ]
    terms = sorted([*own, *shipped], key=lambda term: (term.title.casefold(), term.name))
    return Glossary(tuple(terms), frozenset(names))


def key_of(word: str) -> tuple[str, ...]:
    """What makes two ways of writing the same word: `Post-mortem` and `post mortem`."""
    return tuple(_WORD.findall(word.casefold()))


def said_to(term: Term, audience: Audience) -> str:
    """How the term is said to an audience; empty when they know the term."""
    said: str = getattr(term.translations, audience)
    return said


def faults(catalog: Catalog) -> Iterator[Finding]:
    """An alias that is claimed twice or is a term, a term that is written twice; a word of sev1 itself is warned about."""
    titles: dict[tuple[str, ...], Term] = {}
    for term in catalog.glossary.values():
        first = titles.setdefault(key_of(term.title), term)
        if first is not term:
            message = f'glossary-term "{term.name}" is "{term.title}", which "{first.name}" is already.'
            yield _finding(term, ("title",), message, "Keep one of the two: one word, one meaning.")
        if not key_of(term.title):
            yield _finding(
                term, ("title",), f'glossary-term "{term.name}" has a title without a letter.', "Write a word."
            )
    claimed: dict[tuple[str, ...], Term] = {}
    shipped = {key_of(term.title): term for term in SHIPPED}
    for term in catalog.glossary.values():
        for at, alias in enumerate(term.aliases):
            yield from _alias(term, at, alias, titles, claimed, shipped)


def _alias(
    term: Term,
    at: int,
    alias: str,
    titles: dict[tuple[str, ...], Term],
    claimed: dict[tuple[str, ...], Term],
    shipped: dict[tuple[str, ...], Term],
) -> Iterator[Finding]:
    word, path = key_of(alias), ("aliases", at)
    if not word:
        yield _finding(
            term, path, f'glossary-term "{term.name}" has an alias without a letter.', "Write a word or remove it."
        )
        return
    first = claimed.setdefault(word, term)
    if first is not term:
        message = f'glossary-term "{term.name}" claims the alias "{alias}", which "{first.name}" claims already.'
        yield _finding(term, path, message, "Keep it at one of the two: one word, one meaning.")
    if word in titles:
        message = (
            f'glossary-term "{term.name}" has the alias "{alias}", which is itself a term ("{titles[word].name}").'
        )
        yield _finding(term, path, message, "Remove the alias, or the term.")
    elif word in shipped and shipped[word].name not in {other.name for other in titles.values()}:
        message = f'glossary-term "{term.name}" has the alias "{alias}", a word that the pages of sev1 use.'
        fix = "People will be told not to write what they read here; better leave it."
        yield _finding(term, path, message, fix, warning=True)


def _finding(term: Term, path: tuple[str | int, ...], message: str, fix: str, *, warning: bool = False) -> Finding:
    return Finding(kind="glossary-term", name=term.name, path=path, message=message, fix=fix, warning=warning)


def _texts(term: Term) -> Iterable[str]:
    return (term.title, *term.aliases, term.meaning, *(said_to(term, audience) for audience in AUDIENCES))
