CREATE TABLE usage_monthly (
    account_id TEXT NOT NULL,
    month INTEGER NOT NULL,
    project_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    product TEXT NOT NULL,
    calls INTEGER NOT NULL,
    denied INTEGER NOT NULL,
    PRIMARY KEY (account_id, month, project_id, credential_id, product)
) STRICT, WITHOUT ROWID;

INSERT INTO usage_monthly (account_id, month, project_id, credential_id, product, calls, denied)
SELECT account_id, unixepoch(day / 1000000, 'unixepoch', 'start of month') * 1000000, project_id,
    credential_id, product, SUM(calls), SUM(denied)
FROM usage_daily GROUP BY 1, 2, 3, 4, 5;
