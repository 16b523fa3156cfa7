"""Evidence of an incident with its chain of custody (mission 3.4): only adds tables.

An entry of custody is written once: a trigger refuses to change or delete one. (Whoever owns the database can remove the
trigger; the hashes then still show what was changed.)
"""

from alembic import op

revision = "0022"
down_revision = "0021"

STATEMENTS = (
    """
    CREATE TABLE evidence (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        incident text NOT NULL REFERENCES incidents (id),
        name text NOT NULL,
        media_type text NOT NULL DEFAULT '',
        size bigint NOT NULL CHECK (size > 0),
        sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
        origin text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT '',
        collected_at timestamptz NOT NULL,
        added_at timestamptz NOT NULL,
        added_by text NOT NULL,
        retain_until timestamptz NOT NULL,
        hold text NOT NULL DEFAULT '',
        destroyed_at timestamptz
    )
    """,
    "CREATE INDEX evidence_of_incident ON evidence (incident, id)",
    "CREATE INDEX evidence_to_destroy ON evidence (retain_until) WHERE destroyed_at IS NULL AND hold = ''",
    """
    CREATE TABLE evidence_chunks (
        evidence bigint NOT NULL REFERENCES evidence (id),
        position integer NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (evidence, position)
    )
    """,
    # What is kept is mostly compressed already.
    "ALTER TABLE evidence_chunks ALTER COLUMN content SET STORAGE EXTERNAL",
    """
    CREATE TABLE custody (
        evidence bigint NOT NULL REFERENCES evidence (id),
        position integer NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        data text NOT NULL,
        previous bytea NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (evidence, position)
    )
    """,
    """
    CREATE FUNCTION custody_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'An entry of custody is written once.';
    END
    $$
    """,
    (
        "CREATE TRIGGER custody_is_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON custody"
        " FOR EACH STATEMENT EXECUTE FUNCTION custody_is_written_once()"
    ),
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
