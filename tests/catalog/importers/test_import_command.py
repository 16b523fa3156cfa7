"""`sev1 import …` as it is typed: what it writes, prints and answers with."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sev1.catalog.load import inspect, load
from sev1.cli.main import app

FIXTURES = Path(__file__).parent / "fixtures"
CONFIG = "route: {receiver: ops}\nreceivers: [{name: ops, email_configs: [{to: ops@shop.example}]}]\n"
VENDORS = ("pagerduty", "opsgenie", "grafana-oncall")


def sev1(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def of(vendor):
    return sorted(FIXTURES.glob(f"{vendor}-*.json"))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "alertmanager.yml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_it_writes_is_a_catalog_without_an_error_and_the_second_time_the_same(vendor, tmp_path):
    out = tmp_path / "catalog"
    done = sev1("import", vendor, *of(vendor), "--out", out)
    assert done.exit_code == 0, done.output
    assert "Not carried over (" in done.stdout
    assert f"Next: `sev1 plan {out}`." in done.stdout
    assert load(out).people
    written = {path.name: path.read_bytes() for path in out.iterdir()}
    assert sev1("import", vendor, *reversed(of(vendor)), "--out", out).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == written


def test_the_files_are_one_a_kind_and_each_object_names_its_source(config, tmp_path):
    out = tmp_path / "catalog"
    assert sev1("import", "alertmanager", config, "--out", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "organisation.yaml", "people.yaml", "policies.yaml", "routes.yaml", "teams.yaml",
    ]  # fmt: skip
    assert (out / "routes.yaml").read_text() == (
        "# Written by `sev1 import alertmanager`. Importing again overwrites this file.\n"
        "# route\n"
        "kind: route\n"
        "name: ops\n"
        "order: 10\n"
        "tier: page\n"
        "policy: ops\n"
        "group_by: []\n"
    )
    assert inspect(out).warnings == ()


def test_without_a_folder_nothing_is_written(config, tmp_path):
    done = sev1("import", "alertmanager", config)
    assert done.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["alertmanager.yml"]


def test_the_report_comes_as_json_too(config):
    told = json.loads(sev1("import", "alertmanager", config, "--json").stdout)
    assert {"kind": "person", "name": "ops", "source": 'receiver "ops" email_configs[0]'} in told["made"]
    assert {"outcome", "source", "becomes", "reason", "todo"} == told["report"][0].keys()
    assert {entry["outcome"] for entry in told["report"]} == {"carried", "changed"}


def test_files_of_an_earlier_import_that_are_no_longer_needed_go(config, tmp_path):
    out = tmp_path / "catalog"
    config.write_text(CONFIG + "inhibit_rules: [{source_match: {a: b}, target_match: {c: d}}]\n")
    sev1("import", "alertmanager", config, "--out", out)
    (out / "mine.yaml").write_text("kind: team\n")
    assert (out / "inhibit-rules.yaml").exists()
    config.write_text(CONFIG)
    sev1("import", "alertmanager", config, "--out", out)
    assert not (out / "inhibit-rules.yaml").exists()
    assert (out / "mine.yaml").exists()


def test_nothing_that_somebody_wrote_or_that_came_from_elsewhere_is_overwritten(config, tmp_path):
    out = tmp_path / "catalog"
    sev1("import", "pagerduty", *of("pagerduty"), "--out", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    done = sev1("import", "alertmanager", config, "--out", out)
    assert done.exit_code == 1
    assert "was imported from another product and is not overwritten" in done.stderr
    (out / "people.yaml").write_text("kind: person\n")
    done = sev1("import", "pagerduty", *of("pagerduty"), "--out", out)
    assert done.exit_code == 1
    assert "was written by somebody and is not overwritten" in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {**before, "people.yaml": b"kind: person\n"}


def test_where_nothing_can_be_used_it_ends_with_1_and_writes_nothing(tmp_path):
    path = tmp_path / "empty.json"
    path.write_text('{"users": []}')
    done = sev1("import", "pagerduty", path, "--out", tmp_path / "catalog")
    assert done.exit_code == 1
    assert "Nothing in it can be used." in done.stderr
    assert not (tmp_path / "catalog").exists()


@pytest.mark.parametrize(
    ("vendor", "text", "sentence"),
    [
        ("pagerduty", CONFIG, "Use `sev1 import alertmanager`."),
        ("alertmanager", '{"schedules": [{"schedule_layers": []}]}', "Use `sev1 import pagerduty`."),
        ("opsgenie", '{"results": [{"on_call_now": []}]}', "Use `sev1 import grafana-oncall`."),
        ("grafana-oncall", '{"data": [{"rotations": []}]}', "Use `sev1 import opsgenie`."),
        ("opsgenie", "<html>", "is not JSON"),
    ],
)
def test_another_products_file_is_refused_with_the_importer_that_fits(vendor, text, sentence, tmp_path):
    path = tmp_path / "file"
    path.write_text(text)
    done = sev1("import", vendor, path)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    done = sev1("import", "alertmanager", tmp_path / "nothing.yml")
    assert done.exit_code == 1
    assert "cannot be read: No such file" in done.stderr


def test_a_contact_that_is_no_mail_address_is_refused(config):
    assert "is no mail address" in sev1("import", "alertmanager", config, "--contact", "ops").stderr


def test_large_files_are_refused_before_they_are_read_to_their_end(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: it takes no space
    begin = time.process_time()
    done = sev1("import", "pagerduty", path)
    assert "is larger than 20 MB" in done.stderr
    assert time.process_time() - begin < 2


def test_many_objects_go_into_several_files(tmp_path):
    users = [
        {"id": f"P{n}", "name": f"Person {n}", "email": f"p{n}@x.example", "time_zone": "UTC", "type": "user"}
        for n in range(6000)
    ]
    path = tmp_path / "users.json"
    path.write_text(json.dumps({"users": users}))
    done = sev1("import", "pagerduty", path, "--out", tmp_path / "catalog")
    assert done.exit_code == 0
    sizes = [file.stat().st_size for file in (tmp_path / "catalog").glob("people*.yaml")]
    assert len(sizes) == 2
    assert max(sizes) <= 1_000_000


@pytest.mark.parametrize("vendor", VENDORS)
async def test_plan_takes_what_was_imported(vendor, tmp_path, fresh_database_url):
    out = tmp_path / "catalog"
    sev1("import", vendor, *of(vendor), "--out", out)
    runner = CliRunner(env={"SEV1_DATABASE_URL": fresh_database_url})
    done = await asyncio.to_thread(runner.invoke, app, ["plan", str(out)])
    assert done.exit_code == 0, done.output
    assert "to create, " in done.stdout.splitlines()[-1]
    assert "+ schedule " in done.stdout
