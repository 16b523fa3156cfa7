"""While a page is open it stays true, and nothing that somebody is doing on it is disturbed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from sev1.command import model as m
from sev1.paging import model as p
from tests.browser.house import House
from tests.browser.scenes import declared_from_page, waiting_page

SOON_MS = 1000
Open = Callable[..., Page]


@pytest.fixture
def declared(house: House) -> str:
    return declared_from_page(house)


def note(house: House, key: str, text: str) -> None:
    house.incident(key, m.AddNote(text=text), by="bo")


def test_typed_text_survives_a_live_update(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    condition = page.locator("#f-update [name=condition]")
    page.locator("label", has=page.locator("#kind-update")).click()
    condition.fill("Half a senten")
    page.locator("#work-actions summary", has_text="Page somebody").click()
    ask = page.locator("#f-responder [name=ask]")
    ask.fill("Do you know the")
    house.incident(declared, m.SetStage(stage="investigation"), by="bo")
    expect(page.locator("#band")).to_contain_text("Investigation", timeout=SOON_MS)
    expect(condition).to_have_value("Half a senten")
    expect(ask).to_have_value("Do you know the")
    expect(ask).to_be_focused()
    ask.press("End")
    ask.type(" gateway?")
    expect(ask).to_have_value("Do you know the gateway?")


def test_typed_text_survives_a_reload(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.locator("label", has=page.locator("#kind-update")).click()
    page.locator("#f-update [name=condition]").fill("Half a sentence")
    page.reload()
    expect(page.locator("#f-update [name=condition]")).to_have_value("Half a sentence")


def test_new_entries_wait_behind_a_button_while_one_reads_further_down(
    house: House, open_as: Open, declared: str
) -> None:
    for n in range(40):
        note(house, declared, f"Step {n}")
    page = open_as("ana", f"/incidents/{declared}")
    page.locator("#log").evaluate("log => { log.scrollTop = 900 }")
    before = page.locator("#log").evaluate("log => document.elementFromPoint(700, 500).closest('.entry').id")
    for n in range(3):
        note(house, declared, f"Late news {n}")
    button = page.get_by_role("button", name="3 new")
    expect(button).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#timeline")).not_to_contain_text("Late news 0")
    after = page.locator("#log").evaluate("log => document.elementFromPoint(700, 500).closest('.entry').id")
    assert after == before
    button.click()
    expect(page.locator("#timeline > li:first-child")).to_contain_text("Late news 2")
    assert page.locator("#log").evaluate("log => log.scrollTop") == 0


def test_a_browser_that_was_offline_says_so_and_then_gets_what_it_missed(
    house: House, open_as: Open, declared: str
) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    expect(page.locator("#timeline")).to_contain_text("Declared")
    page.context.set_offline(True)
    band = page.locator("#connection")
    expect(band).to_contain_text("Connection lost since")
    expect(band).to_contain_text("Shown as of")
    page.locator("#f-line [name=line]").evaluate("field => { field.value = 'typed while offline' }")
    note(house, declared, "Happened meanwhile")
    page.context.set_offline(False)
    expect(page.locator("#timeline")).to_contain_text("Happened meanwhile", timeout=8000)
    expect(band).to_be_hidden()
    expect(page.locator("#f-line [name=line]")).to_have_value("typed while offline")
    expect(page.locator("#timeline > li", has_text="Happened meanwhile")).to_have_count(1)


def test_what_cannot_be_sent_is_kept_and_says_so(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.context.set_offline(True)
    form = page.locator("#f-update")
    page.locator("label", has=page.locator("#kind-update")).click()
    form.locator("[name=condition]").fill("Sent into the void")
    form.get_by_role("button").click()
    expect(form.get_by_role("alert")).to_contain_text("Not sent")
    expect(form.locator("[name=condition]")).to_have_value("Sent into the void")
    page.context.set_offline(False)
    form.get_by_role("button").click()
    expect(page.locator("#picture-update")).to_contain_text("Sent into the void")


def test_what_was_refused_stays_in_its_form_while_others_go_on(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.locator("#work-actions summary", has_text="Link a page").click()
    what = page.locator("#f-link [name=what]")
    what.fill("the alert of checkout")
    what.press("Enter")
    expect(page.locator("#f-link").get_by_role("alert")).to_contain_text("like P-7 or A-12")
    page.locator("#h-timeline").click()
    house.incident(declared, m.SetSeverity(severity="sev-3", reason="One shop only"), by="bo")
    expect(page.locator("#band")).to_contain_text("SEV-3", timeout=SOON_MS)
    expect(what).to_have_value("the alert of checkout")


def test_a_button_that_could_not_be_sent_does_not_keep_what_it_stands_in_from_changing(
    house: House, open_as: Open, declared: str
) -> None:
    page = open_as("cem", f"/incidents/{declared}")
    page.context.set_offline(True)
    take = page.locator("#band").get_by_role("button", name="take").first
    take.click()
    expect(page.locator("#band").get_by_role("alert")).to_contain_text("Not sent")
    page.context.set_offline(False)
    page.locator("#h-timeline").click()
    house.incident(declared, m.SetSeverity(severity="sev-3", reason="One shop only"), by="bo")
    expect(page.locator("#band")).to_contain_text("SEV-3", timeout=8000)
    expect(page.locator("#band").get_by_role("alert")).to_have_count(0)


def test_whoever_is_signed_out_elsewhere_is_told(house: House, open_as: Open, declared: str) -> None:
    page = open_as("fumiko", f"/incidents/{declared}")
    expect(page.locator("#timeline")).to_contain_text("Declared")
    house.sign_out_everywhere("fumiko")
    note(house, declared, "Nobody signed out should read this")
    expect(page.locator("#connection")).to_contain_text("You are signed out", timeout=8000)
    expect(page.locator("#timeline")).not_to_contain_text("Nobody signed out should read this")


def test_now_shows_a_new_page_and_lets_it_go_when_it_is_answered(house: House, open_as: Open) -> None:
    who = house.on_call("platform-primary")
    page = open_as(who, "/")
    key, _ = waiting_page(house)
    row = page.locator("li", has=page.locator(f"a[href='/pages/{key}']"))
    expect(row).to_contain_text("waits for you", timeout=SOON_MS)
    house.page(key, p.Acknowledge(), "hana")
    expect(row).to_contain_text("Hana Novotná has it", timeout=SOON_MS)
    house.page(key, p.Resolve(), "hana")
    expect(row).to_have_count(0, timeout=SOON_MS)


def test_times_count_on_without_a_reload(house: House, open_as: Open, declared: str) -> None:
    page = open_as("ana", f"/incidents/{declared}")
    page.evaluate("sev1.hearTime(new Date(sev1.now().getTime() + 31 * 60000).toISOString()); sev1.refreshTimes()")
    expect(page.locator(".band-due")).to_have_text(re.compile("update late by 1 min|update late by under 1 min"))
    expect(page.locator(".band-due time")).to_have_class("late")
