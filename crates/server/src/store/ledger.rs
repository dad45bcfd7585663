//! The ledger's counters: stored batches are folded into those by hour, day and month, all or nothing. Denials have a
//! transaction of their own.

use std::borrow::Cow;

use serde::Serialize;
use tollgate_core::calendar::Month;
use tollgate_core::{AccountId, CredentialId, ProjectId, Timestamp};

use super::engine::{Sql, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

/// How many denials are kept per account.
pub(crate) const DENIALS_KEPT: i64 = 1_000;

statements! {
    // One hand-over to the connection's thread on SQLite, one round trip on PostgreSQL. $1 writer, $2 the last sequence that was
    // folded before, $3 counts, $4 last uses, $5 whole projects, $6 the last sequence that is in them. Where another sequence was
    // folded before, nothing is changed. The row tells the sequence that stands. An empty batch stays: see the journal's CANCEL.
    // Each count goes into the hour, the day, the month, and the day of its whole project, so that the four never differ.
    // PostgreSQL takes no row twice in one statement: hours of one day or month are summed first, and sorted, so that no two
    // writers lock each other out.
    FOLD = Sql {
        sqlite: "BEGIN IMMEDIATE;
            INSERT INTO usage_hourly (account_id, hour, project_id, credential_id, product, calls, denied)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
            FROM json_each($3) WHERE EXISTS (SELECT 1 FROM ledger_writers WHERE writer = $1 AND sequence = $2)
            ON CONFLICT (account_id, hour, project_id, credential_id, product)
            DO UPDATE SET calls = calls + excluded.calls, denied = denied + excluded.denied;
            INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied)
            SELECT value ->> 0, (value ->> 1) - (value ->> 1) % 86400000000, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
            value ->> 6
            FROM json_each($3) WHERE EXISTS (SELECT 1 FROM ledger_writers WHERE writer = $1 AND sequence = $2)
            ON CONFLICT (account_id, day, project_id, credential_id, product)
            DO UPDATE SET calls = calls + excluded.calls, denied = denied + excluded.denied;
            INSERT INTO usage_monthly (account_id, month, project_id, credential_id, product, calls, denied)
            SELECT value ->> 0, value ->> 7, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
            FROM json_each($3) WHERE EXISTS (SELECT 1 FROM ledger_writers WHERE writer = $1 AND sequence = $2)
            ON CONFLICT (account_id, month, project_id, credential_id, product)
            DO UPDATE SET calls = calls + excluded.calls, denied = denied + excluded.denied;
            INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
            FROM json_each($5) WHERE EXISTS (SELECT 1 FROM ledger_writers WHERE writer = $1 AND sequence = $2)
            ON CONFLICT (account_id, day, project_id, product)
            DO UPDATE SET calls = calls + excluded.calls, denied = denied + excluded.denied;
            INSERT INTO credential_activity (id, credential_id, used_at, address, agent)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
            FROM json_each($4) WHERE EXISTS (SELECT 1 FROM ledger_writers WHERE writer = $1 AND sequence = $2)
            ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at, address = excluded.address, agent = excluded.agent;
            UPDATE ledger_writers SET sequence = $6 WHERE writer = $1 AND sequence = $2;
            DELETE FROM usage_journal WHERE writer = $1 AND batch <> '[]'
            AND sequence <= (SELECT sequence FROM ledger_writers WHERE writer = $1);
            SELECT sequence FROM ledger_writers WHERE writer = $1;
            COMMIT",
        postgres: "WITH advanced AS (
            UPDATE ledger_writers SET sequence = $6 WHERE writer = $1 AND sequence = $2 RETURNING sequence),
            emptied AS (
            DELETE FROM usage_journal WHERE writer = $1 AND batch <> '[]' AND sequence <= (SELECT sequence FROM advanced)),
            counts AS (
            SELECT row ->> 0 AS account_id, CAST(row ->> 1 AS BIGINT) AS hour,
            CAST(row ->> 1 AS BIGINT) - CAST(row ->> 1 AS BIGINT) % 86400000000 AS day, row ->> 2 AS project_id,
            row ->> 3 AS credential_id, row ->> 4 AS product, CAST(row ->> 5 AS BIGINT) AS calls,
            CAST(row ->> 6 AS BIGINT) AS denied, CAST(row ->> 7 AS BIGINT) AS month
            FROM advanced, jsonb_array_elements(CAST(CAST($3 AS TEXT) AS JSONB)) AS rows (row)),
            counted AS (
            INSERT INTO usage_hourly (account_id, hour, project_id, credential_id, product, calls, denied)
            SELECT account_id, hour, project_id, credential_id, product, calls, denied FROM counts
            ON CONFLICT (account_id, hour, project_id, credential_id, product)
            DO UPDATE SET calls = usage_hourly.calls + excluded.calls, denied = usage_hourly.denied + excluded.denied),
            by_day AS (
            INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied)
            SELECT account_id, day, project_id, credential_id, product, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT)
            FROM counts GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (account_id, day, project_id, credential_id, product)
            DO UPDATE SET calls = usage_daily.calls + excluded.calls, denied = usage_daily.denied + excluded.denied),
            by_month AS (
            INSERT INTO usage_monthly (account_id, month, project_id, credential_id, product, calls, denied)
            SELECT account_id, month, project_id, credential_id, product, CAST(SUM(calls) AS BIGINT), CAST(SUM(denied) AS BIGINT)
            FROM counts GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (account_id, month, project_id, credential_id, product)
            DO UPDATE SET calls = usage_monthly.calls + excluded.calls, denied = usage_monthly.denied + excluded.denied),
            totals AS (
            INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied)
            SELECT row ->> 0, CAST(row ->> 1 AS BIGINT), row ->> 2, row ->> 3, CAST(row ->> 4 AS BIGINT), CAST(row ->> 5 AS BIGINT)
            FROM advanced, jsonb_array_elements(CAST(CAST($5 AS TEXT) AS JSONB)) AS rows (row)
            ON CONFLICT (account_id, day, project_id, product)
            DO UPDATE SET calls = usage_daily_totals.calls + excluded.calls, denied = usage_daily_totals.denied + excluded.denied),
            touched AS (
            INSERT INTO credential_activity (id, credential_id, used_at, address, agent)
            SELECT row ->> 0, row ->> 1, CAST(row ->> 2 AS BIGINT), row ->> 3, row ->> 4
            FROM advanced, jsonb_array_elements(CAST(CAST($4 AS TEXT) AS JSONB)) AS rows (row)
            ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at, address = excluded.address, agent = excluded.agent)
            SELECT MAX(sequence) FROM (SELECT sequence FROM advanced UNION ALL
            SELECT sequence FROM ledger_writers WHERE writer = $1) AS standing",
    };
    INSERT_DENIALS = Sql {
        sqlite: "INSERT INTO denials (request_id, account_id, project_id, credential_id, product, at, method, path, address, reason, message)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
            value ->> 8, value ->> 9, value ->> 10 FROM json_each($1) WHERE true ON CONFLICT (request_id) DO NOTHING",
        postgres: "INSERT INTO denials (request_id, account_id, project_id, credential_id, product, at, method, path, address, reason, message)
            SELECT row ->> 0, row ->> 1, row ->> 2, row ->> 3, row ->> 4, CAST(row ->> 5 AS BIGINT), row ->> 6, row ->> 7,
            row ->> 8, row ->> 9, row ->> 10
            FROM jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB)) AS rows (row) ON CONFLICT (request_id) DO NOTHING",
    };
    FORGET_DENIALS = Sql::both(
        "DELETE FROM denials WHERE account_id = $1 AND request_id <= (
         SELECT request_id FROM denials WHERE account_id = $1 ORDER BY request_id DESC LIMIT 1 OFFSET $2)");
}

/// One counter's growth: account, hour, project, credential, product, calls, denied, and the month that holds the hour.
/// Serialized as an array.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CountRow<'a>(
    pub(crate) AccountId,
    pub(crate) i64,
    pub(crate) ProjectId,
    pub(crate) CredentialId,
    pub(crate) Cow<'a, str>,
    pub(crate) i64,
    pub(crate) i64,
    i64,
);

impl<'a> CountRow<'a> {
    /// The growth of a counter in one hour.
    pub(crate) fn new(
        (account, project, credential): (AccountId, ProjectId, CredentialId),
        product: Cow<'a, str>,
        hour: i64,
        (calls, denied): (i64, i64),
    ) -> Self {
        let month = Month::of(Timestamp(hour)).start().0;
        Self(account, hour, project, credential, product, calls, denied, month)
    }

    fn counter(&self) -> (AccountId, i64, ProjectId, CredentialId, &str) {
        (self.0, self.1, self.2, self.3, &self.4)
    }
}

/// A last use: row id, credential, instant, address, agent. Serialized as an array.
#[derive(Debug, Serialize)]
pub(crate) struct TouchRow<'a>(
    pub(crate) String,
    pub(crate) CredentialId,
    pub(crate) i64,
    pub(crate) &'a str,
    pub(crate) &'a str,
);

/// A denial, to be explained later under its request id.
#[derive(Debug, Clone)]
pub struct DenialRow {
    /// The request.
    pub request: String,
    /// Whose credential it was; empty when no account is known.
    pub account: String,
    /// The credential's project, if known.
    pub project: String,
    /// The KEY ID or SERVICE PLAN ID, if known.
    pub credential: String,
    /// The product, if the route has one.
    pub product: String,
    /// When.
    pub at: Timestamp,
    /// The call's method.
    pub method: String,
    /// The call's path without query.
    pub path: String,
    /// Where it came from.
    pub address: String,
    /// The reason as a word.
    pub reason: String,
    /// The reason as the client was told.
    pub message: String,
}

impl DenialRow {
    fn columns(&self) -> (&str, &str, &str, &str, &str, i64, &str, &str, &str, &str, &str) {
        let Self { request, account, project, credential, product, at, method, path, address, reason, message } = self;
        (request, account, project, credential, product, at.0, method, path, address, reason, message)
    }
}

impl Store {
    /// Folds the counts of stored batches into the counters: those of `writer` behind the first sequence, up to the second.
    /// Returns the sequence up to which they are folded now; another than the second one says that this did nothing, because
    /// the batches behind the first were folded before.
    pub(crate) async fn fold(
        &self,
        writer: &str,
        (after, through): (i64, i64),
        counts: Vec<CountRow<'_>>,
        touches: &[TouchRow<'_>],
    ) -> Result<i64, StoreError> {
        let counts = summed(counts);
        let totals = totals(&counts);
        let values = args![writer, after, json(&counts), json(touches), json(&totals), through];
        let row = self.engine.batch(FOLD, values).await?;
        let standing = row.map(|row| row.maybe_int(0)).transpose()?.flatten();
        let standing = standing.ok_or(StoreError::Corrupt("the ledger's writer is gone"))?;
        if let Some(file) = &self.journal {
            file.folded(writer, standing);
        }
        Ok(standing)
    }

    /// Remembers denials, and forgets those beyond each account's number.
    pub(crate) async fn insert_denials(&self, denials: &[DenialRow]) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Ledger).await?;
        let rows: Vec<_> = denials.iter().map(DenialRow::columns).collect();
        tx.execute(INSERT_DENIALS, args![json(&rows)]).await?;
        let accounts: std::collections::BTreeSet<&str> = denials.iter().map(|denial| &*denial.account).collect();
        for account in accounts {
            tx.execute(FORGET_DENIALS, args![account, DENIALS_KEPT]).await?;
        }
        tx.commit().await
    }
}

/// One row for each counter and hour, in one order in every transaction, so that no two ever wait for each other.
fn summed(mut counts: Vec<CountRow<'_>>) -> Vec<CountRow<'_>> {
    counts.sort_by(|one, other| one.counter().cmp(&other.counter()));
    counts.dedup_by(|later, earlier| {
        let same = later.counter() == earlier.counter();
        if same {
            earlier.5 += later.5;
            earlier.6 += later.6;
        }
        same
    });
    counts
}

/// What a batch adds to whole projects: account, day, project, product, calls, denied. Summed here, since a batch has many keys
/// of few projects.
fn totals<'a>(counts: &'a [CountRow<'_>]) -> Vec<(AccountId, i64, ProjectId, &'a str, i64, i64)> {
    let mut sums = std::collections::BTreeMap::new();
    for CountRow(account, hour, project, _, product, calls, denied, _) in counts {
        let sum: &mut (i64, i64) = sums.entry((*account, Timestamp(*hour).day().0, *project, &**product)).or_default();
        sum.0 += calls;
        sum.1 += denied;
    }
    let row = |((account, day, project, product), (calls, denied))| (account, day, project, product, calls, denied);
    sums.into_iter().map(row).collect()
}

pub(super) fn json<T: Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).expect("rows of texts and numbers are JSON")
}
