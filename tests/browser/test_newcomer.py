"""A newcomer opens a running incident on a phone, and picks up what nobody has yet."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.house import House
from tests.browser.scenes import declared_from_page
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]


def test_a_newcomer_picks_up_what_nobody_has_with_one_tap(house: House, open_as: Open) -> None:
    key = declared_from_page(house)
    page = open_as("hana", f"/incidents/{key}", size=PHONE)
    page.locator("fieldset.tabs label", has_text="Work").click()
    field = page.locator("#f-line [name=line]")
    field.fill("/task compare the two last releases in 20 min")
    field.press("Enter")
    waits = page.locator("#work-pick-up")
    expect(waits).to_contain_text("compare the two last releases")
    assert violations(page) == []
    waits.get_by_role("button", name="I take it: T1").click()
    expect(waits).to_be_hidden()
    expect(page.locator("#T1")).to_contain_text("you")
