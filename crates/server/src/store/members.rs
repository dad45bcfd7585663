//! Members of an account. An account that has an owner keeps one.

use tollgate_core::{AccountId, Role, Timestamp, UserId};

use super::audit::Event;
use super::engine::{Row, Sql, Writer, statements};
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
    MEMBER_BY_EMAIL = Sql::both(
        "SELECT users.id, users.email, memberships.role, memberships.created_at, users.factor_master
         FROM memberships JOIN users ON users.id = memberships.user_id
         WHERE memberships.account_id = $1 AND users.email = $2");
    // Holds the account's row, so that two owners who leave at once come one after the other.
    HOLD_ACCOUNT = Sql::both("UPDATE accounts SET updated_at = updated_at WHERE id = $1");
    OTHER_OWNERS = Sql::both(
        "SELECT COUNT(*) FROM memberships WHERE account_id = $1 AND role = 'owner' AND user_id <> $2");
    SET_ROLE = Sql::both("UPDATE memberships SET role = $3 WHERE account_id = $1 AND user_id = $2");
    REMOVE_MEMBER = Sql::both("DELETE FROM memberships WHERE account_id = $1 AND user_id = $2");
    CHANGE_RIGHTS = Sql::both("UPDATE users SET rights_at = $2 WHERE id = $1");
    WITHDRAW_THEIRS = Sql::both(
        "DELETE FROM links WHERE account_id = $1 AND created_by = $2 AND purpose = 'invitation'");
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
    /// The member is an owner, and the caller may not touch owners.
    OwnerOnly,
}

/// A change of one member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemberChange {
    pub(crate) account: AccountId,
    pub(crate) user: UserId,
    /// The new role; none takes the membership away.
    pub(crate) role: Option<Role>,
    /// Whether the caller may touch owners.
    pub(crate) owners_too: bool,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    Done,
    /// It was used before, taken back, or has ended.
    DeadLink,
    /// The person was a member before.
    Before,
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

    /// Changes a member. Sessions get a new id at their next request, and the invitations that the member has made end:
    /// nobody keeps a way back in that was made with rights that are gone.
    pub(crate) async fn change_member(&self, change: MemberChange, event: &Event) -> Result<Changed, StoreError> {
        let MemberChange { account, user, role, owners_too } = change;
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(HOLD_ACCOUNT, args![account]).await?;
        let owners = tx.row(OTHER_OWNERS, args![account, user]).await?.map_or(Ok(0), |row| row.int(0))?;
        let Some(member) = tx.row(MEMBER, args![account, user]).await?.as_ref().map(read_member).transpose()? else {
            return Ok(Changed::NoMember);
        };
        if member.role == Role::Owner && !owners_too {
            return Ok(Changed::OwnerOnly);
        }
        if member.role == Role::Owner && role != Some(Role::Owner) && owners == 0 {
            return Ok(Changed::LastOwner);
        }
        match role {
            Some(role) => tx.execute(SET_ROLE, args![account, user, role.word()]).await?,
            None => tx.execute(REMOVE_MEMBER, args![account, user]).await?,
        };
        tx.execute(WITHDRAW_THEIRS, args![account, format!("user:{user}")]).await?;
        tx.execute(CHANGE_RIGHTS, args![user, event.at]).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| Changed::Done)
    }

    pub(crate) async fn member_by_email(&self, account: AccountId, email: &str) -> Result<Option<Member>, StoreError> {
        self.engine.row(MEMBER_BY_EMAIL, args![account, email]).await?.as_ref().map(read_member).transpose()
    }

    /// Uses an invitation up and makes its reader a member.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when a person with the new one's e-mail address was made in the meantime.
    pub(crate) async fn join(
        &self,
        link: &Link,
        (account, role): (AccountId, Role),
        joining: &Joining<'_>,
        events: &[Event],
    ) -> Result<Joined, StoreError> {
        let now = events.first().map_or(link.created_at, |event| event.at);
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if !tx.use_link(link, now).await? {
            return Ok(Joined::DeadLink);
        }
        let user = match joining {
            Joining::New(user, ..) => {
                tx.insert_user(user).await?;
                user.id
            }
            Joining::Known(user) => *user,
        };
        if !tx.put_member(account, user, role, now).await? {
            return Ok(Joined::Before);
        }
        match joining {
            Joining::New(_, session, hash) => tx.insert_session(session, hash).await?,
            Joining::Known(_) => tx.execute(CHANGE_RIGHTS, args![user, now]).await.map(|_| ())?,
        }
        for event in events {
            tx.write_event(event).await?;
        }
        tx.commit().await.map(|()| Joined::Done)
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
