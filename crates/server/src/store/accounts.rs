//! Accounts: who pays.

use tollgate_core::credential::AccountEntry;
use tollgate_core::{AccountId, Timestamp};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::links::Link;
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_ACCOUNT = Sql::both(
        "INSERT INTO accounts (id, display_name, key_limit, suspended_at, created_at, updated_at)
         VALUES ($1, $2, $3, NULL, $4, $4)");
    ACCOUNT = Sql::both(
        "SELECT id, display_name, key_limit, suspended_at, created_at, updated_at FROM accounts WHERE id = $1");
    ACCOUNTS = Sql::both(
        "SELECT id, display_name, key_limit, suspended_at, created_at, updated_at
         FROM accounts WHERE id > $1 ORDER BY id LIMIT $2");
    // SQLite lowers the letters of ASCII only: other letters are found as they are typed.
    FIND_ACCOUNTS = Sql::both(
        "SELECT id, display_name, key_limit, suspended_at, created_at, updated_at,
         (SELECT COUNT(*) FROM projects
          WHERE projects.account_id = accounts.id AND parent_id IS NULL AND archived_at IS NULL)
         FROM accounts WHERE id > $1 AND (id = $2 OR display_name LIKE $3 ESCAPE '!' OR lower(display_name) LIKE $4 ESCAPE '!')
         ORDER BY id LIMIT $5");
    SET_ACCOUNT = Sql::both(
        "UPDATE accounts SET display_name = $2, key_limit = $3, suspended_at = $4, updated_at = $5
         WHERE id = $1 AND updated_at = $6");
}

/// An account as it is stored.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name, up to 255 characters.
    pub display_name: String,
    /// How many access keys each of its projects may have.
    pub key_limit: i64,
    /// Since when it is suspended.
    pub suspended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Store {
    pub(crate) async fn insert_account(&self, account: &Account, event: &Event) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.insert_account(account).await?;
        tx.write_event(event).await?;
        tx.commit().await
    }

    /// An account, and the invitation of its owner.
    pub(crate) async fn insert_account_for(
        &self,
        account: &Account,
        (link, hash): (&Link, &[u8]),
        events: &[Event],
    ) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.insert_account(account).await?;
        tx.insert_link(link, hash).await?;
        for event in events {
            tx.write_event(event).await?;
        }
        tx.commit().await
    }

    pub(crate) async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.engine.row(ACCOUNT, args![id]).await?.as_ref().map(read_account).transpose()
    }

    /// Accounts after an id, oldest first.
    pub(crate) async fn accounts(&self, after: &str, limit: i64) -> Result<Vec<Account>, StoreError> {
        self.engine.rows(ACCOUNTS, args![after, limit]).await?.iter().map(read_account).collect()
    }

    /// Accounts after an id with this in their name, or as their id, each with the number of its live projects.
    pub(crate) async fn find_accounts(
        &self,
        text: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(Account, i64)>, StoreError> {
        let literal = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let (typed, small) = (format!("%{literal}%"), format!("%{}%", literal.to_lowercase()));
        let rows = self.engine.rows(FIND_ACCOUNTS, args![after, text.to_lowercase(), typed, small, limit]).await?;
        rows.iter().map(|row| Ok((read_account(row)?, row.int(6)?))).collect()
    }

    /// Stores a changed account; `false` when it does not exist, or was changed since `seen`: then it must be read again.
    pub(crate) async fn set_account(
        &self,
        account: &Account,
        seen: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        let values = args![
            account.id,
            &*account.display_name,
            account.key_limit,
            account.suspended_at,
            account.updated_at,
            seen
        ];
        if tx.execute(SET_ACCOUNT, values).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// The directory's view of an account.
    pub(crate) async fn account_entry(&self, id: AccountId) -> Result<Option<AccountEntry>, StoreError> {
        let account = self.account(id).await?;
        Ok(account.map(|account| AccountEntry { id, suspended: account.suspended_at.is_some() }))
    }
}

impl Tx<'_> {
    pub(super) async fn insert_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let values = args![account.id, &*account.display_name, account.key_limit, account.created_at];
        self.execute(INSERT_ACCOUNT, values).await.map(|_| ())
    }
}

/// Reads an account from the first six columns.
pub(super) fn read_account(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.parsed(0)?,
        display_name: row.text(1)?,
        key_limit: row.int(2)?,
        suspended_at: row.maybe_time(3)?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
    })
}
