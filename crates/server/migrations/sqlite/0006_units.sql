ALTER TABLE usage_hourly ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily_totals ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_monthly ADD COLUMN units INTEGER NOT NULL DEFAULT 0;

CREATE TABLE usage_events (
    reporter_id TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    counted_at INTEGER NOT NULL,
    PRIMARY KEY (reporter_id, source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_events_by_time ON usage_events (counted_at);
