"""Swaps and leave without scripts, and the same by the API: what the page shows is what pages."""

from datetime import timedelta
from itertools import pairwise

import httpx
from icalendar import Calendar
from msgspec.structs import replace
from tests.live.shared_app import asgi_of

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.catalog import store as catalogs
from sev1.catalog.model import CalendarFeed
from sev1.oncall import feeds
from sev1.oncall.calendar_in import Event

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
        assert health["fairness"]["hours"]["people"] == 3
        assert health["mine"]["weeks"] == []

        link = await ask("POST", "/calendar-links", json={"kind": "person", "name": "ana"})
        path = link["url"].removeprefix("http://sev1.test")
        feed = await http.get(path)
        assert feed.headers["content-type"].startswith("text/calendar")
        assert Calendar.from_ical(feed.content).walk("VEVENT")
        same = await http.get(path, headers={"If-None-Match": feed.headers["etag"]})
        assert same.status_code == 304
        await ask("DELETE", f"/calendar-links/{link['id']}")
        assert (await http.get(path)).status_code == 404


async def test_a_calendar_that_cannot_be_read_is_said_on_the_page_and_by_the_api(node, clock, nordlicht, enter) -> None:
    feed = CalendarFeed(title="Bo's leave", url="http://127.0.0.1:9/leave.ics")
    bo = replace(nordlicht.people["bo"], leave_calendars=(feed,))
    async with node.db.transaction() as conn:
        whole = replace(nordlicht, people={**nordlicht.people, "bo": bo})
        await catalogs.write(conn, whole, actor="operator", now=clock.now())
    assert await node.calendars()
    html = await (await enter("ana")).see("/on-call")
    assert "leave of Bo Lindqvist. 127.0.0.1 is a private or otherwise special address." in html
    assert "It was never read, so nobody is away by it." in html
    made = await tokens.create(node.db, name="robot", role=Role.VIEWER, by=OPERATOR, now=clock.now())
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        answer = await http.get("/api/v1/calendar-feeds", headers={"Authorization": f"Bearer {made.token}"})
    [one] = answer.json()
    assert (one["status"], one["name"], one["read_at"]) == ("failing", "bo", None)
    assert "private" in one["why"]
    assert "url" not in one


async def test_leave_by_a_calendar_and_holidays_of_a_schedule_are_on_the_page_as_they_page(
    node, clock, nordlicht, enter
) -> None:
    feed = CalendarFeed(title="Vacations", url="http://127.0.0.1:9/leave.ics")
    schedule = replace(nordlicht.schedules["payments-primary"], holiday_calendars=(feed,), on_holiday="gap")
    bo = replace(nordlicht.people["bo"], leave_calendars=(feed,))
    people, schedules = {**nordlicht.people, "bo": bo}, {**nordlicht.schedules, "payments-primary": schedule}
    async with node.db.transaction() as conn:
        whole = replace(nordlicht, people=people, schedules=schedules)
        await catalogs.write(conn, whole, actor="operator", now=clock.now())
        await feeds.sync(conn, feeds.wanted(whole), clock.now())
        window = (clock.now() - timedelta(days=31), clock.now(), clock.now() + timedelta(days=300))
        for row in await feeds.claim(conn, holder="t", now=clock.now(), lease_s=60, limit=9):
            tomorrow = clock.now() + timedelta(days=1)
            events = [Event(start=tomorrow, end=tomorrow + timedelta(days=1), summary="")]
            state = feeds.FeedState(status="ok", why="1 event.")
            await feeds.save(conn, row, state, clock.now(), holder="t", events=events, window=window)
    html = await (await enter("ana")).see("/on-call")
    assert "by their calendar Vacations" in html
    assert "Nobody is on call from" in html


async def test_a_responder_is_offered_their_own_leave_only_and_the_server_holds_to_it(enter) -> None:
    ana, chief = await enter("ana"), await enter("gus", Role.ADMIN)
    fields = {"start": "2026-03-02T09:00", "end": "2026-03-30T09:00"}
    refused = await ana.send("/on-call/leave", **fields, person="bo", form="leave")
    assert refused.status_code == 403
    assert "Ask bo or an admin." in refused.text
    assert (await chief.send("/on-call/leave", **fields, person="bo")).status_code == 303
    html = await ana.see("/on-call")
    assert "Bo Lindqvist is away" in html
    assert "Enter your leave" in html
    assert "/on-call/leave/1/remove" not in html
    assert "/on-call/leave/1/remove" in await chief.see("/on-call")
    assert (await ana.send("/on-call/leave/1/remove", on="/on-call")).status_code == 403
    assert "Bo Lindqvist is away" in await ana.see("/on-call")
    assert (await chief.send("/on-call/leave/1/remove", on="/on-call")).status_code == 303


async def test_an_overlap_of_schedules_is_said_once_on_the_page(enter) -> None:
    html = await (await enter("ana")).see("/on-call")
    assert "On call for several at once" in html
    assert html.count("Cem Arslan is on call for more than one of") == 1
