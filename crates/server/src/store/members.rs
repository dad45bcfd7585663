//! Members of an account. An account that has an owner keeps one.

use tollgate_core::{AccountId, Role, Timestamp, UserId};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::links::Link;
use super::sessions::Session;
use super::users::NewUser;
use super::value::args;
use super::{Store, StoreError};

statements! {
    MEMBERS = Sql::both(
        "SELECT users.id, users.email, memberships.role, memberships.created_at, users.factor_master
         FROM memberships JOIN users ON users.id = memberships.user_id
         WHERE memberships.account_id = $1 AND users.id > $2 ORDER BY users.id LIMIT $3");
    MEMBER = Sql::both(
        "SELECT users.id, users.email, memberships.role, memberships.created_at, users.factor_master
         FROM memberships JOIN users ON users.id = memberships.user_id
         WHERE memberships.account_id = $1 AND users.id = $2");
    // Holds the account's row, so that two owners who leave at once come one after the other.
    HOLD_ACCOUNT = Sql::both("UPDATE accounts SET updated_at = updated_at WHERE id = $1");
    OTHER_OWNERS = Sql::both(
        "SELECT COUNT(*) FROM memberships WHERE account_id = $1 AND role = 'owner' AND user_id <> $2");
    SET_ROLE = Sql::both("UPDATE memberships SET role = $3 WHERE account_id = $1 AND user_id = $2");
    REMOVE_MEMBER = Sql::both("DELETE FROM memberships WHERE account_id = $1 AND user_id = $2");
    CHANGE_RIGHTS = Sql::both("UPDATE users SET rights_at = $2 WHERE id = $1");
}

/// A member of an account.
#[derive(Debug, Clone)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// Its e-mail address.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
    /// Whether it signs in with a second factor.
    pub has_factor: bool,
}

/// What became of a change of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Done,
    NoMember,
    LastOwner,
}

/// How an invitation is taken up.
pub(crate) enum Joining<'a> {
    /// By a person who is made with it, and signed in.
    New(NewUser<'a>, &'a Session, &'a [u8]),
    /// By one who is there.
    Known(UserId),
}

impl Store {
    /// An account's members after an id, in the order of their ids.
    pub(crate) async fn members(&self, account: AccountId, after: &str, limit: i64) -> Result<Vec<Member>, StoreError> {
        self.engine.rows(MEMBERS, args![account, after, limit]).await?.iter().map(read_member).collect()
    }

    pub(crate) async fn member(&self, account: AccountId, user: UserId) -> Result<Option<Member>, StoreError> {
        self.engine.row(MEMBER, args![account, user]).await?.as_ref().map(read_member).transpose()
    }

    /// Gives a member another role, or none: then it is a member no longer. Sessions get a new id at their next request.
    pub(crate) async fn change_member(
        &self,
        account: AccountId,
        user: UserId,
        role: Option<Role>,
        event: &Event,
    ) -> Result<Changed, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(HOLD_ACCOUNT, args![account]).await?;
        let owners = tx.row(OTHER_OWNERS, args![account, user]).await?.map_or(Ok(0), |row| row.int(0))?;
        let Some(member) = tx.row(MEMBER, args![account, user]).await?.as_ref().map(read_member).transpose()? else {
            return Ok(Changed::NoMember);
        };
        if member.role == Role::Owner && role != Some(Role::Owner) && owners == 0 {
            return Ok(Changed::LastOwner);
        }
        match role {
            Some(role) => tx.execute(SET_ROLE, args![account, user, role.word()]).await?,
            None => tx.execute(REMOVE_MEMBER, args![account, user]).await?,
        };
        tx.execute(CHANGE_RIGHTS, args![user, event.at]).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| Changed::Done)
    }

    /// Uses an invitation up and makes its reader a member; `false` when it was used before or taken back.
    pub(crate) async fn join(
        &self,
        link: &Link,
        account: AccountId,
        role: Role,
        joining: &Joining<'_>,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if !tx.use_link(link, event.at).await? {
            return Ok(false);
        }
        let user = match joining {
            Joining::New(user, session, hash) => {
                tx.insert_user(user).await?;
                tx.insert_session(session, hash).await?;
                user.id
            }
            Joining::Known(user) => *user,
        };
        tx.put_member(account, user, role, event.at).await?;
        tx.change_rights(user, event.at).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }
}

impl Tx<'_> {
    /// Sessions of this person get a new id at their next request.
    pub(super) async fn change_rights(&mut self, user: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.execute(CHANGE_RIGHTS, args![user, at]).await.map(|_| ())
    }
}

fn read_member(row: &Row) -> Result<Member, StoreError> {
    Ok(Member {
        user: row.parsed(0)?,
        email: row.text(1)?,
        role: row.parsed(2)?,
        since: row.time(3)?,
        has_factor: row.maybe_text(4)?.is_some(),
    })
}
