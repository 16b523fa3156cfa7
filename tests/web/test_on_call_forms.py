"""Swaps and leave without scripts, and the same by the API: what the page shows is what pages."""

from datetime import timedelta
from itertools import pairwise

import httpx
from icalendar import Calendar
from tests.live.shared_app import asgi_of

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role

WHEN = {"start": "2026-03-04T12:00", "end": "2026-03-04T20:00"}


async def test_a_swap_is_asked_shown_and_accepted(enter) -> None:
    ana, hana = await enter("ana"), await enter("hana")
    answer = await ana.send("/on-call/payments-primary/swaps", person="hana", **WHEN)
    assert answer.status_code == 303, answer.text
    html = await hana.see("/on-call")
    assert "asks Hana Novotná to take Payments on-call" in html
    assert 'value="accepted"' in html
    assert 'value="accepted"' not in await ana.see("/on-call")
    refused = await ana.send("/on-call/swaps/1/answer", answer="accepted")
    assert refused.status_code == 403
    assert "Only hana can" in refused.text
    assert (await hana.send("/on-call/swaps/1/answer", answer="accepted")).status_code == 303
    html = await hana.see("/on-call")
    assert "swap with ana" in html
    assert "Swaps that wait" not in html
    again = await hana.send("/on-call/swaps/1/answer", answer="declined")
    assert again.status_code == 409


async def test_a_swap_that_cannot_be_keeps_what_was_typed(enter) -> None:
    ana = await enter("ana")
    answer = await ana.send("/on-call/payments-primary/swaps", form="swap-payments-primary", person="ana", **WHEN)
    assert answer.status_code == 400
    assert "Choose somebody else to swap with." in answer.text
    assert (await ana.send("/on-call/swaps/1/answer", answer="maybe")).status_code == 400


async def test_leave_is_entered_warns_and_is_taken_back(enter) -> None:
    bo, ana = await enter("bo"), await enter("ana")
    fields = {"person": "bo", "start": "2026-03-02T09:00", "end": "2026-03-30T09:00", "reason": "Surgery"}
    assert (await bo.send("/on-call/leave", **fields)).status_code == 303
    html = await ana.see("/on-call")
    assert "Bo Lindqvist is away" in html
    assert "bo is away." in html  # the warning about the stand-in
    assert "Surgery" not in html
    assert "Surgery" in await bo.see("/on-call")
    assert (await bo.send("/on-call/leave/1/remove", on="/on-call")).status_code == 303
    assert "Bo Lindqvist is away" not in await ana.see("/on-call")
    wrong = await bo.send("/on-call/leave", **{**fields, "end": "2026-03-01T09:00"})
    assert wrong.status_code == 400


async def test_the_api_gives_the_final_schedule_warnings_health_and_calendars(node, clock) -> None:
    made = await tokens.create(node.db, name="robot", role=Role.ADMIN, by=OPERATOR, now=clock.now())
    headers = {"Authorization": f"Bearer {made.token}"}
    now = clock.now()
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:

        async def ask(method, path, **more):
            answer = await http.request(method, f"/api/v1{path}", headers=headers, **more)
            assert answer.status_code < 300, answer.text
            return answer.json() if answer.content else None

        span = {"from": now.isoformat(), "to": (now + timedelta(days=14)).isoformat()}
        parts = await ask("GET", "/schedules/payments-primary/final", params=span)
        assert all(one["end"] == other["start"] for one, other in pairwise(parts))
        away = {"person": parts[0]["person"], "start": span["from"], "end": span["to"]}
        number = (await ask("POST", "/leave", json=away))["id"]
        after = await ask("GET", "/schedules/payments-primary/final", params=span)
        assert after[0]["because"] == "stand-in"
        current = next(one for one in await ask("GET", "/on-call") if one["schedule"] == "payments-primary")
        assert current["now"]["person"] == after[0]["person"]
        assert (await ask("GET", "/on-call/warnings"))["payments-primary"][0]["kind"] == "away"
        await ask("DELETE", f"/leave/{number}")
        health = await ask("GET", "/on-call/health", params={"team": "payments"})
        assert health["hours"]["people"] == 3
        assert health["mine"] == []

        link = await ask("POST", "/calendar-links", json={"kind": "person", "name": "ana"})
        path = link["url"].removeprefix("http://sev1.test")
        feed = await http.get(path)
        assert feed.headers["content-type"].startswith("text/calendar")
        assert Calendar.from_ical(feed.content).walk("VEVENT")
        same = await http.get(path, headers={"If-None-Match": feed.headers["etag"]})
        assert same.status_code == 304
        await ask("DELETE", f"/calendar-links/{link['id']}")
        assert (await http.get(path)).status_code == 404
