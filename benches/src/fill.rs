//! What is written into the file of a server because to ask it for so much would take too long.

use std::fs::File;
use std::path::Path;

use anyhow::ensure;
use sqlx::{Connection, SqliteConnection};

use crate::subject::Access;

/// Copies of a key and of its secret, whose ids end with a number in their place.
const KEYS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $2)
    INSERT OR IGNORE INTO access_keys (id, project_id, display_name, scopes, generation, addresses, created_by, created_at, updated_at)
    SELECT substr(id, 1, 30) || printf('%06x', n), project_id, 'copy ' || n, scopes, generation, addresses, created_by, created_at,
    updated_at FROM numbers, access_keys WHERE id = $1";
/// Under the id of its key, which no other secret has: the first one's own might be that of a copy.
const SECRETS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $2),
    copies (id, n) AS (SELECT substr($1, 1, 30) || printf('%06x', n), n FROM numbers)
    INSERT INTO key_secrets (id, key_id, hash, master, hint, created_at)
    SELECT copies.id, copies.id, hash, master, hint, created_at FROM copies, key_secrets WHERE key_id = $1";
/// Two thousand credentials in each of so many hours up to the present one.
const HOURS: &str = "WITH RECURSIVE
    hours (hour) AS (SELECT unixepoch() / 3600 * 3600000000 - ($3 - 1) * 3600000000
        UNION ALL SELECT hour + 3600000000 FROM hours WHERE hour + 3600000000 <= unixepoch() * 1000000),
    numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1999)
    INSERT INTO usage_hourly (account_id, hour, project_id, credential_id, product, calls, denied)
    SELECT $1, hour, $2, printf('00000000-0000-7000-8000-%012x', n), 'demo', n + 1, 0 FROM hours CROSS JOIN numbers";
const DAYS: &str = "INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied)
    SELECT account_id, hour - hour % 86400000000, project_id, credential_id, product, SUM(calls), SUM(denied)
    FROM usage_hourly WHERE credential_id LIKE '00000000-%' GROUP BY 1, 2, 3, 4, 5";
const TOTALS: &str = "INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied)
    SELECT account_id, day, project_id, product, SUM(calls), SUM(denied)
    FROM usage_daily WHERE credential_id LIKE '00000000-%' GROUP BY 1, 2, 3, 4
    ON CONFLICT (account_id, day, project_id, product) DO UPDATE SET calls = calls + excluded.calls,
    denied = denied + excluded.denied";
const MONTHS: &str = "INSERT INTO usage_monthly (account_id, month, project_id, credential_id, product, calls, denied)
    SELECT account_id, unixepoch(day / 1000000, 'unixepoch', 'start of month') * 1000000, project_id, credential_id, product,
    SUM(calls), SUM(denied) FROM usage_daily WHERE credential_id LIKE '00000000-%' GROUP BY 1, 2, 3, 4, 5";

/// Makes copies of the access key of `access`, `count` in all.
pub(crate) fn keys(database: &Path, access: &Access, count: u32) -> anyhow::Result<()> {
    let values = [access.key.clone(), count.to_string()];
    let rows = run(database, &[(KEYS, &values), (SECRETS, &values)])?;
    // One of the keys may be the first one itself.
    ensure!(rows[0] >= u64::from(count) - 1 && rows[1] == u64::from(count), "{rows:?} keys and secrets were written");
    Ok(())
}

/// Makes usage of `hours` hours: two thousand counters in each, and their sums by day and by month.
pub(crate) fn usage(database: &Path, account: &str, project: &str, hours: u32) -> anyhow::Result<()> {
    let values = [account.to_owned(), project.to_owned(), hours.to_string()];
    let rows = run(database, &[(HOURS, &values), (DAYS, &[]), (TOTALS, &[]), (MONTHS, &[])])?;
    ensure!(rows[0] == u64::from(hours) * 2_000, "{rows:?} rows were written");
    Ok(())
}

/// Runs statements with their values, and says how many rows each has written.
pub(crate) fn run(database: &Path, statements: &[(&'static str, &[String])]) -> anyhow::Result<Vec<u64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await?;
        sqlx::query("PRAGMA synchronous = OFF").execute(&mut connection).await?;
        let mut written = Vec::new();
        for (sql, values) in statements {
            let mut query = sqlx::query(*sql);
            for value in *values {
                // Numbers are bound as such: they are compared with numbers.
                query = match value.parse::<i64>() {
                    Ok(number) => query.bind(number),
                    Err(_) => query.bind(value),
                };
            }
            written.push(query.execute(&mut connection).await?.rows_affected());
        }
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
        connection.close().await?;
        // What the system wrote later would keep the disk busy while others are measured.
        File::open(database)?.sync_all()?;
        Ok(written)
    })
}
