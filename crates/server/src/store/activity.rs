//! When, from where and by what a credential was last used.

use tollgate_core::{KeyId, Timestamp};

use super::engine::{Sql, args, statements};
use super::{Store, StoreError};

statements! {
    ACTIVITY = Sql::both(
        "SELECT id, used_at, address, agent FROM credential_activity WHERE credential_id = $1 ORDER BY used_at DESC");
}

/// One last use.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The secret that was used, or the KEY ID for calls with a token.
    pub id: String,
    /// When.
    pub used_at: Timestamp,
    /// From where.
    pub address: String,
    /// By what, as the client named itself.
    pub agent: String,
}

impl Store {
    /// The last uses of a key and its secrets, latest first.
    pub(crate) async fn activity(&self, key: KeyId) -> Result<Vec<Activity>, StoreError> {
        let rows = self.engine.rows(ACTIVITY, args![key]).await?;
        rows.iter()
            .map(|row| {
                Ok(Activity { id: row.text(0)?, used_at: row.time(1)?, address: row.text(2)?, agent: row.text(3)? })
            })
            .collect()
    }
}
