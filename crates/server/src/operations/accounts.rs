//! Accounts: the operator's business.

use serde_json::json;
use tollgate_core::id::LinkId;
use tollgate_core::{AccountId, UserId};

use super::App;
use super::directory::Changed;
use super::manage::{Doing, ManageError, Page, display_name};
use crate::store::accounts::Account;
use crate::store::audit::Event;
use crate::store::links::Link;
use crate::store::members::Member;

/// What to change of an account; `None` leaves a field as it is.
#[derive(Debug, Default, Clone)]
pub struct AccountChange {
    /// A new name.
    pub display_name: Option<String>,
    /// How many access keys each of its projects may have.
    pub key_limit: Option<i64>,
    /// Suspend or resume.
    pub suspended: Option<bool>,
}

/// An account, and how many live projects it has.
pub type CountedAccount = (Account, i64);

impl App {
    /// Creates an account.
    ///
    /// # Errors
    /// A bad name or limit, or an outage.
    pub async fn create_account(
        &self,
        doing: &Doing<'_>,
        name: &str,
        key_limit: Option<i64>,
    ) -> Result<Account, ManageError> {
        let account = self.new_account(name, key_limit)?;
        let event = self.account_event(doing, &account);
        self.store.insert_account(&account, &event).await?;
        self.directory.changed(Changed::Account(account.id));
        Ok(account)
    }

    pub(super) fn account_event(&self, doing: &Doing<'_>, account: &Account) -> Event {
        let details = json!({ "displayName": account.display_name });
        doing.event(self, Some(account.id), None, "account.create", account.id, &details)
    }

    pub(super) fn new_account(&self, name: &str, key_limit: Option<i64>) -> Result<Account, ManageError> {
        let now = self.now();
        Ok(Account {
            id: AccountId::new(now, &*self.random),
            display_name: display_name(name, 255)?,
            key_limit: checked_limit(key_limit.unwrap_or(self.config.limits.keys_per_project))?,
            suspended_at: None,
            created_at: now,
            updated_at: now,
        })
    }

    /// One account.
    ///
    /// # Errors
    /// It does not exist, or an outage.
    pub async fn account(&self, id: AccountId) -> Result<Account, ManageError> {
        self.store.account(id).await?.ok_or(ManageError::NotFound("account"))
    }

    /// The accounts, oldest first.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn accounts(&self, page: &Page) -> Result<(Vec<Account>, String), ManageError> {
        let limit = page.limit()?;
        let after = page.cursor(self, "accounts", "")?;
        let entries = self.store.accounts(&after, limit + 1).await?;
        Ok(Page::cut(self, "accounts", limit, entries, |account| account.id.to_string()))
    }

    /// The accounts with this in their name, or as their id; all for an empty text. Oldest first, each with how many
    /// projects it has.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn find_accounts(&self, text: &str, page: &Page) -> Result<(Vec<CountedAccount>, String), ManageError> {
        let limit = page.limit()?;
        let list = format!("accounts/found/{text}");
        let after = page.cursor(self, &list, "")?;
        let entries = self.store.find_accounts(text, &after, limit + 1).await?;
        Ok(Page::cut(self, &list, limit, entries, |(account, _)| account.id.to_string()))
    }

    /// One member of an account.
    ///
    /// # Errors
    /// There is none such, or an outage.
    pub async fn member_of(&self, account: AccountId, user: UserId) -> Result<Member, ManageError> {
        self.store.member(account, user).await?.ok_or(ManageError::NotFound("member"))
    }

    /// One open invitation of an account.
    ///
    /// # Errors
    /// There is none such, or an outage.
    pub async fn open_invitation(&self, account: AccountId, id: LinkId) -> Result<Link, ManageError> {
        let found = self.store.invitation(account, id, self.now()).await?;
        found.ok_or(ManageError::NotFound("invitation"))
    }

    /// Changes an account. Suspension is in force at the next request.
    ///
    /// # Errors
    /// It does not exist, a bad value, or an outage.
    pub async fn change_account(
        &self,
        doing: &Doing<'_>,
        id: AccountId,
        change: AccountChange,
    ) -> Result<Account, ManageError> {
        let action = match change.suspended {
            Some(true) => "account.suspend",
            Some(false) => "account.resume",
            None => "account.update",
        };
        // Again when somebody else changed the account in between: no change undoes another.
        loop {
            let mut account = self.account(id).await?;
            let seen = account.updated_at;
            if let Some(name) = &change.display_name {
                account.display_name = display_name(name, 255)?;
            }
            if let Some(limit) = change.key_limit {
                account.key_limit = checked_limit(limit)?;
            }
            account.updated_at = self.now().after(seen);
            if let Some(suspended) = change.suspended {
                account.suspended_at = suspended.then(|| account.suspended_at.unwrap_or(account.updated_at));
            }
            let details = json!({ "displayName": account.display_name, "keyLimit": account.key_limit });
            let event = doing.event(self, Some(id), None, action, id, &details);
            if self.store.set_account(&account, seen, &event).await? {
                self.directory.changed(Changed::Account(id));
                return Ok(account);
            }
        }
    }

    /// An account's audit events, newest first.
    ///
    /// # Errors
    /// The account does not exist, a bad page, or an outage.
    pub async fn audit_events(&self, account: AccountId, page: &Page) -> Result<(Vec<Event>, String), ManageError> {
        self.account(account).await?;
        let list = format!("auditEvents/{account}");
        let limit = page.limit()?;
        let before = page.cursor(self, &list, "g")?;
        let entries = self.store.events(account, &before, limit + 1).await?;
        Ok(Page::cut(self, &list, limit, entries, |event| event.id.to_string()))
    }
}

fn checked_limit(limit: i64) -> Result<i64, ManageError> {
    if (1..=100_000).contains(&limit) {
        Ok(limit)
    } else {
        Err(ManageError::invalid("keyLimit", "must be 1 to 100000"))
    }
}
