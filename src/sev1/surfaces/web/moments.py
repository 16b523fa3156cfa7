"""Instants and durations in words. Pure; the same words as `static/time.js`, which keeps them fresh in the browser."""

from datetime import UTC, datetime, timedelta

from whenever import Instant

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def spell(duration: timedelta) -> str:
    """How long: `just now` never appears here, it is `0 s`. Two units at most: `40 s`, `12 min`, `1 h 05 min`, `3 d 4 h`."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    if seconds < DAY_S:
        return f"{seconds // HOUR_S} h {seconds % HOUR_S // MINUTE_S:02} min"
    days, hours = seconds // DAY_S, seconds % DAY_S // HOUR_S
    return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"


def ago(instant: datetime, now: datetime) -> str:
    """How long since: seconds are of no use to a reader, so the first minute is `under 1 min`."""
    passed = now - instant
    return "under 1 min" if passed < timedelta(minutes=1) else spell(passed)


def until(instant: datetime, now: datetime) -> str:
    """How long still: rounded up to minutes, to the second only in the last minute (`0:42`)."""
    left = instant - now
    seconds = max(int(left.total_seconds()), 0)
    if seconds < MINUTE_S:
        return f"0:{seconds:02}"
    return spell(timedelta(seconds=(seconds + 59) // MINUTE_S * MINUTE_S) if seconds < HOUR_S else left)


def clock(instant: datetime, now: datetime) -> str:
    """`03:14 UTC`, with the day when it is not today's: `Mon 2 Mar 03:14 UTC`."""
    return f"{_wall(instant.astimezone(UTC), now.astimezone(UTC))} UTC"


def clock_in(instant: datetime, now: datetime, zone: str) -> str:
    """The wall time in an IANA zone, with the day when it is not today's there."""
    return _wall(_local(instant, zone), _local(now, zone))


def both(instant: datetime, now: datetime, zone: str, whose: str = "yours") -> str:
    """`03:14 UTC · 05:14 yours`; only UTC where the zone shows the same time."""
    local, utc = _local(instant, zone), instant.astimezone(UTC)
    if local.replace(tzinfo=None) == utc.replace(tzinfo=None):
        return clock(instant, now)
    day = "" if local.date() == utc.date() else f"{local:%a} "
    return f"{clock(instant, now)} · {day}{local:%H:%M} {whose}"


def shift_end(instant: datetime, now: datetime, zone: str) -> str:
    """`Mon 09:00` within a week, with the date beyond, today's time alone."""
    local, today = _local(instant, zone), _local(now, zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if timedelta() < local.date() - today.date() < timedelta(days=7):
        return f"{local:%a %H:%M}"
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def iso(instant: datetime) -> str:
    """For `<time datetime>`: UTC to the second."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _wall(local: datetime, today: datetime) -> str:
    if local.date() == today.date():
        return f"{local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"


def _local(instant: datetime, zone: str) -> datetime:
    # Through whenever: it knows every zone that the catalog accepts. The tzinfo is dropped, only wall time is shown.
    return Instant(instant).to_tz(zone).to_plain().to_stdlib()
