"""Takes one line apart: who is meant, until when, because of what. Pure."""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from whenever import Date, Instant, PlainDateTime, ZonedDateTime

from sev1.catalog.audience import INTERNAL
from sev1.command.model import Incident
from sev1.engine.errors import Invalid

LINE_MAX = 20_000
"""Characters of one line; a text longer than what it becomes may hold is refused by that with its own limit."""


class Speaker(Struct, frozen=True, kw_only=True):
    """Who writes the line, and what its words can mean."""

    me: str
    now: datetime
    zone: str = "UTC"
    """The writer's time zone: `by 14:30` is the next 14:30 on the clock on their wall."""
    people: Mapping[str, str]
    """Short name -> full name, of everybody who can be meant by `@`."""
    severities: tuple[str, ...]
    """Names in use, worst first."""
    incident: Incident | None = None
    """For completing references and for `@ic`, `@ops`, …."""
    runbooks: Mapping[str, str] = {}
    """Name -> title."""
    audiences: tuple[str, ...] = ("executives", "customers")
    """Names of who is told besides those who work on it."""


_WORD = re.compile(r"\s*(\S+)\s*")
_MENTION = re.compile(r"(?:(?<=\s)|^)@([\w.+-]+(?:@[\w.-]+)?)(?=[\s,;:]|$)")
_REF = re.compile(r"^([A-Za-z]{1,2})-?(\d{1,4})$")
_FOR = re.compile(r"for\s+([\w-]+)\s*:\s*", re.IGNORECASE)
_PREPOSITIONS = r"(?:by|until|till|in|at|before)"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?:\s*(?P<utc>utc|z))?"
_MOMENT = re.compile(
    rf"(?:^|\s){_PREPOSITIONS}\s+(?:"
    r"(?P<count>\d{1,4})\s*(?P<unit>min(?:ute)?s?|m|h(?:ours?)?|d(?:ays?)?|w(?:eeks?)?)"
    rf"|(?:(?P<day>today|tomorrow|{'|'.join(_DAYS)})(?:\s+(?:at\s+)?)?)?(?:{_CLOCK})?"
    r"|(?P<date>\d{4}-\d{2}-\d{2})(?:[T\s]+(?P<date_hour>\d{1,2}):(?P<date_minute>\d{2})(?:\s*(?P<date_utc>utc|z))?)?"
    r")\s*[.!]?$",
    re.IGNORECASE,
)
_END_OF_DAY = (18, 0)
"""The hour that a day without one means."""


class Rest:
    """What is left of a line; each `take_…` removes what it finds and returns it."""

    def __init__(self, text: str, speaker: Speaker) -> None:
        self.text = text.strip()
        self.speaker = speaker

    def take_word(self) -> str:
        """The first word, or nothing."""
        found = _WORD.match(self.text)
        if found is None:
            return ""
        self.text = self.text[found.end() :]
        return found[1]

    def take_ref(self, letters: str) -> tuple[str, int] | None:
        """A leading `T3`, if its letter is one of `letters`."""
        found = _WORD.match(self.text)
        ref = _REF.match(found[1].rstrip(":,")) if found else None
        if found is None or ref is None or ref[1].upper() not in letters:
            return None
        self.text = self.text[found.end() :].strip()
        return ref[1].upper(), int(ref[2])

    def take_person(self) -> str | None:
        """The first `@name` of the line. Raises Invalid for one whom nobody knows, naming who may be meant."""
        found = _MENTION.search(self.text)
        if found is None:
            return None
        person = person_called(found[1], self.speaker)
        self.text = " ".join((self.text[: found.start()] + self.text[found.end() :]).split(" ")).strip(" ,;")
        self.text = re.sub(r"[ \t]{2,}", " ", self.text)
        return person

    def take_moment(self) -> datetime | None:
        """A trailing `by 14:30`, `in 20 min`, `until tomorrow 09:00`. Raises Invalid for a time that does not exist."""
        found = _MOMENT.search(self.text)
        if found is None or not any(found[name] for name in ("count", "day", "hour", "date")):
            return None
        moment = _moment(found, self.speaker)
        self.text = self.text[: found.start()].strip(" ,;")
        return moment

    def take_clause(self, *words: str) -> str:
        """What follows the first of `words` up to the end: the reason after `because`."""
        joined = "|".join(re.escape(word) for word in words)
        found = re.search(rf"(?:^|[\s,;])(?:{joined})(?:\s+|:\s*)(?=\S)", self.text, re.IGNORECASE)
        if found is None:
            return ""
        clause = self.text[found.end() :].strip()
        self.text = self.text[: found.start()].strip(" ,;")
        return clause

    def take_audience(self) -> str | None:
        """A leading `for customers:`. Raises Invalid for what is nearly an audience: nothing goes to the wrong one.

        A text that merely begins so (`for some users: …`) stays a text.
        """
        found = _FOR.match(self.text)
        if found is None:
            return None
        named, known = found[1].casefold(), (INTERNAL, *self.speaker.audiences)
        if named not in known:
            if near := difflib.get_close_matches(named, known, n=1, cutoff=0.75):
                raise Invalid(f"There is no audience {named!r}. Did you mean {near[0]}?", field="audience")
            return None
        self.text = self.text[found.end() :].strip()
        return named

    def take_all(self) -> str:
        text, self.text = self.text, ""
        return text


def person_called(name: str, speaker: Speaker) -> str:
    """The one person meant by `name`: their short name, a role they hold, or the beginning of either name of theirs.

    Raises Invalid when it is nobody or could be several.
    """
    wanted = name.casefold()
    if wanted == "me":
        return speaker.me
    by_key = {key.casefold(): key for key in speaker.people}
    if wanted in by_key:
        return by_key[wanted]
    held = dict(speaker.incident.roles) if speaker.incident else {}
    for role, holders in held.items():
        if wanted == role and holders:
            return holders[0]
    words = {key: {key.casefold(), *full.casefold().split()} for key, full in speaker.people.items()}
    exact = [key for key, own in words.items() if wanted in own]
    matching = exact or [key for key, own in words.items() if any(word.startswith(wanted) for word in own)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise Invalid(f"@{name} could be {_several(matching, speaker)}. Write the short name.", field="person")
    near = difflib.get_close_matches(wanted, [*by_key, *(w for own in words.values() for w in own)], n=2, cutoff=0.6)
    guess = f" Did you mean {' or '.join(f'@{one}' for one in near)}?" if near else " Choose a person from the catalog."
    raise Invalid(f"Nobody here is called @{name}.{guess}", field="person")


def _several(keys: list[str], speaker: Speaker) -> str:
    shown = [f"@{key} ({speaker.people[key]})" for key in sorted(keys)[:4]]
    return " or ".join(shown)


def _moment(found: re.Match[str], speaker: Speaker) -> datetime:
    now = Instant(speaker.now)
    if found["count"]:
        minutes = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}[found["unit"][0].lower()]
        return speaker.now + timedelta(minutes=int(found["count"]) * minutes)
    utc = bool(found["utc"] or found["date_utc"])
    zone = "UTC" if utc else speaker.zone
    here = now.to_tz(zone)
    if found["date"]:
        return _on_date(found, zone)
    if found["day"]:
        ahead = _days_ahead(found["day"].lower(), here)
        hour, minute = (int(found["hour"]), int(found["minute"])) if found["hour"] else _END_OF_DAY
        return _at(here.date().add(days=ahead), hour, minute, zone)
    hour, minute = int(found["hour"]), int(found["minute"])
    today = _at(here.date(), hour, minute, zone)
    return today if today > speaker.now else _at(here.date().add(days=1), hour, minute, zone)


_PAST = re.compile(
    r"(?:(?P<count>\d{1,4})\s*(?P<unit>min(?:ute)?s?|m|h(?:ours?)?|d(?:ays?)?)\s+ago"
    rf"|(?:(?P<day>today|yesterday|\d{{4}}-\d{{2}}-\d{{2}})[T\s]+)?(?:at\s+)?{_CLOCK})",
    re.IGNORECASE,
)


def past_moment(text: str, speaker: Speaker) -> datetime:
    """The time that has passed which `text` is: `03:05`, `20 min ago`, `yesterday 23:50`, `2026-03-02 03:05 UTC`.

    Without a day it is the latest such time on the writer's wall. Raises Invalid for anything else.
    """
    found = _PAST.fullmatch(text.strip())
    if found is None:
        raise Invalid(
            "Say the time when it began: 03:05, 20 min ago, yesterday 23:50 or 2026-03-02 03:05.", field="time"
        )
    if found["count"]:
        minutes = {"m": 1, "h": 60, "d": 24 * 60}[found["unit"][0].lower()]
        return speaker.now - timedelta(minutes=int(found["count"]) * minutes)
    zone = "UTC" if found["utc"] else speaker.zone
    hour, minute = int(found["hour"]), int(found["minute"])
    today, day = Instant(speaker.now).to_tz(zone).date(), (found["day"] or "").lower()
    if day and day[0].isdigit():
        try:
            return _at(Date.parse_iso(day), hour, minute, zone)
        except ValueError:
            raise Invalid(f"There is no day {day}.", field="time") from None
    moment = _at(today.subtract(days=1) if day == "yesterday" else today, hour, minute, zone)
    return moment if day or moment <= speaker.now else _at(today.subtract(days=1), hour, minute, zone)


def _days_ahead(day: str, here: ZonedDateTime) -> int:
    if day == "today":
        return 0
    if day == "tomorrow":
        return 1
    ahead = (_DAYS.index(day) + 1 - here.date().day_of_week().value) % 7
    return ahead or 7


def _on_date(found: re.Match[str], zone: str) -> datetime:
    hour, minute = _END_OF_DAY
    if found["date_hour"]:
        hour, minute = int(found["date_hour"]), int(found["date_minute"])
    try:
        plain = PlainDateTime.parse_iso(f"{found['date']}T{hour:02}:{minute:02}:00")
    except ValueError:
        raise Invalid(f"There is no time {found['date']} {hour:02}:{minute:02}.", field="time") from None
    return plain.assume_tz(zone).to_stdlib().astimezone(UTC)


def _at(date: Date, hour: int, minute: int, zone: str) -> datetime:
    if hour > 23 or minute > 59:
        raise Invalid(f"There is no time {hour}:{minute:02}. Write it like 14:30 or in 20 min.", field="time")
    plain = PlainDateTime.parse_iso(f"{date}T{hour:02}:{minute:02}:00")
    return plain.assume_tz(zone).to_stdlib().astimezone(UTC)
