ALTER TABLE usage_hourly ADD COLUMN units BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN units BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_daily_totals ADD COLUMN units BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_monthly ADD COLUMN units BIGINT NOT NULL DEFAULT 0;

CREATE TABLE usage_events (
    reporter_id TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    counted_at BIGINT NOT NULL,
    PRIMARY KEY (reporter_id, source, id)
);
CREATE INDEX usage_events_by_time ON usage_events (counted_at);
