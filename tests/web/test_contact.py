"""`/settings/contact`, as somebody without scripts uses it."""

import re
from collections.abc import Iterator

import pytest
from tests.notify.test_push import Browser, b64
from tests.scenarios.stage import Post

from sev1.access.model import Role
from sev1.app import Node
from sev1.engine.settings import Settings
from sev1.engine.worker import drain
from sev1.notify import contacts

from .conftest import URL

HERE = "/settings/contact"


async def order(node: Node, name: str, urgency: str) -> list[str]:
    async with node.db.connection() as conn:
        person = (await node.catalogs.current(conn)).people[name]
        reach = await contacts.read(conn, [name])
    return [method.__struct_config__.tag for method in reach.of(person, urgency)]


def form(text: str, urgency: str) -> dict[str, str]:
    """The fields of the form for this urgency, as a browser would send them."""
    part = text.partition(f'id="order-{urgency}"')[2].partition("</form>")[0]
    methods = dict(re.findall(r'name="(method-\d+)" value="([^"]+)"', part))
    return {name: value.replace("&#34;", '"') for name, value in methods.items()}


async def test_ways_are_added_put_in_order_and_left_out(node: Node, enter):
    ana = await enter("ana")
    for kind, address in (("sms", "+351 911 111 111"), ("ntfy", "https://ntfy.example/ana")):
        assert (await ana.send(f"{HERE}/add", on=HERE, kind=kind, address=address)).status_code == 303
    assert await order(node, "ana", "high") == ["email", "email", "sms", "ntfy"]
    fields = form(await ana.see(HERE), "high")
    assert len(fields) == 4
    answer = await ana.send(
        f"{HERE}/order",
        on=HERE,
        urgency="high",
        **fields,
        **{"place-0": "3", "place-1": "", "place-2": "1", "place-3": "2"},
    )
    assert answer.status_code == 303
    assert await order(node, "ana", "high") == ["sms", "ntfy", "email"]
    page = await ana.see(HERE)
    assert "Your own order." in page
    assert "+351911111111" in page, "their own number is shown in full"


async def test_nobody_can_leave_themselves_without_any_way(node: Node, enter):
    ana = await enter("ana")
    fields = form(await ana.see(HERE), "high")
    answer = await ana.send(f"{HERE}/order", on=HERE, urgency="high", **fields)
    assert answer.status_code == 400
    assert "somebody has to be able to reach you" in answer.text


@pytest.mark.parametrize(
    ("kind", "address", "what"),
    [
        ("sms", "0911 111", "with its country code"),
        ("email", "ana at home", "Write a mail address"),
        ("ntfy", "ftp://x", "begins with https://"),
        ("fax", "+49", "Choose how you want to be reached"),
        ("email", "ana@nordlicht.example", "You are reached there already"),
    ],
)
async def test_a_way_that_cannot_be_is_refused_with_what_was_typed(enter, kind: str, address: str, what: str):
    ana = await enter("ana")
    answer = await ana.send(f"{HERE}/add", on=HERE, kind=kind, address=address)
    assert answer.status_code == 400
    assert what in answer.text
    assert address in answer.text


async def test_a_forged_method_in_the_form_is_not_taken(node: Node, enter):
    ana = await enter("ana")
    forged = {
        "method-9": '{"kind":"ntfy","url":"https://evil.example/x","token_env":"SEV1_SMTP_PASSWORD"}',
        "place-9": "1",
    }
    fields = form(await ana.see(HERE), "high")
    await ana.send(f"{HERE}/order", on=HERE, urgency="high", **fields, **forged, **{"place-0": "2"})
    assert await order(node, "ana", "high") == ["email"]


async def test_a_test_page_is_asked_for_its_outcome_shown_and_confirmed(node: Node, enter):
    ana = await enter("ana")
    assert "never tried" not in (await ana.see("/settings"))
    assert (await ana.send(f"{HERE}/test", on=HERE)).status_code == 303
    await drain(node.deliver, limit=20)
    page = await ana.see(HERE)
    assert "does not work" in page
    assert "SEV1_SMTP_HOST" in page
    again = await ana.send(f"{HERE}/test", on=HERE)
    assert again.status_code == 429
    assert "went out just now" in again.text


async def test_a_browser_is_switched_on_and_off_and_push_becomes_a_way(node: Node, enter):
    ana, bo = await enter("ana"), await enter("bo")
    browser = Browser()
    given = {"endpoint": "https://push.example/x", "p256dh": b64(browser.point), "auth": b64(browser.auth)}
    answer = await ana.send(f"{HERE}/browsers", on=HERE, browser="Firefox on Android", **given)
    assert answer.status_code == 303
    assert await order(node, "ana", "high") == ["email", "email", "push"]
    page = await ana.see(HERE)
    assert "Firefox on Android" in page
    assert "push.example" not in page, "whoever knows the address may send"
    number = re.search(r"browsers/(\d+)/remove", page)
    assert number
    await bo.send(f"{HERE}/browsers/{number[1]}/remove", on=HERE)
    assert "Firefox on Android" in await ana.see(HERE), "another person cannot switch it off"
    await ana.send(f"{HERE}/browsers/{number[1]}/remove", on=HERE)
    assert "Firefox on Android" not in await ana.see(HERE)


async def test_whoever_is_on_call_and_out_of_reach_reads_so_on_now_and_on_call(node: Node, enter):
    bo = await enter("bo")
    assert "Nobody can reach you, and you are on call for Payments on-call" in await bo.see("/")
    page = await bo.see("/on-call")
    assert "No way of reaching Bo Lindqvist works" in page
    assert "no mail server is set" in page


async def test_an_account_that_is_no_person_is_told_so(enter):
    nobody = await enter("nobody", Role.ADMIN)
    assert "nobody can page it" in await nobody.see(HERE)


async def test_the_worker_is_served_at_the_root(enter):
    ana = await enter("ana")
    answer = await ana.http.get("/service-worker.js")
    assert answer.status_code == 200
    assert "notificationclick" in answer.text
    assert answer.headers["content-type"].startswith("text/javascript")


class TestWithAMailServer:
    @pytest.fixture
    def post(self) -> Iterator[Post]:
        post = Post()
        post.start()
        yield post
        post.stop(no_assert=True)

    @pytest.fixture
    def settings(self, post: Post) -> Settings:
        return Settings(public_url=URL, smtp_host="127.0.0.1", smtp_port=post.port, smtp_tls="none")

    async def test_that_it_arrived_is_said_once_it_went_out(self, node: Node, enter, post: Post):
        ana = await enter("ana")
        await ana.send(f"{HERE}/test", on=HERE)
        await drain(node.deliver, limit=20)
        assert f"{URL}{HERE}" in post.mails[0].get_body(("plain",)).get_content()
        page = await ana.see(HERE)
        assert "✅ went out" in page
        assert "It arrived" in page
        await ana.send(f"{HERE}/arrived", on=HERE, kind="email")
        page = await ana.see(HERE)
        assert "arrived, you said so" in page
        assert "It arrived" not in page
