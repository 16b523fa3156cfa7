"""Given an alert and what is known, what the stages find and say."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.catalog.matchers import parse
from sev1.catalog.model import Catalog, InhibitRule, Organisation, Route, Service
from sev1.triage.flapping import History
from sev1.triage.model import InMaintenance, OpenAlert, OpenPage, Silence, Source, Subject, Verdict
from sev1.triage.pipeline import STAGES, Context, judge, with_page, without_page
from sev1.triage.rules import compiled

from .world import organisation

NOW = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)
CHECKOUT = {"alertname": "HighErrors", "service": "checkout", "severity": "critical", "env": "prod"}


def alert(labels: Mapping[str, str], **changes: object) -> Subject:
    return msgspec.structs.replace(Subject(id=900, key_id=1, fingerprint="f", labels=dict(labels)), **changes)


def context(catalog: Catalog | None = None, **known: object) -> Context:
    return msgspec.structs.replace(Context(now=NOW, rules=compiled(catalog or organisation())), **known)


def firing(alert_id: int, labels: Mapping[str, str], **changes: object) -> OpenAlert:
    known = OpenAlert(
        id=alert_id,
        key_id=1,
        fingerprint="f",
        labels=dict(labels),
        starts_at=NOW - timedelta(minutes=2),
        expires_at=NOW + timedelta(minutes=2),
        received_at=NOW - timedelta(minutes=2),
    )
    return msgspec.structs.replace(known, **changes)


def silence(matchers: str, **changes: object) -> Silence:
    made = Silence(
        id=UUID("1a2b0000-0000-4000-8000-000000000000"),
        key_id=None,
        matchers=tuple(parse(matchers)),
        starts_at=NOW,
        ends_at=datetime(2026, 3, 2, 14, 0, tzinfo=UTC),
        created_by="Ana",
        comment="planned migration",
        updated_at=NOW,
    )
    return msgspec.structs.replace(made, **changes)


def said(verdict: Verdict, stage: str) -> tuple[str, str]:
    found = verdict.stage(stage)
    assert found is not None
    return found.outcome, found.reason


def test_the_stages_run_in_this_order():
    assert [name for name, _ in STAGES] == ["dedup", "silence", "inhibit", "tier", "route", "group"]


def test_a_new_critical_alert_explains_itself_from_end_to_end():
    verdict = judge(alert(CHECKOUT), context())
    assert [(s.name, s.outcome, s.reason) for s in verdict.stages] == [
        ("dedup", "new", "New: nothing with this fingerprint is firing."),
        ("silence", "passed", "Not silenced."),
        ("inhibit", "passed", "Not inhibited."),
        ("tier", "page", "Page: route prod-critical says so."),
        ("route", "routed", "Goes to Payments primary (service checkout)."),
        ("group", "opens", "Opens a page: same alertname, service."),
    ]
    assert (verdict.tier, verdict.service, verdict.policy, verdict.route, verdict.severity) == (
        "page", "checkout", "payments-primary", "prod-critical", "sev-1",
    )  # fmt: skip
    assert verdict.group_key == 'prod-critical{alertname="HighErrors",service="checkout"}'
    assert with_page(verdict, "P-13", opened=True).conclusion == "Opens P-13."


def test_an_alert_joins_the_open_page_of_its_group():
    key = 'prod-critical{alertname="HighErrors",service="checkout"}'
    verdict = judge(alert(CHECKOUT), context(open_pages={key: OpenPage(key="P-12")}))
    assert said(verdict, "group") == ("joins", "Joins P-12: same alertname, service.")
    assert verdict.page == "P-12"


def test_a_later_alert_of_a_batch_joins_the_page_that_the_first_opened():
    verdict = with_page(judge(alert(CHECKOUT), context()), "P-13", opened=False)
    assert said(verdict, "group") == ("joins", "Joins P-13: same alertname, service.")


def test_an_alert_that_ended_before_anybody_was_paged_pages_nobody():
    verdict = without_page(judge(alert(CHECKOUT), context()), 40)
    assert said(verdict, "group")[1] == "Pages nobody: it was over after 40 s, before anybody could be paged."
    assert verdict.page is None


# dedup ----------------------------------------------------------------------------------------------------------------


def test_a_repeated_signal_is_counted_and_nothing_else_is_looked_at():
    verdict = judge(alert(CHECKOUT, before=firing(812, CHECKOUT)), context())
    assert [s.reason for s in verdict.stages] == [
        "Same problem as A-812, which is firing since 03:12 UTC; counted, nothing new."
    ]


def test_a_repeated_signal_with_other_labels_is_looked_at_again():
    before = firing(812, {**CHECKOUT, "severity": "warning"})
    verdict = judge(alert(CHECKOUT, before=before), context())
    assert said(verdict, "dedup") == (
        "again", "Same problem as A-812, but severity is critical, was warning; looked at again.",
    )  # fmt: skip
    assert verdict.tier == "page"


def test_an_alert_stays_on_its_open_page_whatever_its_tier_becomes():
    before = firing(812, CHECKOUT, page="P-4")
    verdict = judge(alert({**CHECKOUT, "severity": "warning"}, before=before), context())
    assert said(verdict, "group") == ("stays", "Stays on P-4.")
    assert verdict.page == "P-4"


def test_an_alert_is_paged_again_when_it_still_fires_an_hour_after_its_page_was_resolved():
    before = firing(812, CHECKOUT, page="P-4", page_resolved_at=NOW - timedelta(minutes=61))
    verdict = judge(alert(CHECKOUT, before=before), context())
    assert said(verdict, "dedup") == ("again", "Same problem as A-812; it still fires 1 h after P-4 was resolved.")
    assert said(verdict, "group")[0] == "opens"


def test_an_alert_is_not_paged_again_minutes_after_its_page_was_resolved():
    before = firing(812, CHECKOUT, page="P-4", page_resolved_at=NOW - timedelta(minutes=10))
    assert said(judge(alert(CHECKOUT, before=before), context()), "dedup")[0] == "same"


def test_a_sender_that_never_ends_its_alerts_opens_a_new_one_after_the_page_was_resolved():
    before = firing(812, CHECKOUT, page="P-4", expires_at=None, page_resolved_at=NOW - timedelta(seconds=1))
    verdict = judge(alert(CHECKOUT, before=before), context())
    assert said(verdict, "dedup") == ("new", "New: P-4, the page of A-812, was resolved before.")
    assert said(verdict, "group")[0] == "opens"


# silence --------------------------------------------------------------------------------------------------------------


def test_a_silence_holds_an_alert_and_says_whose_it_is_and_until_when():
    verdict = judge(alert(CHECKOUT), context(silences=(silence('alertname="HighErrors"'),)))
    assert said(verdict, "silence") == ("silenced", "Silenced by S-1a2b (Ana: planned migration) until 14:00 UTC.")
    assert (verdict.held, verdict.held_by) == ("silenced", "1a2b0000-0000-4000-8000-000000000000")
    assert said(verdict, "group") == ("held", "Pages nobody while it is silenced.")
    assert verdict.conclusion.startswith("Silenced by S-1a2b")


def test_a_held_alert_still_says_what_it_would_have_been():
    verdict = judge(alert(CHECKOUT), context(silences=(silence('env="prod"'),)))
    assert (verdict.tier, verdict.policy) == ("page", "payments-primary")


def test_of_several_silences_the_one_that_ends_last_is_named():
    short = silence('env="prod"', ends_at=NOW + timedelta(minutes=5))
    long = silence('env="prod"', id=UUID(int=7), ends_at=NOW + timedelta(days=2), comment="move")
    verdict = judge(alert(CHECKOUT), context(silences=(long, short)))
    assert said(verdict, "silence")[1] == "Silenced by S-0000 (Ana: move) until 4 Mar 03:14 UTC."


@pytest.mark.parametrize(
    ("matchers", "scope", "silenced"),
    [
        ('env="staging"', None, False),
        ('env=~"prod|live"', None, True),
        ('env!="staging"', None, True),
        ('env="prod"', 1, True),
        ('env="prod"', 2, False),
        ('env="prod",team="x"', None, False),
    ],
)
def test_a_silence_is_about_what_all_its_matchers_match_within_its_scope(matchers, scope, silenced):
    verdict = judge(alert(CHECKOUT), context(silences=(silence(matchers, key_id=scope),)))
    assert (verdict.held == "silenced") is silenced


# inhibit --------------------------------------------------------------------------------------------------------------

APP = {**CHECKOUT, "kind": "app", "region": "eu"}
DB_DOWN = Source(id=7, labels={"alertname": "DbDown", "env": "prod", "region": "eu"})


def sources(*found: Source, rule: str = "db-down-hides-apps", equal: tuple[str, ...] = ("env", "region")) -> dict:
    by_equal: dict[tuple[str, ...], tuple[Source, ...]] = {}
    for source in found:
        values = tuple(source.labels.get(name, "") for name in equal)
        by_equal[values] = (*by_equal.get(values, ()), source)
    return {rule: by_equal}


def test_a_firing_source_inhibits_what_shares_its_labels():
    verdict = judge(alert(APP), context(sources=sources(DB_DOWN)))
    assert said(verdict, "inhibit") == (
        "inhibited", "Inhibited by A-7 (rule db-down-hides-apps): labels env, region are the same.",
    )  # fmt: skip
    assert (verdict.held, verdict.held_by) == ("inhibited", "A-7")


def test_a_source_elsewhere_inhibits_nothing():
    verdict = judge(alert({**APP, "region": "us"}), context(sources=sources(DB_DOWN)))
    assert said(verdict, "inhibit") == ("passed", "Not inhibited.")


def test_labels_missing_on_both_sides_are_the_same():
    apart = Source(id=7, labels={"alertname": "DbDown", "env": "prod"})
    labels = {name: value for name, value in APP.items() if name != "region"}
    assert judge(alert(labels), context(sources=sources(apart))).held == "inhibited"


def test_a_label_missing_on_one_side_only_is_not_the_same():
    apart = Source(id=7, labels={"alertname": "DbDown", "env": "prod"})
    assert judge(alert(APP), context(sources=sources(apart))).held is None


def test_no_alert_inhibits_itself():
    myself = Source(id=900, labels=DB_DOWN.labels)
    assert judge(alert(APP), context(sources=sources(myself))).held is None


def test_alerts_that_match_both_sides_of_a_rule_do_not_inhibit_each_other():
    rule = InhibitRule(name="both", source=('env="prod"',), target=('env="prod"',), equal=())
    catalog = organisation(inhibit_rules={"both": rule})
    twin = Source(id=7, labels={"alertname": "DbDown", "env": "prod"})
    known = context(catalog, sources=sources(twin, rule="both", equal=()))
    assert judge(alert(CHECKOUT), known).held is None


def test_silence_is_named_before_inhibition_when_both_hold_an_alert():
    verdict = judge(alert(APP), context(silences=(silence('env="prod"'),), sources=sources(DB_DOWN)))
    assert verdict.held == "silenced"
    assert said(verdict, "inhibit")[0] == "inhibited"


# tier -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "tier", "reason"),
    [
        ("critical", "page", "Page: severity=critical."),
        ("page", "page", "Page: severity=page."),
        ("error", "page", "Page: severity=error."),
        ("sev-0", "page", "Page: severity=sev-0."),
        ("SEV2", "page", "Page: severity=SEV2."),
        ("warning", "ticket", "Ticket: severity=warning."),
        ("Warning ", "ticket", "Ticket: severity=Warning."),
        ("sev-3", "ticket", "Ticket: severity=sev-3."),
        ("info", "fyi", "FYI: severity=info."),
        ("none", "fyi", "FYI: severity=none."),
    ],
)
def test_the_senders_severity_gives_the_tier(severity, tier, reason):
    verdict = judge(alert({"alertname": "X", "severity": severity}), context())
    assert (verdict.tier, verdict.tier_from) == (tier, "severity")
    assert said(verdict, "tier") == (tier, reason)


@pytest.mark.parametrize(
    ("labels", "because"),
    [
        ({"alertname": "X"}, "it carries no severity"),
        ({"alertname": "X", "severity": "urgent"}, "severity=urgent means nothing here"),
    ],
)
def test_an_unknown_severity_is_taken_for_the_worst_and_belongs_to_no_tier(labels, because):
    verdict = judge(alert(labels), context())
    assert (verdict.tier, verdict.tier_from) == ("page", "nothing")
    assert said(verdict, "tier")[1] == (
        f"Page, to be safe: {because}, so the worst is assumed. It belongs to no tier by itself."
    )


def test_a_route_overrides_the_tier_and_gives_an_unknown_severity_one():
    verdict = judge(alert({"alertname": "X", "team": "batch", "severity": "urgent"}), context())
    assert (verdict.tier, verdict.tier_from) == ("ticket", "route")
    assert said(verdict, "tier")[1] == "Ticket: route batch says so."


def test_a_ticket_pages_nobody():
    verdict = judge(alert({**CHECKOUT, "severity": "warning"}), context())
    assert said(verdict, "group") == ("none", "Pages nobody.")
    assert verdict.conclusion == "Ticket: severity=warning."


def test_routes_are_tried_by_order_then_name():
    routes = {
        "b": Route(name="b", order=1),
        "a": Route(name="a", order=1),
        "first": Route(name="first", order=0, match=('env="staging"',)),
    }
    assert judge(alert(CHECKOUT), context(organisation(routes=routes))).route == "a"


def test_a_sender_who_speaks_of_severities_suggests_one_for_the_incident():
    assert judge(alert({"alertname": "X", "severity": "SEV-2"}), context()).severity == "sev-2"
    assert judge(alert({"alertname": "X", "severity": "critical"}), context()).severity is None


# route ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "outcome", "reason", "service"),
    [
        ({"service": "checkout"}, "routed", "Goes to Payments primary (service checkout).", "checkout"),
        ({"service": "Checkout"}, "routed", "Goes to Payments primary (service checkout).", "checkout"),
        ({"job": "checkout"}, "routed", "Goes to Payments primary (service checkout).", "checkout"),
        ({"app": "checkout"}, "routed", "Goes to Payments primary (service checkout).", "checkout"),
        (
            {"service": "search"},
            "fallback",
            "Goes to Everyone (the fallback, because service search has no policy).",
            "search",
        ),
        (
            {"service": "chekout"},
            "fallback",
            'Goes to Everyone (the fallback, because the catalog has no service "chekout").',
            None,
        ),
        ({"job": "node"}, "fallback", "Goes to Everyone (the fallback, because it names no service).", None),
        (
            {"service": "chekout", "team": "batch"},
            "routed",
            'Goes to Everyone (route batch; the catalog has no service "chekout").',
            None,
        ),
    ],
)
def test_who_is_paged_and_why(labels, outcome, reason, service):
    verdict = judge(alert({"alertname": "X", "severity": "critical", **labels}), context())
    assert said(verdict, "route") == (outcome, reason)
    assert verdict.service == service


def test_an_alert_for_which_nobody_is_responsible_says_so_loudly():
    bare = Catalog(organisation=Organisation(name="organisation", title="New"))
    verdict = judge(alert({"alertname": "X", "severity": "critical"}), context(bare))
    assert verdict.nobody
    assert (verdict.tier, verdict.policy, verdict.page) == ("page", None, None)
    assert said(verdict, "route") == (
        "nobody",
        (
            "Nobody to page: it names no service, and no route, service or fallback policy says who. "
            "Set fallback_policy in the organisation."
        ),
    )
    assert said(verdict, "group") == ("none", "No page: there is nobody to send it to.")
    assert verdict.conclusion.startswith("Nobody to page")


# group ----------------------------------------------------------------------------------------------------------------


def group_key(labels: Mapping[str, str], catalog: Catalog | None = None, **changes: object) -> str | None:
    return judge(alert(labels, **changes), context(catalog)).group_key


def test_alerts_with_the_same_group_labels_share_a_key_whatever_else_differs():
    assert group_key({**CHECKOUT, "instance": "a"}) == group_key({**CHECKOUT, "instance": "b"})
    assert group_key(CHECKOUT) != group_key({**CHECKOUT, "alertname": "Slow"})


def test_a_service_known_by_its_job_groups_like_one_known_by_its_label():
    by_job = {"alertname": "X", "severity": "critical", "job": "checkout"}
    by_label = {"alertname": "X", "severity": "critical", "service": "checkout"}
    assert group_key(by_job) == group_key(by_label)


def test_an_alert_without_any_label_to_group_by_is_a_problem_of_its_own():
    labels = {"severity": "critical", "service": "checkout"}
    assert group_key(labels, fingerprint="one") != group_key(labels, fingerprint="two")


def test_a_route_may_make_one_problem_of_a_whole_service():
    routes = {"all": Route(name="all", group_by=("service",))}
    catalog = organisation(routes=routes)
    assert group_key({**CHECKOUT, "alertname": "A"}, catalog) == group_key({**CHECKOUT, "alertname": "B"}, catalog)


def test_a_group_key_stays_short_and_distinct_when_labels_are_long():
    one, two = (group_key({**CHECKOUT, "alertname": "Ü" * 16_000 + end}) for end in "ab")
    assert one is not None
    assert len(one) == 500
    assert one != two


def test_values_cannot_imitate_another_groups_key():
    assert group_key({"alertname": 'a",service="b'}) != group_key({"alertname": "a", "service": "b"})


# robustness -----------------------------------------------------------------------------------------------------------


def test_a_route_that_cannot_be_read_is_left_out_and_alerts_go_on(caplog):
    routes = {"broken": Route(name="broken", order=0, match=("{{",))}
    verdict = judge(alert(CHECKOUT), context(organisation(routes=routes)))
    assert verdict.policy == "payments-primary"
    assert "route broken is left out" in caplog.text


HOLDERS: dict[str, dict[str, object]] = {
    "silence": {"silences": (silence('alertname="HighErrors"'),)},
    "maintenance": {
        "maintenance": (
            InMaintenance(
                name="move",
                title="Move",
                owner="payments",
                reason="new disks",
                services=("checkout",),
                matchers=(),
                until=NOW + timedelta(hours=1),
            ),
        )
    },
    "flapping": {
        "history": {
            (1, "f"): History(changes=tuple(NOW - timedelta(minutes=minute) for minute in range(10)), paged=True)
        }
    },
}


@given(st.sets(st.sampled_from(sorted(HOLDERS))), st.sampled_from(["critical", "error", "odd", "sev-2", ""]))
def test_what_holds_an_alert_never_takes_its_page_for_good(holders: set[str], severity: str):
    labels = {**CHECKOUT, "severity": severity, "env": "eu"}
    known = {name: value for holder in holders for name, value in HOLDERS[holder].items()}
    verdict = judge(alert(labels), context(**known))
    assert (verdict.held is not None) == bool(holders)
    assert bool(verdict.held_by) == bool(holders)
    assert judge(alert(labels), context()).stages[-1].outcome == "opens"


def test_a_verdict_of_the_release_before_is_still_read():
    stored = (
        b'{"stages":[{"name":"dedup","outcome":"new","reason":"New."},'
        b'{"name":"tier","outcome":"page","reason":"Page: severity=critical."}],'
        b'"tier":"page","tier_from":"severity","held":"inhibited","held_by":"A-7","policy":"everyone"}'
    )
    verdict = msgspec.json.decode(stored, type=Verdict)
    assert (verdict.tier, verdict.held_by, verdict.channel, verdict.expects) == ("page", "A-7", None, "")


def test_the_release_before_reads_the_verdicts_of_this_one():
    """It knows six stages, two ways to be held and three sources of a tier; anything else would break its pages."""
    for known in (*HOLDERS.values(), {}):
        verdict = judge(alert({**CHECKOUT, "env": "eu", "tier": "page"}), context(**known))
        assert {stage.name for stage in verdict.stages} <= {"dedup", "silence", "inhibit", "tier", "route", "group"}
        assert verdict.held in {None, "silenced", "inhibited"}
        assert verdict.tier_from in {"route", "severity", "nothing"}


def test_services_in_a_circle_do_not_hold_each_other():
    services = {
        "checkout": Service(name="checkout", title="C", owner="payments", depends_on=("search",)),
        "search": Service(name="search", title="S", owner="payments", depends_on=("checkout",)),
    }
    head = Organisation(name="organisation", title="Shop", fallback_policy="everyone", inhibit_dependents=True)
    known = context(
        organisation(services=services, organisation=head, routes={}),
        causes={"search": Source(id=7, labels={}), "checkout": Source(id=8, labels={})},
    )
    assert judge(alert(CHECKOUT), known).held is None
    assert judge(alert({**CHECKOUT, "service": "search"}), known).held is None


def test_a_service_says_for_itself_whether_it_holds_what_depends_on_it():
    base = organisation()
    services = {
        "checkout": msgspec.structs.replace(base.services["checkout"], depends_on=("search",)),
        "search": msgspec.structs.replace(base.services["search"], inhibit_dependents=True),
    }
    known = {"causes": {"search": Source(id=7, labels={})}}
    labels = {**CHECKOUT, "env": "eu"}
    assert judge(alert(labels), context(organisation(services=services), **known)).held_by == "A-7"
    services["search"] = msgspec.structs.replace(services["search"], inhibit_dependents=False)
    assert judge(alert(labels), context(organisation(services=services), **known)).held is None


def test_what_flaps_stays_on_the_open_page_and_says_so():
    key = judge(alert({**CHECKOUT, "env": "eu"}), context()).group_key or ""
    known = {**HOLDERS["flapping"], "open_pages": {key: OpenPage(key="P-3")}}
    verdict = judge(alert({**CHECKOUT, "env": "eu"}), context(**known))
    assert (verdict.held, verdict.page, verdict.flapping) == (None, "P-3", True)
    assert verdict.conclusion == "Joins P-3: same alertname, service; it is flapping, 10 changes in 30 min."
