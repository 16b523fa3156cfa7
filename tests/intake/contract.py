"""What every format has to show, read from `fixtures/<format>/contract.json`: a format without one fails the tests.

firing, resolved   {"file", "path", "method", "query", "headers", "known"}: a documented payload and its request;
                   `resolved` is null where the sender has no such thing
expect             what is understood of `firing`: summary, some labels and annotations, titles of links, the start
malformed          {"body", "status", "says"}: a payload that is refused, and words of the vendor's answer
key                the kind of key that sends it, where that is not the format's name
change             true where `firing` is a change and no alert
"""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.intake.amazon import signed

from sev1.intake.formats import FORMATS
from sev1.intake.request import Request

FIXTURES = Path(__file__).parent / "fixtures"


@cache
def contract(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / name / "contract.json").read_bytes())


def body_of(name: str, which: str = "firing") -> bytes:
    raw = (FIXTURES / name / contract(name)[which]["file"]).read_bytes()
    return signed(raw) if name == "sns" else raw


def sent(name: str, body: bytes, which: str = "firing") -> Request:
    """The request in which the format's sender would send `body`."""
    said = contract(name)[which]
    paths = FORMATS[name].paths
    return Request(
        method=said.get("method", "POST"),
        path=said.get("path", paths[0] if paths else ""),
        query=said.get("query", {}),
        headers=said.get("headers", {}),
        body=body,
        known=said.get("known", {}),
    )


def stored(name: str, body: bytes, which: str = "firing") -> bytes:
    """What is stored of it."""
    return FORMATS[name].stored(sent(name, body, which))


def received_at(name: str) -> datetime:
    return datetime.fromisoformat(contract(name).get("received_at", "2026-03-02T03:14:00Z"))
