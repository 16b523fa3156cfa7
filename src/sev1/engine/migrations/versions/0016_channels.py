"""How people want to be reached, the browsers they are reached in, and messages that are about several pages."""

from alembic import op

revision = "0016"
down_revision = "0014"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE contact_choices (
            person text NOT NULL,
            urgency text NOT NULL CHECK (urgency IN ('high', 'low')),
            methods jsonb NOT NULL,
            changed_at timestamptz NOT NULL,
            changed_by text NOT NULL,
            PRIMARY KEY (person, urgency)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE push_subscriptions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            person text NOT NULL,
            endpoint text NOT NULL UNIQUE,
            key bytea NOT NULL,
            auth bytea NOT NULL,
            browser text NOT NULL,
            created_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX push_subscriptions_person ON push_subscriptions (person)")
    op.execute("ALTER TABLE deliveries ADD COLUMN bundle uuid")
    op.execute("CREATE INDEX deliveries_waiting_for ON deliveries (person, priority, due_at) WHERE state = 'queued'")
    op.execute("CREATE INDEX deliveries_went_to ON deliveries (person, finished_at) WHERE state IN ('sent', 'failed')")
    op.execute("CREATE INDEX deliveries_person_sending ON deliveries (person) WHERE state = 'sending'")
