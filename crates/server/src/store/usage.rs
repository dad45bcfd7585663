//! Usage, summed from the counters by day for the whole days of a period, and from those by hour for what lies before and after
//! them; of keys from those by month for the whole months.

use std::collections::BTreeMap;

use tollgate_core::calendar::Month;
use tollgate_core::{AccountId, ProjectId, Timestamp};

use super::engine::{Row, Sql, statements};
use super::value::args;
use super::{Store, StoreError};

/// The sums of one account ($1) from $2 up to, not including, $3, in a project ($4) and its subprojects where that is not
/// empty; with the most calls first where $5 is 1; $6 of them from the one numbered $7 on.
macro_rules! sums {
    ($group:literal, $table:literal, $time:literal) => {
        sums!($group, $table, $time, $group)
    };
    ($shown:literal, $table:literal, $time:literal, $group:literal) => {
        Sql::both(concat!(
            "SELECT ",
            $shown,
            ", CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT), CAST(SUM(units) AS BIGINT) FROM ",
            $table,
            " WHERE account_id = $1 AND ",
            $time,
            " >= $2 AND ",
            $time,
            " < $3 AND (CAST($4 AS TEXT) = '' OR project_id IN (
              SELECT id FROM projects WHERE id = CAST($4 AS TEXT) OR parent_id = CAST($4 AS TEXT))) GROUP BY ",
            $group,
            " ORDER BY CASE WHEN CAST($5 AS BIGINT) = 1 THEN SUM(calls) ELSE 0 END DESC, ",
            $group,
            " LIMIT $6 OFFSET $7"
        ))
    };
}

statements! {
    HOURS_BY_PROJECT = sums!("project_id", "usage_hourly", "hour");
    HOURS_BY_KEY = sums!("credential_id", "usage_hourly", "hour");
    HOURS_BY_PRODUCT = sums!("product", "usage_hourly", "hour");
    HOURS = sums!("CAST(hour AS TEXT)", "usage_hourly", "hour", "hour");
    HOURS_BY_DAY = sums!(
        "CAST(hour / 86400000000 * 86400000000 AS TEXT)", "usage_hourly", "hour", "hour / 86400000000");
    DAYS_BY_PROJECT = sums!("project_id", "usage_daily_totals", "day");
    DAYS_BY_KEY = sums!("credential_id", "usage_daily", "day");
    MONTHS_BY_KEY = sums!("credential_id", "usage_monthly", "month");
    DAYS_BY_PRODUCT = sums!("product", "usage_daily_totals", "day");
    DAYS = sums!("CAST(day AS TEXT)", "usage_daily_totals", "day", "day");
    BY_PROJECT_AND_PRODUCT = Sql::both(
        "SELECT project_id, product, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT), CAST(SUM(units) AS BIGINT)
         FROM usage_daily_totals WHERE account_id = $1 AND day >= $2 AND day < $3 GROUP BY project_id, product ORDER BY project_id, product");
    CREDENTIALS_NAMED = Sql {
        sqlite: "SELECT id, display_name, CASE WHEN deleted_at IS NULL THEN '' ELSE 'Deleted' END, project_id FROM access_keys
            WHERE id IN (SELECT value FROM json_each($1))
            UNION ALL SELECT id, display_name, CASE WHEN deleted_at IS NULL THEN '' ELSE 'Deleted' END, project_id
            FROM service_plans WHERE id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT id, display_name, CASE WHEN deleted_at IS NULL THEN '' ELSE 'Deleted' END, project_id FROM access_keys
            WHERE id IN (SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)))
            UNION ALL SELECT id, display_name, CASE WHEN deleted_at IS NULL THEN '' ELSE 'Deleted' END, project_id
            FROM service_plans WHERE id IN (SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)))",
    };
    PROJECTS_NAMED = Sql {
        sqlite: "SELECT id, display_name, CASE WHEN archived_at IS NULL THEN '' WHEN parent_id IS NULL THEN 'Archived'
            ELSE 'Deleted' END, id FROM projects WHERE id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT id, display_name, CASE WHEN archived_at IS NULL THEN '' WHEN parent_id IS NULL THEN 'Archived'
            ELSE 'Deleted' END, id FROM projects
            WHERE id IN (SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)))",
    };
}

/// By what usage is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// By project and subproject.
    Project,
    /// By access key and service plan.
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
    /// Units that the APIs behind have reported.
    pub units: i64,
}

impl UsageSum {
    /// A sum of nothing yet.
    pub(crate) fn nothing(group: String) -> Self {
        Self { group, calls: 0, denied: 0, units: 0 }
    }

    /// Adds another sum to this one.
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.denied += other.denied;
        self.units += other.units;
    }
}

/// What is summed: an account's usage, or that of one project and its subprojects, in the hours from `from` up to, not
/// including, `to`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UsageRange {
    pub(crate) account: AccountId,
    pub(crate) within: Option<ProjectId>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Which of the sums are wanted, and in which order.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The most calls first, else by group.
    pub most_first: bool,
    /// How many.
    pub limit: i64,
    /// How many are passed over.
    pub offset: i64,
}

impl Slice {
    /// All of them by group.
    pub const ALL: Self = Self { most_first: false, limit: i64::MAX, offset: 0 };
}

/// A name of something that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedName {
    /// The display name.
    pub name: String,
    /// `Deleted`, `Archived`, or empty while it is live.
    pub gone: &'static str,
    /// The project of a key or service plan; a project's own id.
    pub project: String,
}

impl Store {
    /// The sums of a range.
    pub(crate) async fn usage(
        &self,
        range: &UsageRange,
        grouping: Grouping,
        slice: Slice,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let parts = parts(grouping, range.from, range.to);
        if let [(sql, from, to)] = *parts {
            return self.sums(sql, &UsageRange { from, to, ..*range }, slice).await;
        }
        let mut groups: BTreeMap<String, UsageSum> = BTreeMap::new();
        for (sql, from, to) in parts {
            for sum in self.sums(sql, &UsageRange { from, to, ..*range }, Slice::ALL).await? {
                let all = groups.entry(sum.group.clone()).or_insert_with(|| UsageSum::nothing(sum.group.clone()));
                all.add(&sum);
            }
        }
        let mut sums: Vec<UsageSum> = groups.into_values().collect();
        if slice.most_first {
            // Stable: equal ones stay in the order of their groups, as in the database.
            sums.sort_by_key(|sum| std::cmp::Reverse(sum.calls));
        }
        let count = |number: i64| usize::try_from(number).unwrap_or(0);
        Ok(sums.into_iter().skip(count(slice.offset)).take(count(slice.limit)).collect())
    }

    async fn sums(&self, sql: Sql, range: &UsageRange, slice: Slice) -> Result<Vec<UsageSum>, StoreError> {
        let within = range.within.map(|id| id.to_string()).unwrap_or_default();
        let Slice { most_first, limit, offset } = slice;
        let values = args![range.account, range.from, range.to, within, i64::from(most_first), limit, offset];
        let rows = self.engine.rows(sql, values).await?;
        rows.iter().map(|row| read_sum(row, 0)).collect()
    }

    /// An account's usage on whole days by project and product.
    pub(crate) async fn usage_by_project_and_product(
        &self,
        account: AccountId,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<(String, UsageSum)>, StoreError> {
        let rows = self.engine.rows(BY_PROJECT_AND_PRODUCT, args![account, from, to]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, read_sum(row, 1)?))).collect()
    }

    /// Names of access keys and service plans, deleted ones too: usage outlives its credential.
    pub(crate) async fn credential_names(&self, ids: &[&str]) -> Result<Vec<(String, UsedName)>, StoreError> {
        self.used_names(CREDENTIALS_NAMED, ids).await
    }

    /// Names of projects and subprojects, archived ones too.
    pub(crate) async fn project_names(&self, ids: &[&str]) -> Result<Vec<(String, UsedName)>, StoreError> {
        self.used_names(PROJECTS_NAMED, ids).await
    }

    async fn used_names(&self, sql: Sql, ids: &[&str]) -> Result<Vec<(String, UsedName)>, StoreError> {
        let ids = serde_json::json!(ids).to_string();
        let read = |row: &Row| {
            let gone = match &*row.text(2)? {
                "Deleted" => "Deleted",
                "Archived" => "Archived",
                _ => "",
            };
            Ok((row.text(0)?, UsedName { name: row.text(1)?, gone, project: row.text(3)? }))
        };
        self.engine.rows(sql, args![ids]).await?.iter().map(read).collect()
    }
}

/// Group, calls, denied and units, from this column on.
fn read_sum(row: &Row, column: usize) -> Result<UsageSum, StoreError> {
    Ok(UsageSum {
        group: row.text(column)?,
        calls: row.int(column + 1)?,
        denied: row.int(column + 2)?,
        units: row.int(column + 3)?,
    })
}

/// A period in parts, each with the statement that sums it up. To sum the hours of weeks takes a database many times as long as
/// to sum their days, and so do the days of years of many keys beside their months: more than it is given.
fn parts(grouping: Grouping, from: Timestamp, to: Timestamp) -> Vec<(Sql, Timestamp, Timestamp)> {
    let (hours, days) = match grouping {
        Grouping::Project => (HOURS_BY_PROJECT, DAYS_BY_PROJECT),
        Grouping::Key => (HOURS_BY_KEY, DAYS_BY_KEY),
        Grouping::Product => (HOURS_BY_PRODUCT, DAYS_BY_PRODUCT),
        Grouping::Day => (HOURS_BY_DAY, DAYS),
        Grouping::Hour => return vec![(HOURS, from, to)],
    };
    let first_day = if from == from.day() { from } else { Timestamp(from.day().0 + Timestamp::DAY) };
    let last_day = to.day();
    if first_day >= last_day {
        return vec![(hours, from, to)];
    }
    let month = Month::of(first_day);
    let first_month = if month.start() == first_day { first_day } else { month.plus(1).start() };
    let last_month = Month::of(last_day).start();
    let mut all = vec![(hours, from, first_day)];
    if grouping == Grouping::Key && first_month < last_month {
        all.extend([
            (days, first_day, first_month),
            (MONTHS_BY_KEY, first_month, last_month),
            (days, last_month, last_day),
        ]);
    } else {
        all.push((days, first_day, last_day));
    }
    all.push((hours, last_day, to));
    all.retain(|(_, from, to)| from < to);
    all
}
