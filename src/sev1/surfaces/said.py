"""What is pointed out in the texts of a command or an event, field by field. Page, API and terminal show the same."""

from typing import Any

from msgspec import Struct

from sev1.catalog.audience import INTERNAL
from sev1.catalog.glossary import Audience, glossary_of
from sev1.catalog.model import Catalog
from sev1.command.model import AllClearGiven, GiveAllClear, PostUpdate, UpdatePosted
from sev1.language.hints import hints
from sev1.language.model import Hint
from sev1.language.names import people_of

WRITTEN = (
    "title", "condition", "actions", "needs", "decision", "reason", "alternatives", "text", "ask", "message", "note",
    "question", "answer", "task", "outcome", "lesson", "summary", "monitoring", "risk",
    "might_have",
)  # fmt: skip
"""Names of fields that hold what somebody wrote for others to read."""


class FieldHint(Hint, frozen=True, kw_only=True):
    field: str
    """In which field of the command it stands."""


def warnings(spoken: Struct, catalog: Catalog) -> list[FieldHint]:
    """The hints on all texts of `spoken`, a command or an event, in the order of its fields.

    What goes to everybody is read by the business as well: there jargon is pointed out too.
    """
    audience: Audience | None = "business" if _for_outside(spoken) else None
    texts = {name: getattr(spoken, name) for name in spoken.__struct_fields__ if name in WRITTEN}
    return [
        FieldHint(field=name, **_fields(hint))
        for name, text in texts.items()
        if isinstance(text, str)
        for hint in on_text(text, catalog, audience)
    ]


def _for_outside(spoken: Struct) -> bool:
    return isinstance(spoken, GiveAllClear | AllClearGiven) or (
        isinstance(spoken, PostUpdate | UpdatePosted) and spoken.audience != INTERNAL
    )


def on_text(text: str, catalog: Catalog, audience: Audience | None = None) -> list[Hint]:
    """The hints on one text, by this organisation's words and people."""
    return hints(text, glossary_of(catalog), people_of(catalog), audience)


def _fields(hint: Hint) -> dict[str, Any]:
    return {name: getattr(hint, name) for name in Hint.__struct_fields__}
