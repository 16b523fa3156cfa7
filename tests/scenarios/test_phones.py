"""Text messages and calls: a page reaches a phone, and the answer from the phone stops the escalation."""

from collections.abc import AsyncIterator

import pytest
from defusedxml.ElementTree import fromstring

from sev1.engine.clock import FakeClock
from sev1.notify.twilio import signature
from tests.scenarios.conftest import open_stage
from tests.scenarios.fake_twilio import ACCOUNT, FROM, TOKEN, FakeTwilio, said, tells
from tests.scenarios.stage import Post, Stage

SMS = "http://sev1.test/channels/twilio/sms"
NUMBERS = {"ana": "+351911111111", "bo": "+4915122222222", "cem": "+4915133333333"}


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    fake = FakeTwilio()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def stage(fresh_database_url: str, clock: FakeClock, post: Post, twilio: FakeTwilio) -> AsyncIterator[Stage]:
    """Everybody in Payments has chosen a text message first, then mail."""
    async with open_stage(
        fresh_database_url,
        clock,
        post,
        twilio_account=ACCOUNT,
        twilio_token=TOKEN,
        twilio_from=FROM,
        twilio_url=twilio.url,
        allow_private_targets=True,
    ) as stage:
        for name in NUMBERS:
            await choose(stage, name, "sms")
        yield stage


async def choose(stage: Stage, name: str, kind: str) -> None:
    methods = [{"kind": kind, "number": NUMBERS[name]}, {"kind": "email", "address": f"{name}@nordlicht.example"}]
    await stage.api("PUT", f"/people/{name}/contact", {"urgency": "high", "methods": methods})


async def on_call(stage: Stage) -> str:
    return (await stage.page())["people"][0]["person"]


async def reply(stage: Stage, name: str, text: str) -> str:
    answer = await tells(stage.http, SMS, {"From": NUMBERS[name], "To": FROM, "Body": text, "MessageSid": "SM1"})
    await stage.settle()
    return said(answer)


async def test_a_page_is_a_text_message_that_says_how_to_answer(stage: Stage, twilio: FakeTwilio):
    await stage.fires()
    (text,) = twilio.texts
    assert (text["From"], text["To"]) == (FROM, NUMBERS[await on_call(stage)])
    assert text["Body"].startswith("P-1 [SEV-1?] Checkout: Card payments fail: 42 % errors")
    assert text["Body"].endswith("Reply ACK 1 to take it. http://sev1.test/pages/P-1")
    assert len(text["Body"]) <= 320
    assert not stage.post.mails


@pytest.mark.parametrize("words", ["ACK 1", "ack p-1", "1", "Ack", "yes"])
async def test_the_answer_acknowledges_as_the_person_whose_number_it_is(stage: Stage, words: str):
    await stage.fires()
    who = await on_call(stage)
    assert await reply(stage, who, words) == "P-1 is yours."
    page = await stage.page()
    assert page["status"] == "acknowledged"
    events = await stage.api("GET", "/pages/P-1/events")
    assert events[-1]["via"] == "sms"
    await stage.later(minutes=20)
    assert not stage.post.mails, "the escalation has stopped"


async def test_passing_it_on_pages_the_next_step_at_once(stage: Stage):
    await stage.fires()
    assert await reply(stage, await on_call(stage), "esc 1") == "P-1 was passed on."
    assert (await stage.page())["step"] == 1


async def test_words_that_mean_nothing_change_nothing_and_are_answered_with_help(stage: Stage):
    await stage.fires()
    assert "Answer ACK and the number" in await reply(stage, await on_call(stage), "who is this?")
    assert (await stage.page())["status"] == "triggered"


async def test_with_several_pages_a_number_is_asked_for_and_all_takes_all(stage: Stage):
    await stage.fires()
    await stage.fires(labels={"service": "payments"}, name="GatewayDown")
    who = await on_call(stage)
    told = [key for key in ("P-1", "P-2") if who in [p["person"] for p in (await stage.page(key))["people"]]]
    assert told == ["P-1", "P-2"]
    assert "2 pages wait for you: P-1, P-2" in await reply(stage, who, "ack")
    assert await reply(stage, who, "ACK ALL") == "P-1 is yours. P-2 is yours."


async def test_nobody_answers_for_a_page_they_were_not_told_about(stage: Stage):
    await stage.fires()
    other = next(name for name in NUMBERS if name not in {"ana", "bo"})
    if other == await on_call(stage):
        other = "bo"
    assert await reply(stage, other, "ACK 1") == "P-1 does not wait for you."
    assert (await stage.page())["status"] == "triggered"


async def test_a_number_of_nobody_is_told_to_use_the_link(stage: Stage):
    await stage.fires()
    answer = await tells(stage.http, SMS, {"From": "+15550001111", "Body": "ACK 1"})
    assert "belongs to nobody" in said(answer)
    assert (await stage.page())["status"] == "triggered"


async def test_a_request_that_twilio_did_not_sign_is_refused(stage: Stage):
    await stage.fires()
    fields = {"From": NUMBERS[await on_call(stage)], "Body": "ACK 1"}
    assert (await tells(stage.http, SMS, fields, token="guessed")).status_code == 403
    assert (await stage.http.post(SMS, data=fields)).status_code == 403
    assert (await stage.page())["status"] == "triggered"


def test_the_signature_is_that_of_twilios_own_example() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, fields.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


async def test_a_message_that_was_lost_on_the_way_goes_on_by_mail_at_once(stage: Stage, twilio: FakeTwilio):
    await stage.fires()
    back = twilio.texts[0]["StatusCallback"]
    answer = await tells(stage.http, back, {"MessageStatus": "undelivered", "ErrorCode": "30003"})
    assert answer.status_code == 204
    await stage.settle()
    assert stage.mailed() == [f"{await on_call(stage)}@nordlicht.example"]
    (delivery,) = await stage.api("GET", "/pages/P-1/deliveries")
    assert [entry["outcome"] for entry in delivery["log"]] == ["sent", "permanent", "sent"]
    assert "undelivered (30003)" in delivery["log"][1]["text"]


async def test_a_message_lost_after_the_answer_wakes_nobody_again(stage: Stage, twilio: FakeTwilio):
    await stage.fires()
    await stage.answers("P-1", "acknowledge")
    await tells(stage.http, twilio.texts[0]["StatusCallback"], {"MessageStatus": "failed"})
    await stage.settle()
    assert not stage.post.mails


async def test_that_it_arrived_stands_in_the_record(stage: Stage, twilio: FakeTwilio):
    await stage.fires()
    await tells(stage.http, twilio.texts[0]["StatusCallback"], {"MessageStatus": "delivered"})
    (delivery,) = await stage.api("GET", "/pages/P-1/deliveries")
    assert [(entry["outcome"], entry.get("text")) for entry in delivery["log"]][-1] == ("sent", "delivered")


async def test_a_number_that_twilio_refuses_fails_over_with_its_words(stage: Stage, twilio: FakeTwilio):
    twilio.refuse = dict.fromkeys(NUMBERS.values(), (400, 21211, "The 'To' number is not a valid phone number."))
    await stage.fires()
    assert len(stage.mailed()) == 1
    (delivery,) = await stage.api("GET", "/pages/P-1/deliveries")
    assert "21211 The 'To' number is not a valid phone number." in delivery["log"][0]["text"]


class TestCalls:
    @pytest.fixture(autouse=True)
    async def by_voice(self, stage: Stage) -> None:
        for name in NUMBERS:
            await choose(stage, name, "voice")

    async def test_a_call_says_twice_what_is_wrong_and_which_key_takes_it(self, stage: Stage, twilio: FakeTwilio):
        await stage.fires()
        (call,) = twilio.calls
        script = fromstring(call["Twiml"])
        words = [say.text for say in script.iter("Say")]
        assert words[0] == words[1]
        assert words[0].startswith("sev1. SEV 1 suggested. Checkout: Card payments fail: 42 % errors.")
        assert words[0].endswith("Press 4 to take it, 8 to pass it on.")

    async def key(self, stage: Stage, twilio: FakeTwilio, digits: str) -> str:
        gather = fromstring(twilio.calls[0]["Twiml"]).find("Gather")
        assert gather is not None
        answer = await tells(stage.http, gather.attrib["action"], {"Digits": digits, "To": twilio.calls[0]["To"]})
        await stage.settle()
        return said(answer)

    async def test_key_four_takes_it(self, stage: Stage, twilio: FakeTwilio):
        await stage.fires()
        assert await self.key(stage, twilio, "4") == "P-1 is yours."
        assert (await stage.page())["status"] == "acknowledged"
        assert (await stage.api("GET", "/pages/P-1/events"))[-1]["via"] == "phone"

    async def test_key_eight_passes_it_on(self, stage: Stage, twilio: FakeTwilio):
        await stage.fires()
        assert await self.key(stage, twilio, "8") == "P-1 was passed on."
        assert (await stage.page())["step"] == 1

    async def test_another_key_changes_nothing(self, stage: Stage, twilio: FakeTwilio):
        await stage.fires()
        assert await self.key(stage, twilio, "7") == "Key 7 does nothing. The page still waits for you."
        assert (await stage.page())["status"] == "triggered"

    @pytest.mark.parametrize("status", ["busy", "no-answer", "failed"])
    async def test_a_call_that_nobody_took_goes_on_by_mail_at_once(self, stage: Stage, twilio: FakeTwilio, status: str):
        await stage.fires()
        await tells(stage.http, twilio.calls[0]["StatusCallback"], {"CallStatus": status})
        await stage.settle()
        assert len(stage.mailed()) == 1
