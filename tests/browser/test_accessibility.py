"""Every page: no violation that axe-core finds, in dark, light and high contrast; nothing wider than a phone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.house import House

AXE = Path(__file__).parent / "vendor/axe.min.js"
PAGES = {
    "now": "/",
    "alerts": "/alerts",
    "alert": "/alerts/1",
    "not understood": "/not-understood",
    "payload": "/not-understood/1",
    "page": "/pages/{page}",
    "incidents": "/incidents",
    "declare": "/incidents/new?page={page}",
    "incident": "/incidents/{incident}",
    "incident that is over": "/incidents/{over}",
    "briefing": "/incidents/{incident}/handover",
    "workstream": "/incidents/{incident}/workstreams/1",
    "gate": "/incidents/{incident}/gate",
    "recovery": "/incidents/{over}/gate",
    "temporary mitigations": "/mitigations",
    "timeline by kind": "/incidents/{incident}?kind=updates",
    "postmortem": "/incidents/{over}/postmortem",
    "on call": "/on-call",
    "on-call health": "/on-call/health",
    "catalog": "/catalog",
    "replay": "/catalog/replay",
    "service": "/catalog/services/checkout",
    "glossary": "/glossary",
    "signals": "/signals",
    "risks": "/risks",
    "wall": "/wall",
    "status": "/status",
    "settings": "/settings",
    "contact": "/settings/contact",
    "nothing there": "/incidents/INC-99999",
}
Open = Callable[..., Page]


def violations(page: Page, *, only: str = "") -> list[str]:
    """What axe-core finds, whatever it calls it, each with the first places; `only` one rule."""
    # Evaluated by the debugger's protocol, so the content security policy of the page stays as it is.
    page.evaluate(AXE.read_text())
    options = {"resultTypes": ["violations"], **({"runOnly": [only]} if only else {})}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:160] for node in rule['nodes'][:3]]}"
        for rule in found["violations"]
    ]


@pytest.fixture(scope="module")
def open_once(house: House, browser: Browser) -> Iterator[Callable[[str, dict[str, int]], Page]]:
    """One browser of an admin for each size, used again for every page."""
    contexts: dict[int, BrowserContext] = {}

    def enter(path: str, size: dict[str, int]) -> Page:
        if size["width"] not in contexts:
            context = browser.new_context(viewport=size, base_url=house.url, has_touch=size == PHONE)  # type: ignore[arg-type]
            context.add_cookies(
                [{"name": "sev1_session", "value": house.cookie("gus@nordlicht.example"), "url": house.url}]
            )
            context.new_page()
            contexts[size["width"]] = context
        page = contexts[size["width"]].pages[0]
        page.emulate_media(color_scheme="dark")
        page.goto(path)
        return page

    yield enter
    for context in contexts.values():
        context.close()


OpenOnce = Callable[[str, dict[str, int]], Page]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation_in_any_theme(name: str, night: dict[str, str], open_once: OpenOnce) -> None:
    page = open_once(PAGES[name].format(**night), LAPTOP)
    assert violations(page) == []
    page.emulate_media(color_scheme="light")
    assert violations(page, only="color-contrast") == []
    page.evaluate("document.documentElement.dataset.theme = 'contrast'")
    assert violations(page, only="color-contrast") == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_phone(name: str, night: dict[str, str], open_once: OpenOnce) -> None:
    page = open_once(PAGES[name].format(**night), PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, .button, select, summary, input[type=text]")]
             .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 160))"""
    )
    assert small == [], "too small for a thumb"


@pytest.mark.parametrize("path", ["/sign-in", "/setup/none", "/link/none"])
def test_pages_before_the_sign_in_are_as_accessible(path: str, night: dict[str, str], open_as: Open) -> None:
    assert violations(open_as(None, path, color_scheme="light")) == []
    assert violations(open_as(None, path, color_scheme="dark", size=PHONE)) == []


def test_open_forms_are_as_accessible_as_closed_ones(night: dict[str, str], open_as: Open) -> None:
    page = open_as("gus", f"/incidents/{night['incident']}", color_scheme="light")
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert violations(page) == []


def test_the_high_contrast_theme_is_chosen_in_settings_and_stays(night: dict[str, str], open_as: Open) -> None:
    page = open_as("hana", "/settings")
    page.get_by_label("High contrast").check()
    page.get_by_role("button", name="Use this").click()
    page.goto(f"/incidents/{night['incident']}")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"
    assert violations(page) == []
    page.goto("/settings")
    page.get_by_label("As this device wants it").check()
    page.get_by_role("button", name="Use this").click()


def test_everything_on_a_laptop_fits_without_scrolling_sideways(night: dict[str, str], open_as: Open) -> None:
    for width in (LAPTOP["width"], 1280, 1024):
        page = open_as("gus", f"/incidents/{night['incident']}", size={"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
