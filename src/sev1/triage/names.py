"""Which alert a sender means by a number: a port of intake, which knows keys and fingerprints but no alerts."""

from sev1.engine.database import Database
from sev1.intake.outside import FindAlert

NUMBER_MAX = 2**63 - 1


def finder(db: Database) -> FindAlert:
    """Finds the fingerprint of alert `number` if it came through the key; None if there is no such alert of its."""

    async def find(key_id: int, number: str) -> str | None:
        if int(number) > NUMBER_MAX:
            return None
        async with db.connection() as conn:
            fingerprint: str | None = await conn.fetchval(
                "SELECT fingerprint FROM alerts WHERE id = $1 AND key_id = $2", int(number), key_id
            )
        return fingerprint

    return find
