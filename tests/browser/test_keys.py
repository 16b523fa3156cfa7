"""The keys act where they are shown, stay out of fields, and can be turned off."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.scenes import declared_from_page, waiting_page

Open = Callable[..., Page]


@pytest.fixture
def declared(house: House) -> str:
    return declared_from_page(house)


def test_slash_writes_and_escape_leaves_the_field_then_the_page(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.keyboard.press("/")
    field = page.locator("#f-line [name=line]")
    expect(field).to_be_focused()
    expect(page.locator("#draft")).to_contain_text("Update everybody")
    page.keyboard.type("note d / ? stay text")
    expect(field).to_have_value("/note d / ? stay text")
    expect(page.locator("#draft")).to_contain_text("Records d / ? stay text")
    page.keyboard.press("Escape")
    expect(page.locator("#draft")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/incidents$"))


def test_a_acknowledges_the_page(house: House, open_as: Open) -> None:
    key, who = waiting_page(house)
    page = open_as(who, f"/pages/{key}")
    page.keyboard.press("a")
    expect(page.locator(".standing")).to_contain_text("You have it")


def test_e_only_goes_to_the_button_because_it_wakes_somebody(house: House, open_as: Open) -> None:
    key, who = waiting_page(house)
    page = open_as(who, f"/pages/{key}")
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Escalate now")).to_be_focused()
    expect(page.locator(".standing")).to_contain_text("Waits for you")
    page.keyboard.press("Enter")
    expect(page.locator("#page-history")).to_contain_text("Step 2")


def test_d_declares_and_question_mark_shows_the_keys(open_as: Open, declared: str) -> None:
    page = open_as("ana", "/incidents")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("/incidents/new"))


def test_g_goes_places_and_j_and_k_move_in_a_list(open_as: Open, declared: str) -> None:
    page = open_as("ana", "/")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url(re.compile("/incidents$"))  # and until the page is there, with its keys
    rows = page.locator("[data-row] .what > a:first-of-type")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()


def test_keys_can_be_turned_off(open_as: Open, declared: str) -> None:
    page = open_as("ana", "/settings")
    page.get_by_label("Turn single keys off in this browser").check()
    page.goto("/incidents")
    page.keyboard.press("d")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile("/incidents$"))


def test_tab_reaches_the_content_first_by_the_skip_link(open_as: Open, declared: str) -> None:
    page = open_as("ana", "/incidents")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
