"""The screen on the wall: read from four metres, true without anybody touching it, and honest when it is not."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from sev1.command import model as m
from sev1.command.parts.needs import RaiseNeed
from tests.browser.conftest import PHONE
from tests.browser.house import House
from tests.browser.scenes import declared_from_page
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]
WALL = {"width": 1920, "height": 1080}
READABLE_PX = 40
"""Capitals of 0.7 em are 28 px high: 18 mm on a screen of 55 inches, 15 minutes of arc from four metres."""


def top_of(page: Page, key: str) -> float:
    box = page.locator(f"#wall-{key}").bounding_box()
    assert box
    return box["height"]


def test_everything_on_it_is_read_from_four_metres_and_nothing_is_cut_on_a_phone(
    house: House, night: dict[str, str], open_as: Open, screenshots: Path
) -> None:
    late = house.at(190).declare(m.Declare(title="Orders are lost", severity="sev-1"), "ana")
    house.at(0)
    page = open_as("guest@nordlicht.example", "/wall", size=WALL, color_scheme="dark")
    expect(page.locator(f"#wall-{late} ~ #wall-{night['incident']}")).to_be_visible()  # what is late comes first
    expect(page.locator(f"#wall-{late} time.late")).to_contain_text("update late by 2 h")
    cut = """() => [...document.querySelectorAll(".wall-facts > span, .wall-since")]
        .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"""
    assert page.evaluate(cut) == []
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("#wall *")].filter(e => e.checkVisibility() && !e.closest(".visually-hidden")
            && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .map(e => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert len(sizes) > 6
    assert min(sizes) >= READABLE_PX * 0.9375  # the severity is set a little smaller, and bold
    assert page.evaluate("document.documentElement.scrollWidth") <= WALL["width"]
    page.screenshot(path=screenshots / "wall-dark-1920.png")
    phone = open_as("guest@nordlicht.example", "/wall", size=PHONE, color_scheme="light")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(phone.locator(f"#wall-{night['incident']}")).to_contain_text("Card payments fail in EU")
    assert violations(phone) == []
    phone.screenshot(path=screenshots / "wall-light-390.png")
    house.incident(late, m.CloseFalseAlarm(), by="ana")


def test_it_changes_by_itself_and_its_rows_keep_their_height(house: House, open_as: Open) -> None:
    page = open_as("guest@nordlicht.example", "/wall", size=WALL)
    key = declared_from_page(house)
    row = page.locator(f"#wall-{key}")
    expect(row).to_contain_text("IC Ana", timeout=5000)
    before = top_of(page, key)
    house.incident(key, RaiseNeed(text="somebody who knows the gateway"), by="ana")
    house.incident(key, m.SetStage(stage="investigation"), by="ana")
    expect(row).to_contain_text("1 open need")
    expect(row).to_contain_text("Investigation")
    assert top_of(page, key) == before
    house.incident(key, m.CloseFalseAlarm(), by="ana")
    expect(row).to_have_count(0)


def test_a_lost_connection_is_said_out_loud_without_moving_anything(house: House, open_as: Open) -> None:
    key = declared_from_page(house)
    page = open_as("guest@nordlicht.example", "/wall", size=WALL)
    row, band = page.locator(f"#wall-{key}"), page.locator("#connection")
    expect(row).to_be_visible()
    before = row.bounding_box()
    page.context.set_offline(True)
    expect(band).to_contain_text("Connection lost since")
    expect(band).to_contain_text("Shown as of")
    assert float(band.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= READABLE_PX
    assert row.bounding_box() == before
    house.incident(key, m.CloseFalseAlarm(), by="ana")
    page.context.set_offline(False)
    expect(row).to_have_count(0, timeout=8000)
    expect(band).to_be_hidden()
