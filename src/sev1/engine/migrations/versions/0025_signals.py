"""Weak signals and near misses, noted without an incident (mission 2.4). Only adds a table."""

from alembic import op

revision = "0025"
down_revision = "0024"

STATEMENTS = (
    """
    CREATE TABLE signals (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('weak-signal', 'near-miss')),
        text text NOT NULL,
        service text,
        might_have text NOT NULL DEFAULT '',
        tags text[] NOT NULL DEFAULT '{}',
        noted_by text NOT NULL,
        noted_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'promoted', 'reviewed', 'dropped')),
        outcome text NOT NULL DEFAULT '',
        incident text,
        settled_by text,
        settled_at timestamptz,
        CHECK ((state = 'open') = (settled_at IS NULL)),
        CHECK ((state = 'promoted') = (incident IS NOT NULL))
    )
    """,
    "CREATE INDEX signals_state ON signals (state, number)",
    "CREATE INDEX signals_service ON signals (service, number) WHERE service IS NOT NULL",
    "CREATE UNIQUE INDEX signals_incident ON signals (incident) WHERE incident IS NOT NULL",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
