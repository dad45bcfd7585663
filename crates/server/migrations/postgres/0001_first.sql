CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE accounts (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    display_name TEXT NOT NULL,
    key_limit BIGINT NOT NULL,
    suspended_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE projects (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    parent_id TEXT COLLATE "C" REFERENCES projects (id),
    display_name TEXT NOT NULL,
    labels TEXT NOT NULL,
    live_keys BIGINT NOT NULL,
    archived_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX projects_by_account ON projects (account_id, id);
CREATE INDEX projects_by_parent ON projects (parent_id, id);

CREATE TABLE access_keys (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    display_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    generation BIGINT NOT NULL,
    disabled_at BIGINT,
    expires_at BIGINT,
    addresses TEXT NOT NULL,
    token_burst BIGINT,
    token_per_second BIGINT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX access_keys_by_name ON access_keys (project_id, display_name) WHERE deleted_at IS NULL;
CREATE INDEX access_keys_by_project ON access_keys (project_id, id);

CREATE TABLE key_secrets (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL REFERENCES access_keys (id),
    hash BYTEA NOT NULL,
    master TEXT NOT NULL,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT
);
CREATE INDEX key_secrets_by_key ON key_secrets (key_id, id);

CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    master TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE revoked_tokens (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (ends_at);

CREATE TABLE audit_events (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    account_id TEXT COLLATE "C",
    project_id TEXT COLLATE "C",
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audit_events_by_account ON audit_events (account_id, id);

CREATE TABLE usage_hourly (
    account_id TEXT COLLATE "C" NOT NULL,
    hour BIGINT NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    denied BIGINT NOT NULL,
    PRIMARY KEY (account_id, hour, project_id, credential_id, product)
);

CREATE TABLE ledger_writers (
    writer TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    sequence BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

CREATE TABLE credential_activity (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    used_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX credential_activity_by_credential ON credential_activity (credential_id, id);

CREATE TABLE denials (
    request_id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX denials_by_account ON denials (account_id, request_id);
