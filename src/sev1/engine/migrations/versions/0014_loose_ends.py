"""The list of alerts counts its loose ends without reading everything that fires."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(
        """
        CREATE INDEX alerts_nobody_routes ON alerts (id) WHERE status = 'firing'
            AND (verdict -> 'stages' @> '[{"name": "route", "outcome": "fallback"}]'
            OR verdict -> 'stages' @> '[{"name": "route", "outcome": "nobody"}]')
        """
    )
    op.execute(
        "CREATE INDEX alerts_without_tier ON alerts (id) WHERE status = 'firing' AND verdict ->> 'tier_from' = 'nothing'"
    )
    op.execute("CREATE INDEX alerts_fyi ON alerts (service) WHERE status = 'firing' AND tier = 'fyi'")
