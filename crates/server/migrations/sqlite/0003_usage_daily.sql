CREATE TABLE usage_daily (
    account_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    project_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    product TEXT NOT NULL,
    calls INTEGER NOT NULL,
    denied INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, project_id, credential_id, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_daily_totals (
    account_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    project_id TEXT NOT NULL,
    product TEXT NOT NULL,
    calls INTEGER NOT NULL,
    denied INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, project_id, product)
) STRICT, WITHOUT ROWID;

INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied)
SELECT account_id, hour - hour % 86400000000, project_id, credential_id, product, SUM(calls), SUM(denied)
FROM usage_hourly GROUP BY 1, 2, 3, 4, 5;

INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied)
SELECT account_id, day, project_id, product, SUM(calls), SUM(denied)
FROM usage_daily GROUP BY account_id, day, project_id, product;
