"""How people are reached: chosen by themselves, tried out on demand, and called out when it would not work."""

import pytest

from tests.scenarios.stage import Stage


async def choose(stage: Stage, name: str, urgency: str, *methods: dict[str, str], expect: int = 204) -> object:
    body = {"urgency": urgency, "methods": list(methods)}
    return await stage.api("PUT", f"/people/{name}/contact", body, expect=expect)


def mail(address: str) -> dict[str, str]:
    return {"kind": "email", "address": address}


async def first(stage: Stage) -> str:
    return (await stage.page())["people"][0]["person"]


async def test_without_a_choice_the_catalog_decides(stage: Stage):
    contact = await stage.api("GET", "/people/ana/contact")
    assert [method["address"] for method in contact["high"]] == ["ana@nordlicht.example", "ana.private@mail.example"]
    assert contact["low"] == contact["high"]
    assert (contact["high_chosen"], contact["low_chosen"]) == (False, False)


async def test_a_choice_counts_from_the_next_page_on_and_none_is_the_catalogs_again(stage: Stage):
    await stage.fires()
    who = await first(stage)
    await stage.answers("P-1", "resolve")
    stage.post.mails.clear()
    await choose(stage, who, "high", mail("mobile@mail.example"))
    await stage.fires("Again")
    assert stage.mailed("Card") == ["mobile@mail.example"]
    await stage.answers("P-2", "resolve")
    stage.post.mails.clear()
    await choose(stage, who, "high")
    await stage.fires("OnceMore")
    assert stage.mailed("[SEV-1?]") == [f"{who}@nordlicht.example"]


async def test_whoever_is_given_a_page_is_reached_as_they_chose(stage: Stage):
    await choose(stage, "hana", "high", mail("hana.mobile@mail.example"))
    await stage.fires()
    await stage.answers("P-1", "reassign", person="hana")
    assert stage.mailed("[SEV-1?]")[-1] == "hana.mobile@mail.example"


async def test_what_can_wait_takes_another_way(stage: Stage):
    for name in ("ana", "bo", "cem"):
        await choose(stage, name, "low", mail(f"{name}.later@mail.example"))
    alert = await stage.fires()
    who = await first(stage)
    assert stage.mailed("[SEV-1?]") == [f"{who}@nordlicht.example"]
    await stage.ends(alert)
    assert stage.mailed("[Resolved]") == [f"{who}.later@mail.example"]


async def test_the_choice_is_on_the_audit_log_with_masked_addresses(stage: Stage):
    await choose(stage, "ana", "high", mail("secret.place@mail.example"))
    async with stage.node.db.connection() as conn:
        row = await conn.fetchrow("SELECT actor, subject, data FROM audit_log WHERE action = 'contact.choose'")
    assert row["subject"] == "ana"
    assert row["data"] == {"urgency": "high", "methods": ["email s…@mail.example"]}


@pytest.mark.parametrize(
    ("methods", "what"),
    [
        ([mail("a@b.example"), mail("a@b.example")], "twice"),
        (
            [{"kind": "ntfy", "url": "https://evil.example/x", "token_env": "SEV1_SMTP_PASSWORD"}],
            "secret of this server",
        ),
        ([{"kind": "webhook", "url": "https://evil.example/x", "secret_env": "HOME"}], "secret of this server"),
        ([{"kind": "apprise", "url_env": "HOME"}], "secret of this server"),
        ([{"kind": "sms", "number": "0123"}], "number"),
        ([{"kind": "fax", "number": "+491234567"}], "fax"),
    ],
)
async def test_a_choice_that_cannot_be_is_refused_and_nothing_changes(stage: Stage, methods: list, what: str):
    answer = await choose(stage, "ana", "high", *methods, expect=400)
    assert what in str(answer)
    assert not (await stage.api("GET", "/people/ana/contact"))["high_chosen"]


async def test_a_test_page_goes_over_each_way_once_and_says_what_became_of_it(stage: Stage):
    stage.post.refused.add("ana.private@mail.example")
    assert await stage.api("POST", "/people/ana/test-page", expect=202) == {"sent_over": ["email", "email"]}
    assert stage.mailed("[Test] sev1 can reach you here") == ["ana@nordlicht.example"]
    ways = (await stage.api("GET", "/people/ana/contact"))["ways"]
    assert [(way["to"], way["state"]) for way in ways] == [
        ("a…@nordlicht.example", "works"),
        ("a…@mail.example", "fails"),
    ]
    assert "550 no such mailbox" in ways[1]["text"]


async def test_a_test_page_wakes_nobody_else_and_opens_no_page(stage: Stage):
    await stage.api("POST", "/people/ana/test-page", expect=202)
    await stage.later(minutes=30)
    assert len(stage.post.mails) == 2
    assert await stage.api("GET", "/pages?status=any") == []


async def test_a_second_test_within_a_minute_is_refused_with_how_long_to_wait(stage: Stage):
    await stage.api("POST", "/people/ana/test-page", expect=202)
    answer = await stage.api("POST", "/people/ana/test-page", expect=429)
    assert "The next may go out in" in str(answer)
    await stage.later(seconds=61)
    await stage.api("POST", "/people/ana/test-page", expect=202)


async def test_somebody_on_call_whom_nothing_reaches_is_called_out_before_the_night(stage: Stage):
    called = await stage.api("GET", "/on-call/unreachable")
    assert all(not one["unreachable"] for one in called), "nothing was tried: that is said, but is no failure"
    assert any("A test page shows whether it arrives" in one["sentence"] for one in called)
    await choose(stage, "bo", "high", {"kind": "sms", "number": "+4915122222222"})
    called = await stage.api("GET", "/on-call/unreachable")
    assert called[0]["person"] == "bo"
    assert called[0]["unreachable"] is True
    assert "SEV1_TWILIO_ACCOUNT" in called[0]["sentence"]


async def test_the_number_of_people_whom_nothing_reaches_is_a_metric(stage: Stage):
    for name in ("bo", "cem", "ana"):  # Ana is not on call within a week
        await choose(stage, name, "high", {"kind": "sms", "number": "+4915122222222"})
    await stage.node._housekeeping()
    assert "sev1_on_call_unreachable 2.0" in (await stage.http.get("/metrics")).text


async def test_a_way_that_failed_last_is_called_out_until_it_works_again(stage: Stage):
    await choose(stage, "bo", "high", mail("old@mail.example"))
    stage.post.refused.add("old@mail.example")
    await stage.api("POST", "/people/bo/test-page", expect=202)

    async def bo() -> list[bool]:
        return [one["unreachable"] for one in await stage.api("GET", "/on-call/unreachable") if one["person"] == "bo"]

    assert set(await bo()) == {True}
    stage.post.refused.clear()
    await stage.later(minutes=2)
    await stage.api("POST", "/people/bo/test-page", expect=202)
    assert await bo() == []


async def test_the_channels_say_how_they_are(stage: Stage):
    await stage.fires()
    channels = await stage.api("GET", "/channels")
    assert [(one["channel"], one["phase"], one["failures"]) for one in channels] == [("email", "closed", 0)]
