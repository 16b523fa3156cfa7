"""Risks that were accepted for a time, with who decided and when it is brought to mind (mission 7.5). Only adds a table."""

from alembic import op

revision = "0029"
down_revision = "0028"

STATEMENTS = (
    """
    CREATE TABLE risks (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        risk text NOT NULL,
        reason text NOT NULL,
        monitoring text NOT NULL,
        match text[] NOT NULL DEFAULT '{}',
        service text,
        incident text,
        decided_by text NOT NULL,
        decided_at timestamptz NOT NULL,
        until timestamptz NOT NULL,
        renewals jsonb NOT NULL DEFAULT '[]',
        remind_at timestamptz,
        state text NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'closed')),
        outcome text NOT NULL DEFAULT '',
        closed_by text,
        closed_at timestamptz,
        CHECK ((state = 'closed') = (closed_at IS NOT NULL))
    )
    """,
    "CREATE INDEX risks_due ON risks (remind_at) WHERE state = 'accepted'",
    "CREATE INDEX risks_service ON risks (service, until) WHERE state = 'accepted'",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
