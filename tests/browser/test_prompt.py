"""The question of the moment in a browser: it arrives by itself, an answer begins with a click, and it goes when put off."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from sev1.command import model as m
from sev1.command.parts.priority import SetPriority
from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.house import House
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]


def declared(house: House, minutes_ago: float) -> str:
    house.at(minutes_ago)
    key = house.declare(m.Declare(title="Labels print twice", severity="sev-3", services=("warehouse",)), "ana")
    house.at(0)
    return key


def test_a_question_arrives_with_the_time_and_begins_an_answer(house: House, open_as: Open) -> None:
    key = declared(house, 4.95)
    page = open_as("ana", f"/incidents/{key}", size=LAPTOP)
    expect(page.locator("#band-prompt")).to_contain_text("What do we know for certain", timeout=12_000)
    page.locator("#band-prompt").get_by_role("link", name="Answer").click()
    expect(page.get_by_role("textbox", name="A command like")).to_have_value("/know ")


def test_it_is_readable_fits_a_phone_and_goes_when_it_is_put_off(house: House, open_as: Open) -> None:
    key = declared(house, 20)
    house.incident(key, SetPriority(priority=1, reason="the courier leaves at 05:00"), by="bo")
    page = open_as("ana", f"/incidents/{key}", size=PHONE, color_scheme="dark")
    expect(page.locator("#band-prompt")).to_be_visible()
    expect(page.locator("#band")).to_contain_text("P1")
    assert violations(page) == []
    page.emulate_media(color_scheme="light")
    assert violations(page, only="color-contrast") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    button = page.locator("#band-prompt").get_by_role("button", name="Not now")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.click()
    expect(page.locator("#band-prompt")).to_have_count(0)
    expect(page.locator("#band")).to_contain_text("You: Incident Commander")
