"""Two people changed the same text: both changes line by line, or that they contradict each other. Pure (mission 8.3)."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec import Struct

Lines = Sequence[str]


class Edit(Struct, frozen=True):
    """Lines `start` to `end` (exclusive) of the base become `lines`; an empty span is a place between two lines."""

    start: int
    end: int
    lines: tuple[str, ...]

    def contradicts(self, other: "Edit") -> bool:
        """Whether both change the same line, or one writes in the middle of what the other changes.

        Two that write at the same place add to each other, and so do neighbours.
        """
        return self != other and self.start < other.end and other.start < self.end


def merge(base: str, theirs: str, yours: str) -> str | None:
    """The text with the changes of both, an equal change once; None when they contradict each other.

    What both wrote at the same place stands one below the other, `theirs` (saved first) above `yours`.
    """
    merged = merge_lines(_lines(base), _lines(theirs), _lines(yours))
    return None if merged is None else "\n".join(merged)


def merge_lines(base: Lines, theirs: Lines, yours: Lines) -> list[str] | None:
    """The same for lines."""
    first, second = _edits(base, theirs), _edits(base, yours)
    if any(one.contradicts(other) for one in first for other in second):
        return None
    both = [*first, *(edit for edit in second if edit not in first)]
    merged: list[str] = []
    done = 0
    for edit in sorted(both, key=lambda edit: (edit.start, edit.end)):
        merged += [*base[done : edit.start], *edit.lines]
        done = edit.end
    return [*merged, *base[done:]]


def _edits(base: Lines, changed: Lines) -> list[Edit]:
    # Lines that repeat all over a long text (empty ones) find no place by themselves: without that it costs the cube.
    steps = SequenceMatcher(None, base, changed, autojunk=True).get_opcodes()
    return [Edit(start, end, tuple(changed[a:b])) for kind, start, end, a, b in steps if kind != "equal"]


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []
