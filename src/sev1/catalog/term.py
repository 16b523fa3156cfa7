"""One word of the organisation's glossary, as it is written in the catalog (mission 2.5)."""

from typing import Annotated

from msgspec import Meta, Struct, field

Word = Annotated[str, Meta(min_length=1, max_length=60)]
_Translation = Annotated[str, Meta(max_length=200)]


class Translations(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the same thing is said to people of other teams; empty: they understand the term itself."""

    sre: _Translation = ""
    dev: _Translation = ""
    security: _Translation = ""
    business: _Translation = ""


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One word, one meaning. Whoever writes one of its aliases is shown the term."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$(?!\n)", description="lower-case name")]
    title: Word
    """The term itself, as it is written in the middle of a sentence."""
    meaning: Annotated[str, Meta(min_length=1, max_length=500)]
    aliases: Annotated[tuple[Word, ...], Meta(max_length=20)] = ()
    """Words that are not to be used for it."""
    translations: Translations = field(default_factory=Translations)
