"""What a folder may hold that is wrong. Every problem names the file, the line and what to do; all are told at once."""

import time

import pytest

from sev1.catalog import load as load_module
from sev1.catalog.load import load
from sev1.catalog.problems import CatalogInvalid

TEAM = "kind: team\nname: web\ntitle: Web\nmembers: [ana]\n"


def bomb(levels, width):
    lines = ["a0: &a0 [x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


UNREADABLE = {
    "a tab": ("kind: team\n\tname: web\n", "2: A tab stands where YAML wants spaces. Indent with spaces."),
    "bytes": (b"kind: team\nname: \xff\n", "2: The byte 0xff is not UTF-8. Save the file as UTF-8."),
    "latin 1": ("kind: team\ntitle: Zahlungsläufe\n".encode("latin-1"), "2: The byte 0xe4 is not UTF-8."),
    "a control character": ("kind: team\nname: \x07\n", "2: The character U+0007 may not stand in YAML. Remove it."),
    "an escaped nul": ('kind: team\nname: "a\\0"\n', "2: The text holds the character U+0000, which cannot be shown."),
    "half a pair": ('kind: team\nname: "\\ud800"\n', "2: The text holds the character U+D800"),
    "an open quote": ("kind: team\nname: 'web\n", "(begun on line 2). Look at the indentation, quotes and colons"),
    "an open list": ("kind: team\nmembers: [a\ntitle: x\n", "3: This is not YAML: expected ',' or ']'"),
    "two colons": ("kind: team\nname: a: b\n", "2: This is not YAML: mapping values are not allowed here."),
    "bad indentation": ("kind: team\n  name: web\n", "2: This is not YAML: mapping values are not allowed here."),
    "a key twice": (TEAM + "title: Net\n", '5: "title" is given twice in the same object, first on line 3. Keep one'),
    "a tag": (
        "kind: !!python/name:os.system team\n",
        "1: The tag tag:yaml.org,2002:python/name:os.system is not read.",
    ),
    "a tagged list": ("kind: team\nmembers: !!set [a]\n", "2: The tag tag:yaml.org,2002:set is not read. Remove"),
    "a merge key": ("kind: team\n<<: {name: web}\n", "2: Merge keys (`<<`) are not read. Write the fields out."),
    "a list as key": ("kind: team\n? [a]\n: b\n", "2: A key must be a plain word. Write `name: value`."),
    "a missing anchor": ("kind: team\nname: *web\n", "2: The alias *web has no finished anchor above it."),
    "an alias in itself": ("kind: team\nmembers: &m [*m]\n", "2: The alias *m has no finished anchor above it."),
    "depth": ("kind: team\nname: " + "[" * 5000 + "\n", "2: Lists and mappings are nested deeper than 20 levels."),
    "deep blocks": ("".join(" " * n + f"k{n}:\n" for n in range(40)), "nested deeper than 20 levels. Flatten it."),
    "an anchor bomb": (bomb(9, 9), "The document holds more than 50000 values once its aliases are followed."),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_is_no_yaml_is_named_with_its_line(problems, case):
    text, expected = UNREADABLE[case]
    begin = time.process_time()
    [problem] = problems({"x/bad.yaml": text})
    assert problem.startswith("x/bad.yaml:")
    assert expected in problem
    assert time.process_time() - begin < 2


def test_a_bomb_in_one_value_takes_no_memory(problems):
    """Ten to the power of twenty values, written on twenty lines."""
    [problem] = problems({"a.yaml": bomb(20, 10)})
    assert "more than 50000 values" in problem


def test_large_files_are_not_read_to_their_end(problems):
    begin = time.process_time()
    [problem] = problems({"big.yaml": b"# filler\n" * 1_200_000})
    assert problem == "big.yaml:1: The file is larger than 1000 kB. Split it into several files."
    assert time.process_time() - begin < 1


def test_a_folder_with_too_much_in_it_is_refused(problems, monkeypatch):
    monkeypatch.setattr(load_module, "MOST_FILES", 3)
    [problem] = problems({f"t{n}.yaml": TEAM.replace("web", f"w{n}") for n in range(5)})
    assert problem == "DIR:1: The folder holds more than 3 files. Check that it holds only the catalog."
    monkeypatch.setattr(load_module, "MOST_FILES", 5)
    monkeypatch.setattr(load_module, "LARGEST_CATALOG", 100)
    assert "t2.yaml:1: Up to here the files hold more than" in problems({})[-1]


@pytest.mark.parametrize("text", ["", "\n\n", "# only words\n", "---\n---\n"])
def test_an_empty_file_is_a_mistake_and_not_a_deletion(problems, text):
    [problem] = problems({"a.yaml": text})
    assert problem == "a.yaml:1: The file holds no object. Write one that begins with `kind:`, or delete the file."


def test_an_empty_folder_is_a_mistake_and_not_a_deletion(problems, tmp_path):
    [problem] = problems({"readme.txt": "nothing to see"})
    assert problem.startswith("DIR:1: The folder holds neither .yaml files nor runbooks/*.md; applying it would delete")
    with pytest.raises(CatalogInvalid, match=r"missing:1: There is no such folder\. Check the path\."):
        load(tmp_path / "missing")


def test_a_file_that_cannot_be_opened_is_named(problems, tmp_path):
    (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
    [problem] = problems({})
    assert problem.startswith("gone.yaml:1: The file cannot be read: No such file or directory.")


SHAPES = {
    "no kind": ("name: web\n", "1: `kind` is missing. Begin with `kind:` and one of organisation, person, team"),
    "unknown kind": ("name: web\nkind: taem\n", '2: There is no kind "taem". Did you mean "team"?'),
    "kind of a list": ("kind: [team]\n", '1: There is no kind "[\'team\']". Did you mean "team"?'),
    "runbook": ("kind: runbook\nname: x\n", "1: Runbooks are not written in YAML. Write it as runbooks/NAME.md."),
    "a list": ("- kind: team\n", "1: Each document must be one object: lines of `key: value`"),
    "a word": ("---\nhello\n", "2: Each document must be one object"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_document_must_be_an_object_of_a_known_kind(problems, case):
    text, expected = SHAPES[case]
    [problem] = problems({"a.yaml": text})
    assert problem.startswith(f"a.yaml:{expected}")


FIELDS = {
    # an unknown key, at the top and deep inside
    "owners: payments": 'service "s": `owners` is not known. Did you mean "owner"?',
    "<tier>: 3": 'service "s": `<tier>` is not known. Did you mean "tier"?',
    "links: [{title: x, uri: 'http://x.example'}]": '`uri` is not known in `links[0]`. Did you mean "url"?',
    # wrong types
    "tier: high": 'service "s": `tier` must be a whole number, not text.',
    "tier: '1'": "`tier` must be a whole number, not text. Remove the quotes.",
    "tier: 1.5": "`tier` must be a whole number, not a number with a fraction.",
    "tier: true": "`tier` must be a whole number, not true or false.",
    "tier:": "`tier` must be a whole number, not empty. Give it a value or remove the line.",
    "description: 404": "`description` must be text, not a whole number. Put it in quotes.",
    "depends_on: ledger": "`depends_on` must be a list, not text. Write `depends_on: [ledger]`.",
    "depends_on: {a: b}": "`depends_on` must be a list, not an object (lines of `key: value`). Begin each entry",
    "depends_on: [1]": "`depends_on[0]` must be text, not a whole number. Put it in quotes.",
    "links: [x]": "`links[0]` must be an object (lines of `key: value`), not text.",
    # values out of bounds
    "tier: 0": "`tier` must be 1 or more.",
    "tier: 5": "`tier` must be 4 or less.",
    "policy: On Call!": '`policy` must be a name of lower-case letters, digits and "-", at most 63 long, not "On Call!".'
    ' Write "on-call".',
    "links: [{title: '', url: 'http://x.example'}]": "`links[0].title` must not be empty.",
    "links: [{title: x, url: 'javascript:alert(1)'}]": "`links[0].url` must be an address that begins with http:// or",
    "impact: [x]": "`impact` must be text, not a list.",
}


@pytest.mark.parametrize("line", FIELDS)
def test_a_wrong_field_is_named_on_its_line(problems, line):
    [problem] = problems({"a.yaml": f"kind: service\nname: s\nowner: payments\ntitle: S\n{line}\n"})
    assert problem.startswith("a.yaml:5: ")
    assert FIELDS[line] in problem


OTHERS = {
    "kind: person\nname: x\nfull_name: X\nemail: nobody\ncontact: []\n": [
        'a.yaml:4: person "x": `email` must be a mail address such as ana@shop.example, not "nobody".',
        'a.yaml:5: person "x": `contact` needs at least 1 entry.',
    ],
    "kind: person\nname: x\nfull_name: X\nemail: x@y.example\ncontact:\n- kind: fax\n- address: x@y.example\n": [
        'a.yaml:6: person "x": `contact[0].kind` must be one of email, webhook, ntfy, push, sms, voice, apprise, not "fax".',
        'a.yaml:7: person "x": `kind` is missing in `contact[1]`. Add one of email, webhook, ntfy, push, sms, voice, apprise.',
    ],
    "kind: severity\nname: sev-7\ntitle: X\nimpact: Y\nrespond_within_s: -1\n": [
        'a.yaml:2: severity "sev-7": `name` must be one of sev-0 to sev-5, not "sev-7".',
        'a.yaml:5: severity "sev-7": `respond_within_s` must be 0 or more.',
    ],
    "kind: team\nname: [web]\ntitle: Web\nmembers:\n": [
        "a.yaml:2: team: `name` must be text, not a list.",
        "a.yaml:4: team: `members` must be a list, not empty. Give it a value or remove the line.",
    ],
    "kind: schedule\nname: s\ntitle: S\nrotation:\n  people: [ana]\n  starts: tomorrow\n  hand_over_at: 9am\n"
    "  hand_over_on: mon\noverrides:\n- {person: ana, start: 2026-01-01T09:00:00, end: 2026-01-32T09:00:00Z}\n": [
        'a.yaml:6: schedule "s": `rotation.starts` must be a day such as "2026-01-31", not "tomorrow".',
        'a.yaml:7: schedule "s": `rotation.hand_over_at` must be a local time such as "09:00", without a zone, not "9am".',
        (
            'a.yaml:8: schedule "s": `rotation.hand_over_on` must be one of monday, tuesday, wednesday, thursday, friday, '
            'saturday, sunday, not "mon". Did you mean "monday"?'
        ),
        (
            'a.yaml:10: schedule "s": `overrides[0].end` must be an instant with its zone, such as "2026-01-31T09:00:00Z" or '
            '"2026-01-31T09:00:00+01:00", not "2026-01-32T09:00:00Z".'
        ),
        (
            'a.yaml:10: schedule "s": `overrides[0].start` must be an instant with its zone, such as "2026-01-31T09:00:00Z" '
            'or "2026-01-31T09:00:00+01:00", not "2026-01-01T09:00:00".'
        ),
    ],
    "kind: escalation-policy\nname: p\ntitle: P\nsteps:\n- targets: [{kind: team}]\n  wait: 5\n- wait_s: 5\n": [
        'a.yaml:5: escalation-policy "p": `name` is missing in `steps[0].targets[0]`. Add `name: …`.',
        'a.yaml:6: escalation-policy "p": `wait` is not known in `steps[0]`. Did you mean "wait_s"?',
        'a.yaml:7: escalation-policy "p": `steps[1].wait_s` must be 10 or more.',
        'a.yaml:7: escalation-policy "p": `targets` is missing in `steps[1]`. Add `targets: …`.',
    ],
}


@pytest.mark.parametrize("text", OTHERS)
def test_all_faults_of_an_object_are_told_at_once(problems, text):
    assert problems({"a.yaml": text}) == OTHERS[text]


def test_a_runbook_needs_a_heading_and_a_name_to_refer_to(problems):
    assert problems({"runbooks/Roll Back.md": "no heading\n", "runbooks/nul.md": "# T\n\na\0b\n"}) == [
        (
            "runbooks/Roll Back.md:1: The file's name without .md, `name` must be a name of lower-case letters, digits and "
            '"-", at most 63 long, not "Roll Back". Write "roll-back".'
        ),
        "runbooks/Roll Back.md:1: The runbook has no heading. Begin it with `# ` and what it repairs.",
        "runbooks/nul.md:3: The text holds the character U+0000, which cannot be shown. Remove it.",
    ]


def test_problems_of_all_files_are_told_at_once_and_in_order(problems):
    found = problems({"b.yaml": "kind: [\n", "a.yaml": "kind: team\n\n", "c.yaml": "- x\n"})
    assert [problem.split(":")[0] for problem in found] == ["a.yaml", "a.yaml", "a.yaml", "b.yaml", "c.yaml"]


def test_the_error_says_how_many_and_that_nothing_changed(folder):
    with pytest.raises(CatalogInvalid) as caught:
        load(folder({"a.yaml": "".join(f"kind: nothing{n}\n---\n" for n in range(70))}))
    lines = caught.value.message.splitlines()
    assert lines[0] == "70 problems in the catalog; nothing was changed."
    assert lines[-1] == "… and 20 more. Mend these first."
    assert len(caught.value.problems) == 70
    assert caught.value.code == "catalog_invalid"
