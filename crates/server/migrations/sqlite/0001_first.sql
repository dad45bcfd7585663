CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL,
    display_name TEXT NOT NULL,
    key_limit INTEGER NOT NULL,
    suspended_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    parent_id TEXT REFERENCES projects (id),
    display_name TEXT NOT NULL,
    labels TEXT NOT NULL,
    live_keys INTEGER NOT NULL,
    archived_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX projects_by_account ON projects (account_id, id);
CREATE INDEX projects_by_parent ON projects (parent_id, id);

CREATE TABLE access_keys (
    id TEXT PRIMARY KEY NOT NULL,
    project_id TEXT NOT NULL REFERENCES projects (id),
    display_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    generation INTEGER NOT NULL,
    disabled_at INTEGER,
    expires_at INTEGER,
    addresses TEXT NOT NULL,
    token_burst INTEGER,
    token_per_second INTEGER,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX access_keys_by_name ON access_keys (project_id, display_name) WHERE deleted_at IS NULL;
CREATE INDEX access_keys_by_project ON access_keys (project_id, id);

CREATE TABLE key_secrets (
    id TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL REFERENCES access_keys (id),
    hash BLOB NOT NULL,
    master TEXT NOT NULL,
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER
) STRICT;
CREATE INDEX key_secrets_by_key ON key_secrets (key_id, id);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BLOB NOT NULL,
    master TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

CREATE TABLE revoked_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (ends_at);

CREATE TABLE audit_events (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT,
    project_id TEXT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX audit_events_by_account ON audit_events (account_id, id);

CREATE TABLE usage_hourly (
    account_id TEXT NOT NULL,
    hour INTEGER NOT NULL,
    project_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    product TEXT NOT NULL,
    calls INTEGER NOT NULL,
    denied INTEGER NOT NULL,
    PRIMARY KEY (account_id, hour, project_id, credential_id, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_writers (
    writer TEXT PRIMARY KEY NOT NULL,
    sequence INTEGER NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE credential_activity (
    id TEXT PRIMARY KEY NOT NULL,
    credential_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT;
CREATE INDEX credential_activity_by_credential ON credential_activity (credential_id, id);

CREATE TABLE denials (
    request_id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    product TEXT NOT NULL,
    at INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX denials_by_account ON denials (account_id, request_id);
