//! The schema: migrations in pairs, a gate against schemas from the future, and the check value of the master key.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::engine::{Engine, Location, Sql, Writer, statements};
use super::journal_file::JournalFile;
use super::value::args;
use super::{Store, StoreError};

/// The oldest SQLite without the WAL-reset race that can lose commits (3.7.0 to 3.51.2).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// Pairs of migrations: number, name, SQLite, PostgreSQL.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "first",
        include_str!("../../migrations/sqlite/0001_first.sql"),
        include_str!("../../migrations/postgres/0001_first.sql"),
    ),
    (
        2,
        "people",
        include_str!("../../migrations/sqlite/0002_people.sql"),
        include_str!("../../migrations/postgres/0002_people.sql"),
    ),
    (
        3,
        "usage_daily",
        include_str!("../../migrations/sqlite/0003_usage_daily.sql"),
        include_str!("../../migrations/postgres/0003_usage_daily.sql"),
    ),
    (
        4,
        "usage_monthly",
        include_str!("../../migrations/sqlite/0004_usage_monthly.sql"),
        include_str!("../../migrations/postgres/0004_usage_monthly.sql"),
    ),
    (
        5,
        "service_plans",
        include_str!("../../migrations/sqlite/0005_service_plans.sql"),
        include_str!("../../migrations/postgres/0005_service_plans.sql"),
    ),
    (
        6,
        "units",
        include_str!("../../migrations/sqlite/0006_units.sql"),
        include_str!("../../migrations/postgres/0006_units.sql"),
    ),
    (
        7,
        "usage_journal",
        include_str!("../../migrations/sqlite/0007_usage_journal.sql"),
        include_str!("../../migrations/postgres/0007_usage_journal.sql"),
    ),
];

statements! {
    META = Sql::both("SELECT value FROM meta WHERE name = $1");
    PUT_META = Sql::both("INSERT INTO meta (name, value) VALUES ($1, $2)");
}

const SQLITE_VERSION: Sql = Sql::both("SELECT sqlite_version()");
const TABLE_OF_MIGRATIONS: Sql = Sql {
    sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
    postgres: "SELECT COUNT(*) FROM pg_tables WHERE tablename = '_sqlx_migrations' AND schemaname = CURRENT_SCHEMA()",
};
const LAST_MIGRATION: Sql = Sql::both("SELECT MAX(version) FROM _sqlx_migrations");

/// Why the store could not be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer program has migrated the database.
    #[error(
        "the database has schema {found}, this program knows up to {known}: run the newer program, or restore a backup made before it"
    )]
    FromTheFuture {
        /// The schema in the database.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// SQLite has a known fault.
    #[error("SQLite {0} can lose commits: build with 3.51.3 or newer")]
    OldSqlite(String),
    /// The database was made under another master key.
    #[error(
        "the database was made under another master key: give the one it was made under in master_key_file, or list it in older_master_key_files"
    )]
    WrongMasterKey,
    /// The database cannot be reached or written.
    #[error("the database cannot be opened: {0}; check that it runs and may be written")]
    Store(#[from] StoreError),
}

impl Store {
    /// Connects, refuses what this program does not know, and migrates.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing was changed then.
    pub(crate) async fn open(location: &Location) -> Result<Self, OpenError> {
        let journal = match location {
            Location::Sqlite { file, synced_ledger } => Some(JournalFile::beside(file, *synced_ledger)),
            Location::Postgres { .. } => None,
        };
        let store = Self { engine: Engine::connect(location).await?, journal };
        match store.prepare(location).await {
            Ok(()) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    async fn prepare(&self, location: &Location) -> Result<(), OpenError> {
        if matches!(location, Location::Sqlite { .. }) {
            refuse_old_sqlite(&self.engine).await?;
        }
        refuse_future_schema(&self.engine).await?;
        let migrator = |text: fn(&(i64, &str, &'static str, &'static str)) -> &'static str| {
            Migrator::with_migrations(MIGRATIONS.iter().map(|pair| migration(pair.0, pair.1, text(pair))).collect())
        };
        Ok(self.engine.migrate(migrator(|pair| pair.2), migrator(|pair| pair.3)).await?)
    }

    /// Compares the master keys' fingerprints with the one that the database was made under, or stores the first.
    ///
    /// # Errors
    /// [`OpenError::WrongMasterKey`] unless `knows` accepts the stored one.
    pub(crate) async fn check_master(&self, present: &str, knows: impl Fn(&str) -> bool) -> Result<(), OpenError> {
        if let Some(row) = self.engine.row(META, args!["master_key"]).await? {
            return if knows(&row.text(0)?) { Ok(()) } else { Err(OpenError::WrongMasterKey) };
        }
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(PUT_META, args!["master_key", present]).await?;
        Ok(tx.commit().await?)
    }

    /// Closes all connections. SQLite folds its log into the file then.
    pub(crate) async fn close(&self) {
        self.engine.close().await;
    }

    /// Whether the database answers a read now.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.engine.row(META, args!["master_key"]).await.map(|_| ())
    }
}

fn migration(number: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
}

async fn refuse_old_sqlite(engine: &Engine) -> Result<(), OpenError> {
    let row = engine.row(SQLITE_VERSION, &[]).await?.ok_or(StoreError::Corrupt("no version"))?;
    let text = row.text(0)?;
    let mut numbers = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SQLITE { Err(OpenError::OldSqlite(text)) } else { Ok(()) }
}

async fn refuse_future_schema(engine: &Engine) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|pair| pair.0).max().unwrap_or(0);
    let tables = engine.row(TABLE_OF_MIGRATIONS, &[]).await?.map_or(Ok(0), |row| row.int(0))?;
    if tables == 0 {
        return Ok(());
    }
    let row = engine.row(LAST_MIGRATION, &[]).await?;
    match row.map(|row| row.maybe_int(0)).transpose()?.flatten() {
        Some(found) if found > known => Err(OpenError::FromTheFuture { found, known }),
        _ => Ok(()),
    }
}
