//! Signing keys, encrypted under the master key.

use tollgate_core::Timestamp;

use super::audit::Event;
use super::engine::{Row, Sql, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    SIGNING_KEYS = Sql::both(
        "SELECT kid, algorithm, sealed, master, published_at, active_from, retired_at FROM signing_keys ORDER BY active_from");
    INSERT_SIGNING_KEY = Sql::both(
        "INSERT INTO signing_keys (kid, algorithm, sealed, master, published_at, active_from, retired_at)
         VALUES ($1, $2, $3, $4, $5, $6, NULL)");
    ACTIVATE = Sql::both("UPDATE signing_keys SET active_from = $2 WHERE kid = $1");
    RETIRE = Sql::both("UPDATE signing_keys SET retired_at = $2 WHERE kid = $1 AND retired_at IS NULL");
}

/// A signing key as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct SigningRow {
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) master: String,
    pub(crate) published_at: Timestamp,
    pub(crate) active_from: Timestamp,
    pub(crate) retired_at: Option<Timestamp>,
}

/// One step of a rotation, as one transaction.
#[derive(Debug, Default)]
pub(crate) struct SigningChange {
    /// Keys to add.
    pub(crate) insert: Vec<SigningRow>,
    /// The next key and the instant from which it signs.
    pub(crate) activate: Option<(String, Timestamp)>,
    /// The active key and the instant from which it does not sign.
    pub(crate) retire: Option<(String, Timestamp)>,
}

impl Store {
    pub(crate) async fn signing_keys(&self) -> Result<Vec<SigningRow>, StoreError> {
        self.engine.rows(SIGNING_KEYS, &[]).await?.iter().map(read).collect()
    }

    pub(crate) async fn change_signing_keys(&self, change: &SigningChange, event: &Event) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        for row in &change.insert {
            let values =
                args![&*row.kid, &*row.algorithm, &*row.sealed, &*row.master, row.published_at, row.active_from];
            tx.execute(INSERT_SIGNING_KEY, values).await?;
        }
        if let Some((kid, from)) = &change.activate {
            tx.execute(ACTIVATE, args![&**kid, *from]).await?;
        }
        if let Some((kid, from)) = &change.retire {
            tx.execute(RETIRE, args![&**kid, *from]).await?;
        }
        tx.write_event(event).await?;
        tx.commit().await
    }
}

fn read(row: &Row) -> Result<SigningRow, StoreError> {
    Ok(SigningRow {
        kid: row.text(0)?,
        algorithm: row.text(1)?,
        sealed: row.blob(2)?,
        master: row.text(3)?,
        published_at: row.time(4)?,
        active_from: row.time(5)?,
        retired_at: row.maybe_time(6)?,
    })
}
