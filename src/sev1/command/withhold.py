"""Pages and alerts without a trace of an incident that is hidden from whoever looks (mission 3.3). Pure.

`hidden` are the keys that `command/sight.py` withholds from them, asked for after the pages and alerts were read.
"""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from sev1.engine.decider import Fact
from sev1.paging import model as p
from sev1.paging.diagnostics import DiagnosticAnswered
from sev1.paging.fix import FixReported
from sev1.triage.model import AlertRow, Verdict

ASKED_FOR = "Somebody is asked for by name"
"""A page out of a restricted incident says no more: it goes over phones and mail, and everybody may open it."""
SIGN_IN = "Open it here, signed in, to see what for."
OVER = "What it belongs to is over."


def page_without(page: p.Page, hidden: Collection[str]) -> p.Page:
    if page.incident not in hidden:
        return page
    resolution = OVER if _tells(page.resolution, hidden) else page.resolution
    page = replace(page, incident=None, resolution=resolution)
    if _asks_out_of(page.group_key, hidden):
        page = replace(page, title=ASKED_FOR, why=SIGN_IN, group_key="", service=None, brief=p.Brief())
        page = replace(page, fix=replace(page.fix, note="") if page.fix else None, diagnostics=())
    return page


def page_facts_without(facts: Sequence[Fact[p.PageEvent]], hidden: Collection[str]) -> list[Fact[p.PageEvent]]:
    asked = any(isinstance(f.event, p.PageOpened) and _asks_out_of(f.event.group_key, hidden) for f in facts)
    return [
        replace(fact, event=_event_without(fact.event, hidden, asked=asked))
        for fact in facts
        if not (isinstance(fact.event, p.IncidentLinked) and fact.event.incident in hidden)
    ]


def _event_without(event: p.PageEvent, hidden: Collection[str], *, asked: bool) -> p.PageEvent:
    """`asked`: the page was opened by a hidden incident, so what people write on it is about that."""
    match event:
        case DiagnosticAnswered() if asked:
            return replace(event, text="")
        case FixReported() if asked or _tells(event.note, hidden):
            return replace(event, note="")
        case p.PageOpened() if _asks_out_of(event.group_key, hidden):
            return replace(event, title=ASKED_FOR, why=SIGN_IN, group_key="", service=None, brief=p.Brief())
        case p.PageResolved() if _tells(event.reason, hidden):
            return replace(event, reason=OVER)
        case _:
            return event


def _asks_out_of(group_key: str, hidden: Collection[str]) -> bool:
    """Whether the page was opened by an incident that is hidden now, and was not restricted then."""
    return group_key.partition("/")[0] in hidden


def _tells(text: str, hidden: Collection[str]) -> bool:
    return any(f"{key} " in f"{text} " for key in hidden)


def alert_without(alert: AlertRow, hidden: Collection[str]) -> AlertRow:
    """Also without the sentence that it was held back while the incident was open."""
    if alert.incident in hidden:
        alert = replace(alert, incident=None)
    return replace(alert, verdict=_verdict_without(alert.verdict)) if alert.verdict.during in hidden else alert


def _verdict_without(verdict: Verdict) -> Verdict:
    stages = tuple(replace(stage, reason=stage.reason.partition(" Held back while ")[0]) for stage in verdict.stages)
    return replace(verdict, stages=stages, during=None)
