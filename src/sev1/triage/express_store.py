"""What was taken from the inbox ahead of its turn, so that each signal takes effect exactly once."""

from collections.abc import Mapping, Sequence

import asyncpg

from sev1.intake.inbox import Address
from sev1.intake.inbox_reader import Batch, Row


async def taken(conn: asyncpg.Connection, batch: Batch) -> dict[int, list[str]]:
    """Row -> the fingerprints of its signals that were taken, for the rows of `batch`."""
    rows = await conn.fetch(
        "SELECT id, fingerprints FROM inbox_taken WHERE writer = $1 AND id <= $2", batch.writer, batch.position
    )
    return {row["id"]: row["fingerprints"] for row in rows}


async def forget(conn: asyncpg.Connection, writer: int, position: int) -> None:
    """Their turn has come: the cursor stands at `position`."""
    await conn.execute("DELETE FROM inbox_taken WHERE writer = $1 AND id <= $2", writer, position)


async def unread(conn: asyncpg.Connection, addresses: Sequence[Address]) -> list[Row]:
    """Those of the payloads that no cursor has passed and nobody has taken from, in the order of `addresses`."""
    records = await conn.fetch(
        """
        SELECT inbox.writer, inbox.id, received_at, key_id, format, raw
        FROM unnest($1::int[], $2::bigint[]) WITH ORDINALITY AS wanted (writer, id, place)
        JOIN inbox USING (writer, id)
        JOIN inbox_cursors AS cursor ON cursor.writer = inbox.writer AND cursor.position < inbox.id
        WHERE NOT EXISTS (SELECT FROM inbox_taken t WHERE t.writer = inbox.writer AND t.id = inbox.id)
        ORDER BY place
        """,
        [address.writer for address in addresses],
        [address.row for address in addresses],
    )
    return [Row(**record) for record in records]


async def take(conn: asyncpg.Connection, fingerprints: Mapping[Address, Sequence[str]]) -> None:
    """Says that these signals have taken effect, when this transaction commits."""
    await conn.executemany(
        "INSERT INTO inbox_taken (writer, id, fingerprints) VALUES ($1, $2, $3)",
        [(address.writer, address.row, list(prints)) for address, prints in fingerprints.items()],
    )
