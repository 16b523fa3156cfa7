"""The examples of docs/catalog.md must be true."""

import re
from pathlib import Path

from sev1.catalog.load import inspect
from sev1.catalog.model import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_examples_are_a_catalog_without_problem_and_without_warning(folder):
    examples = [block for block in blocks("yaml") if block.startswith("kind:")]
    [runbook] = blocks("markdown")
    files = {f"{number}.yaml": text for number, text in enumerate(examples)}
    loaded = inspect(folder({**files, "runbooks/checkout-errors.md": runbook}))
    assert loaded.warnings == ()


def test_every_kind_has_its_chapter():
    assert [line.removeprefix("### ") for line in PAGE.splitlines() if line.startswith("### ")] == list(KINDS)
