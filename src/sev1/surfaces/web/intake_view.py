"""The five intake questions as the page shows them: what is open first to be answered by one line. Pure (mission 7.4)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.parts.intake import Asked, asked
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import Line


class AnswerRow(Struct, frozen=True, kw_only=True):
    question: str
    title: str
    text: str
    by: str
    at: datetime | None
    from_record: bool
    """There is an answer, and nobody has confirmed it."""
    lines: tuple[Line, ...]


class IntakeView(Struct, frozen=True, kw_only=True):
    rows: tuple[AnswerRow, ...]
    open: int
    """How many wait for an answer or for somebody to confirm one."""


def intake_view(incident: m.Incident, catalog: Catalog) -> IntakeView:
    found = asked(incident.intake, incident.title, incident.declared_by, incident.declared_at)
    return IntakeView(
        rows=tuple(_row(one, catalog) for one in found), open=sum(1 for one in found if not one.confirmed)
    )


def _row(one: Asked, catalog: Catalog) -> AnswerRow:
    label = "say better" if one.text else "answer"
    return AnswerRow(
        question=one.question,
        title=one.title,
        text=one.text,
        by=name_of(catalog, one.by) if one.by else "",
        at=one.at,
        from_record=bool(one.text) and not one.confirmed,
        lines=(Line(label=label, line=f"/{one.question} "),),
    )
