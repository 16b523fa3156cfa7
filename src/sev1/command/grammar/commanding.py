"""Readers of the lines that lead: severity, stage, roles, who sees it, the incidents around it, and the end. Pure."""

import re
from collections.abc import Callable
from typing import Any

from sev1.command import model as m
from sev1.command.grammar import ending
from sev1.command.grammar.fields import fields, reference
from sev1.command.grammar.fields import needed as required
from sev1.command.grammar.reading import Rest
from sev1.command.parts import family, merging
from sev1.command.terms import Command
from sev1.engine.errors import Invalid

# --- command ----------------------------------------------------------------------------------------------------------


def sev(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    word = rest.take_word()
    digit = re.fullmatch(r"(?:sev-?)?([0-5])", word, re.IGNORECASE)
    if digit is None:
        choices = ", ".join(name.upper() for name in rest.speaker.severities)
        raise Invalid(f"Say which severity: {choices}.", field="severity")
    return fields(m.SetSeverity, severity=f"sev-{digit[1]}", reason=reason or rest.take_all())


def stage(rest: Rest) -> dict[str, Any]:
    word = rest.take_word().casefold()
    stage = next((stage for stage in m.STAGES if word and stage.startswith(word)), None)
    if stage is None:
        raise Invalid(f"Say which stage: {', '.join(m.STAGES[1:5])}.", field="stage")
    return fields(m.SetStage, stage=stage)


ROLE_WORDS: dict[str, m.Role] = {
    **{role: role for role in m.ROLE_TITLES},
    "commander": "ic",
    "operations": "ops",
    "communications": "comms",
    "expert": "sme",
    "executive": "sponsor",
}


def role_word(rest: Rest) -> m.Role:
    word = rest.take_word().casefold()
    if word not in ROLE_WORDS:
        raise Invalid(f"Say which role: {', '.join(m.ROLE_TITLES)}.", field="role")
    return ROLE_WORDS[word]


def role(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    role = role_word(rest)
    return fields(m.AssignRole, role=role, person=person or rest.speaker.me)


def release(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    return fields(m.ReleaseRole, role=role_word(rest), person=person or rest.speaker.me)


def page(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    if person is None:
        raise Invalid("Say whom to wake, like @bo.", field="person")
    ask = re.sub(r"^(because|for|to)\s+", "", rest.take_all(), flags=re.IGNORECASE)
    return fields(m.PageResponder, person=person, ask=required(ask, "what you ask of them"))


def whom(command: type[Command], what: str) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        person = rest.take_person()
        if person is None:
            raise Invalid(f"Say whom to {what}, like @bo.", field="person")
        return alone(command)(rest) | {"person": person}

    return read


def link(rest: Rest) -> dict[str, Any]:
    word = rest.take_word().upper()
    if re.fullmatch(r"P-\d{1,18}", word):
        return fields(m.LinkPage, page=word)
    if re.fullmatch(r"A-\d{1,18}", word):
        return fields(m.LinkAlerts, alerts=[int(word[2:])])
    raise Invalid("Give the number of a page or an alert, like P-7 or A-12.")


def parent(rest: Rest) -> dict[str, Any]:
    """`INC-3`, or `none because REASON`."""
    word = rest.take_word()
    if word.casefold() in {"none", "-"}:
        return fields(family.LeaveParent, reason=re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE))
    return fields(family.SetParent, parent=incident_key(word, "that it belongs under"))


def incident_key(word: str, which: str) -> str:
    if not re.fullmatch(r"(?:INC-?)?\d{1,18}", word, re.IGNORECASE):
        raise Invalid(f"Give the number of the incident {which}, like INC-3.")
    return f"INC-{re.sub(r'[^0-9]', '', word)}"


def merge(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    into = incident_key(rest.take_word(), "that goes on")
    return fields(merging.MergeInto, into=into, reason=required(reason or rest.take_all(), "why it is the same"))


_SEVERITY_AT_END = re.compile(r"(?:^|[\s,;])sev[- ]?([0-5])[.!]?$", re.IGNORECASE)


def child(rest: Rest) -> dict[str, Any]:
    person = rest.take_person()
    severity = _SEVERITY_AT_END.search(rest.text)
    if severity:
        rest.text = rest.text[: severity.start()]
    return fields(
        family.DeclareChild,
        title=required(rest.take_all(), "what is wrong, in one line"),
        commander=person,
        severity=f"sev-{severity[1]}" if severity else None,
    )


def raise_need(rest: Rest) -> dict[str, Any]:
    return fields(family.EscalateNeed, need=reference(rest, "N", "N2")[1])


# --- end --------------------------------------------------------------------------------------------------------------

CRITERION_WORDS: dict[str, m.Criterion] = {
    "restored": "restored",
    "impact": "impact_ended",
    "impact_ended": "impact_ended",
    "stable": "stable",
    "no": "no_residual",
    "residual": "no_residual",
    "no_residual": "no_residual",
}


def criterion(rest: Rest) -> m.Criterion:
    word = rest.take_word().casefold().replace("-", "_")
    if word not in CRITERION_WORDS:
        raise Invalid(f"Say which criterion: {', '.join(m.CRITERIA)}.", field="criterion")
    if word in {"impact", "no"}:
        rest.text = re.sub(r"^(ended|residual)\b\s*", "", rest.text, flags=re.IGNORECASE)
    return CRITERION_WORDS[word]


def with_reason(command: type[Command]) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        which = criterion(rest)
        reason = rest.take_clause("because", "since") or rest.take_all()
        return fields(command, criterion=which, reason=required(reason, "why"))

    return read


def withdraw(rest: Rest) -> dict[str, Any]:
    """A criterion of the gate, or a step of the recovery."""
    if re.match(r"\s*R-?\d", rest.text, re.IGNORECASE):
        return ending.unrecovered(rest)
    return with_reason(m.WithdrawCriterion)(rest)


def said(command: type[Command], field: str, *, needed: str = "") -> Callable[[Rest], dict[str, Any]]:
    """All the text is one field; `needed` says what is missing when there is none."""

    def read(rest: Rest) -> dict[str, Any]:
        text = re.sub(r"^because\s+", "", rest.take_all(), flags=re.IGNORECASE)
        return fields(command, **{field: required(text, needed) if needed else text})

    return read


def resolve(rest: Rest) -> dict[str, Any]:
    reason = rest.take_clause("because", "since")
    return {**alone(m.ResolveIncident)(rest), **({"reason": reason} if reason else {})}


def alone(command: type[Command]) -> Callable[[Rest], dict[str, Any]]:
    def read(rest: Rest) -> dict[str, Any]:
        if rest.text:
            raise Invalid(f"Nothing follows it; {rest.text[:40]!r} has no meaning here.")
        return fields(command)

    return read
