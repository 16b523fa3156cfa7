"""Web push in real Chromium: the service worker starts, shows what is pushed, and a tap opens the page."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.house import House

Open = Callable[..., Page]

# `shown` is kept once the browser has put the notification up. Asked for its list any earlier, Chromium takes
# one that is stored and not yet displayed for an old one, and drops it.
WATCH = """() => {
    const show = self.registration.showNotification.bind(self.registration);
    self.shown = new Promise((done) => {
        self.registration.showNotification = async (...said) => { await show(...said); done(); };
    });
}"""


def test_the_worker_shows_what_is_pushed(house: House, open_as: Open) -> None:
    page = open_as("ana", "/settings/contact")
    page.context.grant_permissions(["notifications"])
    expect(page.get_by_role("button", name="Switch it on in this browser")).to_be_visible()
    page.evaluate("navigator.serviceWorker.register('/service-worker.js')")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    worker = page.context.service_workers[0]
    worker.evaluate(WATCH)
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
    shown = worker.evaluate(
        """async () => {
            await self.shown;
            return (await self.registration.getNotifications()).map((one) => [one.title, one.body, one.tag, one.data.url]);
        }"""
    )
    assert shown == [["[SEV-1?] checkout: Card payments fail", "Impact: nobody pays", "P-1", "/pages/P-1"]]
