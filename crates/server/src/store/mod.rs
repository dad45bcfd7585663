//! The store: one concrete type over two engines. A change and its audit event share a transaction.

pub(crate) mod accounts;
pub(crate) mod activity;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod denials;
pub(crate) mod engine;
pub(crate) mod factors;
pub(crate) mod forms;
pub(crate) mod journal;
pub(crate) mod journal_file;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod lifecycle;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod personal_tokens;
pub(crate) mod plans;
pub(crate) mod projects;
pub(crate) mod revocations;
pub(crate) mod schema;
pub(crate) mod sessions;
pub(crate) mod signing;
pub(crate) mod units;
pub(crate) mod usage;
pub(crate) mod usage_days;
pub(crate) mod users;
mod value;

pub(crate) use engine::Location;
pub use schema::OpenError;

use std::sync::Arc;

use engine::Engine;
use journal_file::JournalFile;

/// Everything that is kept, on SQLite or PostgreSQL.
pub(crate) struct Store {
    engine: Engine,
    /// The ledger's journal, where it is no table.
    journal: Option<Arc<JournalFile>>,
}

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another row has this unique value.
    #[error("a unique value is taken")]
    Taken,
    /// The form that asks for this has made it before.
    #[error("the form was sent before")]
    FormUsed,
    /// The database is away, too slow, full, or read-only. Nothing was changed, as far as is known.
    #[error("the database did not answer: {0}")]
    Unavailable(String),
    /// A row holds what it must not. Refuses that row alone.
    #[error("a stored row cannot be read: {0}")]
    Corrupt(&'static str),
}

impl StoreError {
    fn from_sqlx(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Taken,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Every statement of the store, so that a test can prepare them all on both engines.
#[cfg(test)]
fn statements() -> Vec<(&'static str, engine::Sql)> {
    [
        accounts::STATEMENTS,
        activity::STATEMENTS,
        audit::STATEMENTS,
        denials::STATEMENTS,
        factors::STATEMENTS,
        forms::STATEMENTS,
        journal::STATEMENTS,
        keys::STATEMENTS,
        ledger::STATEMENTS,
        lifecycle::STATEMENTS,
        links::STATEMENTS,
        members::STATEMENTS,
        personal_tokens::STATEMENTS,
        plans::STATEMENTS,
        projects::STATEMENTS,
        revocations::STATEMENTS,
        schema::STATEMENTS,
        sessions::STATEMENTS,
        signing::STATEMENTS,
        units::STATEMENTS,
        usage::STATEMENTS,
        usage_days::STATEMENTS,
        users::STATEMENTS,
    ]
    .concat()
}

#[cfg(test)]
pub(crate) mod tests;
