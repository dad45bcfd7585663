CREATE TABLE service_plans (
    id TEXT PRIMARY KEY NOT NULL,
    project_id TEXT NOT NULL REFERENCES projects (id),
    display_name TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX service_plans_by_name ON service_plans (project_id, display_name) WHERE deleted_at IS NULL;
CREATE INDEX service_plans_by_project ON service_plans (project_id, id);

CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    plan_id TEXT NOT NULL REFERENCES service_plans (id),
    hash BLOB NOT NULL,
    master TEXT NOT NULL,
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER
) STRICT;
CREATE INDEX api_tokens_by_plan ON api_tokens (plan_id, id);
