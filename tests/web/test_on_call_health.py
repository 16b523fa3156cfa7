"""On-call health: one's own weeks, the team's spread, and who sees whose figures."""

from datetime import date, timedelta

import httpx
from markupsafe import escape
from msgspec.structs import replace
from tests.live.shared_app import asgi_of

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.catalog import store as catalogs
from sev1.catalog.model import Rotation, ShiftLimits


async def paged_at_night(node, clock, person: str) -> None:
    """Two pages of one night, by the rows that the projection keeps."""
    night = clock.now().replace(hour=1) - timedelta(days=3)
    async with node.db.transaction() as conn:
        for n in range(2):
            await conn.execute(
                "INSERT INTO pages (id, number, version, status, title, group_key, opened_at, people, state)"
                " VALUES ($1, $2, 1, 'resolved', 'T', $1, $3, $4, '{}')",
                f"P-{900 + n}",
                900 + n,
                night + timedelta(minutes=n),
                [person],
            )


async def test_a_member_sees_the_whole_team_and_their_own_weeks(node, clock, enter) -> None:
    await paged_at_night(node, clock, "bo")
    html = await (await enter("bo")).see("/on-call/health")
    assert 'href="?team=payments" aria-current="true"' in html
    assert "Bo Lindqvist (you)" in html
    assert "by week</summary>" in html
    assert "Your weeks" in html
    rows = [row for row in html.split("<tr>") if "Bo Lindqvist (you)" in row]
    figures = [cell.split("<")[0] for cell in rows[0].split('class="right">')[1:]]
    assert float(figures[0]) > 100
    assert figures[1:] == ["2", "2", "1"]


async def test_who_is_not_of_the_team_sees_the_spread_alone(enter) -> None:
    dana = await enter("dana")
    html = await dana.see("/on-call/health?team=payments")
    assert "The figures of each person are for the team itself and for admins." in html
    assert "Bo Lindqvist" not in html
    assert "Hours, middle of the team" in html
    assert "You were not on call" not in html  # dana has weeks of another schedule
    await dana.see("/on-call/health?team=nobodys", status=404)


async def test_the_api_follows_the_same_rule(node, clock) -> None:
    await paged_at_night(node, clock, "bo")
    transport = httpx.ASGITransport(asgi_of(node))
    async with httpx.AsyncClient(transport=transport, base_url="http://sev1.test") as http:
        for role, sees in ((Role.VIEWER, False), (Role.ADMIN, True)):
            made = await tokens.create(node.db, name=f"robot-{role}", role=role, by=OPERATOR, now=clock.now())
            headers = {"Authorization": f"Bearer {made.token}"}
            answer = await http.get("/api/v1/on-call/health", params={"team": "payments"}, headers=headers)
            health = answer.json()
            assert (health["people"] is not None) == sees
            assert health["fairness"]["interrupted_nights"]["most"] == 1
    bo = next(one for one in health["people"] if one["person"] == "bo")
    assert (bo["pages"], bo["night_pages"], bo["interrupted_nights"]) == (2, 2, 1)
    assert [one["person"] for one in health["people"]] == ["ana", "bo", "cem"]


async def test_shifts_ahead_that_break_a_limit_are_said_until_they_are_mended(
    node, clock, nordlicht, enter, api, terminal
) -> None:
    """The rotation of Payments has weeks; with every other week off, two rotations of the same three have none."""
    assert (await api.get("/api/v1/on-call/breaches")).json() == []
    assert "break a limit" not in await (await enter("ana")).see("/on-call/health?team=payments")
    team = replace(nordlicht.teams["payments"], limits=ShiftLimits(consecutive_weeks=1))
    members = ("ana", "bo")
    again = replace(
        nordlicht.schedules["payments-primary"],
        name="again",
        title="Again",
        overrides=(),
        layers=(),
        rotation=Rotation(people=members, starts=date(2026, 1, 5)),
    )
    whole = replace(
        nordlicht,
        teams={**nordlicht.teams, "payments": team},
        schedules={**nordlicht.schedules, "again": again},
    )
    async with node.db.transaction() as conn:
        await catalogs.write(conn, whole, actor="operator", now=clock.now())
    broken = (await api.get("/api/v1/on-call/breaches")).json()
    assert {one["limit"] for one in broken} == {"consecutive_weeks"}
    sentences = [one["sentence"] for one in broken]
    assert any("weeks in a row" in one and "the limit is 1." in one for one in sentences)
    dana = await enter("dana")  # of another team: shifts are no secret, figures are
    for path in ("/on-call", "/on-call/health?team=payments"):
        html = await dana.see(path)
        assert all(escape(one) in html for one in sentences)
    others = await dana.see("/on-call/health?team=fulfilment")
    assert not any(escape(one) in others for one in sentences)
    said = (await terminal("oncall", "warnings")).output
    assert all(one in said for one in sentences)
    assert sentences[0] in (await terminal("oncall", "health", "payments")).output
    async with node.db.transaction() as conn:
        await catalogs.write(conn, nordlicht, actor="operator", now=clock.now())
    assert (await api.get("/api/v1/on-call/breaches")).json() == []
