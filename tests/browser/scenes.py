"""Typical and busy data, made through the same doors and commands as in life."""

from sev1.command import model as m
from sev1.command.parts.bridge import OpenBridge
from sev1.command.parts.intake import AnswerIntake
from sev1.command.parts.workstreams import OpenWorkstream
from sev1.paging import model as p
from sev1.paging.diagnostics import RunDiagnostic
from tests.browser.house import House

CHECKOUT = "Card payments fail: 42 % errors (normal < 1 %)"
QUEUE = "Orders wait 14 minutes before they are packed"


def furnish(house: House) -> dict[str, str]:
    """A night at Nordlicht: one incident that is over, one under way, one page that waits. Names of what was made."""
    over = search_outage(house)
    busy = checkout_outage(house)
    quiet_alerts(house)
    waiting = queue_page(house)
    house.at(0)
    return {"over": over, "incident": busy, "page": waiting}


def search_outage(house: House) -> str:
    """Declared from nothing, resolved through the gate, all clear."""
    house.at(26 * 60)
    key = house.declare(m.Declare(title="Search returns nothing", severity="sev-2", services=("search",)), "dana")
    house.at(26 * 60 - 9).incident(
        key,
        m.AssignRole(role="ops", person="eli"),
        m.PostUpdate(
            condition="9 of 10 searches fail since the index was rebuilt", actions="Going back to yesterday's index"
        ),
        m.RecordDecision(decision="Serve yesterday's index", reason="Stale results beat no results"),
        by="dana",
    )
    house.at(26 * 60 - 31).incident(key, m.MarkMitigated(), m.SetStage(stage="resolution"), by="eli")
    house.at(26 * 60 - 58)
    for criterion in m.CRITERIA:
        house.incident(key, m.ConfirmCriterion(criterion=criterion), by="dana")
    house.incident(key, m.ResolveIncident(), m.GiveAllClear(message="Search works again. Thank you, Eli."), by="dana")
    return key


def checkout_outage(house: House, *, entries: int = 0) -> str:
    """Declared from the page of a firing alert, half way through; `entries` more notes make it busy."""
    house.at(49).alert(
        "CheckoutErrors",
        "checkout",
        CHECKOUT,
        impact="Customers cannot pay",
        first="Deployed at 02:58? Roll it back: runbook, first step",
        dashboard_url="https://graphs.nordlicht.example/d/checkout",
    )
    house.alert("PaymentsSlow", "payments", "Card authorisations take 9 s (normal 0.4 s)")
    page = house.page_of(CHECKOUT)
    house.at(47).page(page, p.Acknowledge(), house.on_call("payments-primary"))
    house.at(46)
    key = house.declare(
        m.Declare(title="Card payments fail in EU", severity="sev-2", page=page, services=("checkout",)), "ana"
    )
    house.at(44).incident(
        key,
        m.AssignRole(role="ops", person="bo"),
        m.AssignRole(role="scribe", person="cem"),
        m.SetSeverity(severity="sev-1", reason="Every second customer in the EU is affected"),
        m.SetStage(stage="triage"),
        by="ana",
    )
    house.at(38).incident(
        key,
        m.PostUpdate(
            condition="42 % of card payments in the EU fail. Other regions and invoices work.",
            actions="Bo compares the 02:58 deploy with the one before.",
            needs="Somebody who knows the card processor's EU gateway.",
        ),
        m.SetStage(stage="investigation"),
        by="ana",
    )
    house.at(31).incident(
        key,
        m.AddNote(text="The card processor's own status page is green. Their support says they see our retries."),
        by="bo",
    )
    for n in range(entries):
        who = ("bo", "cem", "ana")[n % 3]
        house.at(30 - n * 25 / entries).incident(
            key, m.AddNote(text=f"Gateway {n + 1}: error rate {42 - n // 3} %, retries {n * 7} a minute"), by=who
        )
        if n % 9 == 4:
            house.incident(key, m.AssignRole(role="sme", person=("eli", "gus", "hana", "fumiko")[n % 4]), by="ana")
    house.at(24).incident(
        key,
        m.RecordDecision(
            decision="Roll back the 02:58 deploy of checkout",
            reason="The errors began with it, and rolling back takes 4 minutes",
            alternatives="Wait for the processor; switch the EU to invoice",
        ),
        m.SetStage(stage="mitigation"),
        by="ana",
    )
    house.at(19).incident(
        key,
        m.AssignRole(role="sme", person="hana"),
        OpenWorkstream(title="Bookings", goal="Every booking of the night is in the warehouse", lead="hana"),
        by="ana",
    )
    call = "https://meet.nordlicht.example/j/93847561029?pwd=QmFzZTY0aXNub3RlbmNyeXB0aW9uYnV0aXRpc2xvbmc"
    house.incident(key, OpenBridge(url=call, people=("bo", "hana")), AnswerIntake(question="blast"), by="ana")
    house.at(12).incident(
        key,
        m.PostUpdate(
            condition="Rolled back in two of three regions. Failures are down to 11 %.",
            actions="Bo rolls back the third region; Hana watches bookings at the warehouse.",
            needs="",
        ),
        by="ana",
    )
    house.at(3).incident(
        key,
        m.AddNote(text="Third region is back. The alert of P-1 is quiet there. Unlike INC-1, no index is involved."),
        by="bo",
    )
    return key


def queue_page(house: House) -> str:
    house.at(2.4).alert(
        "QueueBacklog",
        "queue",
        QUEUE,
        impact="Orders and mails are late",
        dashboard_url="https://graphs.nordlicht.example/d/queue",
    )
    key = house.page_of(QUEUE)
    house.page(key, RunDiagnostic(diagnostic="depth"), "hana")
    return key


def quiet_alerts(house: House) -> None:
    house.at(40).alert("DiskFilling", "main-db", "Disk of main-db is 81 % full", severity="warning")
    house.at(90).alert(
        "CertificateRenewed", "storefront", "The certificate was renewed", severity="info", resolved=True
    )
    house.at(15).send(b'[{"labels": "none"}]')


_count = 0


def _fresh(text: str) -> str:
    """Tests share one server: each gets a problem of its own."""
    global _count  # noqa: PLW0603 - a counter
    _count += 1
    return f"{text} ({_count})"


def waiting_page(house: House) -> tuple[str, str]:
    """A page that waits for an answer: its key, and for whom."""
    summary = _fresh("Orders wait 20 minutes before they are packed")
    house.at(0).alert("QueueBacklog", "queue", summary, env=_fresh("prod-test"))
    return house.page_of(summary), house.on_call("platform-primary")


def declared_from_page(house: House) -> str:
    """An incident one minute old, commanded by Ana, with a firing alert."""
    summary = _fresh("Card payments fail in a test region")
    house.at(0).alert("CheckoutErrors", "checkout", summary, env=_fresh("prod-test"))
    page = house.page_of(summary)
    return house.declare(m.Declare(title=summary, page=page), "ana")


def busy_incident(house: House, *, entries: int = 120) -> str:
    """Many people, many entries, an update that is late."""
    house.at(190)
    key = house.declare(
        m.Declare(title="Orders are lost between checkout and warehouse", services=("orders", "queue")), "ana"
    )
    people = [name for name in house.catalog.people if name != "ana"]
    for n in range(entries):
        house.at(189 - n * 150 / entries)
        who = people[n % len(people)]
        match n % 12:
            case 3:
                house.incident(key, m.AssignRole(role="sme", person=people[(n // 12) % len(people)]), by="ana")
            case 5:
                house.incident(
                    key, m.RecordDecision(decision=f"Replay batch {n}", reason="Nothing of it is booked yet"), by="ana"
                )
            case 8:
                house.incident(
                    key,
                    m.PostUpdate(
                        condition=f"{entries * 12 - n * 9} orders are missing",
                        actions=f"Batch {n} is replayed",
                        needs="Two more pairs of eyes at the warehouse",
                    ),
                    by="ana",
                )
            case 9 | 10:
                for role in ("scribe", "support", "comms", "sponsor", "ops"):
                    house.incident(key, m.AssignRole(role=role, person=people[(n + len(role)) % len(people)]), by="ana")  # type: ignore[arg-type]
            case _:
                house.incident(
                    key,
                    m.AddNote(
                        text=f"Batch {n}: {n * 3} of {n * 4} orders found again in the dead letters of queue-{n % 5}"
                    ),
                    by=who,
                )
    house.at(0)
    return key
