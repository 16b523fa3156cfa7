from datetime import UTC, datetime, timedelta

from markdown_it import MarkdownIt

from sev1.catalog.contact import EmailMethod
from sev1.catalog.model import Catalog, Person, Service
from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.parts.intake import IntakeAnswered, IntakeFound
from sev1.engine.decider import Actor, Fact, fold
from sev1.review.postmortem import Record, render_draft

T0 = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
ANA = Actor(id="ana", name="Ana Ribeiro", via="web")
INCIDENTS = IncidentAggregate()
SECTIONS = ["Summary", "Timeline", "Impact", "Contributing causes", "Detection", "Mitigation", "Resolution", "Lessons",
            "Action items", "Prevention"]  # fmt: skip
CATALOG = Catalog(
    people={
        "ana": Person(
            name="ana",
            full_name="Ana Ribeiro",
            email="ana@example.org",
            contact=(EmailMethod(address="ana@example.org"),),
        )
    },
    services={"checkout": Service(name="checkout", title="Checkout", owner="payments", impact="Customers cannot pay")},
)


def draft(*events: m.IncidentEvent, title: str = "Card payments fail") -> str:
    declared = m.IncidentDeclared(
        title=title,
        severity="sev-1",
        severity_assumed=False,
        commander="ana",
        services=("checkout",),
        started_at=T0 - timedelta(minutes=9),
        detected_at=T0 - timedelta(minutes=5),
        acknowledged_at=T0 - timedelta(minutes=3),
        next_update_at=None,
    )
    facts = [
        Fact(version=n, at=T0 + timedelta(minutes=n), by=ANA, event=event)
        for n, event in enumerate((declared, *events), 1)
    ]
    incident = fold(INCIDENTS, "INC-1", facts)
    return render_draft(Record(incident=incident, facts=facts, pages=[], alerts=[], alert_count=0, catalog=CATALOG))


def headings(text: str) -> list[str]:
    tokens = MarkdownIt().parse(text)
    return [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]


def test_the_draft_has_the_ten_sections_in_order():
    assert headings(draft())[1:] == [f"{n}. {title}" for n, title in enumerate(SECTIONS, 1)]


def test_every_event_is_on_the_timeline_with_its_time_and_author():
    text = draft(m.NoteAdded(text="The processor's page is green"), m.DecisionRecorded(decision="Roll back", reason="r",
                 alternatives=""))  # fmt: skip
    assert "- 2026-03-02 03:16:00 UTC — The processor's page is green (Ana Ribeiro)" in text
    assert "- 2026-03-02 03:17:00 UTC — 🧭 Decision: Roll back (Ana Ribeiro)\n  - Reason: r" in text


def test_what_is_not_known_is_asked_for_and_never_made_up():
    text = draft()
    assert "_Not mitigated yet._" in text
    assert "| resolve | not yet |" in text


def test_who_confirmed_the_criteria_and_why_one_was_overridden_is_on_record():
    text = draft(m.CriterionConfirmed(criterion="restored"), m.CriterionOverridden(criterion="stable", reason="known probe"),
                 m.IncidentResolved())  # fmt: skip
    assert "confirmed by Ana Ribeiro" in text
    assert "overridden by Ana Ribeiro: known probe" in text


def test_needs_of_updates_become_open_action_items():
    text = draft(m.UpdatePosted(condition="c", actions="", needs="A second card processor", next_update_at=None))
    assert "- [ ] A second card processor" in text


def test_what_people_wrote_cannot_become_headings_lists_or_html():
    text = draft(m.NoteAdded(text="x\n# Blame Bo\n- [ ] <script>alert(1)</script> | **bold**"), title="# Not a heading")
    assert len(headings(text)) == 11
    html = MarkdownIt("commonmark").render(text)
    assert "<script>" not in html
    assert "<strong>" not in html


def test_the_answers_of_the_intake_are_where_they_belong_and_say_what_nobody_confirmed():
    found = IntakeFound(found={"changed": "03:05 Checkout: Deploy 1.4\n02:00 Cart: <b>Deploy</b>", "tell": "Payments"})
    text = draft(found, IntakeAnswered(question="blast", text="Europe only"))
    causes = text.partition("Contributing causes")[2].partition("## ")[0]
    assert "03:05 Checkout: Deploy 1.4; 02:00 Cart:" in causes
    assert "<b>" not in causes
    assert "not confirmed" in causes
    assert "- Reach: Europe only\n" in text.partition("3. Impact")[2].partition("## ")[0]
