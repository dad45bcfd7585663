//! Sessions: a person signed in, in one browser. The cookie's keyed hash is kept, never the cookie.

use tollgate_core::id::SessionId;
use tollgate_core::{Timestamp, UserId};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::links::Link;
use super::users::{User, read_user};
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_SESSION = Sql::both(
        "INSERT INTO sessions (id, user_id, hash, old_hash, old_ends_at, pending, address, agent, created_at, renewed_at,
         confirmed_at, seen_at, ends_at) VALUES ($1, $2, $3, NULL, NULL, $4, $5, $6, $7, $7, $7, $7, $8)");
    SESSION = Sql::both(
        "SELECT sessions.id, sessions.user_id, sessions.pending, sessions.address, sessions.agent, sessions.created_at,
         sessions.renewed_at, sessions.confirmed_at, sessions.seen_at, sessions.ends_at,
         users.id, users.email, users.operator, users.password, users.factor, users.factor_master, users.rights_at,
         users.created_at
         FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE (sessions.hash = $1 OR (sessions.old_hash = $1 AND sessions.old_ends_at > $2))
         AND sessions.ends_at > $2 AND sessions.seen_at > $3");
    SESSIONS = Sql::both(
        "SELECT id, user_id, pending, address, agent, created_at, renewed_at, confirmed_at, seen_at, ends_at
         FROM sessions WHERE user_id = $1 AND pending = 0 AND ends_at > $2 AND seen_at > $3 ORDER BY seen_at DESC");
    RENEW_SESSION = Sql::both(
        "UPDATE sessions SET old_hash = hash, old_ends_at = $4, hash = $3, renewed_at = $5, confirmed_at = $6, seen_at = $5
         WHERE id = $1 AND renewed_at = $2 AND pending = 0");
    SEE_SESSION = Sql::both("UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2");
    END_SESSION = Sql::both("DELETE FROM sessions WHERE user_id = $1 AND id = $2");
    END_SESSIONS = Sql::both("DELETE FROM sessions WHERE user_id = $1 AND id <> $2");
    FORGET_SESSIONS = Sql::both("DELETE FROM sessions WHERE ends_at <= $1 OR seen_at <= $2");
}

/// One sign-in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its public id.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// Whether the second factor is still outstanding: then it opens nothing but the page that asks for it.
    pub pending: bool,
    /// From where it began.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When its cookie was last replaced.
    pub renewed_at: Timestamp,
    /// When the password was last given.
    pub confirmed_at: Timestamp,
    /// When it was last used, give or take some minutes.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub ends_at: Timestamp,
}

/// A new cookie for a session.
pub(crate) struct Renewal {
    pub(crate) session: SessionId,
    /// When it was last renewed, as far as the caller knows.
    pub(crate) seen: Timestamp,
    pub(crate) hash: Vec<u8>,
    /// Until when the old cookie is still taken, for requests under way.
    pub(crate) old_ends_at: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) confirmed_at: Timestamp,
}

impl Store {
    pub(crate) async fn insert_session(
        &self,
        session: &Session,
        hash: &[u8],
        event: Option<&Event>,
    ) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.insert_session(session, hash).await?;
        if let Some(event) = event {
            tx.write_event(event).await?;
        }
        tx.commit().await
    }

    /// Uses a sign-in link up and begins the session; `false` when it was used before.
    pub(crate) async fn begin_by_link(
        &self,
        link: &Link,
        session: &Session,
        hash: &[u8],
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if !tx.use_link(link, event.at).await? {
            return Ok(false);
        }
        tx.insert_session(session, hash).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// The session of a cookie, and who it belongs to. `unseen_before` ends those that were not used since.
    pub(crate) async fn session(
        &self,
        hash: &[u8],
        now: Timestamp,
        unseen_before: Timestamp,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let row = self.engine.row(SESSION, args![hash, now, unseen_before]).await?;
        row.as_ref().map(|row| Ok((read_session(row)?, read_user(row, 10)?.0))).transpose()
    }

    /// A person's live sessions, the last used first.
    pub(crate) async fn sessions(
        &self,
        user: UserId,
        now: Timestamp,
        unseen_before: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.engine.rows(SESSIONS, args![user, now, unseen_before]).await?.iter().map(read_session).collect()
    }

    /// Replaces the cookie; `false` when another request has done so.
    pub(crate) async fn renew_session(&self, renewal: &Renewal) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        let renewed = tx.renew_session(renewal).await?;
        tx.commit().await.map(|()| renewed)
    }

    pub(crate) async fn see_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(SEE_SESSION, args![id, now]).await?;
        tx.commit().await
    }

    /// Ends one session of a person; `false` when there is none such.
    pub(crate) async fn end_session(&self, user: UserId, id: SessionId, event: &Event) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(END_SESSION, args![user, id]).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// Ends all sessions of a person but the one that is kept.
    pub(crate) async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        event: &Event,
    ) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.end_sessions(user, keep).await?;
        tx.write_event(event).await?;
        tx.commit().await
    }

    /// Forgets what is over.
    pub(crate) async fn forget_sessions(&self, now: Timestamp, unseen_before: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(FORGET_SESSIONS, args![now, unseen_before]).await?;
        tx.commit().await
    }
}

impl Tx<'_> {
    pub(super) async fn insert_session(&mut self, session: &Session, hash: &[u8]) -> Result<(), StoreError> {
        let values = args![
            session.id,
            session.user,
            hash,
            i64::from(session.pending),
            &*session.address,
            &*session.agent,
            session.created_at,
            session.ends_at,
        ];
        self.execute(INSERT_SESSION, values).await.map(|_| ())
    }

    pub(super) async fn renew_session(&mut self, renewal: &Renewal) -> Result<bool, StoreError> {
        let values = args![
            renewal.session,
            renewal.seen,
            &*renewal.hash,
            renewal.old_ends_at,
            renewal.now,
            renewal.confirmed_at
        ];
        Ok(self.execute(RENEW_SESSION, values).await? == 1)
    }

    pub(super) async fn end_session(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        Ok(self.execute(END_SESSION, args![user, id]).await? == 1)
    }

    pub(super) async fn end_sessions(&mut self, user: UserId, keep: Option<SessionId>) -> Result<(), StoreError> {
        let keep = keep.map(|id| id.to_string()).unwrap_or_default();
        self.execute(END_SESSIONS, args![user, keep]).await.map(|_| ())
    }
}

fn read_session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.parsed(0)?,
        user: row.parsed(1)?,
        pending: row.int(2)? != 0,
        address: row.text(3)?,
        agent: row.text(4)?,
        created_at: row.time(5)?,
        renewed_at: row.time(6)?,
        confirmed_at: row.time(7)?,
        seen_at: row.time(8)?,
        ends_at: row.time(9)?,
    })
}
