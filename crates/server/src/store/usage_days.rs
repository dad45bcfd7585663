//! Calls per day, for drawings: one row per key or project, with all its days in one text.

use tollgate_core::{AccountId, KeyId, ProjectId, Timestamp};

use super::engine::{Row, Sql, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    // Day by day and project by project, since the counters lie in this order: only rows that are wanted are read. $1 account,
    // $2 first day, $3 first day that is not wanted, $4 project, $5 and $6 first and last key.
    KEYS_BY_DAY = Sql {
        sqlite: "WITH RECURSIVE days (day) AS (
            SELECT $2 UNION ALL SELECT day + 86400000000 FROM days WHERE day + 86400000000 < $3),
            reached (id) AS MATERIALIZED (SELECT id FROM projects WHERE id = $4 OR parent_id = $4)
            SELECT credential_id, group_concat(days.day || ' ' || calls) FROM days CROSS JOIN reached CROSS JOIN usage_daily AS used
            WHERE used.account_id = $1 AND used.day = days.day AND used.project_id = reached.id
            AND credential_id >= $5 AND credential_id <= $6 GROUP BY credential_id",
        postgres: "WITH RECURSIVE days (day) AS (
            SELECT CAST($2 AS BIGINT) UNION ALL SELECT day + 86400000000 FROM days WHERE day + 86400000000 < $3)
            SELECT credential_id, string_agg(days.day || ' ' || calls, ',') FROM days
            JOIN usage_daily AS used ON used.account_id = $1 AND used.day = days.day
            WHERE project_id IN (SELECT id FROM projects WHERE id = $4 OR parent_id = $4)
            AND credential_id >= $5 AND credential_id <= $6 GROUP BY credential_id",
    };
    PROJECTS_BY_DAY = Sql {
        sqlite: "WITH RECURSIVE days (day) AS (
            SELECT $2 UNION ALL SELECT day + 86400000000 FROM days WHERE day + 86400000000 < $3)
            SELECT project_id, group_concat(days.day || ' ' || calls) FROM days CROSS JOIN usage_daily_totals AS used
            WHERE used.account_id = $1 AND used.day = days.day AND project_id >= $4 AND project_id <= $5 GROUP BY project_id",
        postgres: "WITH RECURSIVE days (day) AS (
            SELECT CAST($2 AS BIGINT) UNION ALL SELECT day + 86400000000 FROM days WHERE day + 86400000000 < $3)
            SELECT project_id, string_agg(days.day || ' ' || calls, ',') FROM days
            JOIN usage_daily_totals AS used ON used.account_id = $1 AND used.day = days.day
            WHERE project_id >= $4 AND project_id <= $5 GROUP BY project_id",
    };
}

/// The calls of one key or project on days that had some, in no order; a day may occur more than once.
pub(crate) type Days = Vec<(Timestamp, i64)>;

impl Store {
    /// The calls of a project's keys from `first` to `last`, in the project and its subprojects.
    pub(crate) async fn keys_by_day(
        &self,
        account: AccountId,
        project: ProjectId,
        (first, last): (KeyId, KeyId),
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<(String, Days)>, StoreError> {
        let rows = self.engine.rows(KEYS_BY_DAY, args![account, from, to, project, first, last]).await?;
        rows.iter().map(read).collect()
    }

    /// The calls in an account's projects and subprojects from `first` to `last`, each by itself.
    pub(crate) async fn projects_by_day(
        &self,
        account: AccountId,
        (first, last): (ProjectId, ProjectId),
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<(String, Days)>, StoreError> {
        let rows = self.engine.rows(PROJECTS_BY_DAY, args![account, from, to, first, last]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<(String, Days), StoreError> {
    let pair = |text: &str| {
        let (day, calls) = text.split_once(' ')?;
        Some((Timestamp(day.parse().ok()?), calls.parse().ok()?))
    };
    let days: Option<Days> = row.text(1)?.split(',').map(pair).collect();
    Ok((row.text(0)?, days.ok_or(StoreError::Corrupt("calls by day cannot be read"))?))
}
