"""Blame is pointed out, facts are left alone: measured on labelled sentences of both kinds."""

from pathlib import Path

import pytest

from sev1.catalog.load import load
from sev1.cli.demo import SAMPLE
from sev1.language.blame import SHOWN_MAX, blame
from sev1.language.names import people_of

LINES = (Path(__file__).parent / "corpus.txt").read_text().splitlines()
BLAMING = [line[2:] for line in LINES if line.startswith("- ")]
FACTS = [line[2:] for line in LINES if line.startswith("+ ")]
# Rules and sentences grew together. The last 25 and 25 were written before the rules had seen them: of those 18 were found, and
# one fact was taken for blame. So these figures say that nothing is lost again, not what to expect of any text.
PRECISION_MIN = 0.99
RECALL_MIN = 0.98


@pytest.fixture(scope="module")
def people():
    return people_of(load(SAMPLE))


def test_precision_and_recall_on_the_corpus(people):
    assert len(BLAMING) >= 60
    assert len(FACTS) >= 60
    missed = [sentence for sentence in BLAMING if not blame(sentence, people)]
    wrong = [sentence for sentence in FACTS if blame(sentence, people)]
    found = len(BLAMING) - len(missed)
    precision, recall = found / (found + len(wrong)), found / len(BLAMING)
    assert precision >= PRECISION_MIN, wrong
    assert recall >= RECALL_MIN, missed


def test_every_hint_says_why_and_lies_where_it_says(people):
    for sentence in BLAMING:
        for hint in blame(sentence, people):
            assert sentence[hint.start : hint.end] == hint.text
            assert hint.why.endswith((".", "?"))


def test_no_rewording_is_itself_blame(people):
    for sentence in BLAMING:
        for hint in blame(sentence, people):
            if hint.instead is not None:
                said_again = sentence[: hint.start] + hint.instead + sentence[hint.end :]
                there = (hint.start, hint.start + len(hint.instead))
                assert [h for h in blame(said_again, people) if h.start < there[1] and there[0] < h.end] == []


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("Dave forgot to renew the certificate.", "Nothing made us renew the certificate."),
        ("The intern broke the index.", "A change affected the index."),
        ("It was human error.", "It was a gap in our safeguards."),
        (
            "At 03:10 the engineer should have checked the dashboard.",
            "At 03:10 there was no step in which anybody would have checked the dashboard.",
        ),
        ("The developer didn't test the change.", "Nothing made us test the change."),
        ("Bob took down prod.", "A change affected prod."),
        ("Bob is to blame for the data loss.", "Several things contributed to the data loss."),
        ("A careless change.", "A risky change."),
    ],
)
def test_the_rewording_makes_a_sentence_about_the_system(said, instead):
    [hint] = blame(said)
    assert hint.instead is not None
    assert said[: hint.start] + hint.instead + said[hint.end :] == instead


def test_a_person_of_the_catalog_is_known_by_first_and_full_name():
    assert blame("Xochitl broke the index.") == []
    assert blame("Xochitl broke the index.", frozenset({"Xochitl"}))[0].text == "Xochitl broke"


def test_a_long_list_of_reproaches_is_cut_off():
    assert len(blame("Bob forgot to look. " * 100)) == SHOWN_MAX
