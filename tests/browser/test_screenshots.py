"""Pictures of the screens that matter, to be looked at. Written to SEV1_SCREENSHOTS (default build/screenshots).

`incident-dark-1440.png` is the one in the documentation.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.house import House
from tests.browser.scenes import busy_incident

Open = Callable[..., Page]
SMALL = {"width": 1280, "height": 800}
SHOTS = {
    "incident-dark-1440": ("/incidents/{incident}", "ana", LAPTOP, "dark"),
    "incident-light-1280": ("/incidents/{incident}", "hana", SMALL, "light"),
    "incident-dark-390": ("/incidents/{incident}", "ana", PHONE, "dark"),
    "incident-light-390": ("/incidents/{incident}#entry-12", "bo", PHONE, "light"),
    "page-dark-390": ("/pages/{page}", "whoever is asked", PHONE, "dark"),
    "page-light-390": ("/pages/{page}", "whoever is asked", PHONE, "light"),
    "page-dark-1280": ("/pages/{page}", "whoever is asked", SMALL, "dark"),
    "now-typical-dark-1440": ("/", "ana", LAPTOP, "dark"),
    "now-typical-light-390": ("/", "ana", PHONE, "light"),
    "now-empty-dark-1280": ("/", "guest@nordlicht.example", SMALL, "dark"),
    "declare-dark-1280": ("/incidents/new?page={page}", "gus", SMALL, "dark"),
    "declare-light-390": ("/incidents/new", "gus", PHONE, "light"),
    "alert-light-1280": ("/alerts/1", "ana", SMALL, "light"),
    "on-call-dark-1280": ("/on-call", "ana", SMALL, "dark"),
    "on-call-dark-1440": ("/on-call", "ana", LAPTOP, "dark"),
    "on-call-light-390": ("/on-call", "ana", PHONE, "light"),
    "on-call-health-dark-1440": ("/on-call/health", "cem", LAPTOP, "dark"),
    "on-call-health-light-390": ("/on-call/health", "cem", PHONE, "light"),
    "contact-dark-1440": ("/settings/contact", "ana", LAPTOP, "dark"),
    "contact-light-390": ("/settings/contact", "ana", PHONE, "light"),
    "on-call-health-dark-1280": ("/on-call/health", "ana", SMALL, "dark"),
    "status-light-1280": ("/status", "ana", SMALL, "light"),
    "service-dark-1280": ("/catalog/services/main-db", "ana", SMALL, "dark"),
    "postmortem-light-1280": ("/incidents/{over}/postmortem", "ana", SMALL, "light"),
}


@pytest.mark.parametrize("name", SHOTS)
def test_the_screen_is_pictured(
    name: str, house: House, night: dict[str, str], open_as: Open, screenshots: Path
) -> None:
    path, who, size, scheme = SHOTS[name]
    if who == "whoever is asked":
        who = house.on_call("platform-primary")
    page = open_as(who, path.format(**night), size=size, color_scheme=scheme)
    expect(page.locator("h1").first).to_be_visible()
    page.screenshot(path=screenshots / f"{name}.png")


def test_a_busy_incident_is_pictured_and_stays_light(house: House, open_as: Open, screenshots: Path) -> None:
    key = busy_incident(house)
    page = open_as("ana", f"/incidents/{key}", size=LAPTOP, color_scheme="dark")
    expect(page.locator(".band-due")).to_contain_text("late by")
    expect(page.get_by_role("link", name="Older entries")).to_be_attached()
    assert page.locator("#timeline .entry").count() <= 130
    page.screenshot(path=screenshots / "incident-busy-dark-1440.png")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Connection lost")
    page.screenshot(path=screenshots / "incident-offline-dark-1440.png")


def test_the_first_load_of_a_page_is_small_enough_for_a_bad_network(night: dict[str, str], open_as: Open) -> None:
    page = open_as("gus", "")
    weight = weighed(page, f"/pages/{night['page']}")
    expect(page.locator("h1")).to_have_text(re.compile("Orders wait"))
    assert sum(weight.values()) < 60_000, weight


def test_the_first_load_of_an_incident_of_500_entries_is_small_enough_for_a_bad_network(
    house: House, open_as: Open
) -> None:
    key = busy_incident(house, entries=500)
    page = open_as("gus", "")
    weight = weighed(page, f"/incidents/{key}")
    expect(page.get_by_role("link", name="Older entries")).to_be_attached()
    assert sum(weight.values()) < 60_000, weight


def weighed(page: Page, path: str) -> dict[str, int]:
    """Bytes over the wire of everything that is loaded, by address."""
    weight: dict[str, int] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    names: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]}))
    session.on("Network.loadingFinished", lambda e: weight.update({names[e["requestId"]]: e["encodedDataLength"]}))
    page.goto(path)
    page.wait_for_load_state("load")
    return weight
