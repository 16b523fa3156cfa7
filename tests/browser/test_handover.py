"""Command goes from one person to another, each in their own browser; and the end, looked at before it is declared."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sev1.command import model as m
from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.house import House
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]


@pytest.fixture
def outage(house: House) -> str:
    house.at(150)
    key = house.declare(m.Declare(title="Parcels get two labels", severity="sev-2", services=("warehouse",)), "ana")
    house.incident(
        key,
        m.AssignRole(role="ic", person="ana"),
        m.AssignRole(role="ops", person="bo"),
        m.PostUpdate(condition="One parcel in ten gets two labels", actions="Labels are printed by hand"),
        by="ana",
    )
    house.at(0)
    return key


def test_command_is_offered_read_back_and_seen_by_both_at_once(outage: str, open_as: Open, screenshots: Path) -> None:
    hers = open_as("ana", f"/incidents/{outage}", size=LAPTOP)
    his = open_as("bo", f"/incidents/{outage}", size=PHONE)
    bar = hers.get_by_role("textbox", name="A command like")
    bar.fill("/handover @bo my shift ends at 06:00")
    bar.press("Enter")
    expect(his.locator("#band")).to_contain_text("offers you command")
    his.locator("fieldset.tabs label", has_text="Work").click()
    his.get_by_role("link", name="Read the briefing and answer").click()
    expect(his.get_by_role("heading", name="Briefing")).to_be_visible()
    expect(his.get_by_text("my shift ends at 06:00")).to_be_visible()
    assert violations(his) == []
    his.screenshot(path=screenshots / "briefing-390.png", full_page=True)
    for box in his.get_by_role("checkbox").all()[:4]:
        box.check()
    his.get_by_label("How it stands and what comes next").fill("One parcel in ten has two labels; hand labels hold it.")
    his.get_by_role("button", name="I command now").click()
    expect(his.get_by_role("alert")).to_contain_text("Still to confirm: when the next update is due")
    his.get_by_role("checkbox").last.check()
    his.get_by_role("button", name="I command now").click()
    expect(his.locator("#band")).to_contain_text("Incident Commander")
    expect(hers.locator("#band .roles-line")).to_contain_text("Bo")
    expect(hers.locator("#log")).to_contain_text("Command handed over")
    hers.screenshot(path=screenshots / "handed-over-1440.png")


def test_the_hand_over_works_without_scripts(outage: str, open_as: Open) -> None:
    hers = open_as("ana", f"/incidents/{outage}", java_script_enabled=False)
    hers.locator("#d-handover summary").click()
    form = hers.locator("#f-handover")
    form.get_by_label("Who takes over").select_option("bo")
    form.get_by_role("button", name="Offer command").click()
    his = open_as("bo", f"/incidents/{outage}/handover", java_script_enabled=False)
    his.get_by_text("I cannot take it").click()
    his.get_by_label("Why not").fill("I have been up for 20 hours")
    his.get_by_role("button", name="Decline").click()
    expect(his.locator("#log")).to_contain_text("declined command")


def test_what_is_said_in_confidence_reaches_the_commander_at_once_and_nobody_else(
    outage: str, open_as: Open, screenshots: Path
) -> None:
    hers = open_as("ana", f"/incidents/{outage}", size=LAPTOP)
    others = open_as("hana", f"/incidents/{outage}")
    his = open_as("bo", f"/incidents/{outage}")
    his.get_by_role("button", name="I am unsure").click()
    expect(hers.locator("#work-concerns")).to_contain_text("I am unsure. Something feels wrong.")
    hers.get_by_role("button", name="I have read it").click()
    expect(his.locator("#work-concerns")).to_contain_text("has read it")
    expect(others.locator("#work-concerns")).not_to_contain_text("Something feels wrong")
    hers.screenshot(path=screenshots / "at-work-1440.png", full_page=True)


def test_the_gate_is_looked_at_confirmed_and_followed_by_the_recovery(
    outage: str, open_as: Open, screenshots: Path
) -> None:
    page = open_as("ana", f"/incidents/{outage}/gate", size=PHONE)
    page.screenshot(path=screenshots / "gate-390.png", full_page=True)
    page.get_by_role("button", name="Confirm").first.click()
    for criterion in ("impact_ended", "stable", "no_residual"):
        page.locator("textarea[name=line]").fill(f"/confirm {criterion}")
        page.locator("textarea[name=line]").press("Enter")
        expect(page.locator("textarea[name=line]")).to_have_value("")
    page.locator("fieldset.tabs label", has_text="Work").click()
    page.get_by_role("button", name="Resolve the incident").click()
    expect(page.locator("#work-recovery")).to_contain_text("8 of 8 open")
    expect(page.locator("#work-stage")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []
    page.screenshot(path=screenshots / "recovery-390.png")
