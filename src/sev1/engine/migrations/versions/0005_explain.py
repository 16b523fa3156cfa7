"""Indexes for looking back: alerts by rule, alerts and pages by time. Nothing that the previous release minds."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX alerts_rule ON alerts (left(coalesce(nullif(labels ->> 'alertname', ''), summary), 200), id)"
    )
    op.execute("CREATE INDEX alerts_received ON alerts USING brin (received_at)")
    op.execute("CREATE INDEX pages_since ON pages (opened_at)")
