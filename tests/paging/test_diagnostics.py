"""Runs of diagnostics: the rules by themselves, and what is shown of an answer."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.model import Diagnostic
from sev1.engine.decider import SYSTEM
from sev1.engine.errors import Refused, TooMany
from sev1.paging import model as m
from sev1.paging.diagnostics import (
    SHOWN_MAX,
    DiagnosticAnswered,
    DiagnosticAsked,
    ReportDiagnostic,
    StartDiagnostic,
    as_line,
    readable,
    without_secrets,
)
from tests.paging.test_decide import PAGES, T0, History

POOL = Diagnostic(name="pool", title="Connection pool", url="https://m.example/pool", every_s=30)
QUERIES = Diagnostic(name="queries", title="Slow queries", url="https://m.example/queries")


def start(diagnostic: Diagnostic = POOL, *, last_s: float | None = None, now_s: float = 0) -> StartDiagnostic:
    last_at = None if last_s is None else T0 + timedelta(seconds=now_s - last_s)
    return StartDiagnostic(service="checkout", diagnostic=diagnostic, last_at=last_at)


def answer(run: int, text: str = "12 of 20") -> ReportDiagnostic:
    return ReportDiagnostic(run=run, outcome="ok", text=text, status=200)


def test_a_run_is_asked_then_answered_and_the_page_has_the_latest_of_each():
    page = History()
    assert page.when(start()) == [DiagnosticAsked(run=1, name="pool", title="Connection pool", service="checkout")]
    page.when(start(QUERIES))
    page.when(answer(1), SYSTEM)
    page.when(start(), after_s=60)
    page.when(answer(3, "20 of 20"), SYSTEM)
    assert [(r.run, r.name, r.outcome, r.text) for r in page.state.diagnostics] == [
        (3, "pool", "ok", "20 of 20"), (2, "queries", "running", ""),
    ]  # fmt: skip


def test_it_answers_nothing_on_behalf_of_whoever_asks():
    page = History()
    page.when(start())
    assert page.state.status == "triggered"
    assert list(PAGES.timers(page.state)) == ["escalate"]


def test_it_does_not_run_twice_at_once_nor_more_often_than_it_may():
    page = History()
    page.when(start())
    with pytest.raises(Refused, match="is running"):
        page.when(start())
    page.when(answer(1), SYSTEM)
    with pytest.raises(TooMany, match="run it again in 11 s") as refused:
        page.when(start(last_s=19.2, now_s=0))
    assert refused.value.retry_after_s == 11
    with pytest.raises(TooMany, match="run it again in 30 s"):
        page.when(start(last_s=-3600))  # the clock was set back by an hour
    assert page.when(start(last_s=30))


def test_an_answer_that_comes_twice_is_recorded_once_and_the_end_of_the_page_loses_none():
    page = History()
    page.when(start())
    page.when(m.Resolve())
    [event] = page.when(answer(1), SYSTEM)
    assert isinstance(event, DiagnosticAnswered)
    assert page.when(answer(1), SYSTEM) == []
    assert page.when(answer(7), SYSTEM) == []
    assert page.state.status == "resolved"
    with pytest.raises(Refused, match="is over"):
        page.when(start())


def test_json_is_indented_and_what_is_no_text_is_only_named():
    assert readable(b'{"used":12,"size":20}', "application/json") == '{\n  "used": 12,\n  "size": 20\n}'
    assert readable(b'{"used":', "application/json") == '{"used":'
    assert readable(bytes(range(256)), "image/png") == "256 bytes that are no text (image/png)."
    assert readable(b"", "text/plain") == "An empty answer."
    assert readable("größer\x00\r\nals".encode(), "") == "größer \nals"


@given(st.binary(max_size=9000), st.sampled_from(["", "application/json", "text/html"]))
def test_whatever_comes_back_fits_and_can_be_stored(body: bytes, kind: str):
    text = readable(body, kind)
    assert 0 < len(text) <= SHOWN_MAX
    assert "\x00" not in text
    text.encode()


@pytest.mark.parametrize(
    "body", ['Authorization: Bearer s3cret-t0ken"x', '{"token": "s3cret-t0ken\\"x"}', 's3cret-t0ken"x']
)
def test_a_secret_that_is_sent_back_is_not_shown(body: str):
    shown = readable(body.encode(), "text/plain", ['Bearer s3cret-t0ken"x'])
    assert "s3cret" not in shown
    assert "[secret]" in shown


def test_a_secret_at_the_edge_of_what_is_shown_is_not_shown_in_part():
    body = "x" * (SHOWN_MAX - 6) + "s3cret-t0ken and more"
    assert "s3c" not in readable(body.encode(), "text/plain", ["s3cret-t0ken"])
    assert without_secrets("nothing here", ["", "s3cret"]) == "nothing here"


@pytest.mark.parametrize(
    ("value", "line"),
    [("12 of 20", "12 of 20"), (12, "12"), (True, "true"), (["a"], '["a"]'), (None, "The answer does not have what is to be shown of it.")],
)  # fmt: skip
def test_what_an_expression_gives_becomes_a_line(value: object, line: str):
    assert as_line(value) == line
