"""Diagnostics of services: what `sev1 plan` refuses, by file and line, and what a runbook names."""

import pytest
from msgspec.structs import replace

from sev1.catalog.check import check
from sev1.catalog.model import Catalog, Diagnostic, Runbook, Service, Team
from sev1.catalog.runbook import diagnostics_named

SERVICE = "kind: service\nname: s\ntitle: S\nowner: payments\ndiagnostics:\n  - name: pool\n    title: Pool\n"
URL = "    url: https://m.example/pool\n"
REFUSED = {
    f"{SERVICE}    url: ftp://m.example\n": "`diagnostics[0].url` must",
    f"{SERVICE}{URL}    body: '{{}}'\n": "only a POST has a `body`",
    f"{SERVICE}{URL}    headers: {{X-Key: a}}\n    headers_env: {{x-key: DIAGNOSTIC_KEY}}\n": "the header x-key is written twice",
    f"{SERVICE}{URL}    headers: {{Host: other.example}}\n": "the header host is set by sev1",
    f"{SERVICE}{URL}    headers_env: {{Authorization: SEV1_WEBHOOK_SECRET}}\n": "headers_env",
    f'{SERVICE}{URL}    headers: {{X-Key: "a\\nX-Other: b"}}\n': "headers",
    f"{SERVICE}{URL}    timeout_s: 31\n": "timeout_s",
    f"{SERVICE}{URL}    show: 'answer.'\n": 'more.yaml:9: service "s": `show` of the diagnostic "pool": The expression cannot be read',
    f"{SERVICE}{URL}  - name: pool\n    title: Again\n{URL}": 'service "s" has two diagnostics called "pool"',
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REFUSED.items())
def test_what_is_wrong_is_said(problems_beside_small, text, expected):
    found = problems_beside_small(text)
    assert any(expected in problem for problem in found), found


def test_a_runbook_that_names_what_its_services_do_not_have_is_pointed_out():
    pool = Diagnostic(name="pool", title="Pool", url="https://m.example/pool")
    service = Service(name="s", title="S", owner="t", runbook="r", diagnostics=(pool,))
    catalog = Catalog(
        teams={"t": Team(name="t", title="T", members=("ana",))},
        services={"s": service},
        runbooks={"r": Runbook(name="r", title="R", body="- [ ] Run `diagnostic pool`, then `diagnostic pol`\n")},
    )
    [found] = [f for f in check(catalog) if "names the diagnostic" in f.message]
    assert (found.name, found.warning, found.fix) == ("r", True, 'Did you mean "pool"?')
    unused = replace(catalog, services={"s": replace(service, runbook=None)})
    assert not [f for f in check(unused) if "names the diagnostic" in f.message]


def test_a_runbook_names_each_diagnostic_once_and_only_in_backticks():
    body = "- `diagnostic pool`\n- diagnostic other\n- `diagnostic slow-queries` and `diagnostic pool` again\n"
    assert diagnostics_named(body) == ("pool", "slow-queries")
