"""Two indexes of alerts were the same but for their direction, in which either can be read."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("DROP INDEX alerts_of_key")
