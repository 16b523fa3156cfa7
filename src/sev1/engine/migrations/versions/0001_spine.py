"""The first schema: intake, alerts, pages, incidents, deliveries, catalog, access."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = """
-- engine: the log of what happened, what is due, what has to go out ------------------------------------------------

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    version int NOT NULL,
    at timestamptz NOT NULL,
    by jsonb NOT NULL,
    event jsonb NOT NULL,
    UNIQUE (stream, version)
);

CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL);

CREATE TABLE timers (
    stream text NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    holder text,
    lease_until timestamptz,
    PRIMARY KEY (stream, kind)
);
CREATE INDEX timers_due ON timers (due_at);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    about text NOT NULL,
    person text,
    methods jsonb NOT NULL,
    method int NOT NULL DEFAULT 0,
    notice jsonb NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled')),
    due_at timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    repeat boolean NOT NULL DEFAULT false,
    holder text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    receipt text,
    error text,
    log jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('queued', 'sending');
CREATE INDEX deliveries_about ON deliveries (about);

CREATE TABLE channel_health (
    channel text PRIMARY KEY,
    failures int NOT NULL DEFAULT 0,
    open_until timestamptz,
    last_error text,
    last_failure_at timestamptz,
    last_success_at timestamptz
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE TABLE secrets (name text PRIMARY KEY, value bytea NOT NULL);

-- catalog, on-call ---------------------------------------------------------------------------------------------------

CREATE TABLE catalog_objects (
    kind text NOT NULL,
    name text NOT NULL,
    spec jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE TABLE catalog_version (version bigint NOT NULL);
INSERT INTO catalog_version VALUES (0);

CREATE TABLE schedule_overrides (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule text NOT NULL,
    person text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX schedule_overrides_at ON schedule_overrides (schedule, ends_at);

-- access -------------------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL UNIQUE,
    full_name text NOT NULL DEFAULT '',
    role text NOT NULL CHECK (role IN ('viewer', 'responder', 'admin')),
    password_hash text,
    disabled boolean NOT NULL DEFAULT false,
    theme text NOT NULL DEFAULT 'auto',
    created_at timestamptz NOT NULL
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    agent text NOT NULL DEFAULT ''
);

CREATE TABLE setup_links (
    token_hash bytea PRIMARY KEY,
    user_id bigint REFERENCES users ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('first-run', 'sign-in')),
    role text,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE api_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    token_hash bytea NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('viewer', 'responder', 'admin')),
    scopes text[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE integration_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    service text,
    secret_hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE sign_in_failures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email_key text NOT NULL,
    address text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_at ON sign_in_failures (at);

-- intake: an append-only log per writing process, read by cursor ---------------------------------------------------

CREATE TABLE inbox_cursors (
    writer int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL
);

CREATE TABLE inbox (
    writer int NOT NULL,
    id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    key_id bigint NOT NULL,
    format text NOT NULL,
    raw bytea NOT NULL,
    PRIMARY KEY (writer, id)
);
CREATE INDEX inbox_received ON inbox USING brin (received_at);

CREATE TABLE misunderstood (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    key_id bigint,
    format text NOT NULL,
    error text NOT NULL,
    raw bytea NOT NULL,
    dismissed_at timestamptz,
    dismissed_by text
);
CREATE INDEX misunderstood_open ON misunderstood (received_at) WHERE dismissed_at IS NULL;

-- alerts ---------------------------------------------------------------------------------------------------------------

CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id bigint NOT NULL,
    fingerprint text NOT NULL,
    source text NOT NULL,
    status text NOT NULL CHECK (status IN ('firing', 'resolved')),
    held text CHECK (held IN ('silenced', 'inhibited')),
    held_by text,
    tier text,
    service text,
    severity text,
    summary text NOT NULL,
    labels jsonb NOT NULL,
    annotations jsonb NOT NULL,
    links jsonb NOT NULL DEFAULT '[]',
    starts_at timestamptz NOT NULL,
    expires_at timestamptz,
    resolved_at timestamptz,
    received_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    times int NOT NULL DEFAULT 1,
    verdict jsonb NOT NULL,
    route text,
    group_key text,
    page text,
    incident text,
    payload_writer int,
    payload_id bigint
);
CREATE UNIQUE INDEX alerts_open ON alerts (key_id, fingerprint) WHERE status = 'firing';
CREATE INDEX alerts_firing ON alerts (updated_at DESC) WHERE status = 'firing';
CREATE INDEX alerts_expiring ON alerts (expires_at) WHERE status = 'firing';
CREATE INDEX alerts_held ON alerts (id) WHERE status = 'firing' AND held IS NOT NULL;
CREATE INDEX alerts_page ON alerts (page) WHERE page IS NOT NULL;
CREATE INDEX alerts_incident ON alerts (incident) WHERE incident IS NOT NULL;

CREATE TABLE alert_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id bigint NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX alert_transitions_alert ON alert_transitions (alert_id, id);

CREATE TABLE silences (
    id uuid PRIMARY KEY,
    key_id bigint,
    matchers jsonb NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    created_by text NOT NULL,
    comment text NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX silences_ends ON silences (ends_at);

-- pages and incidents: what the events add up to -----------------------------------------------------------------------

CREATE TABLE pages (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    version int NOT NULL,
    status text NOT NULL,
    title text NOT NULL,
    service text,
    group_key text NOT NULL,
    incident text,
    people text[] NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    resolved_at timestamptz,
    state jsonb NOT NULL
);
CREATE UNIQUE INDEX pages_open_group ON pages (group_key) WHERE status <> 'resolved';
CREATE INDEX pages_open ON pages (opened_at) WHERE status <> 'resolved';

CREATE TABLE incidents (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    version int NOT NULL,
    status text NOT NULL,
    title text NOT NULL,
    severity text NOT NULL,
    stage text NOT NULL,
    commander text NOT NULL,
    services text[] NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL,
    detected_at timestamptz NOT NULL,
    declared_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    mitigated_at timestamptz,
    resolved_at timestamptz,
    state jsonb NOT NULL
);
CREATE INDEX incidents_open ON incidents (declared_at) WHERE resolved_at IS NULL;
CREATE INDEX incidents_declared ON incidents (declared_at)
"""


def upgrade() -> None:
    bind = op.get_bind()
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            bind.exec_driver_sql(statement)
