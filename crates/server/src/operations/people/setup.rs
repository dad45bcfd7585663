//! The first user, with the first account and project.

use serde_json::json;
use tollgate_core::{AccountId, ProjectId, Role, UserId};

use super::links::NewLink;
use super::passwords::check_password;
use super::sign_in::SignInStep;
use super::{DAY, MadeLink, email};
use crate::operations::manage::display_name;
use crate::operations::{Account, Actor, App, Client, Doing, ManageError};
use crate::store::StoreError;
use crate::store::links::{Link, Purpose};
use crate::store::users::{FirstThings, NewUser, User};

/// What the set-up page asks for.
pub struct FirstSetUp<'a> {
    /// The owner's e-mail address.
    pub email: &'a str,
    /// The owner's password.
    pub password: &'a str,
    /// The name of the first account.
    pub account: &'a str,
    /// The name of its first project.
    pub project: &'a str,
}

impl App {
    /// Whether anybody can sign in.
    ///
    /// # Errors
    /// An outage.
    pub async fn has_users(&self) -> Result<bool, ManageError> {
        Ok(self.store.has_users().await?)
    }

    /// Makes the link to the set-up page; an earlier one is dead then.
    ///
    /// # Errors
    /// Somebody can sign in already, or an outage.
    pub async fn setup_link(&self, doing: &Doing<'_>) -> Result<MadeLink, ManageError> {
        if self.has_users().await? {
            return Err(ManageError::Precondition(
                "Tollgate is set up; to sign in somebody again, make a link with `tollgate member reset-link`"
                    .to_owned(),
            ));
        }
        let new = NewLink { purpose: Purpose::SetUp, email: "", user: None, account: None, role: None, lifetime: DAY };
        self.make_link(doing, &new).await
    }

    /// Whether a set-up link may still be used.
    ///
    /// # Errors
    /// An outage.
    pub async fn can_set_up(&self, token: &str) -> Result<bool, ManageError> {
        Ok(self.setup_token(token).await?.is_some())
    }

    /// All that is wrong with what was typed.
    pub fn wrong_set_up(&self, first: &FirstSetUp<'_>) -> Vec<ManageError> {
        let account = self.new_account(first.account, None).map_err(|error| renamed(error, "account")).err();
        let name = display_name(first.project, 255).map_err(|error| renamed(error, "project")).err();
        let address = email(first.email);
        let password = check_password(first.password, address.as_deref().unwrap_or_default()).err();
        [address.err(), password, account, name].into_iter().flatten().collect()
    }

    /// Makes the first user, who is operator and owner of the first account, and signs it in.
    ///
    /// # Errors
    /// A dead link ([`ManageError::NotFound`]), a bad value, or an outage.
    pub async fn set_up(
        &self,
        token: &str,
        first: &FirstSetUp<'_>,
        client: Client<'_>,
    ) -> Result<(SignInStep, AccountId, ProjectId), ManageError> {
        let link = self.setup_token(token).await?.ok_or(ManageError::NotFound("set-up link"))?;
        let address = email(first.email)?;
        let account = self.new_account(first.account, None).map_err(|error| renamed(error, "account"))?;
        let project = self
            .new_project(account.id, None, first.project, std::collections::BTreeMap::new())
            .map_err(|error| renamed(error, "project"))?;
        let password = self.new_password(first.password, &address).await?;
        let now = self.now();
        let id = UserId::new(now, &*self.random);
        let actor = Actor::Person(id);
        let doing = Doing { address: client.address, ..Doing::by(&actor) };
        let events = [
            self.user_event(&doing, Some(account.id), "user.create", id, &json!({ "email": address, "role": "owner" })),
            doing.event(
                self,
                Some(account.id),
                None,
                "account.create",
                account.id,
                &json!({ "displayName": account.display_name }),
            ),
            doing.event(
                self,
                Some(account.id),
                Some(project.id),
                "project.create",
                project.id,
                &json!({ "displayName": project.display_name }),
            ),
        ];
        let user = NewUser { id, email: &address, password: Some(&password), operator: true, at: now };
        let things = FirstThings { user, account: &account, project: &project };
        if !self.store.set_up(Some(&link), &things, &events).await? {
            return Err(ManageError::NotFound("set-up link"));
        }
        let (user, _) = self.store.user(id).await?.ok_or(ManageError::NotFound("user"))?;
        Ok((self.begun(&user, client).await?, account.id, project.id))
    }

    /// An operator who owns an account that is there already, without a password: for `tollgate dev`. The one that is
    /// there, when somebody has this address.
    ///
    /// # Errors
    /// A bad address, or an outage.
    pub async fn sample_owner(&self, doing: &Doing<'_>, address: &str, account: &Account) -> Result<User, ManageError> {
        let address = email(address)?;
        if let Some((user, _)) = self.store.user_by_email(&address).await? {
            return Ok(user);
        }
        let now = self.now();
        let id = UserId::new(now, &*self.random);
        let details = json!({ "email": address, "role": "owner" });
        let event = self.user_event(doing, Some(account.id), "user.create", id, &details);
        let user = NewUser { id, email: &address, password: None, operator: true, at: now };
        self.store.insert_user(&user, account.id, Role::Owner, &event).await?;
        let made = self.store.user(id).await?;
        made.map(|(user, _)| user).ok_or(ManageError::NotFound("user"))
    }

    async fn setup_token(&self, token: &str) -> Result<Option<Link>, StoreError> {
        if self.store.has_users().await? {
            return Ok(None);
        }
        self.link(token, Purpose::SetUp).await
    }
}

/// Two names stand in one form: each error names its own field.
fn renamed(error: ManageError, field: &'static str) -> ManageError {
    match error {
        ManageError::Invalid { message, .. } => ManageError::Invalid { field, message },
        other => other,
    }
}
