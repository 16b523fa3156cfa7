"""The same matchers and labels, given to the real `amtool` and to ours. Debian's 0.25 reads the classic grammar."""

import json
import shutil
import subprocess

import pytest

from sev1.catalog.matchers import MatcherInvalid, parse

TEXTS = [
    "job=",
    'job="a"',
    "job!=a",
    'job=~"a|b"',
    'job=~"a.*"',
    'job!~"a.*"',
    'job=~""',
    'job!=""',
    r'job="a\tb"',
    r'job="a\\tb"',
    r'job="a\"b"',
    'job="a,b"',
    "job = a ",
    "job==a",
    'env="x"',
    'env!="x"',
    'env=~".+"',
    'env!~".+"',
    'job=~"(?i)A"',
    'job=~"[[:alpha:]]+"',
    r'job=~"\\w+"',
    r'job=~"\w+"',
]
LABELS = ["a", "ab", "b", "A", "=a", "a,b", r"a\\tb", r"a\"b", ""]
UNREADABLE = ["job", "=a", 'job="a', 'job=a"', 'job=~"["', 'job="a"b"', "job=a,,env=b", 'job=~"(?=a)"']


@pytest.fixture(scope="module")
def amtool():
    found = shutil.which("amtool")
    assert found, "amtool is missing: apt-get install prometheus-alertmanager"

    def run(*arguments):
        return subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=20)

    return run


def _config(path, texts):
    routes = [{"receiver": f"r{at}", "continue": True, "matchers": [text]} for at, text in enumerate(texts)]
    receivers = [{"name": "nobody"}, *({"name": route["receiver"]} for route in routes)]
    path.write_text(json.dumps({"route": {"receiver": "nobody", "routes": routes}, "receivers": receivers}))
    return path


@pytest.mark.parametrize("value", LABELS)
def test_we_match_what_alertmanager_matches(amtool, tmp_path, value):
    config = _config(tmp_path / "am.yml", TEXTS)
    answer = amtool("config", "routes", "test", f"--config.file={config}", f'job="{value}"')
    assert answer.returncode == 0, answer.stderr
    theirs = {TEXTS[int(name[1:])] for name in answer.stdout.strip().split(",") if name != "nobody"}
    [label] = parse(f'job="{value}"')
    ours = {text for text in TEXTS if all(matcher.matches({"job": label.value}) for matcher in parse(text))}
    assert ours == theirs


@pytest.mark.parametrize("text", UNREADABLE)
def test_we_refuse_what_alertmanager_refuses(amtool, tmp_path, text):
    assert amtool("check-config", str(_config(tmp_path / "am.yml", [text]))).returncode == 1
    with pytest.raises(MatcherInvalid):
        parse(text)
