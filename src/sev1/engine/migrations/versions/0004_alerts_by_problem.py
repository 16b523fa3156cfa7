"""An index of alerts by problem: how often one changed lately says whether it flaps."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE INDEX alerts_problem ON alerts (key_id, fingerprint, id)")
