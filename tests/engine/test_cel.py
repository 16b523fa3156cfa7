"""CEL within limits: what is refused before it runs, and what is ended while it runs."""

import contextlib
import time

import pytest

from sev1.engine.cel import CelFailed, CelInvalid, Evaluator, check


@pytest.mark.parametrize(
    "expression",
    [
        'payload.state == "alerting"',
        "size(payload.list.filter(x, x.up)) > 3 && payload.list.exists(x, x.down)",
        "payload.list.filter(x, x > 1).map(x, x + 1)",
        '"a.map(b, c.map(d, e))" + payload.name',
    ],
)
def test_conditions_as_people_write_them_are_taken(expression: str):
    check(expression)


def test_an_error_is_a_sentence_with_its_position():
    with pytest.raises(CelInvalid, match="line 2, column 6: it ends too early") as caught:
        check("1 +\n 2 + ")
    assert (caught.value.data["line"], caught.value.data["column"]) == (2, 6)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "empty"),
        ("a" * 1001, "1001 characters"),
        ("(" * 17 + "a" + ")" * 17, "nested deeper than 16"),
        ("a.map(x, a.map(y, y))", "inside a comprehension"),
        ("a.map(x, (a . filter (y, y)))", "inside a comprehension"),
        ("a.map(b,b)" + " + a.map(b,b)" * 4, "more than 4"),
        ("!" * 500 + "a", "Rows of signs"),
        ("a // b", "Comments"),
        ('"""a"""', "Triple quotes"),
        ("\0", "cannot be read"),
        ("@", "cannot be read"),
    ],
)
def test_what_could_explode_or_cannot_be_read_is_refused(expression: str, why: str):
    with pytest.raises(CelInvalid, match=why):
        check(expression)


@pytest.mark.parametrize("expression", ["a" + ".a" * 490, "1" + "+1" * 490, "a?b:" * 240 + "c", "[1]" + "[0]" * 330])
def test_the_longest_chains_crash_nothing(expression: str):
    with contextlib.suppress(CelInvalid):
        check(expression)


async def test_values_come_by_name_and_a_missing_field_is_none():
    async with Evaluator() as evaluator:
        found = await evaluator.evaluate({"a": "payload.x + 1", "b": "payload.nothing"}, {"payload": {"x": 1}})
    assert found == [{"a": 2, "b": None}]


async def test_each_entry_of_a_list_is_evaluated_by_itself():
    async with Evaluator() as evaluator:
        found = await evaluator.evaluate({"v": "item.n * 2"}, {"payload": [{"n": 1}, {"n": 2}]}, each="payload")
    assert found == [{"v": 2}, {"v": 4}]


async def test_an_expression_that_takes_too_long_is_ended_and_the_next_one_works():
    async with Evaluator(time_max_s=0.3) as evaluator:
        await evaluator.evaluate({"a": "1"}, {})
        began = time.monotonic()
        with pytest.raises(CelFailed, match=r"longer than 0\.3 s"):
            await evaluator.evaluate({"a": "payload.map(x, payload).map(y, size(y))"}, {"payload": list(range(20_000))})
        assert time.monotonic() - began < 5
        assert await evaluator.evaluate({"a": "1 + 1"}, {}) == [{"a": 2}]


async def test_input_is_bounded():
    async with Evaluator() as evaluator:
        with pytest.raises(CelFailed, match="256 kB"):
            await evaluator.evaluate({"a": "1"}, {"payload": "x" * 300_000})


@pytest.mark.parametrize("expression", ["1 / 0", "payload.x + 'a'", "payload.matches('(')", "nothing"])
async def test_what_comes_to_no_value_says_which_expression(expression: str):
    async with Evaluator() as evaluator:
        with pytest.raises(CelFailed, match="`a`: "):
            await evaluator.evaluate({"a": expression}, {"payload": {"x": 1}})
