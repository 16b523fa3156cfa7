"""On-call: leave, swaps, and links to calendars."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = """
CREATE TABLE leave_periods (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX leave_periods_end ON leave_periods (ends_at);

CREATE TABLE shift_swaps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule text NOT NULL,
    asked_by text NOT NULL,
    asked_of text NOT NULL CHECK (asked_of <> asked_by),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    back_starts_at timestamptz,
    back_ends_at timestamptz CHECK (back_ends_at > back_starts_at),
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'accepted', 'declined', 'withdrawn')),
    created_at timestamptz NOT NULL,
    answered_at timestamptz
);
CREATE INDEX shift_swaps_asked ON shift_swaps (ends_at) WHERE state = 'asked';

CREATE TABLE calendar_links (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('person', 'team', 'schedule')),
    name text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
"""


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            bind.exec_driver_sql(statement)
