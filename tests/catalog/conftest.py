"""A small catalog, as text and as folders to load."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from sev1.catalog.load import load
from sev1.catalog.model import Catalog
from sev1.catalog.problems import CatalogInvalid

SMALL = """
kind: organisation
name: shop
title: The shop
fallback_policy: standard
---
kind: person
name: ana
full_name: Ana Ribeiro
email: ana@shop.example
time_zone: Europe/Lisbon
contact: [{kind: email, address: ana@shop.example}]
---
kind: person
name: bo
full_name: Bo Lindqvist
email: bo@shop.example
contact: [{kind: email, address: bo@shop.example}]
---
kind: team
name: payments
title: Payments
members: [ana, bo]
---
kind: service
name: checkout
title: Checkout
owner: payments
depends_on: [ledger]
---
kind: service
name: ledger
title: Ledger
owner: payments
---
kind: schedule
name: primary
title: Primary
time_zone: Europe/Berlin
rotation: {people: [ana, bo], starts: 2026-01-05}
---
kind: escalation-policy
name: standard
title: Standard
steps:
  - targets: [{kind: schedule, name: primary}]
---
kind: route
name: everything
"""

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    """Writes files and returns their folder."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())
        return tmp_path

    return write


@pytest.fixture
def small(folder: Write) -> Catalog:
    return load(folder({"small.yaml": SMALL}))


@pytest.fixture
def problems(folder: Write) -> Callable[..., list[str]]:
    """Loads files that must be refused and returns the problems as they are shown."""

    def refused(files: dict[str, str | bytes]) -> list[str]:
        directory = folder(files)
        with pytest.raises(CatalogInvalid) as caught:
            load(directory)
        return [str(problem).replace(str(directory), "DIR") for problem in caught.value.problems]

    return refused


@pytest.fixture
def problems_beside_small(problems: Callable[..., list[str]]) -> Callable[[str], list[str]]:
    """The problems of one more file `more.yaml` beside the small catalog."""
    return lambda text: problems({"small.yaml": SMALL, "more.yaml": text})
