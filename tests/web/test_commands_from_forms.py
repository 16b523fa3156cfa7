"""Forms become the same commands as in the API, and refusals become sentences."""

import pytest

from sev1.command import model as m
from sev1.engine.errors import Invalid
from sev1.surfaces.web.commands_from_forms import command_from


def test_fields_become_the_command_that_their_type_names() -> None:
    fields = {
        "csrf": "x",
        "form": "update",
        "type": "post_update",
        "condition": "Bad",
        "needs": "",
        "next_update_in_min": "15",
    }
    assert command_from(fields, m.ResponderCommand) == m.PostUpdate(condition="Bad", next_update_in_min=15)


def test_a_number_from_a_hidden_field_is_a_number() -> None:
    command = command_from({"type": "link_alerts", "alerts": ["12"]}, m.ResponderCommand)
    assert command == m.LinkAlerts(alerts=(12,))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"type": "post_update", "condition": "  "}, "Nothing was saved: the condition is missing."),
        ({"type": "add_note", "text": "x" * 5001}, "Nothing was saved: the note is longer than 5,000 characters."),
        ({"type": "assign_role", "role": "king", "person": "bo"}, "the role is not one of those possible here"),
        ({"type": "set_stage"}, "the stage is missing"),
        ({"type": "fly"}, "asks for something that does not exist"),
        ({}, "asks for something that does not exist"),
        ({"type": "add_note", "text": "x", "colour": "red"}, "Nothing was saved"),
    ],
)
def test_a_form_that_cannot_be_meant_says_what_is_wrong_and_that_nothing_was_saved(
    fields: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Invalid) as refused:
        command_from(fields, m.ResponderCommand)
    assert sentence in refused.value.message
