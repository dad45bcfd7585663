CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    email TEXT NOT NULL,
    password TEXT,
    operator INTEGER NOT NULL,
    factor BLOB,
    factor_master TEXT,
    factor_step INTEGER NOT NULL,
    rights_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_by_email ON users (email);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    hash BLOB NOT NULL,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id, account_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    hash BLOB NOT NULL,
    old_hash BLOB,
    old_ends_at INTEGER,
    pending INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_old_hash ON sessions (old_hash);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE links (
    id TEXT PRIMARY KEY NOT NULL,
    hash BLOB NOT NULL,
    purpose TEXT NOT NULL,
    email TEXT NOT NULL,
    user_id TEXT REFERENCES users (id),
    account_id TEXT REFERENCES accounts (id),
    role TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX links_by_hash ON links (hash);
CREATE INDEX links_by_account ON links (account_id, id);
CREATE INDEX links_by_end ON links (ends_at);

CREATE TABLE personal_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    display_name TEXT NOT NULL,
    hash BLOB NOT NULL,
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE UNIQUE INDEX personal_tokens_by_hash ON personal_tokens (hash);
CREATE INDEX personal_tokens_by_user ON personal_tokens (user_id, id);

CREATE TABLE used_forms (
    id TEXT PRIMARY KEY NOT NULL,
    target TEXT NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX used_forms_by_time ON used_forms (used_at);

ALTER TABLE audit_events ADD COLUMN address TEXT NOT NULL DEFAULT '';
