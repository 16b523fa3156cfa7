"""The linter of Prometheus rule files: what each alerting rule lacks, with file and line, and no server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sev1.catalog.model import Catalog
from sev1.catalog.yaml_tree import Unreadable
from sev1.cli.main import app as cli
from sev1.lint.decide import judge_rule
from sev1.lint.rule_file import read

SAMPLE = Path(__file__).parents[2] / "src/sev1/practice/sample"
GOOD = """\
groups:
  - name: checkout
    rules:
      - record: job:errors:rate5m
        expr: rate(errors[5m])
      - alert: CheckoutErrors
        expr: job:errors:rate5m > 0.01
        for: 5m
        labels: {severity: critical, service: checkout, team: payments}
        annotations:
          summary: Checkout answers {{ $value }} errors a second
          impact: Customers cannot pay
          dashboard_url: https://graphs.example/d/checkout
          action: Roll back the last deploy
          runbook_url: https://runbooks.example/checkout
"""
BARE = """\
groups:
  - name: disks
    rules:
      - alert: DiskFull
        expr: disk_free < 1
        labels:
          severity: urgent
"""


@pytest.fixture
def lint(tmp_path: Path) -> Callable[..., Any]:
    def run(*texts: str | bytes, options: tuple[str, ...] = ()) -> Any:
        files = []
        for number, text in enumerate(texts):
            file = tmp_path / f"{number}.yml"
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
            files.append(str(file))
        return CliRunner().invoke(cli, ["lint", *files, *options])

    return run


def codes(text: str, catalog: Catalog | None = None) -> dict[str, int]:
    [rule] = read(text)
    return {lack.code: lack.line for lack in judge_rule(rule, catalog or Catalog()).lacks}


def test_a_rule_that_answers_all_five_and_names_owner_runbook_and_dashboard_lacks_nothing(lint: Callable[..., Any]):
    result = lint(GOOD, options=("--minimum", "5"))
    assert result.exit_code == 0
    assert "CheckoutErrors  5 of 5, page: Act now" in result.stdout
    assert result.stdout.endswith("1 alerting rule in 1 files, 0 below 5 of 5.\n")


def test_a_bare_rule_is_told_each_thing_to_add_and_the_line():
    assert codes(BARE) == {
        "broke": 4, "impact": 4, "verify": 4, "first": 4, "call": 6, "tier": 7, "service": 6, "owner": 6,
        "runbook": 4, "dashboard": 4, "for": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("without", "code"),
    [
        ("          summary: Checkout answers {{ $value }} errors a second\n", "broke"),
        ("          impact: Customers cannot pay\n", "impact"),
        ("          dashboard_url: https://graphs.example/d/checkout\n", "verify"),
        ("        for: 5m\n", "for"),
    ],
)
def test_each_missing_answer_is_found_by_itself(without: str, code: str):
    assert code in codes(GOOD.replace(without, ""))
    assert code not in codes(GOOD)


def test_what_to_try_first_is_answered_by_an_action_or_by_a_runbook():
    action, runbook = (
        "          action: Roll back the last deploy\n",
        "          runbook_url: https://runbooks.example/checkout\n",
    )
    assert "first" not in codes(GOOD.replace(action, ""))
    assert "first" not in codes(GOOD.replace(runbook, ""))
    assert "first" in codes(GOOD.replace(action, "").replace(runbook, ""))


def test_no_severity_and_for_0s_are_found_and_a_templated_severity_is_left_alone():
    assert "severity" in codes(GOOD.replace("severity: critical, ", ""))
    assert "for" in codes(GOOD.replace("for: 5m", "for: 0s"))
    assert codes(GOOD.replace("severity: critical", "severity: '{{ $labels.level }}'")) == {}


def test_a_rule_below_the_minimum_makes_the_exit_code_1(lint: Callable[..., Any]):
    assert lint(BARE).exit_code == 0
    result = lint(GOOD, BARE, options=("--minimum", "3"))
    assert result.exit_code == 1
    assert "DiskFull  below the minimum, 0 of 5, in no tier" in result.stdout


def test_the_catalog_answers_for_its_services(lint: Callable[..., Any]):
    text = BARE.replace("severity: urgent", "severity: critical\n          service: checkout")
    result = lint(text, options=("--catalog", str(SAMPLE), "--format", "json", "--minimum", "4"))
    [judged] = json.loads(result.stdout)["files"][0]["rules"]
    assert judged["score"]["points"] == 4
    assert result.exit_code == 0
    unknown = lint(text.replace("checkout", "chekout"), options=("--catalog", str(SAMPLE)))
    assert 'The catalog has no service "chekout".' in unknown.stdout


def test_github_gets_annotations_in_which_no_text_of_a_rule_can_begin_a_command(lint: Callable[..., Any]):
    evil = BARE.replace("alert: DiskFull", 'alert: "x\\n::set-env name=A::b"')
    result = lint(evil, options=("--format", "github", "--minimum", "1"))
    assert result.exit_code == 1
    commands = [line for line in result.stdout.splitlines() if line.startswith("::")]
    assert commands[0].startswith("::error file=")
    assert ",line=4,title=" in commands[0]
    assert all(line.startswith(("::error file=", "::warning file=")) for line in commands)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("groups: [", "This is not YAML"),
        ("a: 1", "it has no list `groups`"),
        ("", "The file holds no rules"),
        ("groups:\n  - rules:\n      - expr: x\n", "`alert` or `record`"),
        ("groups:\n  - rules: 3\n", "`rules` must be a list"),
        ("groups:\n  - rules:\n      - alert: X\n        labels: [a]\n", "`labels` must be lines"),
        (b"groups: \xff", "not UTF-8"),
        ("x" * 1_000_001, "larger than 1000 kB"),
        ("[" * 5000, "nested deeper"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{n}: &{n} [{','.join([f'*{p}'] * 10)}]\n" for p, n in zip("abcde", "bcdef", strict=True)),
            "once its aliases are followed",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_the_line_and_exit_code_1(
    lint: Callable[..., Any], text: str | bytes, says: str
):
    result = lint(text)
    assert result.exit_code == 1
    assert says in result.stdout
    assert "0.yml:" in result.stdout
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_missing_file_is_said_and_the_others_are_read(lint: Callable[..., Any]):
    result = lint(GOOD, options=("nowhere.yml",))
    assert result.exit_code == 1
    assert "nowhere.yml:1: The file cannot be read" in result.stdout
    assert "CheckoutErrors" in result.stdout


def test_kubernetes_rules_and_several_documents_are_read():
    indented = "".join(f"  {line}\n" for line in GOOD.splitlines())
    text = f"kind: PrometheusRule\nspec:\n{indented}---\n{BARE}"
    assert [rule.name for rule in read(text)] == ["CheckoutErrors", "DiskFull"]


def test_more_rules_than_anybody_writes_are_refused():
    with pytest.raises(Unreadable, match="more than"):
        read("groups:\n  - rules:\n" + "      - {alert: X}\n" * 5001)
