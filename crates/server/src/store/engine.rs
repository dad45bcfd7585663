//! The only place that knows that there are two engines: pools, transactions, values and rows.

use std::future::Future;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Arguments as _, Database, Row as _, Transaction};
use tokio::sync::{Mutex, MutexGuard};
use tollgate_core::Timestamp;

use super::StoreError;
use super::value::Value;

/// A change that takes longer than this is given up, so that its caller hears 503 within two seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);
const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 10;

/// Where the data is.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// A file. `synced_ledger` makes each batch of counted calls survive a power cut.
    Sqlite {
        /// The database file.
        file: PathBuf,
        /// Whether the ledger's connection syncs each commit.
        synced_ledger: bool,
    },
    /// A PostgreSQL URL. Commits are always durable there.
    Postgres {
        /// `postgres://user:password@host/database`
        url: String,
    },
}

/// One statement, in one text for both engines or in one for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Sql {
    pub(crate) const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
}

/// Declares the statements of one file as constants, and lists them for the test that prepares them all.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: $crate::store::engine::Sql = $sql;)*
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, $crate::store::engine::Sql)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

fn arguments<DB: Database>(values: &[Value<'_>]) -> Result<DB::Arguments, StoreError>
where
    for<'t> Option<i64>: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
    for<'t> Option<String>: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
    for<'t> Vec<u8>: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        let added = match value {
            Value::Int(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_ref().map(|text| text.clone().into_owned())),
            Value::Blob(bytes) => arguments.add(bytes.to_vec()),
        };
        added.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    }
    Ok(arguments)
}

/// One row of either engine; columns by their place in the statement.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.maybe_int(column)?.ok_or(StoreError::Corrupt("a number is missing"))
    }

    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        let number = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        number.map_err(|_| StoreError::Corrupt("a column is not a number"))
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp)
    }

    pub(crate) fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(column)?.map(Timestamp))
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.maybe_text(column)?.ok_or(StoreError::Corrupt("a text is missing"))
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        let text = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        text.map_err(|_| StoreError::Corrupt("a column is not a text"))
    }

    pub(crate) fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        let bytes = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        bytes.map_err(|_| StoreError::Corrupt("a column is not binary"))
    }

    /// An identifier or another value that is stored as text.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, column: usize) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| StoreError::Corrupt("a text has the wrong form"))
    }

    pub(crate) fn maybe_parsed<T: std::str::FromStr>(&self, column: usize) -> Result<Option<T>, StoreError> {
        let text = self.maybe_text(column)?;
        text.map(|text| text.parse().map_err(|_| StoreError::Corrupt("a text has the wrong form"))).transpose()
    }
}

/// Who writes. On SQLite each has a connection of its own, since `synchronous` belongs to a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writer {
    Identity,
    Ledger,
}

pub(crate) enum Engine {
    Sqlite { readers: SqlitePool, identity: SqlitePool, ledger: SqlitePool, writing: Mutex<()> },
    Postgres { pool: PgPool, ledger: PgPool },
}

impl Engine {
    pub(crate) async fn connect(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite { file, synced_ledger } => {
                let options = SqliteConnectOptions::new()
                    .filename(file)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .busy_timeout(PATIENCE)
                    .foreign_keys(true)
                    .synchronous(SqliteSynchronous::Full);
                let identity = sqlite_pool(1, options.clone()).await?;
                let ledger_sync = if *synced_ledger { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
                let ledger = sqlite_pool(1, options.clone().synchronous(ledger_sync)).await?;
                let readers = sqlite_pool(READERS, options.pragma("query_only", "ON")).await?;
                Ok(Self::Sqlite { readers, identity, ledger, writing: Mutex::new(()) })
            }
            Location::Postgres { url } => {
                let options = PgConnectOptions::from_str(url)
                    .map_err(|error| StoreError::from_sqlx(&error))?
                    .application_name("tollgate")
                    .options([("synchronous_commit", "on"), ("statement_timeout", "1400")]);
                let pool = postgres_pool(POSTGRES_CONNECTIONS, options.clone()).await?;
                Ok(Self::Postgres { pool, ledger: postgres_pool(1, options).await? })
            }
        }
    }

    /// Runs a query outside a transaction.
    pub(crate) async fn rows(&self, sql: Sql, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => {
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                Ok(patiently(query.fetch_all(readers)).await?.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres { pool, .. } => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                Ok(patiently(query.fetch_all(pool)).await?.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    pub(crate) async fn row(&self, sql: Sql, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Begins a transaction that writes. It is rolled back when it is dropped without [`Tx::commit`].
    pub(crate) async fn begin(&self, writer: Writer) -> Result<Tx<'_>, StoreError> {
        match self {
            Self::Sqlite { identity, ledger, writing, .. } => {
                let turn = turn(writing).await?;
                let pool = match writer {
                    Writer::Identity => identity,
                    Writer::Ledger => ledger,
                };
                let inner = patiently(pool.begin_with("BEGIN IMMEDIATE")).await?;
                Ok(Tx { inner: Inner::Sqlite(inner), _turn: Some(turn) })
            }
            Self::Postgres { pool, ledger } => {
                let pool = match writer {
                    Writer::Identity => pool,
                    Writer::Ledger => ledger,
                };
                Ok(Tx { inner: Inner::Postgres(patiently(pool.begin()).await?), _turn: None })
            }
        }
    }

    /// Runs a batch of the ledger, which begins and commits by itself, and returns its row. After an error it is unknown
    /// whether it was committed.
    pub(crate) async fn batch(&self, sql: Sql, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        match self {
            Self::Sqlite { ledger, writing, .. } => {
                let _turn = turn(writing).await?;
                let mut connection = patiently(ledger.acquire()).await?;
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                // All rows are asked for, so that the statements behind the one with the row are run too.
                let outcome = patiently(query.fetch_all(&mut *connection)).await;
                if outcome.is_err() {
                    // It may stand in the middle of a transaction: a closed connection has none.
                    connection.close_on_drop();
                }
                Ok(outcome?.pop().map(Row::Sqlite))
            }
            Self::Postgres { ledger, .. } => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                Ok(patiently(query.fetch_all(ledger)).await?.pop().map(Row::Postgres))
            }
        }
    }

    pub(crate) async fn migrate(
        &self,
        sqlite: sqlx::migrate::Migrator,
        postgres: sqlx::migrate::Migrator,
    ) -> Result<(), StoreError> {
        let done = match self {
            Self::Sqlite { identity, .. } => sqlite.run(identity).await,
            Self::Postgres { pool, .. } => postgres.run(pool).await,
        };
        done.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { readers, identity, ledger, .. } => {
                readers.close().await;
                ledger.close().await;
                identity.close().await;
            }
            Self::Postgres { pool, ledger } => {
                ledger.close().await;
                pool.close().await;
            }
        }
    }
}

/// A transaction that writes. On SQLite it holds the turn to write, so that two writers never wait in the database.
pub(crate) struct Tx<'e> {
    inner: Inner,
    _turn: Option<MutexGuard<'e, ()>>,
}

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx<'_> {
    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<u64, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                Ok(patiently(query.execute(&mut **tx)).await?.rows_affected())
            }
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                Ok(patiently(query.execute(&mut **tx)).await?.rows_affected())
            }
        }
    }

    pub(crate) async fn row(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                Ok(patiently(query.fetch_optional(&mut **tx)).await?.map(Row::Sqlite))
            }
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                Ok(patiently(query.fetch_optional(&mut **tx)).await?.map(Row::Postgres))
            }
        }
    }

    /// Makes the transaction durable. After an error it is unknown whether it was.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(tx) => patiently(tx.commit()).await,
            Inner::Postgres(tx) => patiently(tx.commit()).await,
        }
    }
}

async fn turn(writing: &Mutex<()>) -> Result<MutexGuard<'_, ()>, StoreError> {
    let turn = tokio::time::timeout(PATIENCE, writing.lock()).await;
    turn.map_err(|_| StoreError::Unavailable("the database is busy".to_owned()))
}

async fn patiently<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|error| StoreError::from_sqlx(&error)),
        Err(_) => Err(StoreError::Unavailable("no answer in time".to_owned())),
    }
}

async fn sqlite_pool(size: u32, options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None);
    patiently(pool.connect_with(options)).await
}

async fn postgres_pool(size: u32, options: PgConnectOptions) -> Result<PgPool, StoreError> {
    let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(PATIENCE);
    patiently(pool.connect_with(options)).await
}
