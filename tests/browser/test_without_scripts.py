"""Acknowledge, declare and update work without a line of script."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.house import PASSWORD, House
from tests.browser.scenes import declared_from_page, queue_page, waiting_page
from tests.live.waiting import until

Open = Callable[..., Page]


def test_a_page_is_acknowledged_without_scripts(house: House, open_as: Open) -> None:
    key, who = waiting_page(house)
    page = open_as(who, f"/pages/{key}", java_script_enabled=False, size=PHONE)
    page.get_by_role("button", name="Acknowledge — I have it").click()
    expect(page).to_have_url(re.compile(f"/pages/{key}$"))
    expect(page.locator(".standing")).to_contain_text("You have it")


def test_a_diagnostic_is_run_and_a_fix_reported_without_scripts(house: House, open_as: Open) -> None:
    key = queue_page(house)
    house.at(0)
    page = open_as("ana", f"/pages/{key}", java_script_enabled=False, size=PHONE)
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#page-history")).to_contain_text("runs: How many orders wait.")
    until(lambda: "special address" in (page.reload(), page.content())[1], "the answer")
    expect(page.locator("#page-diagnose")).to_contain_text("127.0.0.1 is a private or otherwise special address.")
    page.get_by_label("What you did").fill("restarted the packer")
    page.get_by_role("button", name="The fix is in").click()
    expect(page.locator("#page-fix")).to_contain_text("whether your fix helps")


def test_an_incident_is_declared_and_updated_without_scripts(house: House, open_as: Open) -> None:
    page = open_as("ana", "/incidents/new", java_script_enabled=False)
    page.get_by_label("What is wrong, in one line").fill("Baskets are empty")
    page.get_by_role("button", name="Declare incident").click()
    expect(page).to_have_url(re.compile("/incidents/INC-"))
    page.locator("label", has=page.locator("#kind-update")).click()
    page.locator("#f-update [name=condition]").fill("One in three baskets is empty")
    page.locator("#f-update [name=needs]").fill("Somebody who knows the cache")
    page.get_by_role("button", name="Post update").click()
    expect(page.locator("#picture-update")).to_contain_text("One in three baskets is empty")
    expect(page.locator("#timeline")).to_contain_text("Somebody who knows the cache")


def test_a_refusal_shows_the_whole_page_with_what_was_typed(house: House, open_as: Open) -> None:
    key = declared_from_page(house)
    page = open_as("ana", f"/incidents/{key}", java_script_enabled=False)
    page.locator("#work-actions summary", has_text="Change the severity").click()
    page.locator("#f-severity input[value=sev-3]").check()
    page.get_by_role("button", name="Set severity").click()
    expect(page.locator("#f-severity").get_by_role("alert")).to_contain_text("what makes us certain?")
    expect(page.locator("#f-severity input[value=sev-3]")).to_be_checked()
    expect(page.locator("#band")).to_contain_text("SEV-1")


def test_the_three_tabs_of_a_phone_work_without_scripts(house: House, open_as: Open) -> None:
    key = declared_from_page(house)
    page = open_as("ana", f"/incidents/{key}", java_script_enabled=False, size=PHONE)
    expect(page.locator("#picture-update")).to_be_visible()
    expect(page.locator("#timeline")).to_be_hidden()
    page.locator(".tabs label", has_text="Timeline").click()
    expect(page.locator("#timeline")).to_be_visible()
    expect(page.locator("#picture-update")).to_be_hidden()
    page.goto(f"/incidents/{key}#entry-1")
    expect(page.locator("#entry-1")).to_be_visible()


def test_signing_in_and_out_works_without_scripts(house: House, open_as: Open) -> None:
    page = open_as(None, "/", java_script_enabled=False)
    page.get_by_label("Email").fill("ana@nordlicht.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/settings")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(re.compile("/sign-in"))
