CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    email TEXT NOT NULL,
    password TEXT,
    operator BIGINT NOT NULL,
    factor BYTEA,
    factor_master TEXT,
    factor_step BIGINT NOT NULL,
    rights_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_by_email ON users (email);

CREATE TABLE recovery_codes (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    hash BYTEA NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE memberships (
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, account_id);

CREATE TABLE sessions (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    hash BYTEA NOT NULL,
    old_hash BYTEA,
    old_ends_at BIGINT,
    pending BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_old_hash ON sessions (old_hash);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE links (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    hash BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    email TEXT NOT NULL,
    user_id TEXT COLLATE "C" REFERENCES users (id),
    account_id TEXT COLLATE "C" REFERENCES accounts (id),
    role TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX links_by_hash ON links (hash);
CREATE INDEX links_by_account ON links (account_id, id);
CREATE INDEX links_by_end ON links (ends_at);

CREATE TABLE personal_tokens (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    display_name TEXT NOT NULL,
    hash BYTEA NOT NULL,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX personal_tokens_by_hash ON personal_tokens (hash);
CREATE INDEX personal_tokens_by_user ON personal_tokens (user_id, id);

CREATE TABLE used_forms (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    target TEXT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX used_forms_by_time ON used_forms (used_at);

ALTER TABLE audit_events ADD COLUMN address TEXT NOT NULL DEFAULT '';
