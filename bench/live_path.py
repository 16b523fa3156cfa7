"""Lets the benches start sev1 as the tests do: `tests/live` becomes importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
