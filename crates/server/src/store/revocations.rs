//! Single tokens revoked before their end. There is no row for any other token.

use tollgate_core::Timestamp;

use super::engine::{Row, Sql, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_REVOKED = Sql::both(
        "INSERT INTO revoked_tokens (id, ends_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING");
    REVOKED = Sql::both("SELECT id, ends_at FROM revoked_tokens WHERE ends_at > $1");
    FORGET_REVOKED = Sql::both("DELETE FROM revoked_tokens WHERE ends_at <= $1");
}

impl Store {
    /// Remembers a `jti` until the token has long ended everywhere.
    pub(crate) async fn revoke_token(&self, id: u128, ends_at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(INSERT_REVOKED, args![format!("{id:032x}"), ends_at]).await?;
        tx.commit().await
    }

    /// All revoked tokens that end after an instant.
    pub(crate) async fn revoked_tokens(&self, after: Timestamp) -> Result<Vec<(u128, Timestamp)>, StoreError> {
        let rows = self.engine.rows(REVOKED, args![after]).await?;
        let read = |row: &Row| Some((u128::from_str_radix(&row.text(0).ok()?, 16).ok()?, row.time(1).ok()?));
        let tokens = rows.iter().filter_map(|row| {
            let token = read(row);
            if token.is_none() {
                // One bad row refuses no start: it names no token that could be presented.
                tracing::error!("a row of revoked_tokens cannot be read");
            }
            token
        });
        Ok(tokens.collect())
    }

    pub(crate) async fn forget_revoked_tokens(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(FORGET_REVOKED, args![before]).await?;
        tx.commit().await
    }
}
