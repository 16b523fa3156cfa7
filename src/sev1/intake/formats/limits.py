"""Bounds on what one payload may hold. Identity (labels) is refused when it is too big; prose (annotations) is cut."""

from typing import Annotated

from msgspec import Meta

ALERTS_MAX = 5_000
LABELS_MAX = 64
LABEL_NAME_MAX = 200
TEXT_MAX = 16_384
"""Characters of one label or annotation value."""
SUMMARY_MAX = 1_024
"""PagerDuty's limit for a summary."""
ANNOTATIONS_MAX = 64
LINKS_MAX = 32
URL_MAX = 2_048
TITLE_MAX = 100

LabelName = Annotated[str, Meta(min_length=1, max_length=LABEL_NAME_MAX)]
LabelValue = Annotated[str, Meta(max_length=TEXT_MAX)]
Labels = Annotated[dict[LabelName, LabelValue], Meta(max_length=LABELS_MAX)]
"""Checked while decoding, in C: two labels over the limit cost the same as none."""


def cut(text: str, limit: int = TEXT_MAX) -> str:
    """At most `limit` characters; a cut text says so."""
    if len(text) <= limit:
        return text
    mark = f"… (cut: {len(text)} characters)"
    return text[: limit - len(mark)] + mark


def fitting(annotations: dict[str, str] | None) -> dict[str, str]:
    """The annotations within their bounds: the first ones, each cut to size; a note says how many were left out."""
    if not annotations:
        return {}
    if (
        len(annotations) <= ANNOTATIONS_MAX
        and max(map(len, annotations)) <= LABEL_NAME_MAX
        and max(map(len, annotations.values())) <= TEXT_MAX
    ):
        return annotations  # nearly always, and then nothing is copied
    kept = {cut(name, LABEL_NAME_MAX): cut(text) for name, text in list(annotations.items())[:ANNOTATIONS_MAX]}
    if len(annotations) > ANNOTATIONS_MAX:
        kept["sev1_cut"] = f"{len(annotations) - ANNOTATIONS_MAX} more annotations were left out."
    return kept


def one_line(text: str) -> str:
    """The first line that says something, cut to the length of a summary."""
    stripped = text.strip()
    return cut(stripped.partition("\n")[0].rstrip(), SUMMARY_MAX)
