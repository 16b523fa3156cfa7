"""Which release's rules a projected page follows: a command starts from the row only when it is this release's."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE pages ADD COLUMN shape int NOT NULL DEFAULT 0")
