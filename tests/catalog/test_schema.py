"""The JSON Schemas that editors check by."""

import re
from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from sev1.catalog import schema
from sev1.catalog.model import KINDS

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"
SAMPLE = Path(schema.__file__).parents[1] / "practice" / "sample"


def test_the_published_schemas_are_those_of_the_model():
    published = {path.name: path.read_text() for path in PUBLISHED.iterdir()}
    assert published == {f"{name}.json": schema.as_text(content) for name, content in schema.schemas().items()}


def test_writing_them_gives_the_same_files(tmp_path):
    schema.write(tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in PUBLISHED.iterdir()}


def test_there_is_one_for_each_kind_written_in_yaml_and_one_for_all():
    assert set(schema.schemas()) == {*KINDS, "catalog"} - {"runbook"}


@pytest.mark.parametrize("name", sorted(schema.schemas()))
def test_each_is_a_schema_of_2020_12(name):
    content = schema.schemas()[name]
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(content)


def sample_documents():
    # YAML 1.2 as in an editor, where days are text.
    yaml = YAML(typ="safe", pure=True)
    for path in sorted(SAMPLE.rglob("*.yaml")):
        text = re.sub(r"(\d{4}-\d\d-\d\d(?:T[\d:]+Z)?)", r"'\1'", path.read_text())
        for number, document in enumerate(yaml.load_all(text), start=1):
            yield pytest.param(document, id=f"{path.name}-{number}")


@pytest.mark.parametrize("document", list(sample_documents()))
def test_the_sample_is_valid_by_them(document):
    for name in ("catalog", document["kind"]):
        jsonschema_rs.validator_for(schema.schemas()[name], validate_formats=True).validate(document)


def test_an_editor_is_told_what_is_wrong_with_the_kind_that_was_meant():
    validator = jsonschema_rs.validator_for(schema.schemas()["catalog"])
    errors = list(validator.iter_errors({"kind": "team", "name": "web", "title": "Web", "member": ["ana"]}))
    assert sorted(error.message for error in errors) == [
        '"members" is a required property',
        "Additional properties are not allowed ('member' was unexpected)",
    ]
    assert not validator.is_valid({"kind": "nothing"})
    assert not validator.is_valid({"name": "x"})


def test_fields_are_described_in_the_words_of_the_model():
    properties = schema.schemas()["service"]["properties"]
    assert properties["tier"]["description"] == "1 is what the business stops without, 4 is nice to have."


def test_a_hand_over_may_be_written_without_seconds():
    at = schema.schemas()["schedule"]["$defs"]["Rotation"]["properties"]["hand_over_at"]
    assert re.fullmatch(at["pattern"], "09:00")
    assert re.fullmatch(at["pattern"], "23:59:59")
    assert not re.fullmatch(at["pattern"], "24:00")
