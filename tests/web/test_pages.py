"""The pages over HTTP: what they show, what they change, and what a refusal leaves in place."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sev1.access import keys
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.command import model as m
from sev1.command import store as incidents
from sev1.engine.clock import FakeClock
from sev1.intake import misunderstood
from sev1.paging import model as p
from sev1.paging import store as pages
from sev1.paging.react import open_page

Do = Callable[..., Awaitable[Any]]


@pytest.fixture
def paged(node: Node) -> Do:
    """A page by the policy for payments, waiting for whoever is on call."""

    async def make(title: str = "Card payments fail", **more: Any) -> p.Page:
        async with node.db.transaction() as conn:
            catalog = await node.catalogs.current(conn)
            command = p.Open(
                title=title,
                group_key=title,
                policy=catalog.policies["payments"],
                why="Route money.",
                service="checkout",
                **more,
            )
            change = await open_page(node.commands, conn, command)
        node.commands.tell(change)
        page: p.Page = change.after
        return page

    return make


@pytest.fixture
def alerted(node: Node, clock: FakeClock) -> Do:
    """An alert that came in and was triaged; its number."""

    async def make(**labels: str) -> int:
        key = await keys.create(node.db, kind="prometheus", by=OPERATOR, now=clock.now())
        given = {"alertname": "CheckoutErrors", "service": "checkout", "severity": "critical", "env": "prod", **labels}
        body = [{"labels": given, "annotations": {"summary": "Payments <b>fail</b>", "impact": "Nobody can pay"}}]
        await node.inbox.submit(key.id, "prometheus", json.dumps(body).encode(), clock.now())
        while await node.triage():
            pass
        async with node.db.connection() as conn:
            number: int = await conn.fetchval("SELECT max(id) FROM alerts")
        return number

    return make


# --- now --------------------------------------------------------------------------------------------------------------


async def test_now_is_calm_when_nothing_needs_me(enter: Do) -> None:
    hana = await enter("hana")
    html = await hana.see("/")
    assert "Nothing needs you." in html
    assert "You are not on call." in html


async def test_now_offers_the_one_button_to_whoever_is_asked(enter: Do, paged: Do) -> None:
    page = await paged()
    asked = await enter(page.people[0].person)
    html = await asked.see("/")
    assert "1 page waits for your answer" in html
    assert "Acknowledge — I have it" in html
    answer = await asked.send(f"/pages/{page.key}/commands", on="/", type="acknowledge", form="ack", back="now")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Nothing needs you." in await asked.see("/")


async def test_now_shows_loose_ends_only_to_those_who_may_tie_them(node: Node, enter: Do, clock: FakeClock) -> None:
    await misunderstood.keep(node.db, key_id=None, format_="json", raw=b"{", error="Not JSON.", received_at=clock.now())
    assert "1 payload not understood" in await (await enter("ana")).see("/")
    assert "not understood" not in await (await enter("ida", Role.VIEWER)).see("/")


# --- a page -----------------------------------------------------------------------------------------------------------


async def test_opening_a_page_again_and_again_changes_nothing(node: Node, enter: Do, paged: Do) -> None:
    page = await paged()
    asked = await enter(page.people[0].person)
    for _ in range(3):
        await asked.see(f"/pages/{page.key}")
    async with node.db.connection() as conn:
        assert (await pages.get(conn, page.key)).status == "triggered"


async def test_a_page_is_snoozed_reassigned_and_escalated_from_its_screen(
    node: Node, enter: Do, paged: Do, clock: FakeClock
) -> None:
    page = await paged()
    ana = await enter("hana")
    path = f"/pages/{page.key}"
    for fields, status in (
        ({"type": "reassign", "person": "eli"}, "triggered"),
        ({"type": "escalate"}, "triggered"),
        ({"type": "snooze", "for_min": "15"}, "snoozed"),
        ({"type": "acknowledge"}, "acknowledged"),
        ({"type": "resolve", "reason": "It was the sensor"}, "resolved"),
    ):
        answer = await ana.send(f"{path}/commands", on="/settings", form="x", **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        async with node.db.connection() as conn:
            assert (await pages.get(conn, page.key)).status == status
    html = await ana.see(path)
    assert "Over: It was the sensor." in html
    assert "Acknowledge — I have it" not in html
    assert "hana snoozed it until 03:29 UTC".casefold() in html.casefold() or "Hana Novotná snoozed it until" in html


async def test_a_refused_answer_is_explained_on_the_page(enter: Do, paged: Do, run: Do) -> None:
    page = await paged()
    ana = await enter()
    await run(page.key, p.Resolve(reason="gone"))
    answer = await ana.send(f"/pages/{page.key}/commands", type="acknowledge", form="ack")
    assert answer.status_code == 409
    assert "Nothing to answer any more." in answer.text
    wrong = await ana.send(f"/pages/{page.key}/commands", type="snooze", form="snooze", for_min="soon")
    assert wrong.status_code == 400


async def test_a_viewer_sees_a_page_without_buttons(enter: Do, paged: Do) -> None:
    page = await paged()
    html = await (await enter("ida", Role.VIEWER)).see(f"/pages/{page.key}")
    assert "Acknowledge — I have it" not in html
    assert 'method="post"' not in html


# --- incidents --------------------------------------------------------------------------------------------------------


async def test_one_line_declares_at_the_worst_plausible_severity(node: Node, enter: Do) -> None:
    ana = await enter()
    assert re.search(r'value="sev-1" checked', await ana.see("/incidents/new"))
    answer = await ana.send("/incidents/new", title="Baskets are empty", severity="sev-1", form="declare")
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/INC-1")
    async with node.db.connection() as conn:
        incident = await incidents.get(conn, "INC-1")
    assert incident is not None
    assert (incident.title, incident.commander, incident.severity) == ("Baskets are empty", "ana", "sev-1")


async def test_a_page_lends_its_words_and_its_services_to_the_declaration(node: Node, enter: Do, paged: Do) -> None:
    page = await paged("Payments fail in EU", severity="sev-3")
    ana = await enter()
    html = await ana.see(f"/incidents/new?page={page.key}")
    assert 'value="Payments fail in EU"' in html
    assert re.search(r'value="checkout" checked', html)
    # A suggestion never makes it milder than the worst plausible.
    assert re.search(r'value="sev-1" checked', html)
    await ana.send(
        "/incidents/new", title="Payments fail", page=page.key, services=["checkout", "payments"], form="declare"
    )
    async with node.db.connection() as conn:
        incident = await incidents.get(conn, "INC-1")
    assert incident is not None
    assert (incident.pages, incident.services) == ((page.key,), ("checkout", "payments"))


async def test_an_alert_leads_to_a_declaration_with_its_page(enter: Do, alerted: Do) -> None:
    number = await alerted()
    html = await (await enter()).see(f"/incidents/new?alert={number}")
    assert 'value="Payments &lt;b&gt;fail&lt;/b&gt;"' in html
    assert 'name="page" value="P-1"' in html


async def test_a_refused_declaration_keeps_everything_that_was_chosen(enter: Do) -> None:
    ana = await enter()
    answer = await ana.send(
        "/incidents/new", title="x" * 301, severity="sev-3", services=["cart", "search"], form="declare"
    )
    assert answer.status_code == 400
    assert "longer than 300 characters" in answer.text
    assert "x" * 301 in answer.text
    for value in ("sev-3", "cart", "search"):
        assert re.search(rf'value="{value}" checked', answer.text)


async def test_the_landing_page_answers_the_five_second_questions_in_order(enter: Do, declared: Do) -> None:
    key = await declared("Card payments fail", services=("checkout",))
    band = (await (await enter()).see(f"/incidents/{key}")).partition('id="band"')[2].partition("</section>")[0]
    places = [
        band.index(word)
        for word in (
            "SEV-1",
            key,
            "Card payments fail",
            "under 1 min",
            "IC",
            "Detection",
            "update due in 30 min",
            "Next:",
        )
    ]
    assert places == sorted(places)


async def test_a_recorded_command_leads_back_to_its_entry(enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    answer = await ana.send(f"/incidents/{key}/commands", type="add_note", text="Seen <script>", form="note")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{key}#entry-2")
    html = await ana.see(f"/incidents/{key}")
    assert "Seen &lt;script&gt;" in html


async def test_a_refusal_shows_the_form_with_the_reason_and_what_was_typed(enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    answer = await ana.send(
        f"/incidents/{key}/commands", type="post_update", condition=" ", actions="Rolling <back>", form="update"
    )
    assert answer.status_code == 400
    assert "Nothing was saved: the condition is missing." in answer.text
    assert "Rolling &lt;back&gt;</textarea>" in answer.text
    assert "<title>" in answer.text


async def test_htmx_gets_the_form_alone_empty_when_recorded_and_kept_when_refused(enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    path = f"/incidents/{key}/commands"
    fine = await ana.send(path, htmx=True, type="post_update", condition="All bad", form="update")
    assert fine.status_code == 200
    assert fine.text.strip().startswith("<form")
    assert "All bad" not in fine.text
    refused = await ana.send(path, htmx=True, type="set_severity", severity="sev-4", reason="", form="severity")
    assert refused.status_code == 400
    assert "what makes us certain?" in refused.text
    assert re.search(r'value="sev-4"[^>]* checked', refused.text)
    button = await ana.send(path, htmx=True, type="resolve", form="resolve")
    assert button.status_code == 409
    assert "Still to confirm" in button.text
    assert "<form" not in button.text


async def test_pages_and_alerts_are_linked_by_their_numbers(
    node: Node, enter: Do, declared: Do, paged: Do, alerted: Do
) -> None:
    ana, key = await enter(), await declared()
    page, number = await paged(), await alerted(env="prod-us")
    for what in (page.key.lower(), f" A-{number} "):
        answer = await ana.send(f"/incidents/{key}/commands", type="link", what=what, form="link")
        assert answer.status_code == 303, answer.text
    async with node.db.connection() as conn:
        incident = await incidents.get(conn, key)
    assert incident is not None
    assert page.key in incident.pages
    assert incident.alerts == (number,)
    for what in ("INC-1", "everything", "A-999"):
        answer = await ana.send(f"/incidents/{key}/commands", type="link", what=what, form="link")
        assert answer.status_code in {400, 404}


async def test_times_are_corrected_as_utc(node: Node, enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    answer = await ana.send(
        f"/incidents/{key}/commands", type="correct_times", started_at="2026-03-02T02:55", detected_at="",
        reason="Seen in the graphs", form="times",
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    async with node.db.connection() as conn:
        incident = await incidents.get(conn, key)
    assert incident is not None
    assert f"{incident.started_at:%H:%M}" == "02:55"
    wrong = await ana.send(
        f"/incidents/{key}/commands", type="correct_times", started_at="yesterday", reason="x", form="times"
    )
    assert wrong.status_code == 400


async def test_the_whole_lifecycle_is_possible_from_the_page(node: Node, enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    for criterion in m.CRITERIA:
        await ana.send(f"/incidents/{key}/commands", type="confirm_criterion", criterion=criterion, form="x")
    await ana.send(f"/incidents/{key}/commands", type="resolve", form="x")
    assert "Give the all-clear" in await ana.see(f"/incidents/{key}")
    await ana.send(f"/incidents/{key}/commands", type="give_all_clear", message="Thanks", form="all-clear")
    html = await ana.see(f"/incidents/{key}")
    assert "All clear given" in html
    assert "It is over. The draft of the postmortem is there to read." in html
    listed = await ana.see("/incidents")
    assert "Mean time to detect" in listed
    assert "mitigated after 0 s, resolved after 0 s" in listed


async def test_what_went_out_about_an_incident_stands_beside_it_with_what_failed(
    node: Node, enter: Do, declared: Do
) -> None:
    key = await declared()
    while await node.deliver():  # no mail server is configured, so the announcement fails
        pass
    html = await (await enter()).see(f"/incidents/{key}")
    sent = html.partition('id="work-sent"')[2].partition("</section>")[0]
    assert "Announcement" in sent
    assert "not delivered" in sent
    assert "no mail server is configured" in sent


async def test_a_viewer_reads_an_incident_and_cannot_write(enter: Do, declared: Do) -> None:
    key = await declared()
    ida = await enter("ida", Role.VIEWER)
    html = await ida.see(f"/incidents/{key}")
    assert "command-bar" not in html.replace("is-incident", "")
    assert 'method="post"' not in html
    assert (await ida.send(f"/incidents/{key}/commands", type="add_note", text="x")).status_code == 403


async def test_the_postmortem_is_read_as_a_page_and_taken_along_as_markdown(enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    html = await ana.see(f"/incidents/{key}/postmortem")
    assert html.count("<h2>") == 10
    answer = await ana.http.get(f"/incidents/{key}/postmortem.md")
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.headers["content-disposition"] == f'attachment; filename="{key}-postmortem.md"'
    assert answer.text.startswith(f"# {key}")


# --- alerts -----------------------------------------------------------------------------------------------------------


async def test_an_alert_shows_its_playbook_before_its_verdict(enter: Do, alerted: Do) -> None:
    number = await alerted()
    html = await (await enter()).see(f"/alerts/{number}")
    words = (
        "Payments &lt;b&gt;fail&lt;/b&gt;",
        "Nobody can pay",
        "Checkout dashboard",
        "Deployed in the last hour?",
        "in #payments",
        "What became of it",
        "route money",
    )
    places = [html.index(word) for word in words]
    assert places == sorted(places)
    assert "Open P-1" in html


async def test_a_raw_payload_is_a_file_never_a_page(enter: Do, alerted: Do) -> None:
    number = await alerted()
    answer = await (await enter()).http.get(f"/alerts/{number}/payload")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert b"Payments <b>fail</b>" in answer.content


async def test_alerts_are_filtered_and_an_unknown_filter_is_refused(enter: Do, alerted: Do) -> None:
    await alerted()
    ana = await enter()
    assert "Payments &lt;b&gt;fail" in await ana.see("/alerts?status=firing&tier=page&service=checkout")
    assert "No alert like that." in await ana.see("/alerts?tier=fyi")
    assert "No alert like that." in await ana.see("/alerts?only=unrouted")
    await ana.see("/alerts?tier=loud", status=400)


async def test_what_was_not_understood_is_looked_at_and_put_away(node: Node, enter: Do, clock: FakeClock) -> None:
    number = await misunderstood.keep(
        node.db, key_id=None, format_="json", raw=b"<script>\xff", error="Not JSON.", received_at=clock.now()
    )
    ana = await enter()
    assert "Not JSON." in await ana.see("/not-understood")
    html = await ana.see(f"/not-understood/{number}")
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    answer = await ana.send(f"/not-understood/{number}/dismiss", on=f"/not-understood/{number}")
    assert answer.status_code == 303
    assert "Everything that came in was understood." in await ana.see("/not-understood")
    assert "Put away by Ana Ribeiro" in await ana.see(f"/not-understood/{number}")


# --- on call, catalog, status, settings -------------------------------------------------------------------------------


async def test_an_override_is_made_in_my_own_wall_time_and_taken_back(node: Node, enter: Do) -> None:
    fumiko = await enter("fumiko")  # Asia/Tokyo, nine hours ahead
    answer = await fumiko.send(
        "/on-call/payments-primary/overrides",
        person="hana",
        start="2026-03-02T12:00",
        end="2026-03-02T20:00",
        reason="Dentist",
    )
    assert answer.status_code == 303, answer.text
    async with node.db.connection() as conn:
        row = await conn.fetchrow("SELECT * FROM schedule_overrides")
    assert f"{row['starts_at']:%H:%M}" == "03:00"
    html = await fumiko.see("/on-call")
    assert "<strong>Hana Novotná</strong>" in html
    assert "Dentist" in html
    gone = await fumiko.send(f"/on-call/overrides/{row['id']}/remove", on="/on-call")
    assert gone.status_code == 303
    assert "Dentist" not in await fumiko.see("/on-call")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"person": "hana", "start": "soon", "end": "2026-03-02T20:00"}, "The start is not readable"),
        ({"person": "hana", "start": "2026-03-02T20:00", "end": "2026-03-02T12:00"}, "ends before it starts"),
        ({"person": "nobody", "start": "2026-03-02T12:00", "end": "2026-03-02T20:00"}, "There is no person"),
        ({"person": "hana", "start": "2026-03-29T02:30", "end": "2026-03-29T09:00"}, "does not exist in Europe/Berlin"),
    ],
)
async def test_an_override_that_cannot_be_is_refused_with_what_was_typed(
    enter: Do, fields: dict[str, str], sentence: str
) -> None:
    bo = await enter("bo")  # Europe/Berlin
    answer = await bo.send(
        "/on-call/payments-primary/overrides", form="override-payments-primary", reason="Why <not>", **fields
    )
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "Why &lt;not&gt;" in answer.text


async def test_the_catalog_is_readable_to_everybody_signed_in(enter: Do) -> None:
    ida = await enter("ida", Role.VIEWER)
    html = await ida.see("/catalog")
    for word in ("Checkout", "Payments, then platform, then the whole team", "Ana Ribeiro", "SEV-0", "not-production"):
        assert word in html
    service = await ida.see("/catalog/services/main-db")
    for word in ("Main database", "Card payments", "and through them", "Runbook"):
        assert word in service
    await ida.see("/catalog/services/moon", status=404)


async def test_status_shows_the_vital_signs_and_says_what_is_wrong(
    node: Node, enter: Do, paged: Do, clock: FakeClock
) -> None:
    ida = await enter("ida", Role.VIEWER)
    assert "none is late" in await ida.see("/status")
    await paged()
    await misunderstood.keep(node.db, key_id=None, format_="json", error="no", raw=b"{", received_at=clock.now())
    clock.advance(minutes=10)  # nobody works here: the timer of the page and its delivery are late
    html = await ida.see("/status")
    assert "Timers are late: escalations wait" in html
    assert "1 waits for an answer" in html
    assert "deliveries wait, the oldest for" in html
    assert "1 not understood" in html


async def test_status_says_when_no_mail_can_go_out(enter: Do) -> None:
    html = await (await enter("ida", Role.VIEWER)).see("/status")
    assert "No mail server is set" in html
    assert "up to date" in html


async def test_a_theme_is_chosen_and_used(enter: Do) -> None:
    ana = await enter()
    assert 'data-theme="auto"' in await ana.see("/")
    assert (await ana.send("/settings/theme", theme="contrast")).status_code == 303
    assert 'data-theme="contrast"' in await ana.see("/")
    assert (await ana.send("/settings/theme", theme="pink")).status_code == 400


async def test_secrets_are_shown_once_to_an_admin_and_never_in_lists(enter: Do) -> None:
    gus = await enter("gus", Role.ADMIN)
    key = await gus.send("/settings/keys", kind="prometheus", service="checkout", name="", form="key")
    secret = re.search(r"<code>([^<]+)</code>", key.text)
    assert secret
    assert "/integrations/" in secret[1]
    token = await gus.send("/settings/tokens", name="robot", role="responder", form="token")
    assert "sev1_" in token.text
    link = await gus.send("/settings/users", email="new@nordlicht.example", role="viewer", form="user")
    assert "http://sev1.test/link/" in link.text
    after = await gus.see("/settings")
    assert secret[1] not in after
    assert "sev1_" not in after.replace("sev1_session", "")
    assert "robot" in after
    assert "new@nordlicht.example" in after


async def test_settings_refuse_what_cannot_be_and_keep_what_was_typed(enter: Do) -> None:
    gus = await enter("gus", Role.ADMIN)
    answer = await gus.send("/settings/users", email="not an email", full_name="New <One>", role="viewer", form="user")
    assert answer.status_code == 400
    assert "New &lt;One&gt;" in answer.text
    demoted = await gus.send("/settings/users/1", role="viewer", form="user-1")
    assert demoted.status_code == 409
    assert "last admin" in demoted.text
    assert (await gus.send("/settings/keys", kind="smoke", form="key")).status_code == 400
    assert (await gus.send("/settings/keys", kind="json", service="moon", form="key")).status_code == 400


async def test_a_responder_sees_nothing_of_the_admins_part(enter: Do) -> None:
    html = await (await enter()).see("/settings")
    assert "Integration keys" not in html


async def test_an_address_that_does_not_exist_gets_a_page_that_says_so(enter: Do) -> None:
    ana = await enter()
    for path in ("/moon", "/incidents/INC-9", "/pages/P-9", "/alerts/9", "/static/moon.css"):
        html = await ana.see(path, status=404)
        assert "Not here" in html
        assert '<a href="/">Go to Now</a>' in html


async def test_every_page_carries_the_strict_policy(enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    for path in ("/", f"/incidents/{key}", "/settings", "/sign-in", "/moon"):
        policy = (await ana.http.get(path)).headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy


async def test_the_watch_page_says_how_each_stands_and_why(node: Node, enter: Do) -> None:
    await node.watch()
    html = await (await enter()).see("/watch")
    assert "All 2 are quiet" in html
    assert "shop-is-down" in html
    assert "0 of 3 conditions fire, 0 of them within 600 s; 2 make the alert." in html


@pytest.mark.parametrize("kind", ["mapped", "mail", "heartbeat"])
async def test_a_key_of_each_new_kind_is_shown_with_where_it_is_used(enter: Do, kind: str) -> None:
    gus = await enter("gus", Role.ADMIN)
    answer = await gus.send("/settings/keys", kind=kind, service="", name="", form="key")
    where = {"mapped": "/mapped/", "mail": "@", "heartbeat": "/heartbeat/"}[kind]
    secret = re.search(r"<code>([^<]+)</code>", answer.text)
    assert secret
    assert where in secret[1]
