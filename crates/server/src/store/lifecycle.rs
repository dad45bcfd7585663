//! What becomes of a key after it was made: rotation, the end of an overlap, revocation of its tokens, deletion.

use tollgate_core::{KeyId, ProjectId, Timestamp};

use super::audit::Event;
use super::engine::{Sql, Writer, statements};
use super::keys::NewSecret;
use super::value::args;
use super::{Store, StoreError};

statements! {
    TOUCH_KEY = Sql::both(
        "UPDATE access_keys SET updated_at = $2, generation = generation + $3 WHERE id = $1 AND deleted_at IS NULL");
    FORGET_ENDED = Sql::both("DELETE FROM key_secrets WHERE key_id = $1 AND ends_at IS NOT NULL AND ends_at <= $2");
    COUNT_SECRETS = Sql::both("SELECT COUNT(*) FROM key_secrets WHERE key_id = $1");
    END_SECRETS = Sql::both("UPDATE key_secrets SET ends_at = $2 WHERE key_id = $1 AND ends_at IS NULL");
    FORGET_ENDING = Sql::both("DELETE FROM key_secrets WHERE key_id = $1 AND ends_at IS NOT NULL");
    FORGET_SECRETS = Sql::both("DELETE FROM key_secrets WHERE key_id = $1");
    DELETE_KEY = Sql::both(
        "UPDATE access_keys SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL");
    GIVE_PLACE_BACK = Sql::both("UPDATE projects SET live_keys = live_keys - 1 WHERE id = $1");
}

/// What became of a rotation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rotated {
    Done,
    NoKey,
    TwoSecretsLive,
}

/// A new secret beside the old one.
#[derive(Debug)]
pub(crate) struct Rotation<'a> {
    pub(crate) key: KeyId,
    pub(crate) secret: &'a NewSecret,
    /// When the old secret ends; `now` or earlier ends it at once.
    pub(crate) old_ends_at: Timestamp,
    /// Whether all tokens of the key are revoked too.
    pub(crate) revoke_tokens: bool,
    pub(crate) now: Timestamp,
}

impl Store {
    /// Gives the key a second secret, unless it has two live ones.
    pub(crate) async fn rotate_secret(&self, rotation: &Rotation<'_>, event: &Event) -> Result<Rotated, StoreError> {
        let Rotation { key, now, .. } = *rotation;
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(TOUCH_KEY, args![key, now, i64::from(rotation.revoke_tokens)]).await? == 0 {
            return Ok(Rotated::NoKey);
        }
        tx.execute(FORGET_ENDED, args![key, now]).await?;
        let live = tx.row(COUNT_SECRETS, args![key]).await?.map_or(Ok(0), |row| row.int(0))?;
        if live > 1 {
            return Ok(Rotated::TwoSecretsLive);
        }
        tx.execute(END_SECRETS, args![key, rotation.old_ends_at]).await?;
        tx.execute(FORGET_ENDED, args![key, now]).await?;
        tx.insert_secret(key, rotation.secret, now).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| Rotated::Done)
    }

    /// Ends the old secret of a rotation now; `false` when the key does not exist.
    pub(crate) async fn end_overlap(&self, key: KeyId, now: Timestamp, event: &Event) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(TOUCH_KEY, args![key, now, 0]).await? == 0 {
            return Ok(false);
        }
        tx.execute(FORGET_ENDING, args![key]).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// Revokes all tokens of a key by counting its generation up; `false` when the key does not exist.
    pub(crate) async fn revoke_key_tokens(
        &self,
        key: KeyId,
        now: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(TOUCH_KEY, args![key, now, 1]).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// Deletes a key: its row stays for the bill, its hashes go. `false` when it does not exist.
    pub(crate) async fn delete_key(
        &self,
        key: KeyId,
        project: ProjectId,
        now: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        // The project first, as in a create: two transactions that take rows in one order cannot block each other.
        tx.execute(GIVE_PLACE_BACK, args![project]).await?;
        if tx.execute(DELETE_KEY, args![key, now]).await? == 0 {
            return Ok(false);
        }
        tx.execute(FORGET_SECRETS, args![key]).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }
}
