"""What the incident's page shows of promises, decisions, the bridge and the five questions, and what its forms send."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace
from tests.web.test_incident_view import INCIDENT

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command.parts.bridge import AskOfBridge, Bridge
from sev1.command.parts.clocks import Clock
from sev1.command.parts.decisions import Decision
from sev1.engine.clock import FakeClock
from sev1.surfaces.web.bridge_view import bridge_view
from sev1.surfaces.web.clocks_view import clocks_view
from sev1.surfaces.web.decisions_view import decision_rows
from sev1.surfaces.web.incident_view import expected_of

Do = Callable[..., Awaitable[Any]]
NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


def test_who_hears_next_comes_first_and_a_broken_promise_is_named(nordlicht: Catalog):
    clocks = {
        "internal": Clock(due_at=NOW - timedelta(minutes=9)),
        "customers": Clock(posted_at=NOW, posted_by="ana", said="It fails", due_at=NOW + timedelta(minutes=5)),
        "executives": Clock(due_at=NOW - timedelta(minutes=1)),
    }
    view = clocks_view(replace(INCIDENT, clocks=clocks), nordlicht, NOW)
    assert [(row.title, row.by) for row in view.rows] == [("Executives", ""), ("Customers", "Ana Ribeiro")]
    assert view.late is not None
    assert view.late.title == "Executives"
    assert view.choices[0][0] == "internal"


async def test_an_update_for_customers_is_posted_by_the_form_and_shown_apart(enter: Do, declared: Do):
    ana, key = await enter(), await declared()
    before = await ana.see(f"/incidents/{key}")
    assert '<option value="customers">Customers</option>' in before
    assert "Told outside" not in before
    await ana.send(
        f"/incidents/{key}/commands", type="post_update", condition="Cards fail", audience="customers", form="update"
    )
    html = await ana.see(f"/incidents/{key}")
    outside = html.partition('id="picture-clocks"')[2].partition("</section>")[0]
    assert "Cards fail" in outside
    assert "next in 30 min" in outside
    assert "None yet." in html.partition('id="picture-update"')[2].partition("</section>")[0]


def test_the_latest_decisions_come_first_with_what_became_of_them():
    known = {n: Decision(number=n, decision=f"do {n}", entry=10 * n, by="ana", at=NOW) for n in range(1, 9)}
    known[7] = replace(known[7], worked=False, outcome="no change")
    rows = decision_rows(known)
    assert [row.entry for row in rows] == [80, 70, 60, 50, 40]
    assert [line.line for line in rows[0].lines] == ["/outcome D8 it worked: ", "/outcome D8 it did not: "]
    assert (rows[1].outcome, rows[1].lines) == ("did not work: no change", ())


async def test_the_outcome_of_a_decision_stands_beside_it(enter: Do, declared: Do, run: Do):
    ana, key = await enter(), await declared()
    await run(key, m.RecordDecision(decision="Roll <back>"))
    assert "/outcome%20D1%20it%20worked" in await ana.see(f"/incidents/{key}")
    await ana.send(f"/incidents/{key}/lines", line="/outcome D1 it did not: <b>errors</b> stay")
    section = (await ana.see(f"/incidents/{key}")).partition('id="picture-decisions"')[2].partition("</section>")[0]
    assert "did not work: &lt;b&gt;errors" in section


def test_a_bridge_is_shown_with_who_should_be_on_it_and_who_is_asked(nordlicht: Catalog):
    assert [line.line for line in bridge_view(INCIDENT, nordlicht).lines] == ["/bridge https://"]
    bridge = Bridge(url="https://meet.example", people=("ana", "bo"), opened_by="bo", opened_at=NOW, quiet_since=NOW)
    quiet = replace(INCIDENT, bridge=bridge, roles={"ic": ("ana",), "scribe": ("bo",)})
    view = bridge_view(quiet, nordlicht)
    assert (view.people, view.asked) == ("Ana Ribeiro, Bo Lindqvist", "")
    asked = replace(quiet, bridge=replace(bridge, asked_at=NOW))
    assert bridge_view(asked, nordlicht).asked == "Bo Lindqvist"
    assert "What was decided" in expected_of(asked, "bo", nordlicht, NOW)
    assert "What was decided" not in expected_of(asked, "ana", nordlicht, NOW)
    assert not bridge_view(replace(asked, status="resolved"), nordlicht).shown


async def test_the_bridge_is_opened_by_a_line_its_question_answered_by_a_button_and_a_decision_marked(
    enter: Do, declared: Do, run: Do, clock: FakeClock
):
    ana, key = await enter(), await declared()
    assert "?line=/bridge%20https%3A//" in await ana.see(f"/incidents/{key}")
    await ana.send(f"/incidents/{key}/lines", line="/bridge https://meet.example/a?b=1&c=<2> with @bo")
    html = await ana.see(f"/incidents/{key}")
    section = html.partition('id="picture-bridge"')[2].partition("</section>")[0]
    assert 'href="https://meet.example/a?b=1&amp;c=&lt;2&gt;"' in section
    assert "Bo Lindqvist" in section
    assert 'name="on_bridge"' in html
    await ana.send(
        f"/incidents/{key}/commands", type="record_decision", decision="fail over", on_bridge="true", form="decision"
    )
    assert "D1 on the bridge: fail over" in await ana.see(f"/incidents/{key}")
    clock.jump_to(clock.now() + timedelta(minutes=20))
    await run(key, AskOfBridge())
    assert "is asked: what was decided on the bridge?" in await ana.see(f"/incidents/{key}")
    await ana.send(f"/incidents/{key}/commands", type="nothing_decided", form="nothing-decided")
    assert "what was decided on the bridge?" not in await ana.see(f"/incidents/{key}")


async def test_the_five_questions_say_what_the_record_says_and_a_click_confirms_it(enter: Do, declared: Do):
    ana, key = await enter(), await declared(services=("checkout",))
    section = (await ana.see(f"/incidents/{key}")).partition('id="picture-intake"')[2].partition("</section>")[0]
    assert "4 open" in section
    assert section.count("from the record, not confirmed") == 2
    assert section.count("not answered yet") == 2
    assert "?line=/began%20" in section
    await ana.send(f"/incidents/{key}/commands", type="answer_intake", question="blast", form="intake-blast")
    await ana.send(f"/incidents/{key}/lines", line="/changed <b>the deploy</b>")
    section = (await ana.see(f"/incidents/{key}")).partition('id="picture-intake"')[2].partition("</section>")[0]
    assert "2 open" in section
    assert "&lt;b&gt;the deploy" in section
    assert 'id="f-intake-blast"' not in section
