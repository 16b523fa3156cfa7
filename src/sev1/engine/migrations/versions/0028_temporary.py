"""Finds incidents with something temporary still in place (mission 11.4). Only adds an index."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "CREATE INDEX incidents_temporary ON incidents (number)"
        " WHERE jsonb_path_exists(state, '$.mitigations.* ? (@.removed_at == null)')"
    )
