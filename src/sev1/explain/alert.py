"""Why an alert did or did not wake somebody. Pure: stored facts in, a tree of sentences out (style: verdicts carry reasons)."""

from collections.abc import Iterator
from datetime import datetime

from sev1.catalog.model import Catalog
from sev1.explain.model import AlertFacts, Because
from sev1.explain.page import explain_page
from sev1.triage.model import AlertRow, Transition


def explain_alert(known: AlertFacts, catalog: Catalog, now: datetime) -> Because:
    """Received when over which key -> each stage -> what changed since -> the page and all of its path."""
    alert = known.alert
    return Because(
        kind="alert",
        at=alert.received_at,
        sentence=f"{alert.key} {alert.summary}. {alert.verdict.conclusion}".rstrip(),
        data={"alert": alert.key, "status": alert.status, "held": alert.held, "tier": alert.tier, "page": alert.page},
        then=(
            _received(alert, known.key),
            *(
                Because(
                    kind="stage",
                    sentence=f"{stage.name.capitalize()}: {stage.reason}",
                    data={"stage": stage.name, "outcome": stage.outcome},
                )
                for stage in alert.verdict.stages
            ),
            *(_transition(line) for line in known.transitions if line.what != "fired"),
            *_paged(known, catalog, now),
        ),
    )


def _received(alert: AlertRow, key: str) -> Because:
    over = f"integration key {alert.key_id}{f' ({key})' if key else ''}"
    often = (
        f" It was signalled {alert.times} times, the last time at {alert.updated_at:%H:%M:%S} UTC."
        if alert.times > 1
        else ""
    )
    return Because(
        kind="received",
        at=alert.received_at,
        sentence=f"Received as {alert.source} over {over}, fingerprint {alert.fingerprint}.{often}",
        data={"key_id": alert.key_id, "format": alert.source, "fingerprint": alert.fingerprint, "times": alert.times},
    )


def _transition(line: Transition) -> Because:
    what = line.what.replace("-", " ").capitalize()
    return Because(
        kind="transition",
        at=line.at,
        sentence=f"{what}{f': {line.reason}' if line.reason else '.'}",
        data={"what": line.what},
    )


def _paged(known: AlertFacts, catalog: Catalog, now: datetime) -> Iterator[Because]:
    if known.page:
        yield explain_page(known.page, catalog, now)
    elif known.alert.page is None:
        reason = known.alert.verdict.conclusion or "Nothing was decided yet."
        yield Because(kind="no-page", sentence=f"No page: {reason}")
