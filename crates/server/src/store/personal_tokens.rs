//! Personal tokens: with them a person uses the management API. The keyed hash is kept, never the token.

use tollgate_core::id::PersonalTokenId;
use tollgate_core::{Timestamp, UserId};

use super::audit::Event;
use super::engine::{Row, Sql, Writer, statements};
use super::users::{User, read_user};
use super::value::args;
use super::{Store, StoreError};

statements! {
    // Holds the user's row, so that two creates at once come one after the other.
    HOLD_USER = Sql::both("UPDATE users SET updated_at = updated_at WHERE id = $1");
    LIVE_TOKENS = Sql::both("SELECT COUNT(*) FROM personal_tokens WHERE user_id = $1 AND ends_at > $2");
    INSERT_TOKEN = Sql::both(
        "INSERT INTO personal_tokens (id, user_id, display_name, hash, hint, created_at, ends_at, used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)");
    TOKENS = Sql::both(
        "SELECT id, user_id, display_name, hint, created_at, ends_at, used_at
         FROM personal_tokens WHERE user_id = $1 ORDER BY id");
    TOKEN = Sql::both(
        "SELECT personal_tokens.id, personal_tokens.user_id, personal_tokens.display_name, personal_tokens.hint,
         personal_tokens.created_at, personal_tokens.ends_at, personal_tokens.used_at,
         users.id, users.email, users.operator, users.password, users.factor, users.factor_master, users.rights_at,
         users.created_at
         FROM personal_tokens JOIN users ON users.id = personal_tokens.user_id
         WHERE personal_tokens.hash = $1 AND personal_tokens.ends_at > $2");
    USE_TOKEN = Sql::both(
        "UPDATE personal_tokens SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)");
    DELETE_TOKEN = Sql::both("DELETE FROM personal_tokens WHERE id = $1 AND user_id = $2");
    FORGET_TOKENS = Sql::both("DELETE FROM personal_tokens WHERE ends_at <= $1");
}

/// A personal token, without its secret.
#[derive(Debug, Clone)]
pub struct PersonalToken {
    /// Its public id.
    pub id: PersonalTokenId,
    /// Whose it is.
    pub user: UserId,
    /// Its name.
    pub display_name: String,
    /// Its first characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, or ended.
    pub ends_at: Timestamp,
    /// When it was last used, give or take some minutes.
    pub used_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a new token; `false` when the person has `most` live ones already.
    pub(crate) async fn insert_personal_token(
        &self,
        token: &PersonalToken,
        hash: &[u8],
        most: i64,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(HOLD_USER, args![token.user]).await?;
        let live = tx.row(LIVE_TOKENS, args![token.user, token.created_at]).await?.map_or(Ok(0), |row| row.int(0))?;
        // The event comes first: a form that was sent before is told so, whatever the limit says by now.
        tx.write_event(event).await?;
        if live >= most {
            return Ok(false);
        }
        let values =
            args![token.id, token.user, &*token.display_name, hash, &*token.hint, token.created_at, token.ends_at];
        tx.execute(INSERT_TOKEN, values).await?;
        tx.commit().await.map(|()| true)
    }

    /// A person's tokens, oldest first, also those that ended a short time ago.
    pub(crate) async fn personal_tokens(&self, user: UserId) -> Result<Vec<PersonalToken>, StoreError> {
        self.engine.rows(TOKENS, args![user]).await?.iter().map(read_token).collect()
    }

    /// The live token with this hash, and whose it is.
    pub(crate) async fn personal_token(
        &self,
        hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<(PersonalToken, User)>, StoreError> {
        let row = self.engine.row(TOKEN, args![hash, now]).await?;
        row.as_ref().map(|row| Ok((read_token(row)?, read_user(row, 7)?.0))).transpose()
    }

    pub(crate) async fn use_personal_token(&self, id: PersonalTokenId, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(USE_TOKEN, args![id, now]).await?;
        tx.commit().await
    }

    /// Deletes a person's token; `false` when there is none such.
    pub(crate) async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(DELETE_TOKEN, args![id, user]).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// Forgets tokens that ended before.
    pub(crate) async fn forget_personal_tokens(&self, ended_before: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(FORGET_TOKENS, args![ended_before]).await?;
        tx.commit().await
    }
}

fn read_token(row: &Row) -> Result<PersonalToken, StoreError> {
    Ok(PersonalToken {
        id: row.parsed(0)?,
        user: row.parsed(1)?,
        display_name: row.text(2)?,
        hint: row.text(3)?,
        created_at: row.time(4)?,
        ends_at: row.time(5)?,
        used_at: row.maybe_time(6)?,
    })
}
