"""What somebody said to the commander in confidence: beside the record, and forgotten after it (mission 2.3). Only adds a table."""

from alembic import op

revision = "0027"
down_revision = "0026"

STATEMENTS = (
    """
    CREATE TABLE concerns (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        incident text NOT NULL,
        author text NOT NULL,
        text text NOT NULL DEFAULT '',
        openly boolean NOT NULL DEFAULT false,
        said_at timestamptz NOT NULL,
        heard_at timestamptz,
        heard_by text
    )
    """,
    "CREATE INDEX concerns_incident ON concerns (incident, id)",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
