"""Declaration policies: a page is suggested as an incident, or declared at once, through real intake (mission 3.1)."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sev1.catalog import store
from sev1.catalog.check import check
from sev1.catalog.model import Catalog, DeclarationPolicy
from tests.scenarios.stage import Stage, rfc3339
from tests.scenarios.test_restricted_incidents import browser


async def with_policies(stage: Stage, *policies: DeclarationPolicy) -> None:
    async with stage.node.db.transaction() as conn:
        catalog = await store.read(conn)
        wanted = replace(catalog, declaration_policies={one.name: one for one in policies})
        await store.write(conn, wanted, actor="test", now=stage.clock.now())


def tier_one(**more: object) -> DeclarationPolicy:
    given = {
        "name": "tier-one",
        "title": "A service that the business stops without",
        "when": 'service.tier == 1 && alerts.exists(a, a.labels["severity"] == "critical")',
        **more,
    }
    return DeclarationPolicy(**given)  # type: ignore[arg-type]


async def test_a_suggestion_stands_on_the_page_with_its_reason_and_one_click_declares(stage: Stage):
    ana = await browser(stage, "ana")
    await with_policies(stage, tier_one(severity="sev-1"))
    await stage.fires()
    page = await stage.page()
    assert (page["suggestion"]["policy"], page["suggestion"]["severity"]) == ("tier-one", "sev-1")
    assert page["incident"] is None
    html = (await stage.http.get("/pages/P-1", headers=ana)).text
    assert "This looks like an incident, SEV-1: A service that the business stops without." in html
    told = str(await stage.api("GET", "/explanations?about=P-1"))
    assert "The declaration policy tier-one suggested an incident as SEV-1" in told
    await stage.fires("CheckoutLatency")
    assert (
        len([one for one in (await stage.api("GET", "/explanations?about=P-1"))["then"] if one["kind"] == "suggestion"])
        == 1
    )


async def test_a_policy_that_opens_declares_at_once_with_who_is_on_call_and_once_per_problem(stage: Stage):
    await with_policies(stage, tier_one(action="open"))
    alert = await stage.fires()
    incident = await stage.api("GET", "/incidents/INC-1")
    assert incident["pages"] == ["P-1"]
    assert incident["services"] == ["checkout"]
    assert incident["commander"] == (await stage.page())["people"][0]["person"]
    timeline = await stage.api("GET", "/incidents/INC-1/timeline")
    assert timeline[-1]["headline"].startswith("Declared by the policy tier-one: A service that")
    await stage.fires("CheckoutLatency", labels={"alertname": "CheckoutLatency", "cluster": "b"})
    await stage.prometheus_sends(alert)
    assert [one["id"] for one in await stage.api("GET", "/incidents")] == ["INC-1"]
    pages = await stage.api("GET", "/pages?status=any")
    assert {page["incident"] for page in pages} == {"INC-1"}


async def test_the_first_policy_that_holds_is_followed_and_one_that_fails_stops_nobody(stage: Stage):
    await with_policies(
        stage,
        tier_one(name="broken", when='alerts[99].labels["nope"] == "x"', order=1),
        tier_one(name="never", when="window.alerts > 1000", order=2),
        tier_one(name="first", when='page.severity != "" && incidents == 0', order=3),
        tier_one(name="second", order=4),
    )
    await stage.fires()
    assert (await stage.page())["suggestion"]["policy"] == "first"


async def test_a_restricted_one_is_declared_without_a_word_on_the_page_for_others(stage: Stage):
    hana = await browser(stage, "hana")
    await with_policies(stage, tier_one(action="open", restricted=True))
    await stage.fires()
    commander = await browser(stage, (await stage.page())["people"][0]["person"])
    assert "Restricted" in (await stage.http.get("/incidents/INC-1", headers=commander)).text
    assert "INC-1" not in (await stage.http.get("/pages/P-1", headers=hana)).text
    assert (await stage.http.get("/incidents/INC-1", headers=hana)).status_code == 404
    assert stage.mailed("declared") == [f"{(await stage.page())['people'][0]['person']}@nordlicht.example"]


async def test_what_wakes_nobody_declares_nothing(stage: Stage):
    await with_policies(stage, tier_one(action="open", when="true"))
    now = stage.clock.now()
    silence = {
        "matchers": [{"name": "service", "value": "checkout", "isRegex": False, "isEqual": True}],
        "startsAt": rfc3339(now), "endsAt": rfc3339(now + timedelta(hours=2)), "createdBy": "gus", "comment": "planned work",
    }  # fmt: skip
    made = await stage.http.post(f"/integrations/{stage.key}/api/v2/silences", json=silence)
    assert made.status_code == 200, made.text
    await stage.fires()
    assert await stage.api("GET", "/incidents") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"when": "service.tier =="}, "cannot be read at line 1"),
        ({"severity": "sev-4"}, "declares sev-4, which is not in use"),
    ],
)
def test_plan_names_what_is_wrong_with_a_policy(changes, said):
    policy = tier_one(**changes)
    found = check(Catalog(declaration_policies={policy.name: policy}))
    assert any(said in one.message for one in found), found
