"""What may be noted about what may happen, and what may still become of it. Pure."""

import re

from msgspec.structs import replace

from sev1.catalog.model import Catalog
from sev1.catalog.problems import did_you_mean
from sev1.engine.errors import Conflict, Invalid
from sev1.risk.model import NewSignal, Signal

_TAG = re.compile(r"[\w.-]+")
_BECAME = {"promoted": "became {incident}", "reviewed": "was reviewed", "dropped": "was dropped"}


def checked(new: NewSignal, catalog: Catalog) -> NewSignal:
    """The signal as it is kept: on one line, its tags in lower case and each once.

    Raises Invalid for an empty line, a service that the catalog does not have, and a tag with spaces or signs in it.
    """
    tags = tuple(dict.fromkeys(tag.strip().casefold() for tag in new.tags))
    bad = next((tag for tag in tags if not _TAG.fullmatch(tag)), None)
    if bad is not None:
        raise Invalid(f'A tag is one word: "{bad}" is not. Use letters, digits, ".", "_" and "-".', field="tags")
    check_service(new.service, catalog)
    return replace(
        new, text=line(new.text, "text"), might_have=prose(new.might_have), service=new.service or None, tags=tags
    )


def check_open(signal: Signal) -> None:
    """Raises Conflict for a signal of which something has become already."""
    if signal.state != "open":
        became = _BECAME[signal.state].format(incident=signal.incident)
        raise Conflict(f"{signal.key} {became} already; nothing was changed.")


def check_service(name: str | None, catalog: Catalog) -> None:
    """Raises Invalid, naming what was probably meant."""
    if name and name not in catalog.services:
        question = did_you_mean(name, catalog.services)
        raise Invalid(
            f'The catalog has no service "{name}". {question or "Check the name, or leave it out."}', field="service"
        )


def line(text: str, field: str) -> str:
    """One line without control characters. Raises Invalid when nothing is left."""
    kept = " ".join("".join(char if char.isprintable() or char == "\u200d" else " " for char in text).split())
    if not kept:
        raise Invalid("Nothing was saved: say it in one line.", field=field)
    return kept


def prose(text: str, field: str = "") -> str:
    """Without the spaces around it. With `field`, raises Invalid when nothing is left."""
    kept = text.strip()
    if field and not kept:
        raise Invalid(f"Nothing was saved: the {field} is missing.", field=field)
    return kept
