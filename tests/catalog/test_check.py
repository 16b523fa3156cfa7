"""What must hold between the objects of a catalog."""

from datetime import date

import pytest

from sev1.catalog.check import check, require_valid
from sev1.catalog.load import inspect
from sev1.catalog.model import (
    Catalog,
    EscalationPolicy,
    Organisation,
    Rotation,
    Schedule,
    ScheduleTarget,
    Service,
    Step,
    Team,
    TeamTarget,
)
from sev1.catalog.problems import CatalogInvalid

SERVICE = "kind: service\nname: s\ntitle: S\nowner: payments\n"

DANGLING = {
    "kind: service\nname: s\ntitle: S\nowner: payment\n": (
        'more.yaml:4: service "s" is owned by team "payment", which does not exist. Did you mean "payments"?'
    ),
    f"{SERVICE}depends_on:\n  - ledger\n  - leger\n": (
        'more.yaml:7: service "s" depends on service "leger", which does not exist. Did you mean "ledger"?'
    ),
    f"{SERVICE}policy: zzz\n": (
        'more.yaml:5: service "s" pages by escalation-policy "zzz", which does not exist. '
        "Add it (`kind: escalation-policy`, `name: zzz`) or correct the name."
    ),
    f"{SERVICE}runbook: fix-it\n": (
        'more.yaml:5: service "s" is repaired by runbook "fix-it", which does not exist. Add runbooks/fix-it.md.'
    ),
    "kind: team\nname: t\ntitle: T\nmembers: [ana,\n  anna]\n": (
        'more.yaml:5: team "t" has as member person "anna", which does not exist. Did you mean "ana"?'
    ),
    "kind: schedule\nname: s\ntitle: S\nrotation:\n  starts: 2026-01-05\n  people: [boo]\n": (
        'more.yaml:6: schedule "s" rotates through person "boo", which does not exist. Did you mean "bo"?'
    ),
    "kind: schedule\nname: s\ntitle: S\nrotation: {starts: 2026-01-05, people: [bo]}\noverrides:\n"
    "  - start: 2026-01-05T00:00:00Z\n    end: 2026-01-06T00:00:00Z\n    person: cem\n": (
        'more.yaml:8: schedule "s" is covered by person "cem", which does not exist. '
        "Add it (`kind: person`, `name: cem`) or correct the name."
    ),
    "kind: escalation-policy\nname: p\ntitle: P\nsteps:\n- targets: [{kind: team, name: payments}]\n- targets:\n"
    "  - {kind: person, name: ana}\n  - {kind: schedule, name: primry}\n": (
        'more.yaml:8: escalation-policy "p" pages in step 2 schedule "primry", which does not exist. '
        'Did you mean "primary"?'
    ),
    # A person of that name exists, a team does not: kinds have names of their own.
    "kind: escalation-policy\nname: p\ntitle: P\nsteps: [{targets: [{kind: team, name: ana}]}]\n": (
        'more.yaml:4: escalation-policy "p" pages in step 1 team "ana", which does not exist. '
        "Add it (`kind: team`, `name: ana`) or correct the name."
    ),
    "kind: route\nname: r\norder: 1\nmatch: [a=b]\npolicy: standart\n": (
        'more.yaml:5: route "r" pages by escalation-policy "standart", which does not exist. Did you mean "standard"?'
    ),
    "kind: route\nname: r\norder: 1\nmatch: [a=b]\nseverity: sev-9\n": (
        'more.yaml:5: route "r" suggests severity "sev-9", which does not exist. Did you mean "sev-3"?'
    ),
}


@pytest.mark.parametrize("text", DANGLING)
def test_a_reference_to_nothing_is_refused(problems_beside_small, text):
    assert problems_beside_small(text) == [DANGLING[text]]


def test_runbooks_for_restricted_incidents_must_exist(problems):
    [problem] = problems({"a.yaml": "kind: organisation\nname: o\ntitle: O\nsecurity_runbooks: [breach]\n"})
    assert 'runbook "breach"' in problem
    assert "Add runbooks/breach.md." in problem


def test_the_fallback_policy_must_exist(problems):
    assert problems({"a.yaml": "kind: organisation\nname: o\ntitle: O\nfallback_policy: nobody\n"}) == [
        (
            'a.yaml:4: organisation "o" falls back to escalation-policy "nobody", which does not exist. '
            "Add it (`kind: escalation-policy`, `name: nobody`) or correct the name."
        )
    ]


OTHER_ERRORS = {
    "kind: person\nname: x\nfull_name: X\nemail: ANA@shop.example\ncontact: [{kind: email, address: x@y.example}]\n": (
        'small.yaml:9: person "ana" has the same mail address as person "x". Sign-in goes by this address: give each '
        "their own."
    ),
    "kind: person\nname: x\nfull_name: X\nemail: x@y.example\ntime_zone: Europe/Berln\n"
    "contact: [{kind: email, address: x@y.example}]\n": (
        'more.yaml:5: person "x" is in time zone "Europe/Berln", which does not exist. Did you mean "Europe/Berlin"?'
    ),
    "kind: person\nname: x\nfull_name: X\nemail: x@y.example\nholidays: DE-XX\n"
    "contact: [{kind: email, address: x@y.example}]\n": (
        'more.yaml:5: person "x" has the holidays of "DE-XX", which nobody knows. Write "DE" or one of DE-BB, DE-BE, '
        "DE-BW, DE-BY, DE-HB, DE-HE, DE-HH, DE-MV, DE-NI, DE-NW, DE-RP, DE-SH, DE-SL, DE-SN, DE-ST, DE-TH."
    ),
    "kind: schedule\nname: s\ntitle: S\ntime_zone: ../etc\nrotation: {starts: 2026-01-05, people: [bo]}\n": (
        'more.yaml:4: schedule "s" is in time zone "../etc", which does not exist. '
        "Use a name such as Europe/Berlin or UTC."
    ),
    "kind: schedule\nname: s\ntitle: S\nrotation: {starts: 2026-01-05, people: [bo]}\noverrides:\n"
    "- person: ana\n  start: 2026-01-05T10:00:00Z\n  end: 2026-01-05T10:00:00+01:00\n": (
        'more.yaml:8: schedule "s" has an override that ends (2026-01-05 09:00 UTC) before it starts. '
        "Let it end after 2026-01-05 10:00 UTC."
    ),
    'kind: route\nname: r\norder: 1\nmatch:\n- a=b\n- severity="critical\n': (
        'more.yaml:6: route "r" has a matcher that cannot be read: Column 10 holds a quote that is never closed. '
        'Write it like `severity="critical"` or `env=~"prod|live"`.'
    ),
    'kind: inhibit-rule\nname: i\nsource: [a=b]\ntarget: ["a=~\\"[\\""]\n': (
        'more.yaml:4: inhibit-rule "i" has a matcher that cannot be read: "[" is not a regular expression: missing ]: [.'
        ' Write it like `severity="critical"` or `env=~"prod|live"`.'
    ),
    "kind: inhibit-rule\nname: i\nsource: [a=b]\ntarget: ['{}']\n": (
        'more.yaml:3: inhibit-rule "i" matches every alert on one side. '
        "Name at least one label in `source` and in `target`."
    ),
    "kind: inhibit-rule\nname: i\nsource: [a=b]\ntarget: [c=d]\nequal: ['']\n": (
        'more.yaml:5: inhibit-rule "i" names an empty label in `equal`. Name a label or remove the entry.'
    ),
    "kind: team\nname: web\ntitle: Web\nmembers: [ana]\n---\nkind: team\nname: web\ntitle: W\nmembers: [bo]\n": (
        'more.yaml:7: team "web" is written twice, first in more.yaml:2. Rename one or delete it.'
    ),
    "kind: organisation\nname: other\ntitle: Other\n": (
        'small.yaml:1: organisation "shop" is the second one; "other" is written in more.yaml:2. '
        "Keep one: a catalog describes one organisation."
    ),
}


@pytest.mark.parametrize("text", OTHER_ERRORS)
def test_what_contradicts_itself_is_refused(problems_beside_small, text):
    assert problems_beside_small(text) == [OTHER_ERRORS[text]]


def test_the_same_severity_twice_is_refused(problems_beside_small):
    one = "kind: severity\nname: sev-1\ntitle: A\nimpact: B\nrespond_within_s: 60\n"
    assert problems_beside_small(f"{one}---\n{one}") == [
        'more.yaml:8: severity "sev-1" is written twice, first in more.yaml:2. Rename one or delete it.'
    ]


def services(**depends_on):
    return "---\n".join(
        f"kind: service\nname: {name}\ntitle: T\nowner: payments\ndepends_on: [{', '.join(on)}]\n"
        for name, on in depends_on.items()
    )


def test_a_circle_of_dependencies_is_told_as_a_path(problems_beside_small):
    text = services(a=["b"], b=["c"], c=["a"], d=["a"])
    assert problems_beside_small(text) == [
        (
            'more.yaml:17: service "c" depends on itself: c → a → b → c. Remove one of these dependencies: a service '
            "breaks when what it depends on breaks, not the other way round."
        )
    ]


def test_every_circle_is_told(problems_beside_small):
    found = problems_beside_small(services(a=["a"], b=["c", "d"], c=["b"], d=["b"]))
    assert [problem.split(": ")[2].split(".")[0] for problem in found] == ["a → a", "c → b → c", "d → b → d"]


def test_a_chain_of_thousands_is_no_circle():
    chain = {f"s{n}": Service(name=f"s{n}", title="S", owner="t", depends_on=(f"s{n + 1}",)) for n in range(5000)}
    ends = {"s5000": Service(name="s5000", title="S", owner="t", depends_on=("s0",))}
    found = [f for f in check(Catalog(services={**chain, **ends})) if "depends on itself" in f.message]
    assert len(found) == 1


def test_a_broken_object_does_not_make_references_to_it_dangle(problems_beside_small):
    text = "kind: team\nname: web\ntitle: Web\nmembers: []\n---\nkind: service\nname: s\ntitle: S\nowner: web\n"
    assert problems_beside_small(text) == ['more.yaml:4: team "web": `members` needs at least 1 entry.']


def test_a_broken_object_does_not_hide_another_files_dangling_reference(problems_beside_small):
    text = "kind: team\nname: web\ntitle: Web\nmembers: []\n---\nkind: service\nname: s\ntitle: S\nowner: wob\n"
    assert problems_beside_small(text)[1:] == [
        'more.yaml:9: service "s" is owned by team "wob", which does not exist. Did you mean "web"?'
    ]


NO_FALLBACK = """
kind: person
name: ana
full_name: Ana
email: ana@shop.example
contact: [{kind: email, address: ana@shop.example}]
---
kind: team
name: payments
title: Payments
members: [ana]
---
kind: escalation-policy
name: standard
title: Standard
steps: [{targets: [{kind: person, name: ana}]}]
---
"""


@pytest.mark.parametrize("tier", ["", "tier: page\n"])
def test_without_a_fallback_a_route_that_can_page_needs_a_policy(problems, tier):
    assert problems({"a.yaml": f"{NO_FALLBACK}kind: route\nname: r\n{tier}"}) == [
        (
            'a.yaml:17: route "r" can page, but names no policy: nobody would be woken. '
            "Give it a `policy`, or the organisation a `fallback_policy`."
        )
    ]


def test_without_a_fallback_a_service_needs_a_policy(problems, folder):
    assert problems({"a.yaml": f"{NO_FALLBACK}{SERVICE}"}) == [
        (
            'a.yaml:17: service "s" has no policy: nobody would be woken for it. '
            "Give it a `policy`, or the organisation a `fallback_policy`."
        )
    ]
    assert inspect(folder({"a.yaml": f"{NO_FALLBACK}{SERVICE}policy: standard\n"})).warnings == ()


def test_a_catalog_that_does_not_page_yet_is_warned_about_it(folder):
    before = NO_FALLBACK.split("---\nkind: escalation-policy", maxsplit=1)[0]
    [warning] = inspect(folder({"a.yaml": f"{before}---\n{SERVICE}"})).warnings
    assert warning.message == 'service "s" has no policy: nobody would be woken for it.'


@pytest.mark.parametrize("tier", ["ticket", "fyi"])
def test_a_route_that_never_pages_needs_no_policy(folder, tier):
    inspect(folder({"a.yaml": f"{NO_FALLBACK}kind: route\nname: r\ntier: {tier}\n"}))


WARNINGS = {
    "kind: route\nname: later\norder: 200\nmatch: [a=b]\n": (
        'more.yaml:3: route "later" is never reached: "everything" before it matches every alert. '
        "Give it an `order` below 100."
    ),
    "kind: team\nname: web\ntitle: Web\nmembers: [ana, bo, ana]\n": (
        'more.yaml:4: team "web" lists ana more than once. Keep one.'
    ),
    f"{SERVICE}tier: 1\nimpact: Much\npolicy: standard\n": (
        'more.yaml:1: service "s" is tier 1 and has no `runbook`: who is woken for it has nothing to try first. '
        "Add `runbook`."
    ),
    "kind: severity\nname: sev-1\ntitle: A\nimpact: B\nrespond_within_s: null\n---\n"
    "kind: severity\nname: sev-2\ntitle: A\nimpact: B\nrespond_within_s: 60\n---\n"
    "kind: severity\nname: sev-3\ntitle: A\nimpact: B\nrespond_within_s: null\n": (
        'more.yaml:5: severity "sev-1" is worse than "sev-2" but has the slower response target. Check both.'
    ),
}


@pytest.mark.parametrize("text", WARNINGS)
def test_what_is_untidy_is_warned_about(folder, small, text):
    assert [str(warning) for warning in inspect(folder({"more.yaml": text})).warnings] == [WARNINGS[text]]


def test_what_no_route_would_match_is_warned_about(folder):
    text = f"{NO_FALLBACK}kind: route\nname: r\nmatch: [a=b]\npolicy: standard\n"
    [warning] = inspect(folder({"a.yaml": text})).warnings
    assert (
        warning.message == "No route matches every alert: what no route matches is shown as unrouted and pages nobody."
    )


def test_a_catalog_from_a_program_is_checked_by_the_same_rules(small):
    require_valid(small)
    with pytest.raises(CatalogInvalid) as caught:
        require_valid(Catalog(services={"s": Service(name="s", title="S", owner="nobody")}))
    assert caught.value.message.splitlines()[1] == (
        'service "s" is owned by team "nobody", which does not exist. '
        "Add it (`kind: team`, `name: nobody`) or correct the name."
    )


def test_a_step_that_would_wake_nobody_is_refused():
    step = Step(targets=(ScheduleTarget(name="empty"), TeamTarget(name="empty")))
    catalog = Catalog(
        organisation=Organisation(name="o", title="O", fallback_policy="p"),
        teams={"empty": Team(name="empty", title="E", members=())},
        schedules={"empty": Schedule(name="empty", title="E", rotation=Rotation(people=(), starts=date(2026, 1, 5)))},
        policies={"p": EscalationPolicy(name="p", title="P", steps=(step,))},
    )
    assert [(finding.path, finding.message) for finding in check(catalog)] == [
        (("steps", 0, "targets", 0, "name"), 'escalation-policy "p" pages schedule "empty", which has nobody in it.'),
        (("steps", 0, "targets", 1, "name"), 'escalation-policy "p" pages team "empty", which has nobody in it.'),
    ]
