"""Reading a folder that is right."""

from datetime import UTC, datetime, time

import pytest

from sev1.catalog.load import inspect, load
from sev1.catalog.model import DEFAULT_SEVERITIES


def test_documents_of_all_files_become_one_catalog(folder, small):
    assert small.organisation.title == "The shop"
    assert set(small.people) == {"ana", "bo"}
    assert small.services["checkout"].depends_on == ("ledger",)
    assert small.version == 0
    folder({"more/deep/team.yml": "kind: team\nname: web\ntitle: Web\nmembers: [ana]\n"})
    assert set(load(folder({})).teams) == {"payments", "web"}


def test_without_severities_the_defaults_hold(small):
    assert small.severities == DEFAULT_SEVERITIES


def test_a_hand_over_time_may_be_written_without_seconds(folder, small):
    assert small.schedules["primary"].rotation.hand_over_at == time(9)
    text = "kind: schedule\nname: s\ntitle: S\nrotation: {people: [ana], starts: 2026-01-05, hand_over_at: %s}\n"
    folder({"a.yaml": text % "17:30"})
    assert load(folder({})).schedules["s"].rotation.hand_over_at == time(17, 30)
    folder({"a.yaml": text % "'17:30:15'"})
    assert load(folder({})).schedules["s"].rotation.hand_over_at == time(17, 30, 15)


def test_overrides_are_kept_in_utc(folder, small):
    text = """
        kind: schedule
        name: s
        title: S
        rotation: {people: [ana], starts: 2026-01-05}
        overrides:
          - {person: bo, start: 2026-07-01T09:00:00+02:00, end: 2026-07-02 09:00:00Z}
        """
    [override] = load(folder({"a.yaml": text})).schedules["s"].overrides
    assert override.start == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert override.start.tzinfo is UTC


def test_yes_no_and_on_are_plain_words(folder, small):
    catalog = load(folder({"a.yaml": "kind: team\nname: on\ntitle: yes\nmembers: [ana]\n"}))
    assert catalog.teams["on"].title == "yes"


def test_a_markdown_file_below_runbooks_is_a_runbook(folder, small):
    text = """
        ```sh
        # this is a comment of the shell
        ```
        ## Roll *back* ##

        Some words.
        - [ ] `deploy rollback`
        """
    catalog = load(
        folder({"runbooks/eu/roll-back.md": text, "runbooks/README.md": "none", "notes/other.md": "no heading"})
    )
    [runbook] = catalog.runbooks.values()
    assert (runbook.name, runbook.title, runbook.first_step) == ("roll-back", "Roll *back*", "`deploy rollback`")
    assert runbook.body.startswith("```sh\n#")


def test_windows_line_ends_and_a_byte_order_mark_are_read(folder, small):
    text = "\ufeffkind: team\r\nname: web\r\ntitle: |\r\n  Web\r\nmembers: [ana]\r\n".encode()
    runbook = b"# Title\r\n\r\n- first\r\n"
    catalog = load(folder({"a.yaml": text, "runbooks/x.md": runbook}))
    assert catalog.teams["web"].title == "Web\n"
    assert catalog.runbooks["x"].body == "# Title\n\n- first\n"


def test_aliases_repeat_a_value(folder, small):
    catalog = load(folder({"a.yaml": "kind: team\nname: &it web\ntitle: *it\nmembers: [ana]\n"}))
    assert catalog.teams["web"].title == "web"


def test_hidden_files_and_folders_are_left_out(folder, small):
    assert load(folder({".git/x.yaml": "rubbish", ".hidden.yaml": "rubbish", "..data/y.yaml": "rubbish"})) == small


def test_a_mounted_folder_of_links_is_read(folder, small, tmp_path):
    """Kubernetes mounts a ConfigMap as links into a hidden folder."""
    folder({"..data/team.yaml": "kind: team\nname: web\ntitle: Web\nmembers: [ana]\n"})
    (tmp_path / "team.yaml").symlink_to("..data/team.yaml")
    assert "web" in load(tmp_path).teams


def test_an_empty_document_between_two_lines_is_nothing(folder, small):
    text = "---\n# nothing\n---\nkind: team\nname: web\ntitle: Web\nmembers: [ana]\n---\n"
    assert "web" in load(folder({"a.yaml": text})).teams


def test_warnings_do_not_stop_the_loading_and_name_their_line(folder, small):
    text = "kind: service\nname: shop\ntitle: Shop\nowner: payments\ntier: 1\n"
    loaded = inspect(folder({"a.yaml": text, "runbooks/r.md": "# Only words\n"}))
    assert "shop" in loaded.catalog.services
    assert [f"{warning.file}:{warning.line}" for warning in loaded.warnings] == ["a.yaml:1"] * 3 + ["runbooks/r.md:1"]
    assert str(loaded.warnings[0]) == (
        'a.yaml:1: service "shop" is tier 1 and has no `impact`: its pages cannot say what users feel. Add `impact`.'
    )


@pytest.mark.parametrize("text", ["0x1F", "31", "0o37", "+31"])
def test_numbers_have_several_forms(folder, small, text):
    catalog = load(folder({"a.yaml": f"kind: route\nname: r\norder: {text}\n"}))
    assert catalog.routes["r"].order == 31
