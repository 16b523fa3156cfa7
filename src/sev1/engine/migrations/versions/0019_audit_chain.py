"""The audit log becomes a chain of hashes (mission T.5): only adds columns, a table of one row, and a trigger.

The database itself chains, so what the previous release writes while both run is chained as well. The trigger is deferred:
it waits for the head of the chain when its transaction commits and has all its other locks, and holds it only until the
commit is through. So writers on any number of nodes queue there for one commit each, and cannot deadlock.

The bytes that are hashed are written down in `engine/audit_chain.py`, which computes the same.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    "ALTER TABLE audit_log ADD COLUMN position bigint, ADD COLUMN previous bytea, ADD COLUMN hash bytea",
    "CREATE UNIQUE INDEX audit_log_position ON audit_log (position)",
    "CREATE INDEX audit_log_subject ON audit_log (subject, id)",
    """
    CREATE TABLE audit_head (
        alone boolean PRIMARY KEY DEFAULT true CHECK (alone),
        position bigint NOT NULL,
        hash bytea NOT NULL
    )
    """,
    "INSERT INTO audit_head (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'))",
    """
    CREATE FUNCTION audit_part(part text) RETURNS bytea LANGUAGE sql STABLE AS $$
        SELECT convert_to(octet_length(convert_to(part, 'UTF8'))::text || ':' || part || ',', 'UTF8')
    $$
    """,
    """
    CREATE FUNCTION audit_append(entry bigint) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        head audit_head;
        chained bytea;
    BEGIN
        SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
        UPDATE audit_log l SET position = head.position + 1, previous = head.hash, hash = sha256(
                audit_part('sev1 audit 1') || audit_part((head.position + 1)::text)
                || audit_part(encode(head.hash, 'hex'))
                || audit_part(floor(extract(epoch FROM l.at) * 1000000)::bigint::text)
                || audit_part(l.actor) || audit_part(l.action) || audit_part(l.subject) || audit_part(l.data::text))
            WHERE l.id = entry AND l.hash IS NULL RETURNING l.hash INTO chained;
        IF FOUND THEN
            UPDATE audit_head SET position = head.position + 1, hash = chained;
        END IF;
    END
    $$
    """,
    (
        "DO $$ DECLARE one bigint; BEGIN FOR one IN SELECT id FROM audit_log ORDER BY id LOOP PERFORM audit_append(one);"
        " END LOOP; END $$"
    ),
    """
    CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM audit_append(NEW.id);
        RETURN NULL;
    END
    $$
    """,
    (
        "CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION audit_chain()"
    ),
)


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS:
        bind.exec_driver_sql(statement)
