//! When, from where and by what a credential was last used.

use tollgate_core::{KeyId, ProjectId, Timestamp};

use super::engine::{Sql, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    ACTIVITY = Sql::both(
        "SELECT credential_activity.id, credential_activity.used_at, credential_activity.address,
         credential_activity.agent, credential_activity.credential_id
         FROM credential_activity JOIN access_keys ON access_keys.id = credential_activity.credential_id
         WHERE access_keys.project_id = $1 AND access_keys.id >= $2 AND access_keys.id <= $3
         ORDER BY credential_activity.used_at DESC");
}

/// One last use.
#[derive(Debug, Clone)]
pub struct Activity {
    /// Whose use.
    pub key: KeyId,
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
    /// The last uses of a project's keys from `first` to `last` and of their secrets, latest first.
    pub(crate) async fn activity(
        &self,
        project: ProjectId,
        (first, last): (KeyId, KeyId),
    ) -> Result<Vec<Activity>, StoreError> {
        let rows = self.engine.rows(ACTIVITY, args![project, first, last]).await?;
        rows.iter()
            .map(|row| {
                Ok(Activity {
                    key: row.parsed(4)?,
                    id: row.text(0)?,
                    used_at: row.time(1)?,
                    address: row.text(2)?,
                    agent: row.text(3)?,
                })
            })
            .collect()
    }
}
