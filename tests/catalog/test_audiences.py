"""Audiences in the catalog: who else is told, and how often."""

import pytest
from tests.catalog.conftest import SMALL

from sev1.catalog.audience import SHIPPED, Audience
from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Organisation

MAIL = (EmailMethod(address="board@shop.example"),)
BOARD = Audience(name="board", title="Board", announce=MAIL, update_every_min={"sev-1": 60})


def test_the_rhythm_is_the_audiences_own_then_the_severitys_then_half_an_hour():
    assert BOARD.every_min("sev-1", 20) == 60
    assert BOARD.every_min("sev-2", 20) == 20
    assert BOARD.every_min("sev-5", None) == 30


def test_only_who_can_be_reached_is_promised_news_by_a_declaration():
    assert BOARD.promised_from_start("sev-1")
    assert not BOARD.promised_from_start("sev-2")
    assert not Audience(name="board", title="Board", update_every_min={"sev-1": 60}).promised_from_start("sev-1")


def test_an_organisation_that_names_none_has_executives_and_customers():
    assert Organisation(name="shop", title="Shop").audiences == SHIPPED
    assert [audience.name for audience in SHIPPED] == ["executives", "customers"]


@pytest.mark.parametrize(
    ("audiences", "sentence"),
    [
        ("- {name: internal, title: Us}", 'audience "internal" is there already'),
        ("- {name: board, title: A}\n  - {name: board, title: B}", 'audience "board" is written twice'),
        ("- {name: board, title: A, update_every_min: {sev-4: 60}}", "a rhythm for SEV-4, which is not in use"),
        ("- {name: board, title: A, update_every_min: {sev-1: 1}}", "update_every_min"),
    ],
)
def test_audiences_that_cannot_be_are_refused_with_their_line(problems, audiences, sentence):
    text = SMALL.replace("title: The shop\n", f"title: The shop\naudiences:\n  {audiences}\n")
    [problem] = problems({"small.yaml": text})
    assert sentence in problem
    assert "small.yaml:" in problem
