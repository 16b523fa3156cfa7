"""Rights for a limited time (mission 7.6): only adds a table. The previous release knows no such rights and grants none."""

from alembic import op

revision = "0023"
down_revision = "0022"

STATEMENTS = (
    """
    CREATE TABLE break_glass (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        actor text NOT NULL,
        name text NOT NULL,
        role text,
        incident text,
        reason text NOT NULL,
        minutes integer NOT NULL CHECK (minutes > 0),
        at_once boolean NOT NULL,
        requested_at timestamptz NOT NULL,
        decided_by text,
        refused boolean NOT NULL DEFAULT false,
        starts_at timestamptz,
        ends_at timestamptz,
        ended_at timestamptz,
        justification text NOT NULL DEFAULT '',
        reminded_at timestamptz,
        verdict text,
        verdict_note text NOT NULL DEFAULT '',
        reviewer text,
        reviewed_at timestamptz,
        CHECK ((role IS NULL) <> (incident IS NULL)),
        CHECK ((starts_at IS NULL) = (ends_at IS NULL))
    )
    """,
    "CREATE INDEX break_glass_in_force ON break_glass (actor, ends_at) WHERE ended_at IS NULL",
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
