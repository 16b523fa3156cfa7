"""One word, one meaning: what a glossary refuses, and how the organisation's lies on top of the shipped one."""

import pytest
from tests.catalog.conftest import SMALL

from sev1.catalog.glossary import glossary_of, key_of, said_to
from sev1.catalog.load import inspect
from sev1.catalog.model import Catalog
from sev1.catalog.shipped_terms import SHIPPED
from sev1.catalog.term import Term, Translations


def term(name, title="", aliases=(), meaning="Something.", **said):
    return Term(
        name=name, title=title or name, meaning=meaning, aliases=tuple(aliases), translations=Translations(**said)
    )


def catalog(*terms):
    return Catalog(glossary={one.name: one for one in terms})


def test_an_alias_claimed_twice_is_refused_with_file_and_line(problems_beside_small):
    text = """
    kind: glossary-term
    name: probe
    title: probe
    meaning: It knocks.
    aliases: [canary]
    ---
    kind: glossary-term
    name: trial
    title: trial release
    meaning: A release to a few.
    aliases:
      - pilot
      - Canary
    """
    [problem] = problems_beside_small(text)
    assert problem == (
        'more.yaml:13: glossary-term "trial" claims the alias "Canary", which "probe" claims already. '
        "Keep it at one of the two: one word, one meaning."
    )


def test_an_alias_that_is_itself_a_term_is_refused_with_file_and_line(problems_beside_small):
    text = """
    kind: glossary-term
    name: probe
    title: probe
    meaning: It knocks.
    aliases: [trial-run]
    ---
    kind: glossary-term
    name: other
    title: trial run
    meaning: A rehearsal.
    """
    [problem] = problems_beside_small(text)
    assert problem == (
        'more.yaml:5: glossary-term "probe" has the alias "trial-run", which is itself a term ("other"). '
        "Remove the alias, or the term."
    )


def test_a_term_written_under_two_names_and_a_misspelt_audience_are_refused(problems_beside_small):
    text = """
    kind: glossary-term
    name: probe
    title: Probe
    meaning: It knocks.
    ---
    kind: glossary-term
    name: knock
    title: probe
    meaning: It knocks.
    """
    assert [problem.partition(":")[2][:1] for problem in problems_beside_small(text)] == ["8"]
    [problem] = problems_beside_small(text.replace("title: Probe", "title: Door\n    translations: {busines: a}"))
    assert "`busines` is not known" in problem


def test_an_alias_that_the_pages_of_sev1_use_is_warned_about(folder):
    text = "kind: glossary-term\nname: outage\ntitle: outage\nmeaning: It is down.\naliases: [incident]\n"
    loaded = inspect(folder({"small.yaml": SMALL, "more.yaml": text}))
    assert [(warning.file, warning.line) for warning in loaded.warnings] == [("more.yaml", 5)]


def test_the_shipped_terms_are_a_glossary_without_fault():
    titles = {key_of(one.title) for one in SHIPPED}
    aliases = [key_of(alias) for one in SHIPPED for alias in one.aliases]
    assert len(titles) == len({one.name for one in SHIPPED}) == len(SHIPPED)
    assert len(set(aliases)) == len(aliases)
    assert not titles & set(aliases)


def test_the_organisations_term_takes_the_place_of_a_shipped_one_of_the_same_title():
    glossary = glossary_of(catalog(term("our-review", "Postmortem", meaning="Ours.")))
    found = glossary.find("postmortem")
    assert found is not None
    assert (found.name, found.meaning) == ("our-review", "Ours.")
    assert [one.title.casefold() for one in glossary.terms].count("postmortem") == 1


def test_a_word_that_the_organisation_uses_is_no_longer_a_shipped_alias():
    assert glossary_of(Catalog()).find("RCA").name == "postmortem"  # type: ignore[union-attr]
    glossary = glossary_of(catalog(term("rca", "RCA", meaning="Regional cache area.")))
    assert glossary.find("rca").meaning == "Regional cache area."  # type: ignore[union-attr]
    assert "RCA" not in glossary.find("postmortem").aliases  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["near-miss", "Near Miss", "close call", "CLOSE-CALL"])
def test_a_word_is_found_however_it_is_written(word):
    assert glossary_of(Catalog()).find(word).name == "near-miss"  # type: ignore[union-attr]


def test_a_search_looks_into_meanings_and_translations():
    glossary = glossary_of(catalog(term("drain", business="move customers away")))
    assert [one.name for one in glossary.search("customers AWAY")] == ["drain"]
    assert glossary.search("") == list(glossary.terms)
    assert glossary.search("nothing has this") == []
    assert said_to(glossary.find("drain"), "sre") == ""  # type: ignore[arg-type]
