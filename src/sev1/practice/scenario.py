"""A small night at Nordlicht: what senders send and people do, played against a real server over its own front doors.

Alerts go in as Prometheus sends them; people answer through the API. Nothing here writes to the database.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from msgspec import Struct

from sev1.engine.clock import Clock

WAIT_S = 20.0
POLL_S = 0.1


class Cast(Struct, frozen=True, kw_only=True):
    """The doors that the scenario goes through."""

    url: str
    key: str
    """Integration key of the kind `prometheus`."""
    tokens: dict[str, str]
    """API tokens of responders, by the short name of the person who acts with it."""


class Scenario:
    """`await Scenario(cast, clock, say).play()`. `pause_s` stands between two steps, so that one can watch."""

    def __init__(self, cast: Cast, clock: Clock, say: Callable[[str], None], *, pause_s: float = 0.4) -> None:
        self._cast = cast
        self._clock = clock
        self._say = say
        self._pause_s = pause_s
        self._who = next(iter(cast.tokens))
        self._http = httpx.AsyncClient(base_url=cast.url, timeout=15, trust_env=False)

    async def play(self) -> None:
        async with self._http:
            await self._search_incident()
            await self._checkout_incident()
            await self._left_open()

    async def _search_incident(self) -> None:
        """One that is over: declared, mitigated, resolved through the gate, all clear."""
        began = self._clock.now() - timedelta(minutes=46)
        alert = _alert("SearchErrors", "search", "Search answers with errors", severity="critical", began=began)
        page = await self._page_for(alert, "Search answers with errors")
        self._acts("dana")
        await self._answer(page, {"type": "acknowledge"})
        incident = await self._declare("Search returns nothing", severity="sev-2", page=page, commander="dana")
        await self._do(incident, "post_update", condition="9 of 10 searches fail since the index was rebuilt",
                       actions="Switching back to yesterday's index", needs="")  # fmt: skip
        await self._do(incident, "record_decision", decision="Serve yesterday's index",
                       reason="Stale results beat no results", alternatives="Rebuild now, about 40 minutes")  # fmt: skip
        await self._do(incident, "mark_mitigated")
        await self._send([{**alert, "endsAt": _rfc3339(self._clock.now())}])
        await self._until_quiet(incident)
        for criterion in ("restored", "impact_ended", "stable", "no_residual"):
            await self._do(incident, "confirm_criterion", criterion=criterion)
        await self._do(incident, "resolve")
        await self._do(incident, "give_all_clear", message="Search works again, with results as of yesterday evening.")
        self._say(f"{incident} is over: its draft postmortem waits on {self._cast.url}/incidents/{incident}/postmortem")

    async def _checkout_incident(self) -> None:
        """One that is under way, half way through."""
        began = self._clock.now() - timedelta(minutes=4)
        alerts = [
            _alert("CheckoutErrors", "checkout", "Card payments fail: 42 % errors (normal < 1 %)", began=began,
                   severity="critical", impact="Customers cannot pay",
                   first="Deploy at the same time? Roll it back: runbook step 2"),
            _alert("CheckoutErrors", "checkout", "Card payments fail on checkout-2", began=began, severity="critical",
                   instance="checkout-2"),
        ]  # fmt: skip
        page = await self._page_for(alerts[0], "Card payments fail", more=alerts[1:])
        self._acts("bo")
        await self._answer(page, {"type": "acknowledge"})
        incident = await self._declare("Card payments fail in EU", severity="sev-1", page=page, commander="ana")
        await self._do(incident, "assign_role", role="ic", person="ana")
        self._acts("ana")
        await self._do(incident, "assign_role", role="ops", person="bo")
        await self._do(incident, "assign_role", role="comms", person="hana")
        await self._do(incident, "set_stage", stage="investigation")
        await self._do(incident, "post_update", condition="42 % of card payments in the EU fail since the last deploy",
                       actions="Comparing the deploy with the one before", needs="Somebody who knows the card processor")  # fmt: skip
        self._acts("bo")
        await self._do(incident, "add_note", text="The card processor's own status page is green.")
        self._acts("ana")
        await self._do(incident, "record_decision", decision="Roll back the 03:05 deploy",
                       reason="The errors began with it", alternatives="Wait for the processor; switch EU to invoice")  # fmt: skip
        await self._do(incident, "set_stage", stage="mitigation")
        self._say(f"{incident} is under way: {self._cast.url}/incidents/{incident}")

    async def _left_open(self) -> None:
        """A page that waits for an answer, a ticket, something to know, and a payload that nobody understands."""
        now = self._clock.now()
        waiting = _alert("QueueBacklog", "queue", "Orders wait 14 minutes before they are packed", severity="critical",
                         began=now - timedelta(minutes=2))  # fmt: skip
        page = await self._page_for(waiting, "Orders wait")
        await self._send([
            _alert("DiskFilling", "main-db", "Disk of main-db is 81 % full", severity="warning", began=now),
            _alert("CertificateRenewed", "storefront", "The certificate was renewed", severity="info", began=now),
        ])  # fmt: skip
        await self._http.post(f"/integrations/{self._cast.key}/api/v2/alerts", content=b'[{"labels": "none"}]')
        self._say(f"{page} waits for an answer: {self._cast.url}/pages/{page}")

    def _acts(self, person: str) -> None:
        self._who = person

    # --- the doors ----------------------------------------------------------------------------------------------------

    async def _send(self, alerts: list[dict[str, Any]]) -> None:
        answer = await self._http.post(f"/integrations/{self._cast.key}/api/v2/alerts", json=alerts)
        answer.raise_for_status()

    async def _page_for(self, alert: dict[str, Any], title: str, more: list[dict[str, Any]] | None = None) -> str:
        """Sends alerts and waits until one of them has opened a page."""
        await self._send([alert, *(more or [])])
        for _ in range(round(WAIT_S / POLL_S)):
            for page in await self._api("GET", "/api/v1/pages"):
                if page["title"].startswith(title):
                    await asyncio.sleep(self._pause_s)
                    return str(page["id"])
            await asyncio.sleep(POLL_S)
        raise RuntimeError(f"no page was opened for {title!r} within {WAIT_S:.0f} s")

    async def _until_quiet(self, incident: str) -> None:
        for _ in range(round(WAIT_S / POLL_S)):
            linked = await self._api("GET", "/api/v1/alerts?status=firing&service=search")
            if not linked["alerts"]:
                return
            await asyncio.sleep(POLL_S)
        raise RuntimeError(f"the alerts of {incident} still fire after {WAIT_S:.0f} s")

    async def _answer(self, page: str, command: dict[str, Any]) -> None:
        await self._api("POST", f"/api/v1/pages/{page}/commands", command)
        await asyncio.sleep(self._pause_s)

    async def _declare(self, title: str, **fields: Any) -> str:
        incident = await self._api("POST", "/api/v1/incidents", {"type": "declare", "title": title, **fields})
        await asyncio.sleep(self._pause_s)
        return str(incident["id"])

    async def _do(self, incident: str, kind: str, **fields: Any) -> None:
        await self._api("POST", f"/api/v1/incidents/{incident}/commands", {"type": kind, **fields})
        await asyncio.sleep(self._pause_s)

    async def _api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._cast.tokens[self._who]}"}
        answer = await self._http.request(method, path, json=body, headers=headers)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()


def _alert(
    name: str, service: str, summary: str, *, severity: str, began: datetime, instance: str = "", **annotations: str
) -> dict[str, Any]:
    """One alert as Prometheus posts it; it holds for a day, since nobody re-sends it here."""
    labels = {"alertname": name, "service": service, "severity": severity, "env": "prod"}
    return {
        "labels": {**labels, "instance": instance} if instance else labels,
        "annotations": {"summary": summary, **annotations},
        "startsAt": _rfc3339(began),
        "endsAt": _rfc3339(began + timedelta(days=1)),
        "generatorURL": f"https://prometheus.nordlicht.example/graph?g0.expr={name}",
    }


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
