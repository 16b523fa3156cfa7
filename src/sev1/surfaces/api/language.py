"""`/api/v1/glossary`, `/api/v1/language`: our words, and what is pointed out in a text (missions 2.2, 2.5)."""

from typing import Annotated

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from sev1.access.declare import needs
from sev1.catalog.glossary import Audience, Glossary, glossary_of
from sev1.catalog.problems import did_you_mean
from sev1.catalog.term import Term, Translations
from sev1.engine.errors import NotFound
from sev1.language.hints import LONGEST
from sev1.language.model import Hint
from sev1.language.vague import vague
from sev1.surfaces.injected import Catalogs, Db
from sev1.surfaces.said import on_text


class TermView(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    meaning: str
    aliases: tuple[str, ...]
    """Words that are not to be used for it."""
    translations: Translations
    own: bool
    """Whether the organisation wrote it; otherwise it came with sev1."""


def term_view(term: Term, glossary: Glossary) -> TermView:
    return TermView(
        name=term.name,
        title=term.title,
        meaning=term.meaning,
        aliases=term.aliases,
        translations=term.translations,
        own=term.name in glossary.own,
    )


class TextToCheck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(max_length=LONGEST)]
    audience: Audience | None = None
    """Who reads it. Only then are words pointed out that they may not know."""
    task: bool = False
    """Whether it is a task: then it is asked to be sharpened when nobody can tell when it is done (mission 10.4)."""


class Hints(Struct, frozen=True, kw_only=True):
    hints: list[Hint]


@get("/api/v1/glossary", opt=needs("read"), tags=["language"])
async def list_terms(
    db: Db, catalogs: Catalogs, q: Annotated[str, QueryParameter(max_length=100)] = ""
) -> list[TermView]:
    """The terms by their title, or those in which `q` stands."""
    async with db.connection() as conn:
        glossary = glossary_of(await catalogs.current(conn))
    return [term_view(term, glossary) for term in glossary.search(q)]


@get("/api/v1/glossary/{word:str}", opt=needs("read"), tags=["language"])
async def get_term(word: FromPath[str], db: Db, catalogs: Catalogs) -> TermView:
    """The term of this name or title, or the one that `word` is an alias of."""
    async with db.connection() as conn:
        glossary = glossary_of(await catalogs.current(conn))
    term = glossary.find(word)
    if term is None:
        question = did_you_mean(word, [term.title for term in glossary.terms])
        raise NotFound(f'The glossary has no "{word}". {question or "Search for a part of it."}')
    return term_view(term, glossary)


@post("/api/v1/language/hints", opt=needs("read"), tags=["language"], status_code=200)
async def check_text(data: JSONBody[TextToCheck], db: Db, catalogs: Catalogs) -> Hints:
    """What is pointed out in a text, in its order: blame, words that we have another for, jargon, what says too little.

    Positions count Unicode characters. Nothing is kept, and nothing keeps anybody from sending the text as it is.
    """
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    found = on_text(data.text, catalog, data.audience)
    unclear = vague(data.text) if data.task else None
    return Hints(hints=[unclear, *found] if unclear else found)


ROUTES: list[HTTPRouteHandler] = [list_terms, get_term, check_text]
