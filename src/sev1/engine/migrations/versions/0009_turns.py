"""Round-robin steps: who took a turn when."""

from alembic import op

revision = "0009"
down_revision = "0006"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE turns_taken")
    op.execute(
        """
        CREATE TABLE turns (
            policy text NOT NULL,
            step int NOT NULL CHECK (step >= 0),
            person text NOT NULL,
            turn bigint NOT NULL,
            PRIMARY KEY (policy, step, person)
        )
        """
    )
    # Who could not be reached lately: failures are few, so the index is small.
    op.execute("CREATE INDEX deliveries_failed ON deliveries (finished_at) WHERE state = 'failed'")
