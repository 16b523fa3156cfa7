"""A restricted incident, its evidence and the broken glass, in a browser: reached by hand, readable, wide enough for a thumb."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]
LOG = b"03:05:01 ERROR pool exhausted\n" * 10_000


@pytest.fixture
def breach(open_as: Open) -> str:
    """Declared restricted by Dana, by hand; its path."""
    page = open_as("dana", "/incidents/new")
    page.get_by_label("What is wrong, in one line").fill("An account was taken over")
    page.get_by_label("Restricted:").check()
    page.get_by_role("main").get_by_role("button", name="Declare incident").click()
    expect(page.locator("#band")).to_contain_text("Restricted")
    return page.url.partition("?")[0].partition("#")[0]


def test_somebody_is_admitted_and_sees_it_and_others_find_nothing(open_as: Open, breach: str) -> None:
    dana, gus = open_as("dana", breach), open_as("gus", breach)
    expect(gus.locator("h1")).not_to_contain_text("taken over")
    dana.locator("#d-admit summary").click()
    dana.locator("#d-admit select").select_option("gus")
    dana.get_by_role("button", name="Admit").click()
    expect(dana.locator("#work-privacy")).to_contain_text("Gus")
    gus.reload()
    expect(gus.locator("h1")).to_contain_text("An account was taken over")


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_it_is_marked_readable_and_reachable(
    size: dict[str, int], open_as: Open, breach: str, screenshots: Path
) -> None:
    page = open_as("dana", breach, size=size, color_scheme="dark")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.screenshot(path=screenshots / f"restricted-dark-{size['width']}.png")
    page.emulate_media(color_scheme="light")
    assert violations(page, only="color-contrast") == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_file_is_kept_held_and_taken_along(scripts: bool, open_as: Open, breach: str, screenshots: Path) -> None:
    page = open_as("dana", f"{breach}/evidence", java_script_enabled=scripts, size=PHONE)
    page.get_by_label("File, at most").set_input_files({"name": "app.log", "mimeType": "text/html", "buffer": LOG})
    page.get_by_label("Where it came from").fill("db-2")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("main")).to_contain_text("app.log")
    page.get_by_text("Custody, 1 entry").click()
    form = page.locator("form[id^=f-hold]")
    form.get_by_label("Why").fill("case 7")
    form.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("Held: case 7")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    assert Path(started.value.path()).read_bytes() == LOG
    page.get_by_role("link", name="Check all of it").click()
    expect(page.get_by_role("status")).to_contain_text("All 1 are as they were collected")
    if scripts:
        page.locator("summary").first.click()
        assert violations(page) == []
        page.screenshot(path=screenshots / "evidence-390.png", full_page=True)
    assert page.locator("html").bounding_box()["width"] <= PHONE["width"]  # type: ignore[index]


def test_the_glass_is_broken_on_a_phone_and_closed_by_another(open_as: Open, breach: str, screenshots: Path) -> None:
    gus = open_as("gus", "/break-glass", size=PHONE)
    gus.get_by_label("To see a restricted incident").check()
    gus.get_by_label("Which incident").fill(breach.rpartition("/")[2])
    gus.get_by_label("Why").fill("nobody who is in it answers")
    gus.get_by_label("Take it now").check()
    gus.get_by_role("button", name="Break the glass").click()
    expect(gus.locator("main")).to_contain_text("in force")
    assert violations(gus) == []
    assert gus.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    gus.screenshot(path=screenshots / "break-glass-390.png", full_page=True)
    gus.goto(breach)
    expect(gus.locator("h1")).to_contain_text("An account was taken over")
    gus.goto("/break-glass")
    gus.get_by_role("button", name="End it now").first.click()
    gus.get_by_label("What was it for").first.fill("looked and went")
    gus.get_by_role("button", name="Write it down").first.click()
    expect(gus.locator("main")).to_contain_text("What for: looked and went")
    gus.goto(breach)
    expect(gus.locator("h1")).not_to_contain_text("taken over")
