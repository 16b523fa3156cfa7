"""A person says that something is wrong: the same way in as any alert, stored before it is answered."""

import uuid

import msgspec

from sev1.engine.clock import Clock
from sev1.engine.errors import Invalid
from sev1.intake.formats.limits import TEXT_MAX
from sev1.intake.formats.reading import clean
from sev1.intake.formats.report import Report, Reports
from sev1.intake.inbox import Inbox
from sev1.intake.keys import IntegrationKey

REPORT_KEY = IntegrationKey(id=0, name="People", kind=Reports.name)
"""Reports come with no integration key; this one stands for all people. Identity columns begin at 1."""


async def report(
    inbox: Inbox,
    clock: Clock,
    *,
    summary: str,
    reporter: str,
    service: str | None = None,
    severity: str | None = None,
    details: str = "",
) -> str:
    """Stores what `reporter` saw and returns the fingerprint that its alert will have under `REPORT_KEY`.

    Raises Invalid when `summary` says nothing or a text is too long, Unavailable when it cannot be stored now.
    """
    summary = clean(summary).strip()
    if not summary:
        raise Invalid("Say in one line what is wrong.")
    if max(len(summary), len(details)) > TEXT_MAX:
        raise Invalid(f"That is longer than {TEXT_MAX} characters. Shorten it, or link to the rest.")
    made = Report(
        id=str(uuid.uuid4()),
        summary=summary,
        reporter=clean(reporter),
        service=clean(service) if service else None,
        severity=clean(severity) if severity else None,
        details=clean(details),
    )
    await inbox.submit(REPORT_KEY.id, Reports.name, msgspec.json.encode(made), clock.now())
    return made.id
