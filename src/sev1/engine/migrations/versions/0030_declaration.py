"""Pages of which it is to be looked at whether they are an incident (mission 3.1). Only adds a table."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "CREATE TABLE declaration_checks"
        " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, page text NOT NULL, tries int NOT NULL DEFAULT 0)"
    )
