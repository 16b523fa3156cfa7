import pytest

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database
from sev1.engine.errors import Invalid
from sev1.intake.formats import FORMATS
from sev1.intake.inbox import Inbox
from sev1.intake.inbox_reader import read_batch
from sev1.intake.reports import REPORT_KEY, report


async def test_a_persons_report_comes_in_like_any_alert(inbox: Inbox, db: Database, clock: FakeClock):
    key = await report(
        inbox, clock, summary="Customers cannot log in\n3 calls so far", reporter="ana@example.net", service="login",
        details="Since about 3. \0 \ud800",
    )  # fmt: skip
    async with db.transaction() as conn:
        batch = await read_batch(conn)
    (row,) = batch.rows
    assert (row.key_id, row.format, row.received_at) == (REPORT_KEY.id, "report", clock.now())
    (event,) = FORMATS[row.format].parse(row.raw, row.received_at).events
    assert event.fingerprint == key
    assert event.summary == "Customers cannot log in"
    assert event.labels == {"service": "login", "reporter": "ana@example.net"}
    assert event.annotations["details"].startswith("Since about 3. ")


@pytest.mark.parametrize("summary", ["", "  ", "x" * 20_000])
async def test_a_report_without_words_or_with_far_too_many_is_refused(inbox: Inbox, clock: FakeClock, summary: str):
    with pytest.raises(Invalid):
        await report(inbox, clock, summary=summary, reporter="ana@example.net")
