"""What was changed lately, and the secrets with which senders sign. Expand only: the first release reads neither."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
CREATE TABLE changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id bigint NOT NULL,
    service text,
    at timestamptz NOT NULL,
    summary text NOT NULL,
    source text NOT NULL,
    links jsonb NOT NULL DEFAULT '[]',
    details jsonb NOT NULL DEFAULT '{}',
    received_at timestamptz NOT NULL
);
-- The page of an alert asks for one service's last day, the API for everybody's.
CREATE INDEX changes_service ON changes (service, at DESC);
CREATE INDEX changes_at ON changes (at DESC);

ALTER TABLE integration_keys ADD COLUMN signing_secret text;

-- A sender may ask by the name that it gave an alert, whether it fires or not.
CREATE INDEX alerts_of_key ON alerts (key_id, fingerprint, id DESC)
"""


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            bind.exec_driver_sql(statement)
