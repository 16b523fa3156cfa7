"""What a sender's severity word costs, where no route says otherwise (missions 1.5, 5.5)."""

import functools
import re

from sev1.catalog.model import Tier

TIERS: dict[str, Tier] = {
    "critical": "page",
    "page": "page",
    "error": "page",
    "sev-0": "page",
    "sev-1": "page",
    "sev-2": "page",
    "fatal": "page",
    "emergency": "page",
    "alert": "page",
    "high": "page",
    "major": "page",
    "p1": "page",
    "p2": "page",
    "warning": "ticket",
    "warn": "ticket",
    "ticket": "ticket",
    "sev-3": "ticket",
    "sev-4": "ticket",
    "medium": "ticket",
    "moderate": "ticket",
    "minor": "ticket",
    "low": "ticket",
    "p3": "ticket",
    "p4": "ticket",
    "info": "fyi",
    "informational": "fyi",
    "notice": "fyi",
    "verbose": "fyi",
    "debug": "fyi",
    "success": "fyi",
    "p5": "fyi",
    "none": "fyi",
    "fyi": "fyi",
    "sev-5": "fyi",
}
"""Prometheus' habits (critical, warning, info, none), PagerDuty's four, and the severity matrix: SEV-4 has 48 hours,
SEV-5 is only watched. P1 to P5 are Opsgenie's and Datadog's, fatal and debug Sentry's, emergency, alert and notice
syslog's (RFC 5424), high to low of many. Azure's Sev0 to Sev4 are read as the matrix. Any other word pages: unknown impact is taken for the worst until somebody looked."""

_SEV = re.compile(r"sev[-_ ]?([0-5])")


def normal(word: str) -> str:
    """`SEV2`, `sev_2` and `Sev-2` are `sev-2`; other words in lower case."""
    word = word.strip().lower()
    found = _SEV.fullmatch(word)
    return f"sev-{found[1]}" if found else word


def tier_of(word: str) -> Tier | None:
    """The tier of a severity word; None for one that has none."""
    return TIERS.get(normal(word))


def incident_severity(word: str) -> str | None:
    """`sev-1` when the sender uses the severity matrix itself, else None."""
    word = normal(word)
    return word if _SEV.fullmatch(word) else None


@functools.lru_cache(maxsize=1_000)
def urgency_of(word: str) -> int | None:
    """How much a signal with this severity word cannot wait: 0 is SEV-0, 9 any other that pages; None wakes nobody.

    By the word alone: a route may say otherwise, which costs only that it is looked at early or late.
    """
    if tier_of(word) not in {"page", None}:
        return None
    severity = incident_severity(word)
    return int(severity[-1]) if severity else 9
