"""Times as senders give them: in any zone or none, unset as year 1, and from clocks that are wrong."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=366)
SKEW = "sev1_clock_skew"
"""The annotation that says that a time could not be believed."""


def utc(instant: datetime) -> datetime:
    """In UTC; without a zone it is taken as UTC. The first and last hours of the calendar stay in their zone."""
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return instant.replace(tzinfo=UTC)


def given(instant: datetime | None) -> datetime | None:
    """None for the zero time by which Go programs say "unset": `0001-01-01T00:00:00Z`."""
    return None if instant is None or instant.year == 1 else utc(instant)


def believable(instant: datetime, received_at: datetime) -> bool:
    return EARLIEST <= instant <= received_at + LONGEST


def started(
    instant: datetime | None, received_at: datetime, annotations: dict[str, str]
) -> tuple[datetime | None, dict[str, str]]:
    """The start if it can be believed, else the time of receipt and the annotations with a note about it."""
    if instant is None or believable(instant, received_at):
        return instant, annotations
    note = f"The sender says it began at {instant.isoformat()}; its clock is wrong. The time of receipt is used."
    return received_at, {**annotations, SKEW: note}


def read_instant(text: str) -> datetime | None:
    """An ISO 8601 instant, zone optional and with or without a colon; None when it is not one."""
    try:
        return given(datetime.fromisoformat(text.strip()))
    except ValueError:
        return None
