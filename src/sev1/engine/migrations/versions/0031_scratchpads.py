"""Scratchpads of workstreams, every version a row (mission 8.3). Only adds a table."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        CREATE TABLE scratchpads (
            incident text NOT NULL,
            workstream bigint NOT NULL,
            version bigint NOT NULL,
            text text NOT NULL,
            by text NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (incident, workstream, version)
        )
        """
    )
