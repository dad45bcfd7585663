//! Units other than calls: the ids of the events that reported them, and the counters, in one transaction.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use tollgate_core::calendar::Month;
use tollgate_core::{AccountId, CredentialId, KeyId, PlanId, ProjectId, Timestamp};

use super::engine::{Sql, Tx, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

/// Adds the rows $1 (account, time, project, credential, product, units) to the counters of a table.
macro_rules! of_credentials {
    ($table:literal, $time:literal) => {
        Sql {
            sqlite: concat!(
                "INSERT INTO ", $table, " (account_id, ", $time, ", project_id, credential_id, product, calls, denied, units)
                SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, 0, 0, value ->> 5
                FROM json_each($1) WHERE true ON CONFLICT (account_id, ", $time, ", project_id, credential_id, product)
                DO UPDATE SET units = units + excluded.units"
            ),
            postgres: concat!(
                "INSERT INTO ", $table, " (account_id, ", $time, ", project_id, credential_id, product, calls, denied, units)
                SELECT row ->> 0, CAST(row ->> 1 AS BIGINT), row ->> 2, row ->> 3, row ->> 4, 0, 0, CAST(row ->> 5 AS BIGINT)
                FROM jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB)) AS rows (row)
                ON CONFLICT (account_id, ", $time, ", project_id, credential_id, product)
                DO UPDATE SET units = ", $table, ".units + excluded.units"
            ),
        }
    };
}

statements! {
    // The rows that are new come back: one that another transaction is just writing is waited for.
    NEW_EVENTS = Sql {
        sqlite: "INSERT INTO usage_events (reporter_id, source, id, counted_at) SELECT $1, value ->> 0, value ->> 1, $3
            FROM json_each($2) WHERE true ON CONFLICT (reporter_id, source, id) DO NOTHING RETURNING source, id",
        postgres: "INSERT INTO usage_events (reporter_id, source, id, counted_at) SELECT $1, row ->> 0, row ->> 1, $3
            FROM jsonb_array_elements(CAST(CAST($2 AS TEXT) AS JSONB)) AS rows (row)
            ON CONFLICT (reporter_id, source, id) DO NOTHING RETURNING source, id",
    };
    HOURS = of_credentials!("usage_hourly", "hour");
    DAYS = of_credentials!("usage_daily", "day");
    MONTHS = of_credentials!("usage_monthly", "month");
    TOTALS = Sql {
        sqlite: "INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied, units) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0, 0, value ->> 4 FROM json_each($1) WHERE true
            ON CONFLICT (account_id, day, project_id, product) DO UPDATE SET units = units + excluded.units",
        postgres: "INSERT INTO usage_daily_totals (account_id, day, project_id, product, calls, denied, units) SELECT row ->> 0, CAST(row ->> 1 AS BIGINT), row ->> 2, row ->> 3, 0, 0, CAST(row ->> 4 AS BIGINT)
            FROM jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB)) AS rows (row)
            ON CONFLICT (account_id, day, project_id, product) DO UPDATE SET units = usage_daily_totals.units + excluded.units",
    };
    FORGET_EVENTS = Sql::both("DELETE FROM usage_events WHERE counted_at <= $1");
    PROJECT_OF_KEY = Sql::both("SELECT project_id FROM access_keys WHERE id = $1");
    PROJECT_OF_PLAN = Sql::both("SELECT project_id FROM service_plans WHERE id = $1");
}

/// Units that an API reports, checked.
#[derive(Debug, Clone)]
pub(crate) struct UnitsRow {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) account: AccountId,
    pub(crate) project: ProjectId,
    pub(crate) credential: CredentialId,
    pub(crate) product: String,
    pub(crate) at: Timestamp,
    pub(crate) quantity: i64,
}

/// The rows of one table, summed and in one order, so that no two transactions wait for each other.
type Sums<'a, K> = BTreeMap<K, i64>;
type OfCredential<'a> = (AccountId, i64, ProjectId, CredentialId, &'a str);

impl Store {
    /// Counts what was not counted before under its (source, id) of this reporter, and says how many events that were. Ids and
    /// counters are written together or not at all.
    pub(crate) async fn count_units(
        &self,
        reporter: AccountId,
        rows: &[UnitsRow],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut first = BTreeMap::new();
        for row in rows {
            first.entry((&*row.source, &*row.id)).or_insert(row);
        }
        let mut tx = self.engine.begin(Writer::Ledger).await?;
        let ids: Vec<_> = first.keys().collect();
        let mut new = HashSet::new();
        for row in tx.rows(NEW_EVENTS, args![reporter, json(&ids), now]).await? {
            new.insert((row.text(0)?, row.text(1)?));
        }
        first.retain(|(source, id), _| new.contains(&((*source).to_owned(), (*id).to_owned())));
        if !first.is_empty() {
            tx.add_units(first.values().copied()).await?;
        }
        tx.commit().await?;
        Ok(first.len())
    }

    /// Forgets the ids of events that were counted up to here.
    pub(crate) async fn forget_usage_events(&self, counted_up_to: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Ledger).await?;
        tx.execute(FORGET_EVENTS, args![counted_up_to]).await?;
        tx.commit().await
    }

    /// The project of a key, also of one that was deleted.
    pub(crate) async fn project_of_key(&self, id: KeyId) -> Result<Option<ProjectId>, StoreError> {
        self.engine.row(PROJECT_OF_KEY, args![id]).await?.map(|row| row.parsed(0)).transpose()
    }

    /// The project of a service plan, also of one that was deleted.
    pub(crate) async fn project_of_plan(&self, id: PlanId) -> Result<Option<ProjectId>, StoreError> {
        self.engine.row(PROJECT_OF_PLAN, args![id]).await?.map(|row| row.parsed(0)).transpose()
    }
}

impl Tx<'_> {
    /// Tables in the order in which PostgreSQL runs the parts of the ledger's statement: the last one first.
    async fn add_units<'a>(&mut self, rows: impl Iterator<Item = &'a UnitsRow> + Clone) -> Result<(), StoreError> {
        let mut totals: Sums<'a, (AccountId, i64, ProjectId, &'a str)> = BTreeMap::new();
        let [mut hours, mut days, mut months]: [Sums<'a, OfCredential<'a>>; 3] = Default::default();
        for row in rows {
            let whose = |at: Timestamp| (row.account, at.0, row.project, row.credential, &*row.product);
            *totals.entry((row.account, row.at.day().0, row.project, &*row.product)).or_default() += row.quantity;
            *months.entry(whose(Month::of(row.at).start())).or_default() += row.quantity;
            *days.entry(whose(row.at.day())).or_default() += row.quantity;
            *hours.entry(whose(row.at.hour())).or_default() += row.quantity;
        }
        let totals: Vec<_> = totals
            .into_iter()
            .map(|((account, day, project, product), sum)| (account, day, project, product, sum))
            .collect();
        self.execute(TOTALS, args![json(&totals)]).await?;
        for (sql, sums) in [(MONTHS, months), (DAYS, days), (HOURS, hours)] {
            let rows: Vec<_> = sums
                .into_iter()
                .map(|((account, at, project, credential, product), sum)| {
                    (account, at, project, credential, product, sum)
                })
                .collect();
            self.execute(sql, args![json(&rows)]).await?;
        }
        Ok(())
    }
}

fn json<T: Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).expect("rows of texts and numbers are JSON")
}
