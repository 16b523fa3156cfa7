"""Incidents under incidents: which one an incident belongs under, so that those under one are found without reading all
(missions 1.5, 15.5). Only adds a column that the previous release does not write; what it writes keeps its parent.
"""

from alembic import op

revision = "0024"
down_revision = "0023"

STATEMENTS = (
    "ALTER TABLE incidents ADD COLUMN parent text",
    "CREATE INDEX incidents_parent ON incidents (parent) WHERE parent IS NOT NULL",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
