"""Alertmanager's matcher grammar. What is expected follows its documentation of 0.27 (UTF-8 with classic fallback)."""

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.matchers import LONGEST_PATTERN, Matcher, MatcherInvalid, all_match, parse, parse_all, parse_one

READ = [
    # braces, commas and spaces
    ("", []),
    ("{}", []),
    ("  { } ", []),
    ('env="prod"', [("env", "=", "prod")]),
    ('{env="prod"}', [("env", "=", "prod")]),
    ('{env="prod",}', [("env", "=", "prod")]),
    ("env=prod,", [("env", "=", "prod")]),
    (' { env = "prod" , team != "web" } ', [("env", "=", "prod"), ("team", "!=", "web")]),
    ("env=prod,team!=web", [("env", "=", "prod"), ("team", "!=", "web")]),
    # the four operators, with and without quotes
    ("code=~5..", [("code", "=~", "5..")]),
    ('code!~"5.."', [("code", "!~", "5..")]),
    ("a=~[a-z]+", [("a", "=~", "[a-z]+")]),
    # names of UTF-8 need quotes only for the reserved characters
    ("größe=klein", [("größe", "=", "klein")]),
    ('"the name"="x"', [("the name", "=", "x")]),
    ('{"a=b"!="c"}', [("a=b", "!=", "c")]),
    ("svc.name=web-1", [("svc.name", "=", "web-1")]),
    ("mood=🙂", [("mood", "=", "🙂")]),
    # escapes; a comma or brace in quotes is text
    ('q="she said \\"hi, you\\""', [("q", "=", 'she said "hi, you"')]),
    ('q="a{b}c"', [("q", "=", "a{b}c")]),
    (r'q="C:\\dir"', [("q", "=", "C:\\dir")]),
    (r'q="two\nlines"', [("q", "=", "two\nlines")]),
    # only UTF-8 names rule the classic reading out, so only there Go's escapes hold
    (r'"a b"="tab\there"', [("a b", "=", "tab\there")]),
    (r'"a b"="\x41\u00e4\U0001f642\101"', [("a b", "=", "Aä🙂A")]),
    (r'"a b"="\xc3\xa4"', [("a b", "=", "ä")]),
    # both grammars accept these and disagree: the classic reading holds
    (r'q="tab\there"', [("q", "=", r"tab\there")]),
    (r'q="\d+"', [("q", "=", r"\d+")]),
    # only the classic grammar accepts these
    ("job=", [("job", "=", "")]),
    ("job=,env=x", [("job", "=", ""), ("env", "=", "x")]),
    ("path=a b", [("path", "=", "a b")]),
    ("rx=~~~", [("rx", "=~", "~~")]),
    ("eq==x", [("eq", "=", "=x")]),
    (r"re=~\d+", [("re", "=~", r"\d+")]),
    ("{half=open", [("half", "=", "open")]),
    ("half=shut}", [("half", "=", "shut")]),
    ("q='x'", [("q", "=", "'x'")]),
    ('q="line\nbreak"', [("q", "=", "line\nbreak")]),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_a_text_is_read_as_alertmanager_reads_it(text, expected):
    assert parse(text) == [Matcher(*parts) for parts in expected]


REFUSED = [
    ",",
    "{,}",
    "env",
    "=x",
    '="x"',
    '""="x"',
    "{",
    "}",
    'env="prod',
    'env=prod"',
    'env="a"b"',
    "env=a,,team=b",
    "inv-alid name=x",
    '"a b"=',
    '"a b"=x y',
    r'"a b"="\q"',
    r'"a b"="\xf0\x9f"',
    r'"a b"="\ud800"',
    r'"a b"="\777"',
    '"a b"="x\ny"',
    '{"a b"="x"',
    '"a b"="x"}',
    '{"a b"="x"}}',
    '{{"a b"="x"}}',
    'a=~"["',
    'a=~"(?=ahead)"',
    'a=~"(x)\\\\1"',
    'a=~"((a{100}){100}){100}"',
    "é-ü b=c",
]


@pytest.mark.parametrize("text", [text for text in REFUSED if text not in {"{", "}"}])
def test_what_neither_grammar_accepts_is_refused_with_a_sentence(text):
    with pytest.raises(MatcherInvalid) as caught:
        parse(text)
    assert caught.value.message.endswith(".")


def test_a_lone_brace_is_no_matcher_to_the_classic_grammar():
    assert parse("{") == parse("}") == []


def test_an_error_names_the_column():
    with pytest.raises(MatcherInvalid, match="At column 7 stands = where a value is expected") as caught:
        parse('"a" = ="x"')
    assert caught.value.data["column"] == 7
    with pytest.raises(MatcherInvalid, match="Column 5 holds a quote that is never closed"):
        parse('"a"="x')
    with pytest.raises(MatcherInvalid, match='the text ends where "," or "}" is expected'):
        parse('{"a"="x"')


def test_one_matcher_stands_without_braces_and_alone():
    assert parse_one('env="prod"') == Matcher("env", "=", "prod")
    for text in ['{env="prod"}', "a=b,c=d", "", "a=b}"]:
        with pytest.raises(MatcherInvalid):
            parse_one(text)


MATCHES = [
    ('env="prod"', {"env": "prod"}, True),
    ('env="prod"', {"env": "production"}, False),
    ('env!="prod"', {"env": "dev"}, True),
    # a label that is not there counts as ""
    ('env=""', {}, True),
    ('env!=""', {}, False),
    ('env!="prod"', {}, True),
    ('env=~".*"', {}, True),
    ('env=~".+"', {}, False),
    ('env!~".+"', {}, True),
    # regular expressions match the whole value
    ('env=~"prod"', {"env": "prod-eu"}, False),
    ('env=~"prod|live"', {"env": "live"}, True),
    ('env=~"prod|live"', {"env": "alive"}, False),
    ('env=~"prod.*"', {"env": "prod-eu"}, True),
    ('env=~"(?i)PROD"', {"env": "prod"}, True),
    ('env!~"prod.*"', {"env": "prod-eu"}, False),
    ('env=~"a.b"', {"env": "a\nb"}, False),
    ('env=~"(?s)a.b"', {"env": "a\nb"}, True),
    ('größe=~"kl.in"', {"größe": "klöin"}, True),
]


@pytest.mark.parametrize(("text", "labels", "expected"), MATCHES)
def test_a_matcher_holds_or_not(text, labels, expected):
    assert parse_one(text).matches(labels) is expected


def test_all_of_several_must_hold_and_none_holds_for_everything():
    both = parse_all(['env="prod"', 'team="web",tier!="3"'])
    assert all_match(both, {"env": "prod", "team": "web"})
    assert not all_match(both, {"env": "prod", "team": "web", "tier": "3"})
    assert all_match([], {})


def test_a_hostile_expression_takes_linear_time():
    matcher = parse_one('a=~"(x+x+)+y"')
    begin = time.process_time()
    assert not matcher.matches({"a": "x" * 20_000})
    assert time.process_time() - begin < 1


def test_long_texts_and_patterns_are_refused():
    with pytest.raises(MatcherInvalid, match=f"{LONGEST_PATTERN} is the most"):
        parse(f'a=~"{"x" * (LONGEST_PATTERN + 1)}"')
    with pytest.raises(MatcherInvalid, match="10000 is the most"):
        parse("a=b," * 10_000)


def test_a_matcher_travels_as_json_and_is_checked_on_arrival():
    matcher = Matcher("a", "=~", "b.*")
    assert msgspec.json.decode(msgspec.json.encode(matcher), type=Matcher) == matcher
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name":"a","op":"=~","value":"["}', type=Matcher)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name":"a","op":"~","value":"x"}', type=Matcher)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(st.tuples(names, st.sampled_from(["=", "!="]), values), max_size=5))
def test_what_is_written_out_is_read_back(parts):
    matchers = [Matcher(*part) for part in parts]
    text = ",".join(str(matcher) for matcher in matchers)
    assert parse(text) == matchers
    assert parse("{" + text + "}") == matchers


@given(st.text(alphabet='ab=!~,{}"\\ \n\t[.é', max_size=30))
def test_any_text_is_read_or_refused_and_never_breaks(text):
    try:
        matchers = parse(text)
    except MatcherInvalid:
        return
    assert parse(",".join(str(matcher) for matcher in matchers)) == matchers


@given(st.sampled_from(["=", "=~"]), st.from_regex(r"[a-z.*]{0,6}", fullmatch=True), st.text("abc", max_size=5))
def test_a_negated_matcher_holds_exactly_when_the_plain_one_does_not(op, value, actual):
    negated = {"=": "!=", "=~": "!~"}[op]
    try:
        plain = Matcher("x", op, value)
    except MatcherInvalid:
        return
    assert plain.matches({"x": actual}) is not Matcher("x", negated, value).matches({"x": actual})
