"""khal, a calendar for terminals, reads the on-call feeds: what it lists is what the schedule says."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.live.prometheus import program

DAYS = 28
CONFIG = """
[calendars]
[[on-call]]
path = {folder}/calendar
[sqlite]
path = {folder}/khal.db
[locale]
local_timezone = UTC
default_timezone = UTC
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
"""
FORMAT = "{start-long}|{end-long}|{title}"


class Khal:
    def __init__(self, folder: Path) -> None:
        (folder / "calendar").mkdir()
        self._config = folder / "khal.conf"
        self._config.write_text(CONFIG.format(folder=folder))

    def take(self, feed: bytes) -> None:
        """Imports a feed; events that it knows by their UID are replaced."""
        self._run("import", "--batch", "-a", "on-call", given=feed)

    def list(self, since: datetime) -> set[tuple[str, str, str]]:
        """(begin, end, title) of what it would show of `DAYS` days."""
        printed = self._run("list", "--once", "-df", "", "-f", FORMAT, f"{since:%Y-%m-%d}", f"{DAYS}d")
        return {tuple(line.split("|")) for line in printed.splitlines() if line.strip()}  # type: ignore[misc]

    def _run(self, *arguments: str, given: bytes = b"") -> str:
        command = [program("khal"), "--no-color", "-c", str(self._config), *arguments]
        done = subprocess.run(command, check=False, input=given, capture_output=True, timeout=30)
        assert done.returncode == 0, f"khal ended with {done.returncode}: {done.stdout!r} {done.stderr!r}"
        return done.stdout.decode()


@pytest.fixture
def khal(tmp_path: Path) -> Khal:
    return Khal(tmp_path)


@pytest.fixture
def since() -> datetime:
    now = datetime.now(UTC)  # noqa: TID251 - the server's clock is the real one
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def planned(api: httpx.Client, since: datetime) -> set[tuple[str, str, str]]:
    """The plan itself, in khal's words."""
    span = {"from": since.isoformat(), "to": (since + timedelta(days=DAYS)).isoformat()}
    parts = api.get("/api/v1/schedules/primary/final", params=span).raise_for_status().json()
    return {(*(_short(one[side]) for side in ("start", "end")), _names(one)) for one in parts if one["person"]}


def _short(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(UTC):%Y-%m-%d %H:%M}"


def _names(part: dict[str, Any]) -> str:
    names = {"mara": "Mara Olsen", "noel": "Noel Ivanov"}
    return f"{names[part['person']]} on call: Primary"


def within(listed: set[tuple[str, str, str]], since: datetime) -> set[tuple[str, str, str]]:
    """Cut to the window, as the plan is: khal lists whole shifts."""
    first, last = f"{since:%Y-%m-%d %H:%M}", f"{since + timedelta(days=DAYS):%Y-%m-%d %H:%M}"
    return {(max(begin, first), min(end, last), title) for begin, end, title in listed if begin < last and end > first}


def link(api: httpx.Client, kind: str, name: str) -> str:
    made = api.post("/api/v1/calendar-links", json={"kind": kind, "name": name}).raise_for_status().json()
    return str(made["url"])


@pytest.mark.parametrize(("kind", "name"), [("person", "mara"), ("team", "payments"), ("schedule", "primary")])
def test_khal_lists_the_shifts_of_a(kind: str, name: str, api: httpx.Client, khal: Khal, since: datetime) -> None:
    feed = httpx.get(link(api, kind, name), timeout=10).raise_for_status()
    assert feed.headers["content-type"].startswith("text/calendar")
    khal.take(feed.content)
    wanted = planned(api, since)
    if kind == "person":
        wanted = {one for one in wanted if one[2].startswith("Mara")}
    assert wanted
    assert within(khal.list(since), since) == wanted


def test_khal_takes_a_changed_plan_as_the_same_shift_and_a_new_one(
    api: httpx.Client, khal: Khal, since: datetime
) -> None:
    feed = link(api, "schedule", "primary")
    khal.take(httpx.get(feed, timeout=10).raise_for_status().content)
    assert not any("Noel" in title for _, _, title in khal.list(since))
    # Not at 09:00, when one hands over on a Monday: a shift that begins later is another one, and importing forgets none.
    begin = since + timedelta(days=10, hours=11)
    cover = {"person": "noel", "start": begin.isoformat(), "end": (begin + timedelta(hours=6)).isoformat()}
    api.post("/api/v1/schedules/primary/overrides", json={**cover, "reason": "Exam"}).raise_for_status()
    khal.take(httpx.get(feed, timeout=10).raise_for_status().content)
    listed = within(khal.list(since), since)
    assert (f"{begin:%Y-%m-%d} 11:00", f"{begin:%Y-%m-%d} 17:00", "Noel Ivanov on call: Primary") in listed
    assert listed == planned(api, since), "the shift that it interrupts has moved and is not there twice"
