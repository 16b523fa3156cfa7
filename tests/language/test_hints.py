"""Hints on whole texts: spans that hold, words of the glossary, what is left alone, and any text at all."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.glossary import AUDIENCES, glossary_of
from sev1.catalog.load import load
from sev1.catalog.model import Catalog
from sev1.cli.demo import SAMPLE
from sev1.language.hints import LONGEST, MOST, hints
from sev1.language.model import Hint
from sev1.language.names import people_of

SHIPPED = glossary_of(Catalog())
NORDLICHT = load(SAMPLE)
OURS, PEOPLE = glossary_of(NORDLICHT), people_of(NORDLICHT)
WORDS = ["Bob", "should have", "checked", "the", "canary", "RCA", "asap", "é", "\u0301", "👩‍🚒", "forgot to", "’s", "fault",
         "`", "https://x", "\n> ", " ", "-", "latency", "Ana", "blame", "team", "post-mortem", "\u202e", "ß", "İ"]  # fmt: skip


def said(text, **more):
    return [(hint.kind, hint.text, hint.instead) for hint in hints(text, OURS, PEOPLE, **more)]


def applied(text, found):
    for hint in reversed(found):
        if hint.instead is not None:
            text = text[: hint.start] + hint.instead + text[hint.end :]
    return text


def test_an_alias_is_pointed_out_with_the_term_that_is_ours():
    [hint] = hints("Get Bluebird on it.", OURS)
    assert (hint.kind, hint.text, hint.instead) == ("alias", "Bluebird", "Platform team")
    assert "The team that runs load balancers" in hint.why


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("The canary is red.", "The synthetic check is red."),
        ("All canaries? No, two canarys.", "All canaries? No, two synthetic check."),
        ("Both robot customers fail.", "Both synthetic check fail."),
        ("Robot-customer fails.", "Synthetic check fails."),
        ("A close call, again.", "A near miss, again."),
        ("RCA is due.", "postmortem is due."),
        ("Canaryville is a town.", "Canaryville is a town."),
        ("robot. Customer called.", "robot. Customer called."),
    ],
)
def test_aliases_are_found_as_whole_words_however_they_are_joined(text, instead):
    assert applied(text, hints(text, OURS)) == instead


def test_code_addresses_and_quotations_are_left_alone():
    assert said("Run `canary --human error` and see https://x.example/canary") == []
    assert said("> Bob broke it, said the mail\nWe answered.") == []


def test_jargon_is_pointed_out_only_to_those_who_may_not_know_it():
    text = "Latency is back to normal after the rollback."
    assert said(text) == []
    assert said(text, audience="sre") == []
    assert said(text, audience="business") == [
        ("jargon", "Latency", "Waiting time"),
        ("jargon", "rollback", "return to the previous version"),
    ]


def test_what_says_too_little_is_asked_to_say_more():
    assert said("Hopefully fixed asap for some users.") == [
        ("vague", "Hopefully", None),
        ("vague", "asap", None),
        ("vague", "some users", None),
    ]


def test_blame_comes_before_another_hint_in_the_same_place():
    assert [kind for kind, _, _ in said("The canary team should have checked it.")] == ["blame"]


def test_spans_are_counted_in_characters_also_after_emoji():
    text = "🔥👩‍🚒 İ Bob broke the cart"
    [hint] = hints(text, SHIPPED)
    assert text[hint.start : hint.end] == "Bob broke"


def holds(text: str, found: list[Hint]) -> None:
    assert len(found) <= MOST
    end = 0
    for hint in found:
        assert end <= hint.start < hint.end <= len(text)
        assert text[hint.start : hint.end] == hint.text
        assert hint.why
        end = hint.end


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=40), st.sampled_from([None, *AUDIENCES]))
def test_any_text_gives_hints_in_order_that_lie_in_it_and_do_not_overlap(parts, audience):
    text = " ".join(parts)
    holds(text, hints(text, OURS, PEOPLE, audience))


@given(st.text(st.characters(codec=None), max_size=200))
def test_any_characters_even_lone_surrogates_are_survived(text):
    holds(text, hints(text, OURS, PEOPLE, "business"))


@pytest.mark.parametrize(
    "part",
    [
        "Bob should have ",
        "a-",
        "the ",
        "x",
        " ",
        "`",
        "Ana’s ",
        "the aa bb ",
        "> ",
        "blame on ",
        "robot ",
        "why did a ",
    ],
)
def test_twenty_thousand_characters_take_a_moment_whatever_they_are(part):
    text = part * (LONGEST // len(part))
    began = time.process_time()
    hints(text, OURS, PEOPLE, "business")
    # Far above what it takes; work that grows with the square would take minutes.
    assert time.process_time() - began < 3
