"""The five intake questions: what, how far, since when, what changed, who else must know (mission 7.4).

What the record says already is put there when the incident is declared or alerts are linked, and counts as not confirmed
until somebody says so or says better. An answer of a person is never replaced by the record.
"""

from datetime import datetime
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from sev1.command.terms import Command, Event, NameOf, OptionalProse, Scene, Words, spoken
from sev1.engine.decider import Fact
from sev1.engine.errors import Invalid

Question = Literal["summary", "blast", "began", "changed", "tell"]
QUESTIONS: dict[Question, str] = {
    "summary": "What happens",
    "blast": "How far it reaches",
    "began": "When it began",
    "changed": "What changed before",
    "tell": "Who else must know",
}


class Answer(Struct, frozen=True, kw_only=True):
    text: str
    confirmed: bool
    """False: the record says so, and nobody has looked."""
    by: str = ""
    """Who answered or confirmed; empty while it is the record's alone."""
    at: datetime


class AnswerIntake(Command, frozen=True, kw_only=True, tag="answer_intake"):
    """Answers a question, or without a text confirms what the record says."""

    question: Question
    text: OptionalProse = ""
    started_at: datetime | None = None
    """The answer to `began`, instead of a text; the incident's start follows it."""


class IntakeFound(Event, frozen=True, kw_only=True, tag="intake_found"):
    """What the record says about questions that no person has answered."""

    found: dict[Question, str]


class IntakeAnswered(Event, frozen=True, kw_only=True, tag="intake_answered"):
    question: Question
    text: str
    confirms: bool = False
    """True: what the record said holds."""


IntakeCommand = AnswerIntake
IntakeEvent = IntakeFound | IntakeAnswered
Intake = dict[Question, Answer]


def decide(intake: Intake, command: AnswerIntake, _: Scene) -> list[IntakeEvent]:
    """The incident's own times are corrected beside it (`command/decide.py`)."""
    old = intake.get(command.question)
    if command.question == "began":
        if command.text.strip():
            raise Invalid("Say the time when it began: /began 03:05, or 20 min ago.", field="started_at")
        text = spoken(command.started_at) if command.started_at else ""
    elif command.started_at:
        raise Invalid("A time answers only when it began.", field="started_at")
    else:
        text = command.text.strip()
    if not text and old is None:
        raise Invalid(f"Nothing is on record about it. Say it: {QUESTIONS[command.question].lower()}.", field="text")
    text = text or (old.text if old else "")
    same = old is not None and old.text == text
    if old and old.confirmed and same:
        return []
    return [IntakeAnswered(question=command.question, text=text, confirms=same)]


def newly_found(intake: Intake, found: dict[Question, str]) -> list[IntakeFound]:
    """What the record says that is new, of questions that no person has answered."""
    new: dict[Question, str] = {
        question: text
        for question, text in found.items()
        if (old := intake.get(question)) is None or (not old.confirmed and old.text != text)
    }
    return [IntakeFound(found=new)] if new else []


def evolve(intake: Intake, fact: Fact[IntakeEvent]) -> Intake:
    event = fact.event
    match event:
        case IntakeFound():
            said = {question: Answer(text=text, confirmed=False, at=fact.at) for question, text in event.found.items()}
            return {**intake, **said}
        case IntakeAnswered():
            return {**intake, event.question: Answer(text=event.text, confirmed=True, by=fact.by.id, at=fact.at)}
        case _:
            assert_never(event)


def words(event: IntakeEvent, _: NameOf) -> Words:
    match event:
        case IntakeFound():
            return (
                "hidden",
                "",
                "From the record, not confirmed",
                tuple((QUESTIONS[q], t) for q, t in event.found.items()),
            )
        case IntakeAnswered():
            done = "Confirmed" if event.confirms else "Answered"
            return "note", "", f"{done}: {QUESTIONS[event.question].lower()}", (("Answer", event.text),)
        case _:
            assert_never(event)


class Asked(Struct, frozen=True, kw_only=True):
    """One of the five with how it stands."""

    question: Question
    title: str
    text: str = ""
    """Empty: nobody knows yet."""
    confirmed: bool = False
    by: str = ""
    at: datetime | None = None


def asked(intake: Intake, title: str, declared_by: str, declared_at: datetime | None) -> tuple[Asked, ...]:
    """All five in their order. Until somebody says better, the summary is the line by which it was declared."""
    declared = Answer(text=title, confirmed=True, by=declared_by, at=declared_at) if declared_at else None
    answers = {"summary": declared, **intake}
    return tuple(_asked(question, heading, answers.get(question)) for question, heading in QUESTIONS.items())


def _asked(question: Question, heading: str, answer: Answer | None) -> Asked:
    bare = Asked(question=question, title=heading)
    if answer is None:
        return bare
    return replace(bare, text=answer.text, confirmed=answer.confirmed, by=answer.by, at=answer.at)
