"""Readers of the lines that answer the five intake questions. Pure."""

from collections.abc import Callable
from typing import Any

from sev1.command.grammar.fields import fields
from sev1.command.grammar.reading import Rest, past_moment
from sev1.command.parts.intake import AnswerIntake, Question


def answer(question: Question) -> Callable[[Rest], dict[str, Any]]:
    """All the text is the answer; without one, what the record says is confirmed."""

    def read(rest: Rest) -> dict[str, Any]:
        return fields(AnswerIntake, question=question, text=rest.take_all())

    return read


def began(rest: Rest) -> dict[str, Any]:
    """`03:05`, `20 min ago`, `yesterday 23:50`, or nothing to confirm."""
    text = rest.take_all()
    return fields(AnswerIntake, question="began", started_at=past_moment(text, rest.speaker) if text else None)
