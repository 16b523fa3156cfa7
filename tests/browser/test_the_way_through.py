"""From the sign-in to the all-clear, with a second browser looking on: it sees each change within a second."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import PASSWORD, House

SOON_MS = 1000
Open = Callable[..., Page]


@pytest.fixture
def declared(house: House) -> str:
    """An incident that was declared from the page of a firing alert."""
    from tests.browser.scenes import declared_from_page

    return declared_from_page(house)


def soon(page: Page, selector: str, text: str | re.Pattern[str]) -> None:
    expect(page.locator(selector)).to_contain_text(text, timeout=SOON_MS)


def test_somebody_signs_in_with_a_password_and_is_led_where_they_wanted(house: House, open_as: Open) -> None:
    page = open_as(None, "/on-call")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Email").fill("ana@nordlicht.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/on-call$"))
    expect(page.get_by_role("heading", name="On call", exact=True)).to_be_visible()


def test_a_wrong_password_keeps_the_email_and_says_why(house: House, open_as: Open) -> None:
    page = open_as(None, "/sign-in")
    page.get_by_label("Email").fill("ana@nordlicht.example")
    page.get_by_label("Password").fill("not this one at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value("ana@nordlicht.example")


def test_opening_a_page_acknowledges_nothing_and_the_button_does(house: House, open_as: Open) -> None:
    from tests.browser.scenes import waiting_page

    key, who = waiting_page(house)
    looking = open_as("hana" if who != "hana" else "ana", f"/pages/{key}")
    page = open_as(who, f"/pages/{key}")
    expect(page.locator(".standing")).to_contain_text("Waits for you")
    expect(page.get_by_role("button", name="Acknowledge — I have it")).to_be_focused()
    page.get_by_role("button", name="Acknowledge — I have it").click()
    expect(page.locator(".standing")).to_contain_text("You have it")
    soon(looking, ".standing", "has it")


def test_an_incident_is_declared_from_a_page_with_one_key_and_enter(house: House, open_as: Open) -> None:
    from tests.browser.scenes import waiting_page

    key, who = waiting_page(house)
    page = open_as(who, f"/pages/{key}")
    page.locator("body").press("d")
    expect(page).to_have_url(re.compile("/incidents/new"))
    title = page.get_by_label("What is wrong, in one line")
    expect(title).to_be_focused()
    expect(page.get_by_role("radio", checked=True)).to_have_value("sev-1")
    title.press("Enter")
    expect(page).to_have_url(re.compile("/incidents/INC-"))
    expect(page.locator("#band")).to_contain_text("SEV-1")
    expect(page.locator("#band")).to_contain_text("IC you")
    expect(page.locator("#timeline")).to_contain_text(f"Linked page {key}")


def test_a_second_browser_sees_every_step_to_the_all_clear_within_a_second(
    house: House, open_as: Open, declared: str
) -> None:
    path = f"/incidents/{declared}"
    ana, bo = open_as("ana", path), open_as("bo", path)

    write(ana, "update", condition="4 of 10 payments fail", actions="Comparing deploys", needs="A card expert")
    soon(bo, "#picture-update", "4 of 10 payments fail")
    soon(bo, "#timeline > li:first-child", "A card expert")

    write(ana, "decision", decision="Roll back the deploy", reason="It began with it")
    soon(bo, "#timeline > li:first-child", "Decision D1: Roll back the deploy")
    soon(bo, "#picture-decisions", "Roll back the deploy")

    bo.locator("#band").get_by_role("button", name="take").first.click()
    soon(ana, "#band", "Ops Bo Lindqvist")

    ana.get_by_role("button", name="Mitigation", exact=True).click()
    soon(bo, "#band", "Mitigation")

    hand_over(ana, "ic", "bo")
    soon(bo, "#band", "IC you")
    soon(ana, "#band", "IC Bo Lindqvist")
    soon(bo, ".band-you", "Incident Commander")

    resolve_through_the_gate(house, ana, bo)
    soon(ana, ".band-since", "resolved, waiting for the all-clear")

    form = bo.locator("#f-all-clear")
    open_fold(bo, "All clear")
    form.get_by_label(re.compile("To everybody")).fill("Payments work again. Thank you.")
    form.get_by_role("button", name="Give the all-clear").click()
    soon(ana, ".band-since", "closed")
    soon(ana, "#timeline", "Payments work again")
    ana.goto(f"{path}/postmortem")
    expect(ana.locator("article")).to_contain_text("Roll back the deploy")


def test_lowering_the_severity_asks_for_the_reason_and_keeps_what_was_chosen(
    house: House, open_as: Open, declared: str
) -> None:
    page, other = open_as("ana", f"/incidents/{declared}"), open_as("bo", f"/incidents/{declared}")
    open_fold(page, "Change the severity")
    form = page.locator("#f-severity")
    form.locator("input[value=sev-3]").check()
    form.get_by_role("button", name="Set severity").click()
    expect(form.get_by_role("alert")).to_contain_text("what makes us certain?")
    expect(form.locator("input[value=sev-3]")).to_be_checked()
    form.get_by_label(re.compile("Reason")).fill("Only gift cards are hit")
    form.get_by_role("button", name="Set severity").click()
    soon(other, "#band", "SEV-3")
    soon(other, "#timeline > li:first-child", "Only gift cards are hit")


def test_a_page_for_one_more_responder_reaches_the_record(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    open_fold(page, "Page somebody for this")
    form = page.locator("#f-responder")
    form.get_by_label("Who is to be woken").select_option("eli")
    form.get_by_label("What for, in one line").fill("You know the gateway")
    form.get_by_role("button", name="Page them").click()
    soon(page, "#timeline", "Paged Eli Okafor: You know the gateway")
    soon(page, "#work-linked", "waits for Eli Okafor")


def write(page: Page, kind: str, **fields: str) -> None:
    page.locator("label", has=page.locator(f"#kind-{kind}")).click()
    form = page.locator(f"#f-{kind}")
    form.locator(".first").focus()
    for name, text in fields.items():
        form.locator(f"[name={name}]").fill(text)
    form.get_by_role("button").click()


def open_fold(page: Page, title: str) -> None:
    page.locator("#work-actions summary", has_text=title).click()


def hand_over(page: Page, role: str, person: str) -> None:
    open_fold(page, "Give somebody a role")
    form = page.locator("#f-role")
    form.locator("[name=role]").select_option(role)
    form.locator("[name=person]").select_option(person)
    form.get_by_role("button", name="Assign").click()


def resolve_through_the_gate(house: House, watching: Page, page: Page) -> None:
    """Three criteria are confirmed; the fourth is refused while an alert fires, and overridden with the reason."""
    for criterion in ("restored", "impact_ended", "no_residual"):
        page.locator(f"#f-confirm-{criterion}").get_by_role("button").click()
        expect(watching.locator(f"#f-confirm-{criterion}")).to_have_count(0, timeout=SOON_MS)
    page.locator("#f-confirm-stable").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("still fire")
    open_fold(page, "Override a criterion")
    page.locator("#f-override").get_by_label("Why it does not matter here").fill("The alert counts old errors")
    page.locator("#f-override").get_by_role("button").click()
    page.get_by_role("button", name="Resolve the incident").click()
