//! Copies of an SQLite file: one instant of it, also while a server writes. Whether a copy is whole is seen by reading all of it.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};
use tollgate_core::Timestamp;

use super::{StoreError, journal_file};

/// What is looked at in a copy: schema, accounts, access keys, and the last hour with counted calls.
const CONTENTS: &str = "SELECT (SELECT MAX(version) FROM _sqlx_migrations), (SELECT COUNT(*) FROM accounts),
    (SELECT COUNT(*) FROM access_keys WHERE deleted_at IS NULL), (SELECT MAX(hour) FROM usage_hourly)";

/// A batch of the journal that is not in the copy's counters: it will be folded by the next start on it.
const PUT_BATCH: &str = "INSERT INTO usage_journal (writer, sequence, batch)
    SELECT writer, $2, $3 FROM ledger_writers WHERE writer = $1 AND sequence < $2 ON CONFLICT (writer, sequence) DO NOTHING";

/// What a database holds, for people to compare with what they expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The schema's version.
    pub schema: i64,
    /// Accounts.
    pub accounts: i64,
    /// Access keys that are not deleted.
    pub keys: i64,
    /// The begin of the last hour with calls in the counters.
    pub last_hour: Option<Timestamp>,
}

/// Copies the database in `source` as it is at this instant into `target`, which must be missing or empty, and with it the calls
/// that wait in its journal. Whoever writes meanwhile goes on writing.
pub(crate) async fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| StoreError::from_sqlx(&error);
    let name = target.to_str().ok_or_else(|| StoreError::Unavailable("the file's name is not UTF-8".to_owned()))?;
    // Read before the copy is made: what is folded meanwhile is in the copy's counters, and its writer says so.
    let journal = journal_file::path_beside(source);
    let waiting = journal_file::read(&journal)
        .map_err(|cause| StoreError::Unavailable(format!("{}: {cause}", journal.display())))?;
    let mut connection = connect(source, false).await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection).await;
    connection.close().await.map_err(failed)?;
    copied.map_err(failed)?;
    let mut connection = connect(target, false).await?;
    for batch in waiting {
        let insert = sqlx::query(PUT_BATCH).bind(batch.writer).bind(batch.sequence).bind(batch.rows);
        insert.execute(&mut connection).await.map_err(failed)?;
    }
    connection.close().await.map_err(failed)
}

/// Reads the whole file, and says what is in it.
///
/// # Errors
/// It cannot be read, or something in it does not fit together.
pub(crate) async fn inspect(file: &Path) -> Result<Contents, StoreError> {
    let failed = |error: sqlx::Error| StoreError::Unavailable(error.to_string());
    let mut connection = connect(file, true).await?;
    let checked: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await.map_err(failed)?;
    if checked != "ok" {
        return Err(StoreError::Unavailable(checked));
    }
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut connection).await.map_err(failed)?;
    if orphans.is_some() {
        return Err(StoreError::Corrupt("a row points to one that is not there"));
    }
    let row = sqlx::query(CONTENTS).fetch_one(&mut connection).await.map_err(failed)?;
    let int = |column: usize| row.try_get::<Option<i64>, _>(column).map_err(failed);
    let contents = Contents {
        schema: int(0)?.unwrap_or(0),
        accounts: int(1)?.unwrap_or(0),
        keys: int(2)?.unwrap_or(0),
        last_hour: int(3)?.map(Timestamp),
    };
    connection.close().await.map_err(failed)?;
    Ok(contents)
}

async fn connect(file: &Path, read_only: bool) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false).read_only(read_only);
    SqliteConnection::connect_with(&options).await.map_err(|error| StoreError::from_sqlx(&error))
}
