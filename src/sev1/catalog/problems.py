"""What is wrong with a catalog, said so that its author can mend it: where, what, and what to do."""

import difflib
from collections.abc import Iterable, Sequence

from msgspec import Struct

from sev1.engine.errors import Invalid

Path = tuple[str | int, ...]
"""The way to a value inside an object, e.g. `("steps", 0, "targets", 1, "name")`."""

MOST_SHOWN = 50
"""A broken catalog is mended from the top: more sentences than this help nobody."""


class Problem(Struct, frozen=True, kw_only=True, order=True):
    """One thing to mend. `file` is relative to the catalog's folder ("" when the object came from elsewhere)."""

    file: str
    line: int
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return f"{where}{self.message} {self.fix}".rstrip()


class Finding(Struct, frozen=True, kw_only=True):
    """A problem of an object, before anybody looked up in which file and on which line the object was written."""

    kind: str
    name: str
    path: Path
    message: str
    fix: str = ""
    warning: bool = False
    """Worth saying, no reason to refuse the catalog."""


class CatalogInvalid(Invalid):
    """The catalog cannot be taken as it is. `problems` lists all of it; nothing was changed."""

    code = "catalog_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = [str(problem) for problem in self.problems[:MOST_SHOWN]]
        if count > MOST_SHOWN:
            lines.append(f"… and {count - MOST_SHOWN} more. Mend these first.")
        title = f"{count} {'problem' if count == 1 else 'problems'} in the catalog; nothing was changed."
        super().__init__("\n".join([title, *lines]), problems=lines)


def closest(wanted: str, known: Iterable[str]) -> list[str]:
    """The known word most like `wanted`; none when nothing is close."""
    return difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.6)


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """A question that names the closest known word, or "" when none is close."""
    return "".join(f'Did you mean "{word}"?' for word in closest(wanted, known))


def listed(names: Iterable[str], most: int = 12) -> str:
    """`a, b, c`, cut off after `most` names."""
    names = list(names)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def shortened(text: str, most: int = 60) -> str:
    """Text from a file, safe and short enough to stand in an error's sentence."""
    text = "".join(c if c.isprintable() else "�" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"
