//! The only place that knows that there are two engines: pools, transactions, values and rows.

use std::future::Future;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Arguments as _, Database, Row as _, SqliteConnection, Transaction};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use tollgate_core::Timestamp;

use super::StoreError;
use super::value::Value;

/// A read or a whole transaction that takes longer is given up. Who waits for a batch of the ledger may wait for the one
/// before it too, and still hears 503 within two seconds.
pub(super) const PATIENCE: Duration = Duration::from_millis(900);
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
    for<'t> Option<Vec<u8>>: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        let added = match value {
            Value::Int(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_ref().map(|text| text.clone().into_owned())),
            Value::Blob(bytes) => arguments.add(bytes.map(<[u8]>::to_vec)),
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
        self.maybe_blob(column)?.ok_or(StoreError::Corrupt("a binary value is missing"))
    }

    pub(crate) fn maybe_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
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
                    .options([("synchronous_commit", "on"), ("statement_timeout", "900")]);
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
        let deadline = Instant::now() + PATIENCE;
        match self {
            Self::Sqlite { identity, ledger, writing, .. } => {
                let turn = turn(writing, deadline).await?;
                let pool = match writer {
                    Writer::Identity => identity,
                    Writer::Ledger => ledger,
                };
                let connection = until(deadline, pool.acquire()).await?;
                let mut tx = Tx { inner: Inner::Sqlite(Open(Some(connection))), deadline, _turn: Some(turn) };
                tx.execute(BEGIN, &[]).await?;
                Ok(tx)
            }
            Self::Postgres { pool, ledger } => {
                let pool = match writer {
                    Writer::Identity => pool,
                    Writer::Ledger => ledger,
                };
                let inner = Inner::Postgres(until(deadline, pool.begin()).await?);
                Ok(Tx { inner, deadline, _turn: None })
            }
        }
    }

    /// Runs a batch of the ledger, which begins and commits by itself, and returns its row. After an error it is unknown
    /// whether it was committed.
    pub(crate) async fn batch(&self, sql: Sql, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        match self {
            Self::Sqlite { ledger, writing, .. } => {
                let _turn = turn(writing, deadline).await?;
                let mut connection = Open(Some(until(deadline, ledger.acquire()).await?));
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                // All rows are asked for, so that the statements behind the one with the row are run too.
                let mut rows = until(deadline, query.fetch_all(connection.get()?)).await?;
                connection.done();
                Ok(rows.pop().map(Row::Sqlite))
            }
            Self::Postgres { ledger, .. } => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                Ok(until(deadline, query.fetch_all(ledger)).await?.pop().map(Row::Postgres))
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

const BEGIN: Sql = Sql::both("BEGIN IMMEDIATE");
const COMMIT: Sql = Sql::both("COMMIT");

/// A transaction that writes. On SQLite it holds the turn to write, so that two writers never wait in the database.
pub(crate) struct Tx<'e> {
    inner: Inner,
    deadline: Instant,
    _turn: Option<MutexGuard<'e, ()>>,
}

enum Inner {
    Sqlite(Open),
    Postgres(Transaction<'static, Postgres>),
}

/// An SQLite connection in the middle of a transaction. It is closed when it is dropped so, because a full disk makes
/// SQLite roll back by itself, and then nobody knows where the connection stands. A closed one stands nowhere.
struct Open(Option<PoolConnection<Sqlite>>);

impl Open {
    fn get(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.0.as_deref_mut().ok_or(StoreError::Corrupt("the transaction is over"))
    }

    /// The transaction is over: the connection may be used again.
    fn done(&mut self) {
        self.0 = None;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

impl Tx<'_> {
    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<u64, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(open) => {
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                Ok(until(self.deadline, query.execute(open.get()?)).await?.rows_affected())
            }
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                Ok(until(self.deadline, query.execute(&mut **tx)).await?.rows_affected())
            }
        }
    }

    pub(crate) async fn rows(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(open) => {
                let query = sqlx::query_with(sql.sqlite, arguments::<Sqlite>(values)?);
                let rows = until(self.deadline, query.fetch_all(open.get()?)).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(sql.postgres, arguments::<Postgres>(values)?);
                let rows = until(self.deadline, query.fetch_all(&mut **tx)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    pub(crate) async fn row(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Makes the transaction durable. After an error it is unknown whether it was.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if let Inner::Sqlite(_) = self.inner {
            self.execute(COMMIT, &[]).await?;
        }
        match self.inner {
            Inner::Sqlite(mut open) => {
                open.done();
                Ok(())
            }
            Inner::Postgres(tx) => until(self.deadline, tx.commit()).await,
        }
    }
}

async fn turn(writing: &Mutex<()>, deadline: Instant) -> Result<MutexGuard<'_, ()>, StoreError> {
    let turn = tokio::time::timeout_at(deadline, writing.lock()).await;
    turn.map_err(|_| StoreError::Unavailable("the database is busy".to_owned()))
}

async fn patiently<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    until(Instant::now() + PATIENCE, work).await
}

async fn until<T>(deadline: Instant, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout_at(deadline, work).await {
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
