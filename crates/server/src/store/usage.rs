//! Usage, summed from the hourly counters.

use tollgate_core::{AccountId, Timestamp};

use super::engine::{Sql, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    BY_PROJECT = Sql::both(
        "SELECT project_id, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT) FROM usage_hourly
         WHERE account_id = $1 AND hour >= $2 AND hour < $3 GROUP BY project_id ORDER BY project_id");
    BY_KEY = Sql::both(
        "SELECT credential_id, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT) FROM usage_hourly
         WHERE account_id = $1 AND hour >= $2 AND hour < $3 GROUP BY credential_id ORDER BY credential_id");
    BY_PRODUCT = Sql::both(
        "SELECT product, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT) FROM usage_hourly
         WHERE account_id = $1 AND hour >= $2 AND hour < $3 GROUP BY product ORDER BY product");
    BY_HOUR = Sql::both(
        "SELECT CAST(hour AS TEXT), CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT) FROM usage_hourly
         WHERE account_id = $1 AND hour >= $2 AND hour < $3 GROUP BY hour ORDER BY hour");
    BY_DAY = Sql::both(
        "SELECT CAST(hour / 86400000000 * 86400000000 AS TEXT), CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT)
         FROM usage_hourly WHERE account_id = $1 AND hour >= $2 AND hour < $3
         GROUP BY hour / 86400000000 ORDER BY hour / 86400000000");
}

/// By what usage is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// By project and subproject.
    Project,
    /// By access key.
    Key,
    /// By product.
    Product,
    /// By day in UTC.
    Day,
    /// By hour in UTC.
    Hour,
}

/// One sum. `group` is an id, a product's name, or an instant in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSum {
    /// What is summed up.
    pub group: String,
    /// Calls that were let through: these are billed.
    pub calls: i64,
    /// Calls that were denied: never billed.
    pub denied: i64,
}

impl Store {
    /// An account's usage in the hours from `from` up to, not including, `to`.
    pub(crate) async fn usage(
        &self,
        account: AccountId,
        from: Timestamp,
        to: Timestamp,
        grouping: Grouping,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let sql = match grouping {
            Grouping::Project => BY_PROJECT,
            Grouping::Key => BY_KEY,
            Grouping::Product => BY_PRODUCT,
            Grouping::Day => BY_DAY,
            Grouping::Hour => BY_HOUR,
        };
        let rows = self.engine.rows(sql, args![account, from, to]).await?;
        rows.iter().map(|row| Ok(UsageSum { group: row.text(0)?, calls: row.int(1)?, denied: row.int(2)? })).collect()
    }
}
