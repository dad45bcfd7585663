-- Years of counters take longer than any question may.
SET LOCAL statement_timeout = 0;

CREATE TABLE usage_monthly (
    account_id TEXT COLLATE "C" NOT NULL,
    month BIGINT NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    denied BIGINT NOT NULL,
    PRIMARY KEY (account_id, month, project_id, credential_id, product)
);

INSERT INTO usage_monthly (account_id, month, project_id, credential_id, product, calls, denied)
SELECT account_id, CAST(EXTRACT(EPOCH FROM DATE_TRUNC('month', TO_TIMESTAMP(day / 1000000), 'UTC')) AS BIGINT) * 1000000, project_id,
    credential_id, product, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT)
FROM usage_daily GROUP BY 1, 2, 3, 4, 5;
