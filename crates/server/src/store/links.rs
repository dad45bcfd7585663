//! Links that work once: set-up, invitation, password reset, sign-in. A used link is gone; its keyed hash is all that was kept.

use std::str::FromStr;

use tollgate_core::id::LinkId;
use tollgate_core::{AccountId, Role, Timestamp, UserId};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_LINK = Sql::both(
        "INSERT INTO links (id, hash, purpose, email, user_id, account_id, role, created_by, created_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    FORGET_EARLIER = Sql::both(
        "DELETE FROM links WHERE purpose = $1 AND email = $2 AND COALESCE(account_id, '') = $3");
    LINK = Sql::both(
        "SELECT id, purpose, email, user_id, account_id, role, created_by, created_at, ends_at
         FROM links WHERE hash = $1 AND purpose = $2 AND ends_at > $3");
    INVITATIONS = Sql::both(
        "SELECT id, purpose, email, user_id, account_id, role, created_by, created_at, ends_at
         FROM links WHERE account_id = $1 AND purpose = 'invitation' AND ends_at > $2 AND id > $3 ORDER BY id LIMIT $4");
    INVITATION = Sql::both(
        "SELECT id, purpose, email, user_id, account_id, role, created_by, created_at, ends_at
         FROM links WHERE id = $1 AND account_id = $2 AND purpose = 'invitation' AND ends_at > $3");
    USE_LINK = Sql::both("DELETE FROM links WHERE id = $1 AND ends_at > $2");
    WITHDRAW = Sql::both("DELETE FROM links WHERE id = $1 AND account_id = $2 AND purpose = 'invitation'");
    FORGET_LINKS_OF = Sql::both("DELETE FROM links WHERE user_id = $1");
    FORGET_LINKS = Sql::both("DELETE FROM links WHERE ends_at <= $1");
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Makes the first user, account and project.
    SetUp,
    /// Makes its reader a member.
    Invitation,
    /// Sets a new password.
    Reset,
    /// Signs in.
    SignIn,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::SetUp, Self::Invitation, Self::Reset, Self::SignIn];

    fn word(self) -> &'static str {
        match self {
            Self::SetUp => "setup",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::SignIn => "sign-in",
        }
    }
}

impl FromStr for Purpose {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|purpose| purpose.word() == text).ok_or(())
    }
}

/// A link that was not used yet.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its public id.
    pub id: LinkId,
    /// What it is for.
    pub purpose: Purpose,
    /// To whom it was given; empty for set-up.
    pub email: String,
    /// Whom it signs in, or whose password it sets.
    pub user: Option<UserId>,
    /// The account that it leads into.
    pub account: Option<AccountId>,
    /// The role that it gives.
    pub role: Option<Role>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl Store {
    /// Keeps a new link; an earlier one for the same purpose, address and account is forgotten.
    pub(crate) async fn insert_link(&self, link: &Link, hash: &[u8], event: &Event) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.insert_link(link, hash).await?;
        tx.write_event(event).await?;
        tx.commit().await
    }

    pub(crate) async fn link(&self, hash: &[u8], purpose: Purpose, now: Timestamp) -> Result<Option<Link>, StoreError> {
        self.engine.row(LINK, args![hash, purpose.word(), now]).await?.as_ref().map(read_link).transpose()
    }

    /// An account's open invitations after an id, oldest first.
    pub(crate) async fn invitations(
        &self,
        account: AccountId,
        now: Timestamp,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Link>, StoreError> {
        self.engine.rows(INVITATIONS, args![account, now, after, limit]).await?.iter().map(read_link).collect()
    }

    pub(crate) async fn invitation(
        &self,
        account: AccountId,
        id: LinkId,
        now: Timestamp,
    ) -> Result<Option<Link>, StoreError> {
        self.engine.row(INVITATION, args![id, account, now]).await?.as_ref().map(read_link).transpose()
    }

    /// Takes an invitation back; `false` when the account has none such.
    pub(crate) async fn withdraw(&self, account: AccountId, id: LinkId, event: &Event) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        if tx.execute(WITHDRAW, args![id, account]).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    pub(crate) async fn forget_links(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.execute(FORGET_LINKS, args![now]).await?;
        tx.commit().await
    }
}

impl Tx<'_> {
    pub(super) async fn insert_link(&mut self, link: &Link, hash: &[u8]) -> Result<(), StoreError> {
        let account = link.account.map(|id| id.to_string());
        let user = link.user.map(|id| id.to_string());
        let purpose = link.purpose.word();
        self.execute(FORGET_EARLIER, args![purpose, &*link.email, account.clone().unwrap_or_default()]).await?;
        let values = args![
            link.id,
            hash,
            purpose,
            &*link.email,
            user,
            account,
            link.role.map_or("", Role::word),
            &*link.created_by,
            link.created_at,
            link.ends_at,
        ];
        self.execute(INSERT_LINK, values).await.map(|_| ())
    }

    /// Forgets the links that would sign a person in or set its password.
    pub(super) async fn forget_links_of(&mut self, user: UserId) -> Result<(), StoreError> {
        self.execute(FORGET_LINKS_OF, args![user]).await.map(|_| ())
    }

    /// Uses a link up; `false` when it was used before, or has ended.
    pub(super) async fn use_link(&mut self, link: &Link, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(USE_LINK, args![link.id, now]).await? == 1)
    }
}

fn read_link(row: &Row) -> Result<Link, StoreError> {
    Ok(Link {
        id: row.parsed(0)?,
        purpose: row.parsed(1)?,
        email: row.text(2)?,
        user: row.maybe_parsed(3)?,
        account: row.maybe_parsed(4)?,
        role: Some(row.text(5)?)
            .filter(|word| !word.is_empty())
            .map(|word| word.parse())
            .transpose()
            .map_err(|_| StoreError::Corrupt("a role has the wrong form"))?,
        created_by: row.text(6)?,
        created_at: row.time(7)?,
        ends_at: row.time(8)?,
    })
}
