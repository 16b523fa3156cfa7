"""Restricted incidents: who may see one, beside its state, for the condition that every list has (mission 3.3).

Only adds columns with defaults. The previous release knows no restricted incidents and declares none.
"""

from alembic import op

revision = "0021"
down_revision = "0020"

STATEMENTS = (
    """
    ALTER TABLE incidents ADD COLUMN restricted boolean NOT NULL DEFAULT false,
        ADD COLUMN visible_to text[] NOT NULL DEFAULT '{}'
    """,
    "CREATE INDEX incidents_restricted ON incidents (id) WHERE restricted",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
