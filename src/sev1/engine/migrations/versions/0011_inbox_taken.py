"""What the express lane took out of the inbox ahead of its turn, so that each signal still counts once."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE inbox_taken (writer int NOT NULL, id bigint NOT NULL, fingerprints text[] NOT NULL, "
        "PRIMARY KEY (writer, id))"
    )
