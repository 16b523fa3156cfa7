"""`/api/v1/alerts/{id}/playbook`, `/api/v1/alert-rules`: what to do about an alert, and what its rule leaves open."""

from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter
from msgspec import Struct

from sev1.access.declare import needs
from sev1.engine.errors import NotFound
from sev1.measure.alert_history import DAYS, AlertHistory, RuleSeen, history_of, rules_seen
from sev1.paging.playbook import Playbook
from sev1.surfaces.injected import Catalogs, Db, Looks, Now
from sev1.surfaces.web.alert_view import alert_screen, score_of
from sev1.triage import alerts
from sev1.triage.five_questions import Score
from sev1.triage.model import rule_of

Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


class PlaybookView(Struct, frozen=True, kw_only=True):
    """What broke, what to do, and what became of earlier alerts of the same rule and service."""

    broke: str
    book: Playbook
    path: tuple[str, ...]
    """Who would be asked, step by step."""
    score: Score
    past: AlertHistory


@get("/api/v1/alerts/{number:int}/playbook", opt=needs("read"), tags=["alerts"])
async def get_playbook(number: Number, db: Db, clock: Now, catalogs: Catalogs, sight: Looks) -> PlaybookView:
    """Impact, where to verify, the runbook's steps and questions, the response plan, the score, the last 90 days."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        alert = await alerts.get_alert(conn, number)
        if alert is None:
            raise NotFound(f"There is no alert A-{number}.")
        past = await history_of(conn, rule_of(alert), alert.service, clock.now(), sight)
    screen = alert_screen(alert, catalog)
    return PlaybookView(broke=alert.summary, book=screen.book, path=screen.path, score=screen.score, past=past)


class RuleView(Struct, frozen=True, kw_only=True):
    seen: RuleSeen
    score: Score


@get("/api/v1/alert-rules", opt=needs("read"), tags=["alerts"])
async def list_alert_rules(db: Db, clock: Now, catalogs: Catalogs) -> list[RuleView]:
    """The rules that fired in the last 90 days, each scored on the first five questions by its latest alert, worst first."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        seen = await rules_seen(conn, clock.now() - timedelta(days=DAYS))
        latest = await alerts.by_number(conn, [rule.last_id for rule in seen])
    views = [RuleView(seen=rule, score=score_of(latest[rule.last_id], catalog)) for rule in seen]
    return sorted(views, key=lambda view: (view.score.points, -view.seen.alerts, view.seen.rule))


ROUTES: list[HTTPRouteHandler] = [get_playbook, list_alert_rules]
