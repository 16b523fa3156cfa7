"""Two people write at once: no line of either is lost, an equal change stands once, a contradiction is said."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.command.scratch_merge import merge, merge_lines

LINES = st.lists(st.sampled_from("abc"), max_size=8)


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "merged"),
    [
        ("", "one", "two", "one\ntwo"),
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"),
        ("a", "a\ntheirs", "a\nyours", "a\ntheirs\nyours"),
        ("a\nb", "a\nnew\nb", "a\nnew\nb", "a\nnew\nb"),
        ("a\nb\nc", "a\nc", "a\nb\nc\nd", "a\nc\nd"),
        ("a\nb", "A\nb", "a\nB", "A\nB"),
        ("a\nb\nc", "a\nB\nc", "a\nBB\nc", None),
        ("a\nb\nc", "a\nc", "a\nBB\nc", None),
        ("a\nb\nc", "x", "a\nb\nnew\nc", None),
    ],
)
def test_changes_of_different_lines_are_joined_and_of_the_same_line_are_not(base, theirs, yours, merged):
    assert merge(base, theirs, yours) == merged


def test_in_a_long_text_with_many_equal_lines_changes_of_different_lines_are_joined():
    base = [line for n in range(300) for line in (f"line {n}", "")]
    theirs = [*base[:100], "theirs", "", *base[100:]]
    yours = [*base[:400], "yours", "", *base[402:], "end"]
    merged = merge_lines(base, theirs, yours)
    assert merged == [*base[:100], "theirs", "", *base[100:400], "yours", "", *base[402:], "end"]


@given(LINES, LINES, LINES)
def test_no_line_that_somebody_wrote_is_lost(base: list[str], theirs: list[str], yours: list[str]):
    merged = merge_lines(base, theirs, yours)
    if merged is not None:
        for side in (theirs, yours):
            assert not (Counter(side) - Counter(base)) - Counter(merged)


@given(LINES, st.data())
def test_every_line_written_or_left_by_both_stays_and_nothing_else(base: list[str], data: st.DataObject):
    """Lines that are all different, so that what became of each one is known."""
    named = [f"{n} {text}" for n, text in enumerate(base)]

    def changed(by: str) -> tuple[set[str], list[str]]:
        gone = data.draw(st.sets(st.sampled_from(named))) if named else set()
        text: list[str] = []
        for n, line in enumerate([*named, ""]):
            text += [f"{by} {n} {m}" for m in range(data.draw(st.integers(0, 2)))]
            text += [line] if line and line not in gone else []
        return gone, text

    gone_there, theirs = changed("theirs")
    gone_here, yours = changed("yours")
    merged = merge_lines(named, theirs, yours)
    if merged is None:
        # Only where both touched a line, or one wrote amid lines that the other took out.
        assert gone_there or gone_here
        return
    assert Counter(merged) == Counter({*theirs, *yours} - gone_there - gone_here)
    for side, gone in ((theirs, gone_there), (yours, gone_here)):
        left = [line for line in side if line in set(merged)]
        assert [line for line in merged if line in set(side)] == left, gone


@given(LINES, LINES)
def test_a_change_of_one_side_or_an_equal_one_of_both_is_taken_as_it_is(base: list[str], changed: list[str]):
    assert merge_lines(base, changed, base) == changed
    assert merge_lines(base, base, changed) == changed
    assert merge_lines(base, changed, changed) == changed


@given(LINES, LINES, LINES)
def test_whether_it_is_a_contradiction_does_not_depend_on_who_saved_first(
    base: list[str], one: list[str], other: list[str]
):
    assert (merge_lines(base, one, other) is None) == (merge_lines(base, other, one) is None)
