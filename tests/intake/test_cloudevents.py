import json

import httpx
import pytest
from tests.intake.conftest import NOW, path
from tests.intake.contract import FIXTURES

from sev1.engine.database import Database
from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.inbox_reader import read_batch
from sev1.intake.model import InboundEvent
from sev1.intake.request import Request

BINARY = {
    "ce-specversion": "1.0",
    "ce-type": "net.example.disk.full",
    "ce-source": "https://disks.example.net/db-1",
    "ce-subject": "/var/lib",
    "ce-id": "A234-1",
    "ce-time": "2026-03-02T03:07:00Z",
    "ce-severity": "critical",
    "ce-service": "checkout",
    "content-type": "application/json",
}


def payload(name: str) -> bytes:
    return (FIXTURES / "cloudevents" / f"{name}.json").read_bytes()


def events(body: bytes, headers: dict[str, str] | None = None) -> list[InboundEvent]:
    format_ = FORMATS["cloudevents"]
    request = Request(method="POST", path="cloudevents", headers=headers or {}, body=body)
    return list(format_.events(format_.decode(format_.stored(request)), NOW))


def event(**attributes: object) -> InboundEvent:
    (found,) = events(
        json.dumps({"specversion": "1.0", "source": "/db", "id": "1", "type": "disk.full", **attributes}).encode()
    )
    return found


def test_the_three_modes_say_the_same():
    (structured,) = events(payload("structured"))
    (binary,) = events(payload("binary"), BINARY)
    batched, other = events(payload("batch"))
    assert structured == binary == batched
    assert other.fingerprint != structured.fingerprint, "another subject"


async def test_the_binary_mode_is_stored_with_the_headers_that_are_its_meaning(client: httpx.AsyncClient, db: Database):
    answer = await client.post(
        path("cloudevents", "cloudevents"), content=payload("binary"), headers={**BINARY, "Authorization": "Bearer x"}
    )
    assert answer.status_code == 202
    async with db.transaction() as conn:
        batch = await read_batch(conn)
    assert batch
    (row,) = batch.rows
    assert b"Bearer" not in row.raw
    format_ = FORMATS["cloudevents"]
    assert list(format_.events(format_.decode(row.raw), NOW)) == events(payload("structured"))


def test_binary_attributes_are_percent_encoded_and_data_may_be_any_text():
    (found,) = events(b"plain words", {**BINARY, "ce-subject": "Euro%20%E2%82%AC", "content-type": "text/plain"})
    assert found.labels["subject"] == "Euro €"
    assert found.annotations == {"data": "plain words"}


def test_source_and_id_together_are_one_event():
    assert event().fingerprint == event().fingerprint
    assert len({event().fingerprint, event(id="2").fingerprint, event(source="/other").fingerprint}) == 3


@pytest.mark.parametrize("word", ["resolved", "recovered", "closed", "ok", "cleared", "Resolved"])
def test_a_type_that_ends_with_an_end_ends_what_the_type_began(word: str):
    began, ended = event(subject="x"), event(subject="x", id="2", type=f"disk.full.{word}")
    assert (began.action, ended.action) == ("firing", "resolved")
    assert began.fingerprint == ended.fingerprint


def test_a_status_says_the_same_as_the_type():
    assert event(subject="x", status="resolved").action == "resolved"
    assert event(subject="x", state="acknowledged").action == "acknowledged"
    assert event(subject="x", type="disk.full.acknowledged").action == "acknowledged"
    assert event(subject="x", type="disk.full.firing").fingerprint == event(subject="x").fingerprint


def test_a_key_of_its_own_counts_more_than_the_subject():
    assert event(alertkey="k", subject="a").fingerprint == event(alertkey="k", subject="b", id="2").fingerprint


def test_the_type_may_say_the_severity():
    assert event(type="disk.critical").labels["severity"] == "critical"
    assert event(type="disk.critical", severity="info").labels["severity"] == "info"


@pytest.mark.parametrize(
    ("attributes", "says"),
    [({"specversion": "0.3"}, "must be 1.0"), ({"id": ""}, "`id` is missing"), ({"Bad-Name": "x"}, "is misnamed")],
)
def test_what_the_specification_forbids_is_refused(attributes: dict[str, str], says: str):
    with pytest.raises(Misunderstood, match=says):
        event(**attributes)
