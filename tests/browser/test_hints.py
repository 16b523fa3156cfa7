"""While somebody writes, blame is pointed out beside the form, reworded on demand, and never in the way of sending."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.house import House
from tests.browser.scenes import declared_from_page
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]


@pytest.fixture
def declared(house: House) -> str:
    return declared_from_page(house)


def test_a_reproach_is_pointed_out_while_it_is_written_and_reworded_on_demand(open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    field = page.locator("#f-line [name=line]")
    top = page.locator("#command-bar").bounding_box()
    field.type("👩‍🚒 Bob broke the trolley")
    box = page.locator("#hints-bar")
    expect(box).to_contain_text("“Bob broke”")
    expect(box).to_contain_text("(1 of 2)")
    assert page.locator("#command-bar").bounding_box() == top, "the form moved under the writer's hands"
    assert violations(page) == []
    box.get_by_role("button", name="Write “a change affected”").click()
    expect(field).to_have_value("👩‍🚒 a change affected the trolley")
    expect(field).to_be_focused()
    expect(box).to_contain_text("“trolley”")
    box.get_by_role("button", name="Leave it").click()
    expect(box).to_be_empty()


def test_a_hint_that_was_left_does_not_come_back_and_nothing_keeps_the_text_from_being_sent(
    open_as: Open, declared: str
) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    field = page.locator("#f-line [name=line]")
    field.type("Human error")
    page.get_by_role("button", name="Leave it").click()
    with page.expect_response("**/language/hints"):
        field.type(" again")
    expect(page.locator("#hints-bar")).to_be_empty()
    page.locator("#f-line").get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("Human error again")
    expect(page.locator("#worth")).to_contain_text("Recorded as you wrote it")


def test_declaring_on_a_phone_keeps_room_for_a_hint_so_that_nothing_moves(open_as: Open) -> None:
    page = open_as("ana", "/incidents/new", size=PHONE)
    below = page.locator("fieldset").first
    before = below.bounding_box()
    page.locator("[name=title]").type("Bob broke the checkout")
    button = page.locator("#hints-declare").get_by_role("button", name="Leave it")
    expect(button).to_be_visible()
    assert below.bounding_box() == before
    size = button.bounding_box()
    assert size is not None
    assert size["height"] >= 44
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
