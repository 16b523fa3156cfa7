"""What a new alert costs: fewer indexes to keep, and a verdict that many share is stored once.

Nothing that the previous release minds. It goes on writing each verdict with its alert, finds there what its queries ask of a
shared one, and shows no reasons for that.
"""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute("CREATE TABLE shared_verdicts (first_alert bigint PRIMARY KEY, verdict jsonb NOT NULL)")

    # Nothing sorts by it, and what fires is found by alerts_open.
    op.execute("DROP INDEX alerts_firing")
    # Of each problem one alert fires at most, which alerts_open finds: only those that ended need another index.
    op.execute("DROP INDEX alerts_problem")
    op.execute("CREATE INDEX alerts_ended ON alerts (key_id, fingerprint, id) WHERE status = 'resolved'")

    # One index instead of two.
    op.execute("CREATE UNIQUE INDEX alert_transitions_of_alert ON alert_transitions (alert_id, id)")
    op.execute("ALTER TABLE alert_transitions DROP CONSTRAINT alert_transitions_pkey")
    op.execute(
        "ALTER TABLE alert_transitions ADD CONSTRAINT alert_transitions_pkey"
        " PRIMARY KEY USING INDEX alert_transitions_of_alert"
    )
    op.execute("DROP INDEX alert_transitions_alert")
