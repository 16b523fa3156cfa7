"""Mappings, heartbeats, checks, composites and feeds: what `sev1 plan` refuses, by file and line."""

import pytest

REFUSED = {
    "kind: mapping\nname: m\nsummary: payload.x\nlabels:\n  a: payload.y\n  b: 1 +\n": (
        'more.yaml:6: mapping "m": `labels.b`: The expression cannot be read at line 1, column 4: it ends too early.'
    ),
    "kind: mapping\nname: m\nsummary: x.map(a, y.map(b, b))\n": 'more.yaml:3: mapping "m": `summary`: A comprehension inside',
    "kind: mapping\nname: m\n": 'more.yaml:1: mapping "m": `summary` is missing',
    "kind: heartbeat\nname: h\nservice: ledgr\nevery_s: 60\n": (
        'more.yaml:3: heartbeat "h" is about service "ledgr", which does not exist. Did you mean "ledger"?'
    ),
    "kind: heartbeat\nname: h\nevery_s: 1\n": 'more.yaml:3: heartbeat "h": `every_s` must be',
    "kind: check\nname: c\nprobe:\n  kind: http\n  url: https://x.example\n  pattern: '('\n": (
        'more.yaml:6: check "c": `probe.pattern` is no regular expression of RE2'
    ),
    "kind: check\nname: c\nprobe: {kind: ping, host: x}\n": 'more.yaml:3: check "c": `probe.kind` must be one of http, tcp, tls, dns',
    "kind: composite\nname: c\nsummary: S\nmatch: ['a=']\nat_least: 2\n": "at_least",
    "kind: composite\nname: c\nsummary: S\nmatch: ['a=~\"(\"']\n": 'more.yaml:4: composite "c" has a matcher that cannot be read',
    "kind: composite\nname: c\nsummary: S\nmatch: ['{}']\n": 'more.yaml:4: composite "c" has a condition that matches every',
    "kind: composite\nname: c\nsummary: S\nmatch: ['a=b']\ncount: 3\nat_least: 1\n": 'composite "c" has both',
    "kind: status-feed\nname: f\nurl: ftp://x\n": 'more.yaml:3: status-feed "f": `url` must',
    "kind: status-feed\nname: f\nurl: https://x.example\nevery_s: 5\n": 'more.yaml:4: status-feed "f": `every_s` must',
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.items())
def test_what_is_wrong_is_said_with_file_and_line(problems_beside_small, text, expected):
    found = problems_beside_small(text)
    assert any(expected in problem for problem in found), found
