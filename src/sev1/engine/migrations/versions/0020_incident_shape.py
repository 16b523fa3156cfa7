"""Which release's rules a projected incident follows, and up to which version: a command starts from the row only when both
are this release's. What the previous release writes while both run moves the version and not `shaped_at`.
"""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE incidents ADD COLUMN shape int NOT NULL DEFAULT 0, ADD COLUMN shaped_at int NOT NULL DEFAULT 0"
    )
