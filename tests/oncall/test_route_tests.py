"""Route tests: what the catalog makes of an alert, checked before it goes live."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from sev1.catalog.check import check, require_valid
from sev1.catalog.load import load
from sev1.catalog.model import Catalog, Expected, Maintenance, RouteTest
from sev1.catalog.problems import CatalogInvalid
from sev1.cli.main import app as cli
from sev1.oncall.route_tests import run

SAMPLE = Path(__file__).parents[2] / "src/sev1/practice/sample"
NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
LABELS = {"alertname": "Errors", "service": "checkout", "env": "prod-eu", "severity": "critical"}


@pytest.fixture(scope="module")
def sample() -> Catalog:
    return load(SAMPLE)


def with_test(sample: Catalog, labels: dict[str, str] = LABELS, at: datetime | None = NOW, **expect: object) -> Catalog:
    test = RouteTest(name="t", labels=labels, at=at, expect=Expected(**expect))  # type: ignore[arg-type]
    return replace(sample, route_tests={"t": test})


def test_the_sample_passes_its_own_tests_at_any_time(sample: Catalog):
    assert len(sample.route_tests) == 2
    assert all(run(sample, NOW + timedelta(days=n)) == [] for n in range(0, 400, 37))


@pytest.mark.parametrize(
    ("expect", "got", "because"),
    [
        ({"tier": "fyi"}, "page", "route money says so"),
        ({"service": "cart"}, "checkout", "service checkout"),
        ({"route": "catch-all"}, "money", "route money"),
        ({"policy": "platform"}, "payments", "route money; service checkout"),
        ({"group": {"service": "checkout"}}, "env=prod-eu, service=checkout", "same service, env"),
        ({"silenced": True}, "no", "Not silenced"),
        ({"people": ("ana",)}, "bo", "on call for"),
    ],
)
def test_a_failure_says_what_was_expected_what_came_and_why(
    sample: Catalog, expect: dict[str, object], got: str, because: str
):
    [failure] = run(with_test(sample, **expect), NOW)
    assert failure.got == got
    assert because in failure.reason
    assert failure.path == ("expect", next(iter(expect)))


def test_an_empty_text_expects_that_there_is_none(sample: Catalog):
    lost = {"alertname": "X", "severity": "critical"}
    assert run(with_test(sample, lost, service=""), NOW) == []
    [failure] = run(with_test(sample, route=""), NOW)
    assert (failure.expected, failure.got) == ("none", "money")


def test_a_maintenance_window_at_that_instant_counts_as_silenced(sample: Catalog):
    window = Maintenance(
        name="w", title="W", owner="payments", reason="r", services=("checkout",), at=time(2, 30), duration_min=60,
        on=date(2026, 3, 2),
    )  # fmt: skip
    with_window = replace(with_test(sample, silenced=True, people=()), maintenance={"w": window})
    assert run(with_window, NOW) == []
    later = replace(with_test(sample, silenced=False, at=NOW + timedelta(hours=2)), maintenance={"w": window})
    assert run(later, NOW) == []


def test_a_test_of_people_without_an_instant_and_one_that_expects_nothing_are_refused(sample: Catalog):
    with pytest.raises(CatalogInvalid, match="without saying when"):
        require_valid(with_test(sample, people=("ana",), at=None))
    with pytest.raises(CatalogInvalid, match="expects nothing"):
        require_valid(with_test(sample))
    [hint] = [f for f in check(with_test(sample, route="monye")) if f.kind == "route-test"]
    assert hint.warning
    assert (hint.message, hint.fix) == (
        'route-test "t" expects route "monye", which does not exist.',
        'Did you mean "money"?',
    )


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_plan_and_apply_refuse_with_file_line_and_reason_before_they_touch_a_database(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SEV1_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    copy: Callable[[Path], None] = lambda source: (tmp_path / source.name).write_text(source.read_text())  # noqa: E731
    for source in SAMPLE.glob("*.yaml"):
        copy(source)
    (tmp_path / "runbooks").mkdir()
    for source in (SAMPLE / "runbooks").glob("*.md"):
        (tmp_path / "runbooks" / source.name).write_text(source.read_text())
    tests = tmp_path / "route-tests.yaml"
    text = tests.read_text()
    tests.write_text(text.replace("route: not-production", "route: money"))
    line = text[: text.index("route: not-production")].count("\n") + 1
    result = CliRunner().invoke(cli, [command, str(tmp_path)])
    assert result.exit_code == 1
    assert f'route-tests.yaml:{line}: route-test "staging-wakes-nobody"' in result.stderr
    assert "expected money, got not-production" in result.stderr
    assert "route not-production says so" in result.stderr
