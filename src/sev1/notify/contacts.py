"""How each person wants to be reached: what they chose under Settings, else what the catalog says (mission 7.3)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog.contact import AppriseMethod, ContactMethod, NtfyMethod, Urgency, WebhookMethod
from sev1.catalog.model import Person
from sev1.engine import audit
from sev1.engine.decider import Actor
from sev1.engine.errors import Invalid
from sev1.notify.model import kind_of, masked

MOST = 20
URGENCIES: tuple[Urgency, ...] = ("high", "low")


class Contacts(Struct, frozen=True):
    """What people chose, by person and urgency."""

    chosen: Mapping[tuple[str, str], tuple[ContactMethod, ...]]

    def of(self, person: Person, urgency: Urgency) -> tuple[ContactMethod, ...]:
        """The contact methods in the order in which they are tried; never empty."""
        if methods := self.chosen.get((person.name, urgency)):
            return methods
        if urgency == "low":
            return person.contact_low_urgency or self.of(person, "high")
        return person.contact

    def is_chosen(self, person: Person, urgency: Urgency) -> bool:
        return (person.name, urgency) in self.chosen


async def read(conn: asyncpg.Connection, people: Collection[str] | None = None) -> Contacts:
    """The choices of `people`, or of everybody."""
    rows = await conn.fetch(
        "SELECT person, urgency, methods FROM contact_choices WHERE $1::text[] IS NULL OR person = ANY($1)",
        None if people is None else list(people),
    )
    return Contacts(
        {(row["person"], row["urgency"]): msgspec.convert(row["methods"], tuple[ContactMethod, ...]) for row in rows}
    )


async def choose(
    conn: asyncpg.Connection,
    person: Person,
    urgency: Urgency,
    methods: Sequence[ContactMethod],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """From now on `person` is reached by these, in this order. None at all: as the catalog says again.

    Raises Invalid for one that is in the list twice, for too many, and for one that names a variable of the server's
    environment and is not in the catalog.
    """
    written = {*person.contact, *person.contact_low_urgency}
    if any(method not in written and _names_a_secret(method) for method in methods):
        # Else anybody could have a secret of this server sent to an address of theirs.
        raise Invalid("A contact method that uses a secret of this server is written in the catalog.", field="methods")
    if len(methods) > MOST:
        raise Invalid(f"At most {MOST} contact methods.", field="methods")
    if len(set(methods)) < len(methods):
        raise Invalid("A contact method is in the list twice.", field="methods")
    if methods:
        await conn.execute(
            """
            INSERT INTO contact_choices (person, urgency, methods, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (person, urgency) DO UPDATE SET methods = EXCLUDED.methods, changed_at = EXCLUDED.changed_at,
                changed_by = EXCLUDED.changed_by
            """,
            person.name, urgency, list(methods), now, by.id,
        )  # fmt: skip
    else:
        await conn.execute("DELETE FROM contact_choices WHERE person = $1 AND urgency = $2", person.name, urgency)
    await audit.record(
        conn,
        actor=by.id,
        action="contact.choose",
        subject=person.name,
        data={"urgency": urgency, "methods": [f"{kind_of(method)} {masked(method)}" for method in methods]},
        now=now,
    )


def known(person: Person, reach: Contacts) -> list[ContactMethod]:
    """Every way in which `person` is reached or could choose to be, each once: the chosen ones first."""
    chosen = (method for urgency in URGENCIES for method in reach.of(person, urgency))
    return list(dict.fromkeys([*chosen, *person.contact, *person.contact_low_urgency]))


def _names_a_secret(method: ContactMethod) -> bool:
    match method:
        case WebhookMethod(secret_env=name) | NtfyMethod(token_env=name):
            return name is not None
        case AppriseMethod():
            return True
    return False
