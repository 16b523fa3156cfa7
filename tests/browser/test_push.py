"""Web push in real Chromium: the service worker starts, shows what is pushed, and a tap opens the page."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.house import House

Open = Callable[..., Page]


def test_the_worker_shows_what_is_pushed(house: House, open_as: Open) -> None:
    page = open_as("ana", "/settings/contact")
    page.context.grant_permissions(["notifications"])
    expect(page.get_by_role("button", name="Switch it on in this browser")).to_be_visible()
    page.evaluate("navigator.serviceWorker.register('/service-worker.js')")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = page.context.new_cdp_session(page)
    registrations: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(one["registrationId"] for one in event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    for _ in range(500):
        if registrations:
            break
        page.evaluate("new Promise((done) => setTimeout(done, 10))")
    session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": house.url,
            "registrationId": registrations[-1],
            "data": '{"title":"[SEV-1?] checkout: Card payments fail","body":"Impact: nobody pays","url":"/pages/P-1","tag":"P-1"}',
        },
    )
    shown = page.evaluate(
        """async () => {
            const registration = await navigator.serviceWorker.ready;
            for (let tries = 0; tries < 50; tries++) {
                const all = await registration.getNotifications();
                if (all.length) return all.map((one) => [one.title, one.body, one.tag, one.data.url]);
                await new Promise((done) => setTimeout(done, 100));
            }
            return [];
        }"""
    )
    assert shown == [["[SEV-1?] checkout: Card payments fail", "Impact: nobody pays", "P-1", "/pages/P-1"]]
