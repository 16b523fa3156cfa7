"""Runs of diagnostics that wait for a worker (mission 5.6). Only adds a table."""

from alembic import op

revision = "0026"
down_revision = "0025"

STATEMENTS = (
    """
    CREATE TABLE diagnostic_runs (
        page text NOT NULL,
        run integer NOT NULL,
        service text NOT NULL,
        name text NOT NULL,
        asked_at timestamptz NOT NULL,
        started_at timestamptz,
        holder text,
        lease_until timestamptz,
        done boolean NOT NULL DEFAULT false,
        PRIMARY KEY (page, run)
    )
    """,
    "CREATE INDEX diagnostic_runs_waiting ON diagnostic_runs (asked_at) WHERE NOT done",
    "CREATE INDEX diagnostic_runs_lately ON diagnostic_runs (service, name, asked_at)",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
