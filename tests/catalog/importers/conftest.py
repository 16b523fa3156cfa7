"""Imports a file, writes it as the command does, and loads it as `plan` does."""

import pytest

from sev1.catalog.importers.written import files
from sev1.catalog.load import load


@pytest.fixture
def accepted(tmp_path):
    """The catalog that is loaded from what an import writes: equal to what it made, and without an error."""

    def write_and_load(imported):
        for name, text in files(imported, "sev1 import test").items():
            (tmp_path / name).write_text(text)
        catalog = load(tmp_path)
        assert catalog == imported.catalog
        return catalog

    return write_and_load


@pytest.fixture
def sentences():
    """The entries of one outcome: the source, and everything the report says of it."""

    def told(imported, outcome):
        found = {}
        for entry in imported.of(outcome):
            found[entry.source] = f"{found.get(entry.source, '')} {entry.reason} {entry.todo}".strip()
        return found

    return told
