"""What sev1 watches by itself: heartbeats, checks, composites, vendors' status pages. Only adds tables."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE watches (
        kind text NOT NULL,
        name text NOT NULL,
        due_at timestamptz NOT NULL,
        seen_at timestamptz,
        holder text,
        lease_until timestamptz,
        state jsonb NOT NULL,
        PRIMARY KEY (kind, name)
    )
    """,
    "CREATE INDEX watches_due ON watches (due_at)",
    # One row: since when somebody has listened without a gap, so that our own downtime is nobody's missed heartbeat.
    """
    CREATE TABLE watch_listening (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        since timestamptz NOT NULL,
        last_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
