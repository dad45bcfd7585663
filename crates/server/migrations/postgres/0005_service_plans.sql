CREATE TABLE service_plans (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    display_name TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX service_plans_by_name ON service_plans (project_id, display_name) WHERE deleted_at IS NULL;
CREATE INDEX service_plans_by_project ON service_plans (project_id, id);

CREATE TABLE api_tokens (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    plan_id TEXT COLLATE "C" NOT NULL REFERENCES service_plans (id),
    hash BYTEA NOT NULL,
    master TEXT COLLATE "C" NOT NULL,
    hint TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT
);
CREATE INDEX api_tokens_by_plan ON api_tokens (plan_id, id);
