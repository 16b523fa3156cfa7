"""Deliveries go out by urgency: a page for a SEV-1 is not behind five hundred of something else."""

from alembic import op

revision = "0013"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries ADD COLUMN priority smallint NOT NULL DEFAULT 5")
    op.execute(
        "CREATE INDEX deliveries_by_urgency ON deliveries (priority, due_at) WHERE state IN ('queued', 'sending')"
    )
