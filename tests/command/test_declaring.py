"""An incident in one line, before there is one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.command import model as m
from sev1.command.grammar.declaring import declaration, is_declaration
from sev1.command.grammar.reading import Speaker
from sev1.engine.errors import Invalid

SPEAKER = Speaker(
    me="ana",
    now=datetime(2026, 3, 2, 3, 14, tzinfo=UTC),
    people={"ana": "Ana Ribeiro", "bo": "Bo Lindqvist"},
    severities=("sev-1", "sev-2"),
)
SERVICES = {"checkout": "Checkout", "main-db": "Main database"}


def said(line: str) -> m.Declare:
    return declaration(line, SPEAKER, SERVICES)


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("/declare Card payments fail", m.Declare(title="Card payments fail")),
        (
            "/declare Card payments fail sev 2 on checkout",
            m.Declare(title="Card payments fail", severity="sev-2", services=("checkout",)),
        ),
        (
            "/declare Card payments fail on Checkout, main-db, SEV1",
            m.Declare(title="Card payments fail", severity="sev-1", services=("checkout", "main-db")),
        ),
        (
            "/declare @bo somebody reads our mail restricted sev-1",
            m.Declare(title="somebody reads our mail", severity="sev-1", commander="bo", restricted=True),
        ),
        ("/declare The lights are on fire", m.Declare(title="The lights are on fire")),
        ("declare: Refunds hang", m.Declare(title="Refunds hang")),
    ],
)
def test_one_line_declares(line, means):
    assert said(line) == means


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("/declare", "what is wrong, in one line"),
        ("/declare sev 2", "what is wrong, in one line"),
        ("/declare It is slow on chekout", "Did you mean checkout"),
        ("/declare @nobody It is slow", "Nobody here is called"),
        ("/declare " + "x" * 301, "longer than 300 characters"),
        ("/declare " + "x" * 20_001, "longer than 20,000 characters"),
    ],
)
def test_what_cannot_be_declared_says_how(line, refused):
    with pytest.raises(Invalid, match=refused):
        said(line)


@given(st.text(max_size=400))
def test_any_line_is_a_declaration_or_a_sentence(text: str):
    try:
        title = said(f"/declare {text}").title
    except Invalid:
        return
    assert 1 <= len(title) <= 300


def test_only_what_begins_so_is_one():
    assert is_declaration("/Declare it is slow")
    assert not is_declaration("/declared it is slow")
    assert not is_declaration("declare it is slow")
