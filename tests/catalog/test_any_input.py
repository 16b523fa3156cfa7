"""Whatever is written, the answer is a catalog or a list of problems, each with a file and a line inside it."""

import re
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sev1.catalog import check, load
from sev1.catalog.problems import CatalogInvalid

SAMPLE = Path(load.__file__).parents[1] / "practice" / "sample"
TEXTS = [path.read_text() for path in sorted(SAMPLE.glob("*.yaml"))]
TEXT = "\n---\n".join(TEXTS[:3])


def refused_or_loaded(raw: bytes, name="a.yaml"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
        try:
            return load.load(Path(folder))
        except CatalogInvalid as error:
            lines = raw.count(b"\n") + 1
            for problem in error.problems:
                assert problem.file == name
                assert 1 <= problem.line <= lines + 1
                assert problem.message.endswith((".", "?"))
                # What to do is said in a sentence of its own, unless the message says what must be written.
                assert problem.fix or re.search(r"\b(must|may|needs)\b", problem.message), problem
                assert "\n" not in problem.message
            return None


edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["", "\t", ":", "- ", "[", "{", "'", '"', "&a ", "*a", "!t ", "0", "\0", "é", "\n"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(edits)
def test_a_damaged_sample_is_explained(changes):
    text = TEXT
    for place, put in changes:
        at = int(place * len(text))
        text = text[:at] + put + text[at + 1 :]
    refused_or_loaded(text.encode())


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["a.yaml", "runbooks/a.md"]))
def test_any_bytes_are_explained(raw, name):
    refused_or_loaded(raw, name)


@settings(max_examples=80, deadline=None)
@given(st.text("ab:-[]{}\n '\"&*!|>#%@`,?~<\\", max_size=60))
def test_any_punctuation_is_explained(text):
    refused_or_loaded(text.encode())


names = st.sampled_from(["kind", "name", "title", "owner", "tier", "steps", "targets", "rotation", "people", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "team", "service", "2026-01-01", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(load._WRITABLE_KINDS), st.dictionaries(names | st.just("members"), values, max_size=6))
def test_any_object_is_explained(kind, fields):
    raw = msgspec.json.encode({"kind": kind, **{key: value for key, value in fields.items() if key != "kind"}})
    catalog = refused_or_loaded(raw)  # JSON is YAML
    assert catalog is None or not [finding for finding in check.check(catalog) if not finding.warning]
