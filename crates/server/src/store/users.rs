//! People who sign in, and what they sign in with.

use tollgate_core::{AccountId, Role, Timestamp, UserId};

use super::accounts::{Account, read_account};
use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::links::Link;
use super::projects::Project;
use super::sessions::Renewal;
use super::value::args;
use super::{Store, StoreError};

statements! {
    ANY_USER = Sql::both("SELECT id FROM users LIMIT 1");
    INSERT_USER = Sql::both(
        "INSERT INTO users (id, email, password, operator, factor, factor_master, factor_step, rights_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, NULL, NULL, 0, $5, $5, $5)");
    USER = Sql::both(
        "SELECT id, email, operator, password, factor, factor_master, rights_at, created_at FROM users WHERE id = $1");
    USER_BY_EMAIL = Sql::both(
        "SELECT id, email, operator, password, factor, factor_master, rights_at, created_at FROM users WHERE email = $1");
    SET_PASSWORD = Sql::both("UPDATE users SET password = $2, updated_at = $3 WHERE id = $1");
    PUT_MEMBER = Sql::both(
        "INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, user_id) DO NOTHING");
    SEATS = Sql::both(
        "SELECT accounts.id, accounts.display_name, accounts.key_limit, accounts.suspended_at, accounts.created_at,
         accounts.updated_at, memberships.role
         FROM memberships JOIN accounts ON accounts.id = memberships.account_id
         WHERE memberships.user_id = $1 ORDER BY accounts.id");
}

/// A person who can sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The e-mail address, in lower case: unique.
    pub email: String,
    /// Whether it is the platform's operator: sees and manages all accounts.
    pub operator: bool,
    /// Whether it has a password; without one it signs in by a link.
    pub has_password: bool,
    /// Whether it signs in with a second factor.
    pub has_factor: bool,
    /// When what it may was last changed: sessions get a new id after that.
    pub rights_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a person proves itself with. Never shown.
pub(crate) struct Proofs {
    /// The argon2id hash, in PHC form.
    pub(crate) password: Option<String>,
    /// The sealed secret of the second factor, and the master key that it is sealed under.
    pub(crate) factor: Option<(Vec<u8>, String)>,
}

/// A membership: an account and the role in it.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The account.
    pub account: Account,
    /// The role.
    pub role: Role,
}

/// A person to be made.
pub(crate) struct NewUser<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a str,
    pub(crate) password: Option<&'a str>,
    pub(crate) operator: bool,
    pub(crate) at: Timestamp,
}

impl From<&NewUser<'_>> for User {
    fn from(new: &NewUser<'_>) -> Self {
        Self {
            id: new.id,
            email: new.email.to_owned(),
            operator: new.operator,
            has_password: new.password.is_some(),
            has_factor: false,
            rights_at: new.at,
            created_at: new.at,
        }
    }
}

/// What allows a new password.
#[derive(Clone, Copy)]
pub(crate) enum PasswordBy<'a> {
    /// A link, which is used up.
    Link(&'a Link),
    /// A session, which gets a new cookie.
    Session(&'a Renewal),
}

/// What the first start makes: the operator, who owns the first account with its first project.
pub(crate) struct FirstThings<'a> {
    pub(crate) user: NewUser<'a>,
    pub(crate) account: &'a Account,
    pub(crate) project: &'a Project,
}

impl Store {
    /// Whether anybody can sign in.
    pub(crate) async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(self.engine.row(ANY_USER, &[]).await?.is_some())
    }

    pub(crate) async fn user(&self, id: UserId) -> Result<Option<(User, Proofs)>, StoreError> {
        self.engine.row(USER, args![id]).await?.as_ref().map(|row| read_user(row, 0)).transpose()
    }

    pub(crate) async fn user_by_email(&self, email: &str) -> Result<Option<(User, Proofs)>, StoreError> {
        self.engine.row(USER_BY_EMAIL, args![email]).await?.as_ref().map(|row| read_user(row, 0)).transpose()
    }

    /// The accounts of a person, oldest first.
    pub(crate) async fn seats(&self, user: UserId) -> Result<Vec<Seat>, StoreError> {
        let rows = self.engine.rows(SEATS, args![user]).await?;
        rows.iter().map(|row| Ok(Seat { account: read_account(row)?, role: row.parsed(6)? })).collect()
    }

    /// Uses up the set-up link and makes the first user, account and project. `false` when the link was used before.
    pub(crate) async fn set_up(
        &self,
        link: Option<&Link>,
        first: &FirstThings<'_>,
        events: &[Event],
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if let Some(link) = link
            && !tx.use_link(link, first.user.at).await?
        {
            return Ok(false);
        }
        tx.insert_account(first.account).await?;
        tx.insert_project(first.project).await?;
        tx.insert_user(&first.user).await?;
        tx.put_member(first.account.id, first.user.id, Role::Owner, first.user.at).await?;
        for event in events {
            tx.write_event(event).await?;
        }
        tx.commit().await.map(|()| true)
    }

    /// Makes a person who belongs to an account that is there already.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody has this e-mail.
    pub(crate) async fn insert_user(
        &self,
        user: &NewUser<'_>,
        account: AccountId,
        role: Role,
        event: &Event,
    ) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.insert_user(user).await?;
        tx.put_member(account, user.id, role, user.at).await?;
        tx.write_event(event).await?;
        tx.commit().await
    }

    /// Sets a password. The person's sessions and other links end, but for the session that is renewed. `false`, and
    /// nothing is done, when the link that allowed it was used before, or another request has renewed the session.
    pub(crate) async fn set_password(
        &self,
        (user, password): (UserId, &str),
        by: PasswordBy<'_>,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        let kept = match by {
            PasswordBy::Link(link) => {
                if !tx.use_link(link, event.at).await? {
                    return Ok(false);
                }
                None
            }
            PasswordBy::Session(renewal) => {
                if !tx.renew_session(renewal).await? {
                    return Ok(false);
                }
                Some(renewal.session)
            }
        };
        tx.execute(SET_PASSWORD, args![user, password, event.at]).await?;
        tx.end_sessions(user, kept).await?;
        tx.forget_links_of(user).await?;
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }
}

impl Tx<'_> {
    pub(super) async fn insert_user(&mut self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let password = user.password.map(ToOwned::to_owned);
        let values = args![user.id, user.email, password, i64::from(user.operator), user.at];
        self.execute(INSERT_USER, values).await.map(|_| ())
    }

    /// `false` when the person is a member already.
    pub(super) async fn put_member(
        &mut self,
        account: AccountId,
        user: UserId,
        role: Role,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(PUT_MEMBER, args![account, user, role.word(), at]).await? == 1)
    }
}

/// Reads a user from eight columns.
pub(super) fn read_user(row: &Row, first: usize) -> Result<(User, Proofs), StoreError> {
    let proofs = Proofs {
        password: row.maybe_text(first + 3)?,
        factor: row.maybe_blob(first + 4)?.zip(row.maybe_text(first + 5)?),
    };
    let user = User {
        id: row.parsed(first)?,
        email: row.text(first + 1)?,
        operator: row.int(first + 2)? != 0,
        has_password: proofs.password.is_some(),
        has_factor: proofs.factor.is_some(),
        rights_at: row.time(first + 6)?,
        created_at: row.time(first + 7)?,
    };
    Ok((user, proofs))
}
