"""What holds for every format there is. A new one is in here by being registered."""

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.intake.amazon import Network
from tests.intake.conftest import NOW, secret_of
from tests.intake.contract import body_of, contract, received_at, sent, stored
from tests.intake.test_any_json import check, refused_or

from sev1.engine.database import Database
from sev1.intake import misunderstood
from sev1.intake.formats import FORMATS, SENDERS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.inbox_reader import read_batch
from sev1.intake.model import Inbound, InboundChange, InboundEvent
from sev1.triage.tiers import tier_of

ADDRESSED = [name for name, format_ in FORMATS.items() if format_.paths]
ENDING = [name for name in FORMATS if contract(name)["resolved"]]
IN_JSON = [name for name in FORMATS if name != "mail"]
"""A mail is no JSON; what is hostile in one is in test_mail.py."""
HOSTILE: tuple[Any, ...] = (
    "<script>alert(1)</script>", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "file:///etc/passwd", "data:text/html,x",
    "http://169.254.169.254/latest/meta-data/", "\0", "\ud800", "x" * 200_000, "9999-12-31T23:59:59-05:00", "", " ",
    None, True, 0, -1, 1e308, 10**400, [], {}, [[]], {"a": {"b": ["c"]}},
    {f"label{n}": "x" * 50 for n in range(500)}, {"x" * 5_000: "y" * 50_000}, ["tag:" + "x" * 90] * 500,
)  # fmt: skip


def understand(name: str, body: bytes, which: str = "firing") -> list[Inbound]:
    format_ = FORMATS[name]
    raw = stored(name, body, which)
    accepted = format_.accept(raw)
    found = list(format_.events(format_.decode(accepted.raw), received_at(name)))
    assert len(found) == accepted.events
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_a_documented_payload_is_understood(name: str):
    said = contract(name)
    (event,) = understand(name, body_of(name))
    expect = said["expect"]
    assert event.summary == expect["summary"]
    assert [link.title for link in event.links] == expect["links"]
    starts_at = datetime.fromisoformat(expect["starts_at"])
    if isinstance(event, InboundChange):
        assert said["change"]
        assert (event.at, event.service) == (starts_at, expect["service"])
        return
    assert (event.action, event.starts_at) == ("firing", starts_at)
    assert expect["labels"].items() <= event.labels.items()
    assert expect.get("annotations", {}).items() <= event.annotations.items()
    assert event.source == name


@pytest.mark.parametrize("name", [name for name in FORMATS if "severity" in contract(name)["expect"].get("labels", {})])
def test_the_word_for_its_severity_means_something_to_triage(name: str):
    assert tier_of(contract(name)["expect"]["labels"]["severity"]) is not None


@pytest.mark.parametrize("name", ENDING)
def test_a_resolve_ends_it(name: str):
    (began,) = understand(name, body_of(name))
    (ended,) = understand(name, body_of(name, "resolved"), "resolved")
    assert isinstance(began, InboundEvent)
    assert isinstance(ended, InboundEvent)
    assert (began.action, ended.action) == ("firing", "resolved")
    assert began.fingerprint == ended.fingerprint


def test_only_what_never_ends_has_no_resolve():
    assert set(FORMATS) - set(ENDING) == {"pagerduty-change", "report"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_malformed_payload_is_refused_in_the_words_of_its_vendor(name: str):
    wrong = contract(name)["malformed"]
    with pytest.raises(Misunderstood) as refused:
        understand(name, wrong["body"].encode())
    answer = refused.value.answer
    assert answer.status == wrong["status"]
    assert wrong["says"] in _text(answer.body)


def _text(body: bytes) -> str:
    """All words of a JSON answer."""
    return " ".join(str(leaf) for _, leaf in _leaves(json.loads(body)))


def _leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from _leaves(member, (*at, name))
    if not isinstance(value, dict | list) or not value:
        yield at, value


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands, inner and outer."""
    if at:
        yield at
    for name, member in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from _places(member, (*at, name))


def _with(value: Any, at: tuple[Any, ...], hostile: Any) -> Any:
    changed = copy.deepcopy(value)
    inside = changed
    for name in at[:-1]:
        inside = inside[name]
    inside[at[-1]] = hostile
    return changed


@pytest.mark.parametrize("name", IN_JSON)
def test_a_hostile_payload_is_bounded_or_refused_and_its_text_stays_text(name: str):
    """Everything bad in every place: events that can be stored and shown come of it, or a refusal and nothing else."""
    payload = json.loads(body_of(name))
    understood = 0
    for at in _places(payload):
        for hostile in HOSTILE:
            raw = json.dumps(_with(payload, at, hostile)).encode()
            found = refused_or(lambda raw=raw: understand(name, raw))
            if isinstance(found, Misunderstood):
                assert 400 <= found.answer.status < 500
                assert json.loads(found.answer.body)
                continue
            understood += 1
            for event in found:
                _bounded(event)
    assert understood, "nothing of it was understood, so nothing was tried"


def _bounded(event: Inbound) -> None:
    if isinstance(event, InboundEvent):
        check(event)
    texts = [event.summary, *(event.details if isinstance(event, InboundChange) else event.annotations).values()]
    assert all(len(text) <= 16_384 and "\0" not in text for text in texts)
    assert len(event.links) <= 32
    assert all(link.url.lower().startswith(("http://", "https://")) for link in event.links)


@pytest.mark.parametrize("name", IN_JSON)
def test_html_in_a_text_stays_what_it_is(name: str):
    """Nothing is stripped or unescaped at the edge: pages escape what they show, so what was written can be read."""
    payload = json.loads(body_of(name))
    html = "<img src=x onerror=alert(1)> & more"
    kept = 0
    for at, leaf in _leaves(payload):
        if isinstance(leaf, str):
            try:
                found = understand(name, json.dumps(_with(payload, at, html)).encode())
            except Misunderstood:
                continue
            for event in found:
                more = event.details if isinstance(event, InboundChange) else {**event.labels, **event.annotations}
                kept += sum(text == html for text in (event.summary, *more.values()))
    # An alarm in a message of Amazon's is text in a text; what is put there instead is plain words, and kept as such.
    assert kept


@pytest.mark.parametrize("name", IN_JSON)
@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 50_000 + b"]" * 50_000])
def test_deep_nesting_is_refused_or_is_text(name: str, deep: bytes):
    with pytest.raises(Misunderstood):
        understand(name, deep)


@pytest.mark.parametrize("name", IN_JSON)
def test_deep_nesting_inside_is_refused_or_is_text(name: str):
    payload = json.loads(body_of(name))
    for at in _places(payload):
        raw = json.dumps(_with(payload, at, "DEEP")).encode().replace(b'"DEEP"', b"[" * 20_000 + b"]" * 20_000)
        try:
            found = understand(name, raw)
        except Misunderstood:
            continue
        for event in found:
            _bounded(event)


async def _post(client: httpx.AsyncClient, name: str, body: bytes, which: str = "firing") -> httpx.Response:
    request = sent(name, body, which)
    secret = secret_of(contract(name).get("key", name))
    return await client.request(
        request.method,
        f"/integrations/{secret}/{request.path}",
        params=request.query,
        headers={"content-type": "text/plain", **request.headers},
        content=body,
    )


@pytest.mark.parametrize("name", ADDRESSED)
async def test_it_is_stored_before_it_is_answered_and_reads_the_same_later(
    client: httpx.AsyncClient, db: Database, name: str
):
    answer = await _post(client, name, body_of(name))
    assert answer.status_code in {200, 202}, answer.text
    async with db.transaction() as conn:
        batch = await read_batch(conn)
    assert batch
    (row,) = batch.rows
    assert row.format == name
    format_ = FORMATS[name]
    (event,) = format_.events(format_.decode(row.raw), NOW)
    assert event.summary == contract(name)["expect"]["summary"]
    assert secret_of(contract(name).get("key", name)).encode() not in row.raw, "a key is never stored"


@pytest.mark.parametrize("name", ADDRESSED)
async def test_what_is_malformed_is_kept_as_not_understood(client: httpx.AsyncClient, db: Database, name: str):
    wrong = contract(name)["malformed"]
    answer = await _post(client, name, wrong["body"].encode())
    assert answer.status_code == wrong["status"]
    assert wrong["says"] in _text(answer.content)
    async with db.connection() as conn:
        (kept,) = await misunderstood.list_open(conn)
    assert kept.format == name
    assert kept.raw.endswith(wrong["body"].encode())


@pytest.mark.parametrize("name", ADDRESSED)
async def test_what_is_too_large_is_refused_and_that_it_came_is_kept(
    client: httpx.AsyncClient, db: Database, network: Network, name: str
):
    answer = await _post(client, name, b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "larger than 1048576 bytes" in _text(answer.content)
    async with db.connection() as conn:
        (kept,) = await misunderstood.list_open(conn)
    assert kept.format == name
    assert network.asked == []


@pytest.mark.parametrize("name", [name for name in ADDRESSED if name != "sns"])
async def test_nothing_in_a_payload_makes_us_visit_an_address(client: httpx.AsyncClient, network: Network, name: str):
    """Only Amazon's certificate and confirmation are ever fetched: see test_sns."""
    text = body_of(name).decode().replace("https://", "http://169.254.169.254/")
    await _post(client, name, text.encode())
    assert network.asked == []


@pytest.mark.parametrize("name", SENDERS)
def test_a_key_comes_with_what_to_paste_at_the_sender(name: str):
    format_ = SENDERS[name]
    address = format_.address("https://sev1.example.com", "KEY")
    assert address == "KEY@HOST" if name == "mail" else address.startswith("https://sev1.example.com/integrations/KEY/")
    how = format_.how_to("https://sev1.example.com", "KEY")
    assert how
    assert "{url}" not in how
    assert "{key}" not in how
