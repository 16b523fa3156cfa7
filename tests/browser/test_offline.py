"""With no connection at all the last known state can still be read, clearly marked, and nothing of it is left for others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sev1.command import model as m
from tests.browser.conftest import PHONE
from tests.browser.house import House
from tests.browser.scenes import declared_from_page
from tests.browser.test_accessibility import violations

Open = Callable[..., Page]
COPIES = "async () => (await (await caches.open('copies')).keys()).map(one => new URL(one.url).pathname)"


@pytest.fixture
def declared(house: House) -> str:
    return declared_from_page(house)


def until(page: Page, script: str, arg: object, what: str) -> None:
    """Until `script` is true in the page, bounded."""
    for _ in range(100):
        if page.evaluate(script, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"did not happen: {what}")


def kept(page: Page, path: str, text: str = "") -> None:
    """Until a copy of the page is kept, with `text` in it, and the worker may show it."""
    script = """async ([path, text]) => {
        const kept = await (await caches.open('copies')).match(location.origin + path);
        return Boolean(kept && (await kept.text()).includes(text) && navigator.serviceWorker.controller);
    }"""
    until(page, script, [path, text], f"a copy of {path}")


def reload_offline(page: Page) -> None:
    page.context.set_offline(True)
    page.reload()


def test_a_reload_without_a_connection_shows_the_last_known_state_clearly_marked(
    house: House, open_as: Open, declared: str, screenshots: Path
) -> None:
    path = f"/incidents/{declared}"
    page = open_as("ana", path, size=PHONE)
    house.incident(declared, m.PostUpdate(condition="4 of 10 payments fail"), by="bo")
    expect(page.locator("#picture-update")).to_contain_text("4 of 10 payments fail")
    kept(page, path, "4 of 10 payments fail")
    reload_offline(page)
    band = page.locator("#connection")
    expect(band).to_contain_text("Offline copy of")
    expect(band).to_contain_text("Not live.")
    expect(page.locator("#picture-update")).to_contain_text("4 of 10 payments fail")
    assert page.evaluate("getComputedStyle(document.querySelector('.band')).display") != "inline"
    assert violations(page) == []
    page.screenshot(path=screenshots / "offline-390.png")
    house.incident(declared, m.AddNote(text="Happened meanwhile"), by="bo")
    page.context.set_offline(False)
    expect(page.locator("#timeline")).to_contain_text("Happened meanwhile", timeout=8000)
    expect(band).to_be_hidden()
    expect(page.locator("#timeline > li", has_text="Happened meanwhile")).to_have_count(1)


def test_what_needs_me_can_be_read_without_a_connection(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", "/")
    kept(page, "/")
    reload_offline(page)
    expect(page.locator("#connection")).to_contain_text("Offline copy of")
    expect(page.locator("#now")).to_be_visible()


def test_of_a_restricted_incident_no_copy_is_kept_and_one_that_was_kept_goes(
    house: House, open_as: Open, declared: str
) -> None:
    path = f"/incidents/{declared}"
    page = open_as("ana", path)
    kept(page, path)
    from sev1.command.parts.privacy import Restrict

    house.incident(declared, Restrict(reason="an account was taken over"), by="ana")
    page.reload()
    until(page, f"async path => !(await ({COPIES})()).includes(path)", path, "the copy goes")
    page.goto("/")
    expect(page.locator("#now")).to_contain_text("Restricted")
    assert "/" not in page.evaluate(COPIES)


def test_nothing_is_left_for_whoever_signs_in_next(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    kept(page, f"/incidents/{declared}")
    page.goto("/settings")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_label("Email")).to_be_visible()
    assert page.evaluate(COPIES) == []


def test_a_cut_of_thirty_seconds_is_said_out_loud_and_nothing_is_missed(
    house: House, open_as: Open, declared: str
) -> None:
    page = open_as("ana", "")
    page.clock.install()
    page.goto(f"/incidents/{declared}")
    expect(page.locator("#timeline")).to_contain_text("Declared")
    page.context.set_offline(True)
    band = page.locator("#connection")
    expect(band).to_contain_text("Connection lost since")
    page.locator("#f-line [name=line]").fill("half a sen")
    for number in range(5):
        house.incident(declared, m.AddNote(text=f"Step {number} meanwhile"), by="bo")
        page.clock.fast_forward(6000)
    house.incident(declared, m.SetStage(stage="investigation"), by="bo")
    expect(band).to_contain_text("trying again")
    page.context.set_offline(False)
    page.clock.fast_forward(5000)
    expect(page.locator("#band")).to_contain_text("Investigation", timeout=8000)
    expect(band).to_be_hidden()
    for number in range(5):
        expect(page.locator("#timeline > li", has_text=f"Step {number} meanwhile")).to_have_count(1)
    expect(page.locator("#f-line [name=line]")).to_have_value("half a sen")


def test_two_people_write_at_once_and_both_see_both(house: House, open_as: Open, declared: str) -> None:
    hers, his = open_as("ana", f"/incidents/{declared}"), open_as("bo", f"/incidents/{declared}")
    for page, text in ((hers, "/know errors began at 03:05"), (his, "/task @gus measure the lag in 20 min")):
        page.locator("#f-line [name=line]").fill(text)
    hers.locator("#f-line [name=line]").press("Enter")
    his.locator("#f-line [name=line]").press("Enter")
    for page in (hers, his):
        expect(page.locator("#timeline")).to_contain_text("errors began at 03:05")
        expect(page.locator("#work-tasks")).to_contain_text("measure the lag")


def test_two_who_do_the_same_at_once_leave_it_done_once_and_both_are_told(
    house: House, open_as: Open, declared: str
) -> None:
    house.incident(declared, m.AssignRole(role="ops", person="gus"), by="ana")
    hers, his = open_as("ana", f"/incidents/{declared}"), open_as("bo", f"/incidents/{declared}")
    for page in (hers, his):
        page.locator("#f-line [name=line]").fill("/false-alarm a test card")
    hers.locator("#f-line [name=line]").press("Enter")
    his.locator("#f-line [name=line]").press("Enter")
    for page in (hers, his):
        expect(page.locator("#band")).to_contain_text("false alarm")
        expect(page.locator("#timeline > li", has_text="Closed as a false alarm")).to_have_count(1)
    told = [page.get_by_role("alert").filter(has_text="Reopen it first").count() for page in (hers, his)]
    assert sum(told) == 1
