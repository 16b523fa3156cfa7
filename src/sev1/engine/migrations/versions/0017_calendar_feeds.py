"""Calendars that are read: when each is due, what became of it, and its events. Only adds tables."""

from alembic import op

revision = "0017"
down_revision = "0016"

STATEMENTS = (
    """
    CREATE TABLE calendar_feeds (
        kind text NOT NULL CHECK (kind IN ('person', 'schedule')),
        name text NOT NULL,
        title text NOT NULL,
        due_at timestamptz NOT NULL,
        holder text,
        lease_until timestamptz,
        state jsonb NOT NULL,
        PRIMARY KEY (kind, name, title)
    )
    """,
    "CREATE INDEX calendar_feeds_due ON calendar_feeds (due_at)",
    """
    CREATE TABLE calendar_events (
        kind text NOT NULL,
        name text NOT NULL,
        title text NOT NULL,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
        summary text NOT NULL DEFAULT '',
        FOREIGN KEY (kind, name, title) REFERENCES calendar_feeds ON DELETE CASCADE
    )
    """,
    "CREATE INDEX calendar_events_end ON calendar_events (ends_at)",
    "CREATE INDEX calendar_events_of ON calendar_events (kind, name, title)",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
