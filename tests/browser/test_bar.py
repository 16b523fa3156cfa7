"""The bar: one line with a grammar, by keyboard, on a phone, and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.house import House
from tests.browser.scenes import declared_from_page

Open = Callable[..., Page]


@pytest.fixture
def declared(house: House) -> str:
    return declared_from_page(house)


def test_a_line_is_completed_previewed_and_recorded_by_keyboard_alone(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.keyboard.press("/")
    page.keyboard.type("tas")
    expect(page.get_by_role("option", name="/task Give a task")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("@bo")
    expect(page.get_by_role("option", name="@bo Bo Lindqvist")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("measure the lag of db-2 in 20 min")
    expect(page.locator("#draft-says")).to_contain_text("Task T1 for Bo Lindqvist: measure the lag of db-2")
    expect(page.locator("#timeline")).not_to_contain_text("measure the lag")
    page.keyboard.press("Enter")
    expect(page.locator("#work-tasks #T1")).to_contain_text("measure the lag of db-2")
    expect(page.locator("#f-line [name=line]")).to_have_value("")
    expect(page.locator("#f-line [name=line]")).to_be_focused()


def test_what_cannot_be_understood_is_said_and_the_line_is_kept(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.keyboard.press("/")
    page.keyboard.type("role chief @bo")
    page.keyboard.press("Enter")
    expect(page.locator("#f-line").get_by_role("alert")).to_contain_text("Say which role")
    expect(page.locator("#f-line [name=line]")).to_have_value("/role chief @bo")


def test_a_link_beside_a_guess_begins_the_line_and_the_guess_ends(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    say(page, "/guess the pool is full unless 40 are idle")
    page.locator("#picture-board").get_by_role("link", name="refute: H1").click()
    field = page.locator("#f-line [name=line]")
    expect(field).to_be_focused()
    expect(field).to_have_value("/refute H1 ")
    page.keyboard.type("40 are idle")
    page.keyboard.press("Enter")
    expect(page.locator("#picture-board summary")).to_have_text("1 settled")


def test_advice_comes_to_who_did_it_with_the_line_that_follows_it(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    say(page, "/role ops @bo")
    say(page, "/task @ana restart checkout-7 in 10 min")
    advice = page.locator("#f-line .advice")
    expect(advice).to_contain_text("keeps the Incident Commander from commanding")
    advice.get_by_role("link").click()
    page.keyboard.press("Enter")
    expect(page.locator("#T1")).to_contain_text("Bo Lindqvist")
    expect(page.locator("#f-line .advice")).to_have_count(0)


def test_on_a_phone_a_task_is_done_with_two_taps_and_a_word(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}", size=PHONE)
    say(page, "/task @ana call the processor in 10 min")
    page.locator("label", has=page.locator("#tab-work")).click()
    page.locator("#work-tasks").get_by_role("link", name="done: T1").click()
    page.keyboard.type("they see it too")
    page.locator("#f-line button").click()
    expect(page.locator("#work-tasks summary")).to_have_text("1 done")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_scripts_a_link_begins_the_line_and_the_form_sends_it(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}", java_script_enabled=False)
    page.locator("#f-line [name=line]").fill("/unknown do refunds go through?")
    page.locator("#f-line button").click()
    page.locator("#picture-board").get_by_role("link", name="answer: U1").click()
    expect(page.locator("#f-line [name=line]")).to_have_value("/answer U1 ")
    page.locator("#f-line [name=line]").fill("/answer U1 they do")
    page.locator("#f-line button").click()
    expect(page.locator("#timeline")).to_contain_text("U1 answered: do refunds go through?")


def test_a_restless_line_with_markup_stays_text(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    say(page, "/know <img src=x onerror=alert(1)> & \u202e🔥 شبكة")
    expect(page.locator("#picture-board #K1")).to_contain_text("<img src=x onerror=alert(1)>")


def say(page: Page, line: str) -> None:
    page.locator("#f-line [name=line]").fill(line)
    page.locator("#f-line [name=line]").press("Enter")
    expect(page.locator("#f-line [name=line]")).to_have_value("")


def test_what_was_told_outside_has_the_whole_width_and_the_page_itself_does_not_scroll(
    open_as: Open, declared: str
) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    say(page, "/can for customers: some payments in the EU may fail, please try again")
    row = page.locator("#picture-clocks li > span")
    expect(row).to_contain_text("please try again")
    box, whole = row.bounding_box(), page.locator("#picture-clocks").bounding_box()
    assert box is not None
    assert whole is not None
    assert box["width"] > whole["width"] - 20
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 1
