-- Years of counters take longer than any question may.
SET LOCAL statement_timeout = 0;

CREATE TABLE usage_daily (
    account_id TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    denied BIGINT NOT NULL,
    PRIMARY KEY (account_id, day, project_id, credential_id, product)
);

CREATE TABLE usage_daily_totals (
    account_id TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    denied BIGINT NOT NULL,
    PRIMARY KEY (account_id, day, project_id, product)
);

INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied)
SELECT account_id, hour - hour % 86400000000, project_id, credential_id, product,
    CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT)
FROM usage_hourly GROUP BY 1, 2, 3, 4, 5;

INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied)
SELECT account_id, day, project_id, product, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT)
FROM usage_daily GROUP BY account_id, day, project_id, product;
