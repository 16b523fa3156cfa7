"""Who could not be reached: whoever is on call, now or within a week, without a contact method that works (mission 7.3).

Said before the shift begins, since at three in the morning it is too late.
"""

import importlib.util
import os
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Literal

import asyncpg
from msgspec import Struct

from sev1.catalog.contact import (
    AppriseMethod,
    ContactMethod,
    EmailMethod,
    NtfyMethod,
    PushMethod,
    SmsMethod,
    VoiceMethod,
    WebhookMethod,
)
from sev1.catalog.model import Catalog, Person
from sev1.engine.settings import Settings
from sev1.notify import contacts, proof, push_store
from sev1.notify.contacts import Contacts
from sev1.notify.proof import Proof
from sev1.oncall.outlook import Turn

State = Literal["works", "untried", "fails"]


class Way(Struct, frozen=True, kw_only=True):
    """One way of reaching a person, with what is known of it."""

    kind: str
    to: str
    state: State
    text: str
    """Why it fails, or what the last answer was."""
    at: datetime | None = None
    confirmed: bool = False


class CallOut(Struct, frozen=True, kw_only=True):
    """Somebody who is on call, or soon will be, and could not be reached, or of whom that is not known."""

    person: str
    full_name: str
    schedule: str
    title: str
    """Of the schedule."""
    start: datetime
    unreachable: bool
    """False: it is only that nothing was ever tried."""
    sentence: str


class Setup(Struct, frozen=True, kw_only=True):
    """What this server can do: without it a contact method cannot work, whatever happened before."""

    settings: Settings
    environ: Mapping[str, str]
    with_push: AbstractSet[str]

    def hindrance(self, person: str, method: ContactMethod) -> str:
        """Why nothing can go out over `method`; empty when nothing is known against it."""
        match method:
            case EmailMethod() if not self.settings.smtp_host:
                return "no mail server is set (SEV1_SMTP_HOST)"
            case SmsMethod() | VoiceMethod() if not (
                self.settings.twilio_account and self.settings.twilio_token and self.settings.twilio_from
            ):
                return "text messages and calls are not set up (SEV1_TWILIO_ACCOUNT, _TOKEN, _FROM)"
            case WebhookMethod(secret_env=str(name)) | NtfyMethod(token_env=str(name)) if not self.environ.get(name):
                return f"the environment variable {name} is not set"
            case AppriseMethod(url_env=name) if not self.environ.get(name):
                return f"the environment variable {name} is not set"
            case AppriseMethod() if importlib.util.find_spec("apprise") is None:
                return "Apprise is not installed"
            case PushMethod() if person not in self.with_push:
                return "web push is switched on in no browser"
        return ""


async def setup(conn: asyncpg.Connection, settings: Settings) -> Setup:
    return Setup(settings=settings, environ=os.environ, with_push=await push_store.people_with_push(conn))


async def ways(
    conn: asyncpg.Connection, person: Person, methods: list[ContactMethod], able: Setup, now: datetime
) -> list[Way]:
    """What is known of each of these contact methods, in their order."""
    known = await proof.proofs(conn, person.name, methods, now)
    return [_way(known[method], able.hindrance(person.name, method)) for method in methods]


async def call_outs(
    conn: asyncpg.Connection, catalog: Catalog, settings: Settings, now: datetime, turns: Iterable[Turn]
) -> list[CallOut]:
    """Who of `turns`, those of the coming week, is not known to be reachable, soonest first; each once a schedule."""
    reach = await contacts.read(conn)
    able = await setup(conn, settings)
    verdicts: dict[str, tuple[bool, str] | None] = {}
    found: list[CallOut] = []
    for turn in turns:
        person = catalog.people.get(turn.person)
        if person is None:
            continue
        if person.name not in verdicts:
            verdicts[person.name] = await _verdict(conn, person, reach, able, now)
        if verdict := verdicts[person.name]:
            found.append(
                CallOut(
                    person=person.name,
                    full_name=person.full_name,
                    schedule=turn.schedule,
                    title=catalog.schedules[turn.schedule].title,
                    start=turn.start,
                    unreachable=verdict[0],
                    sentence=verdict[1],
                )
            )
    return sorted(found, key=lambda one: (not one.unreachable, one.start, one.person))


async def is_mute(conn: asyncpg.Connection, person: Person, settings: Settings, now: datetime) -> bool:
    """Whether nothing that the person is reached by works."""
    reach = await contacts.read(conn, [person.name])
    verdict = await _verdict(conn, person, reach, await setup(conn, settings), now)
    return verdict is not None and verdict[0]


async def _verdict(
    conn: asyncpg.Connection, person: Person, reach: Contacts, able: Setup, now: datetime
) -> tuple[bool, str] | None:
    known = await ways(conn, person, list(reach.of(person, "high")), able, now)
    if any(way.state == "works" for way in known):
        return None
    if all(way.state == "fails" for way in known):
        why = "; ".join(f"{way.kind}: {way.text}" for way in known)
        return True, f"No way of reaching {person.full_name} works. {why}."
    return False, f"Nothing was ever sent to {person.full_name}. A test page shows whether it arrives."


def _way(known: Proof, hindrance: str) -> Way:
    state: State = "untried"
    if hindrance or known.works is False:
        state = "fails"
    elif known.works:
        state = "works"
    return Way(
        kind=known.kind,
        to=known.to,
        state=state,
        text=hindrance or known.text,
        at=known.at,
        confirmed=known.confirmed and not hindrance,
    )
