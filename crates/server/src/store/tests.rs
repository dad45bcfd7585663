//! The contract of both engines that only the store itself can see: statements, schemas, and batches that count once.

use std::collections::BTreeMap;

use sqlx::{Executor as _, SqlSafeStr as _};
use tollgate_core::calendar::Month;
use tollgate_core::random::SystemRandom;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId, Timestamp};

use super::engine::{Engine, Sql};
use super::ledger::CountRow;
use super::usage::{Grouping, Slice, UsageRange};
use super::{Location, Store, statements};

#[path = "../../tests/it/postgres.rs"]
pub(crate) mod postgres;

/// A new store on SQLite. The directory lives as long as the test.
pub(crate) async fn on_sqlite() -> (Store, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("tollgate.db");
    let store = Store::open(&Location::Sqlite { file, synced_ledger: true }).await;
    (store.expect("a new file"), directory)
}

/// A new store on PostgreSQL.
pub(crate) async fn on_postgres() -> Store {
    Store::open(&Location::Postgres { url: postgres::schema().await }).await.expect("a new schema")
}

#[tokio::test]
async fn every_statement_is_prepared_on_both_engines() {
    let (sqlite, _directory) = on_sqlite().await;
    let postgres = on_postgres().await;
    let (Engine::Sqlite { identity, .. }, Engine::Postgres { pool, .. }) = (&sqlite.engine, &postgres.engine) else {
        panic!("one store of each kind");
    };
    let mut identity = identity.acquire().await.expect("a connection");
    let mut pool = pool.acquire().await.expect("a connection");
    let all = statements();
    assert!(all.len() > 40, "only {} statements were listed", all.len());
    for (name, sql) in all {
        let prepared = identity.prepare(sql.sqlite.into_sql_str()).await;
        prepared.map(|_| ()).unwrap_or_else(|error| panic!("{name} on SQLite: {error}"));
        let prepared = pool.prepare(sql.postgres.into_sql_str()).await;
        prepared.map(|_| ()).unwrap_or_else(|error| panic!("{name} on PostgreSQL: {error}"));
    }
}

/// `table.column TYPE required|optional place-in-the-primary-key`
const COLUMNS: Sql = Sql {
    sqlite: "SELECT tables.name || '.' || columns.name || ' ' || columns.type || ' '
        || CASE columns.\"notnull\" WHEN 1 THEN 'required' ELSE 'optional' END || ' ' || columns.pk
        FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%' AND tables.name NOT LIKE '%sqlx%'",
    postgres: "SELECT columns.table_name || '.' || columns.column_name || ' ' || upper(columns.data_type) || ' '
        || CASE columns.is_nullable WHEN 'NO' THEN 'required' ELSE 'optional' END || ' '
        || COALESCE((SELECT uses.ordinal_position FROM information_schema.key_column_usage AS uses
            JOIN information_schema.table_constraints AS kinds USING (constraint_schema, constraint_name)
            WHERE kinds.constraint_type = 'PRIMARY KEY' AND uses.table_schema = columns.table_schema
            AND uses.table_name = columns.table_name AND uses.column_name = columns.column_name), 0)
        FROM information_schema.columns AS columns
        WHERE columns.table_schema = current_schema() AND columns.table_name NOT LIKE '%sqlx%'",
};

/// `table index unique partial columns`
const INDEXES: Sql = Sql {
    sqlite: "SELECT tables.name || ' ' || list.name || ' ' || list.\"unique\" || ' ' || list.partial || ' '
        || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno))
        FROM sqlite_master AS tables JOIN pragma_index_list(tables.name) AS list
        WHERE tables.type = 'table' AND list.origin = 'c'",
    postgres: "SELECT tables.relname || ' ' || names.relname || ' ' || CAST(list.indisunique AS INTEGER) || ' '
        || CAST(list.indpred IS NOT NULL AS INTEGER) || ' '
        || (SELECT string_agg(columns.attname, ',' ORDER BY keys.place)
            FROM unnest(list.indkey) WITH ORDINALITY AS keys (number, place)
            JOIN pg_attribute AS columns ON columns.attrelid = tables.oid AND columns.attnum = keys.number)
        FROM pg_index AS list JOIN pg_class AS names ON names.oid = list.indexrelid
        JOIN pg_class AS tables ON tables.oid = list.indrelid
        JOIN pg_namespace AS schemas ON schemas.oid = tables.relnamespace
        WHERE schemas.nspname = current_schema() AND NOT list.indisprimary AND tables.relname NOT LIKE '%sqlx%'",
};

/// `table.column table.column`
const REFERENCES: Sql = Sql {
    sqlite: "SELECT tables.name || '.' || list.\"from\" || ' ' || list.\"table\" || '.' || list.\"to\"
        FROM sqlite_master AS tables JOIN pragma_foreign_key_list(tables.name) AS list WHERE tables.type = 'table'",
    postgres: "SELECT from_tables.relname || '.' || from_columns.attname || ' ' || to_tables.relname || '.' || to_columns.attname
        FROM pg_constraint AS list
        JOIN pg_class AS from_tables ON from_tables.oid = list.conrelid
        JOIN pg_class AS to_tables ON to_tables.oid = list.confrelid
        JOIN pg_attribute AS from_columns ON from_columns.attrelid = list.conrelid AND from_columns.attnum = list.conkey[1]
        JOIN pg_attribute AS to_columns ON to_columns.attrelid = list.confrelid AND to_columns.attnum = list.confkey[1]
        JOIN pg_namespace AS schemas ON schemas.oid = from_tables.relnamespace
        WHERE schemas.nspname = current_schema() AND list.contype = 'f'",
};

async fn lines(store: &Store, sql: Sql) -> Vec<String> {
    let rows = store.engine.rows(sql, &[]).await.expect("the catalogue answers");
    let mut lines: Vec<String> = rows.iter().map(|row| row.text(0).expect("a text")).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn the_two_schemas_are_alike() {
    let (sqlite, _directory) = on_sqlite().await;
    let postgres = on_postgres().await;
    let own = |line: String| line.replace(" INTEGER ", " BIGINT ").replace(" BLOB ", " BYTEA ");
    let columns: Vec<String> = lines(&sqlite, COLUMNS).await.into_iter().map(own).collect();
    assert_eq!(columns, lines(&postgres, COLUMNS).await);
    assert!(columns.contains(&"usage_hourly.hour BIGINT required 2".to_owned()), "{columns:#?}");
    assert!(columns.contains(&"usage_daily.day BIGINT required 2".to_owned()), "{columns:#?}");
    let indexes = lines(&sqlite, INDEXES).await;
    assert_eq!(indexes, lines(&postgres, INDEXES).await);
    assert!(
        indexes.contains(&"access_keys access_keys_by_name 1 1 project_id,display_name".to_owned()),
        "{indexes:#?}"
    );
    let references = lines(&sqlite, REFERENCES).await;
    assert_eq!(references, lines(&postgres, REFERENCES).await);
    assert!(references.contains(&"key_secrets.key_id access_keys.id".to_owned()), "{references:#?}");
}

/// What the hours say of each day, and what the days say; then the same of whole projects.
const DAYS_FROM_HOURS: [Sql; 4] = [
    Sql::both(
        "SELECT CONCAT_WS(' ', account_id, hour - hour % 86400000000, project_id, credential_id, product, SUM(calls), SUM(denied))
         FROM usage_hourly GROUP BY account_id, hour - hour % 86400000000, project_id, credential_id, product",
    ),
    Sql::both(
        "SELECT CONCAT_WS(' ', account_id, day, project_id, credential_id, product, calls, denied) FROM usage_daily",
    ),
    Sql::both(
        "SELECT CONCAT_WS(' ', account_id, hour - hour % 86400000000, project_id, product, SUM(calls), SUM(denied))
         FROM usage_hourly GROUP BY account_id, hour - hour % 86400000000, project_id, product",
    ),
    Sql::both("SELECT CONCAT_WS(' ', account_id, day, project_id, product, calls, denied) FROM usage_daily_totals"),
];

/// What the days and the months say of each key: day or month first, calls and denied last.
const DAYS_OF_KEYS: Sql = Sql::both(
    "SELECT CONCAT_WS(' ', day, account_id, project_id, credential_id, product, calls, denied) FROM usage_daily",
);
const MONTHS_OF_KEYS: Sql = Sql::both(
    "SELECT CONCAT_WS(' ', month, account_id, project_id, credential_id, product, calls, denied) FROM usage_monthly",
);

/// The sums of each key, by what `whole` makes of the instant.
async fn sums_by(store: &Store, sql: Sql, whole: fn(Timestamp) -> Timestamp) -> BTreeMap<(i64, String), (i64, i64)> {
    let mut sums = BTreeMap::<_, (i64, i64)>::new();
    for line in lines(store, sql).await {
        let mut words = line.split(' ');
        let number = |words: &mut std::str::Split<'_, char>| -> i64 {
            words.next().and_then(|word| word.parse().ok()).expect("a number")
        };
        let at = Timestamp(number(&mut words));
        let whose = words.by_ref().take(4).collect::<Vec<_>>().join(" ");
        let sum = sums.entry((whole(at).0, whose)).or_default();
        *sum = (sum.0 + number(&mut words), sum.1 + number(&mut words));
    }
    sums
}

/// The counters by day and by month say what the counters by hour say.
pub(crate) async fn assert_days_agree(store: &Store) {
    let by_day = sums_by(store, DAYS_OF_KEYS, |day| Month::of(day).start()).await;
    assert_eq!(by_day, sums_by(store, MONTHS_OF_KEYS, |month| month).await);
    let [by_hour, by_day, totals_by_hour, totals] = DAYS_FROM_HOURS;
    assert_eq!(lines(store, by_hour).await, lines(store, by_day).await);
    assert_eq!(lines(store, totals_by_hour).await, lines(store, totals).await);
}

/// The counters by hour: credential, hour, calls, denied.
pub(crate) async fn counters(store: &Store) -> Vec<String> {
    const COUNTERS: Sql = Sql::both("SELECT CONCAT_WS(' ', credential_id, hour, calls, denied) FROM usage_hourly");
    lines(store, COUNTERS).await
}

async fn hours_of_one_day_are_summed(store: &Store) {
    let (now, random) = (Timestamp::from_seconds(1_790_000_000), SystemRandom::default());
    let account = AccountId::new(now, &random);
    let projects = [ProjectId::new(now, &random), ProjectId::new(now, &random)];
    let keys = [KeyId::new(now, &random), KeyId::new(now, &random)];
    store.insert_writer("one", now).await.expect("a new writer");
    for sequence in 1..=3 {
        let mut counts = Vec::new();
        for hour in [-15 - 24 * 21, -15, -14, 0, 1, 9, 10] {
            for (project, key) in projects.into_iter().flat_map(|project| keys.map(|key| (project, key))) {
                for product in ["demo", "sms"] {
                    let at = now.hour().0 + hour * Timestamp::HOUR;
                    counts.push(CountRow::new(
                        (account, project, CredentialId::Key(key)),
                        product.into(),
                        at,
                        (hour, 1),
                    ));
                }
            }
        }
        let standing = store.fold("one", (sequence - 1, sequence), counts, &[]).await;
        assert_eq!(standing.expect("the store answers"), sequence);
        assert_days_agree(store).await;
    }
    let range = UsageRange { account, within: None, from: now.day(), to: Timestamp(now.day().0 + Timestamp::DAY) };
    let days = store.usage(&range, Grouping::Day, Slice::ALL).await.expect("usage");
    assert_eq!((days.len(), days[0].calls, days[0].denied), (1, 3 * 8 * (-14 + 1 + 9), 3 * 8 * 4), "14:13 is the time");
}

#[tokio::test]
async fn hours_and_days_agree_on_sqlite() {
    let (store, _directory) = on_sqlite().await;
    hours_of_one_day_are_summed(&store).await;
}

#[tokio::test]
async fn hours_and_days_agree_on_postgres() {
    hours_of_one_day_are_summed(&on_postgres().await).await;
}

async fn counts_a_batch_once(store: &Store) {
    let (now, random) = (Timestamp::from_seconds(1_790_000_000), SystemRandom::default());
    let account = AccountId::new(now, &random);
    let (project, key) = (ProjectId::new(now, &random), KeyId::new(now, &random));
    let batch = |calls| {
        vec![CountRow::new((account, project, CredentialId::Key(key)), "demo".into(), now.hour().0, (calls, 0))]
    };
    let calls = async || {
        let until = now.plus_seconds(3_600);
        assert_days_agree(store).await;
        let range = UsageRange { account, within: None, from: now.hour(), to: until };
        let sums = store.usage(&range, Grouping::Key, Slice::ALL).await.expect("usage");
        sums.iter().map(|sum| sum.calls).sum::<i64>()
    };
    let stored = async || {
        let unfolded = store.unfolded("one").await.expect("a known writer");
        let calls: Vec<i64> = unfolded.counts.iter().map(|row| row.5).collect();
        (unfolded.after, unfolded.through, calls)
    };
    let fold = async |after, through, calls| store.fold("one", (after, through), batch(calls), &[]).await;
    store.insert_writer("one", now).await.expect("a new writer");
    store.insert_writer("other", now).await.expect("a new writer");
    assert_eq!(stored().await, (0, 0, vec![]));
    for (sequence, calls) in [(1, 3), (1, 3), (2, 4), (1, 3)] {
        store.store_batch("one", sequence, &batch(calls)).await.expect("the store answers");
    }
    store.store_batch("other", 1, &batch(10)).await.expect("another writer has a sequence of its own");
    assert_eq!(stored().await, (0, 2, vec![3, 4]), "each once");
    assert_eq!(calls().await, 0);

    assert_eq!(fold(0, 2, 7).await.expect("the store answers"), 2);
    assert_eq!((calls().await, stored().await), (7, (2, 2, vec![])));
    for (after, through) in [(0, 2), (0, 3), (1, 3), (3, 4)] {
        assert_eq!(fold(after, through, 100).await.expect("the store answers"), 2, "another sequence stands");
    }
    assert!(store.fold("nobody", (0, 1), batch(5), &[]).await.is_err(), "a writer that is not known");
    assert_eq!(calls().await, 7);
    assert_eq!(store.writers_of_journal().await.expect("the store answers"), ["other"]);

    store.cancel_batch("one", 3).await.expect("the store answers");
    store.cancel_batch("one", 3).await.expect("twice is once");
    store.store_batch("one", 3, &batch(1_000)).await.expect("the store answers");
    store.store_batch("one", 4, &batch(1)).await.expect("the store answers");
    assert_eq!(stored().await, (2, 4, vec![1]), "what was cancelled cannot be stored any more");
    assert_eq!(fold(2, 4, 1).await.expect("the store answers"), 4);
    store.store_batch("one", 3, &batch(1_000)).await.expect("the store answers");
    assert_eq!((calls().await, stored().await), (8, (4, 4, vec![])), "not even after what came later was folded");
}

#[tokio::test]
async fn a_batch_that_is_sent_twice_counts_once_on_sqlite() {
    let (store, _directory) = on_sqlite().await;
    counts_a_batch_once(&store).await;
}

#[tokio::test]
async fn a_batch_that_is_sent_twice_counts_once_on_postgres() {
    counts_a_batch_once(&on_postgres().await).await;
}
