"""A form becomes a command: the same commands, by the same names, as in the API. Refusals become sentences."""

import re
from typing import Any, TypeVar

import msgspec

from sev1.engine.errors import Invalid

C = TypeVar("C")

NOT_PART = frozenset({"csrf", "form"})
"""Fields of a form that are not the command's."""
LABELS = {
    "title": "one-line summary",
    "person": "person",
    "role": "role",
    "severity": "severity",
    "stage": "stage",
    "priority": "priority",
    "condition": "condition",
    "actions": "actions",
    "needs": "needs",
    "decision": "decision",
    "reason": "reason",
    "alternatives": "alternatives",
    "text": "note",
    "ask": "question",
    "message": "message",
    "note": "note",
    "next_update_in_min": "time until the next update",
    "until": "end",
    "alerts": "alert",
    "page": "page",
    "services": "service",
    "started_at": "start",
    "detected_at": "detection",
}
_AT = re.compile(r"`\$\.(?P<field>\w+)")
_LENGTH = re.compile(r"length <= (?P<most>\d+)")
_MISSING = re.compile(r"missing required field `(?P<field>\w+)`")


def command_from(fields: dict[str, Any], types: Any) -> Any:
    """The command of the union `types` that `fields` describe; `type` is its tag.

    Empty fields are left out, so that a form left blank means the same as a field that is not there. Raises Invalid
    with a sentence and the field's name.
    """
    given = {name: value for name, value in fields.items() if name not in NOT_PART and not _is_blank(value)}
    try:
        return msgspec.convert(given, types, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], ())


def _invalid(problem: str) -> Invalid:
    if "`type`" in problem or "$.type" in problem:
        return Invalid("Nothing was saved: this form asks for something that does not exist. Reload the page.")
    if missing := _MISSING.search(problem):
        field = missing["field"]
        return Invalid(f"Nothing was saved: the {_label(field)} is missing.", field=field)
    where = _AT.search(problem)
    field = where["field"] if where else ""
    if longest := _LENGTH.search(problem):
        most = f"{int(longest['most']):,}"
        return Invalid(f"Nothing was saved: the {_label(field)} is longer than {most} characters.", field=field)
    if field:
        return Invalid(f"Nothing was saved: the {_label(field)} is not one of those possible here.", field=field)
    return Invalid("Nothing was saved: the form holds something that does not belong into it. Reload the page.")


def _label(field: str) -> str:
    return LABELS.get(field, field.replace("_", " "))
