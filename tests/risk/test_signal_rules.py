"""What may be noted as a signal, and what may still become of one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.model import Catalog, Service
from sev1.engine.errors import Conflict, Invalid
from sev1.risk.decide import check_open, checked, line
from sev1.risk.model import NewSignal, Signal
from sev1.risk.signals import origin

CATALOG = Catalog(services={"checkout": Service(name="checkout", title="Checkout", owner="payments")})
NOTED = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


def signal(**more: object) -> Signal:
    given = {
        "number": 3, "kind": "near-miss", "text": "The failover needed two tries", "service": "checkout", "might_have": "",
        "tags": (), "noted_by": "ana", "noted_at": NOTED, "state": "open", "outcome": "", "incident": None,
        "settled_by": None, "settled_at": None,
    }  # fmt: skip
    return Signal(**(given | more))  # type: ignore[arg-type]


def test_a_signal_is_kept_on_one_line_with_each_tag_once():
    kept = checked(NewSignal(text=" two\n tries ", tags=("Failover", "failover", "db")), CATALOG)
    assert (kept.text, kept.tags) == ("two tries", ("failover", "db"))


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewSignal(text=" \n\u202e"), "text"),
        (NewSignal(text="odd", service="chekout"), "service"),
        (NewSignal(text="odd", tags=("two words",)), "tags"),
        (NewSignal(text="odd", tags=(" ",)), "tags"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_field(new: NewSignal, field: str):
    with pytest.raises(Invalid) as refused:
        checked(new, CATALOG)
    assert refused.value.data == {"field": field}


def test_a_misspelt_service_is_asked_back():
    with pytest.raises(Invalid, match='Did you mean "checkout"'):
        checked(NewSignal(text="odd", service="chekout"), CATALOG)


@pytest.mark.parametrize(
    ("settled", "says"),
    [
        (signal(state="promoted", incident="INC-7"), "SIG-3 became INC-7 already"),
        (signal(state="reviewed"), "SIG-3 was reviewed already"),
        (signal(state="dropped"), "SIG-3 was dropped already"),
    ],
)
def test_a_signal_is_settled_once(settled: Signal, says: str):
    check_open(signal())
    with pytest.raises(Conflict, match=says):
        check_open(settled)


def test_the_incident_is_told_where_it_comes_from():
    assert origin(signal(might_have="A night without orders")) == (
        "Promoted from the near miss SIG-3 of 2026-03-02 03:14 UTC: The failover needed two tries."
        " What might have happened: A night without orders"
    )
    assert len(origin(signal(might_have="x" * 5000))) == 5000


@given(st.text())
def test_any_text_becomes_one_line_or_is_refused(text: str):
    try:
        kept = line(text, "text")
    except Invalid:
        assert not any(char.isprintable() and not char.isspace() for char in text)
    else:
        assert kept == kept.strip()
        assert "\n" not in kept
        assert "\0" not in kept
        assert line(kept, "text") == kept
