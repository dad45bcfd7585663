//! People: who signs in, and what they may.

mod delays;
mod enrolment;
mod factor;
mod letters;
mod links;
mod members;
mod passwords;
mod post;
mod proof;
mod reset;
mod sessions;
mod setup;
mod sign_in;
mod tokens;

use tollgate_core::{AccountId, ProjectId, Right, Role, Timestamp, UserId};

use super::{App, Doing, ManageError, Project};
use crate::store::StoreError;
use crate::store::accounts::Account;
use crate::store::users::{Seat, User};

pub use enrolment::{Enrolment, QrPath};
pub use factor::{FactorAttempt, FactorChanged};
pub use links::MadeLink;
pub use members::{Invitation, MemberPower};
pub use proof::ProofError;
pub use sessions::{Cookie, SignedIn};
pub use setup::FirstSetUp;
pub use sign_in::{Attempt, SignInError, SignInStep};

pub(super) use delays::Delays;
pub(super) use passwords::Passwords;
pub(super) use post::Post;

/// For how long the ids of forms that were sent are remembered.
const FORM_DAYS: i64 = 35;
const DAY: i64 = 86_400;

/// Somebody who is signed in, with all accounts that it belongs to.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user: User,
    /// The accounts and roles, oldest account first.
    pub seats: Vec<Seat>,
}

impl Person {
    /// The role in an account; none for strangers.
    pub fn role_in(&self, account: AccountId) -> Option<Role> {
        self.seats.iter().find(|seat| seat.account.id == account).map(|seat| seat.role)
    }

    /// Whether it may do that in the account. The operator may everything; in a suspended account others only read.
    pub fn may(&self, account: &Account, right: Right) -> bool {
        self.user.operator
            || self
                .role_in(account.id)
                .is_some_and(|role| role.may(right) && (right.only_reads() || account.suspended_at.is_none()))
    }
}

impl Person {
    /// Refuses unless it may do that in the account.
    ///
    /// # Errors
    /// [`ManageError::Forbidden`], which names the roles that may.
    pub fn require(&self, account: &Account, right: Right) -> Result<(), ManageError> {
        if self.may(account, right) {
            return Ok(());
        }
        let suspended = self.role_in(account.id).is_some_and(|role| role.may(right));
        Err(ManageError::Forbidden(if suspended {
            "The account is suspended: it can be read, but not changed"
        } else {
            right.refusal()
        }))
    }
}

impl App {
    /// An account that the person belongs to; any for the operator. For others it is the same as one that does not exist.
    ///
    /// # Errors
    /// Not found, or an outage.
    pub async fn account_of(&self, person: &Person, id: AccountId) -> Result<Account, ManageError> {
        if let Some(seat) = person.seats.iter().find(|seat| seat.account.id == id) {
            return Ok(seat.account.clone());
        }
        if person.user.operator { self.account(id).await } else { Err(ManageError::NotFound("account")) }
    }

    /// A project in an account that the person belongs to, with the account.
    ///
    /// # Errors
    /// Not found, or an outage.
    pub async fn project_of(&self, person: &Person, id: ProjectId) -> Result<(Account, Project), ManageError> {
        let project = self.project(id).await?;
        match self.account_of(person, project.account).await {
            Ok(account) => Ok((account, project)),
            Err(ManageError::NotFound(_)) => Err(ManageError::NotFound("project")),
            Err(error) => Err(error),
        }
    }

    /// Who stands behind an entry of the audit trail, for people: an e-mail address, the name of a key, or who we are.
    ///
    /// # Errors
    /// An outage.
    pub async fn actor_name(&self, account: &Account, actor: &str) -> Result<String, ManageError> {
        if let Some(user) = actor.strip_prefix("user:").and_then(|id| id.parse().ok()) {
            // The operator's own address is nobody's business but the operator's.
            let member = self.store.member(account.id, user).await?;
            return Ok(member.map_or_else(|| "a former member, or the operator".to_owned(), |member| member.email));
        }
        if let Some(key) = actor.strip_prefix("key:").and_then(|id| id.parse().ok()) {
            let key = self.store.key(key).await?;
            return Ok(
                key.map_or_else(|| "a deleted access key".to_owned(), |key| format!("access key {}", key.display_name))
            );
        }
        Ok(if actor == "operator" { "the operator".to_owned() } else { actor.to_owned() })
    }

    /// A person, with what it may.
    pub(super) async fn person(&self, user: User) -> Result<Person, StoreError> {
        let seats = self.store.seats(user.id).await?;
        Ok(Person { user, seats })
    }

    /// What a form has made, if it was sent before: the id of the thing.
    ///
    /// # Errors
    /// An outage.
    pub async fn form_target(&self, form: &str) -> Result<Option<String>, ManageError> {
        Ok(self.store.form_target(form).await?)
    }

    /// A fresh id for a form that works once. It is bound to the person, so that nobody can use up another's form.
    pub fn new_form(&self) -> String {
        tollgate_core::id::FormId::new(self.now(), &*self.random).to_string()
    }

    /// Forgets sessions, links and forms that are over.
    pub(super) async fn forget_people(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.forget_sessions(now, self.unseen_before()).await?;
        self.store.forget_links(now).await?;
        self.store.forget_personal_tokens(now.plus_seconds(-tokens::SHOWN_DAYS * DAY)).await?;
        self.store.forget_forms(now.plus_seconds(-FORM_DAYS * DAY)).await
    }

    fn user_event(
        &self,
        doing: &Doing<'_>,
        account: Option<AccountId>,
        action: &str,
        user: UserId,
        details: &serde_json::Value,
    ) -> crate::store::audit::Event {
        doing.event(self, account, None, action, user, details)
    }
}

/// An e-mail address as it is kept: trimmed, in lower case. Whether it exists only its owner can show.
pub(super) fn email(text: &str) -> Result<String, ManageError> {
    let bad = || ManageError::invalid("email", "must be an e-mail address such as name@example.com");
    let email = text.trim().to_lowercase();
    let (name, host) = email.rsplit_once('@').ok_or_else(bad)?;
    let fits = email.len() <= 254 && !name.is_empty() && name.len() <= 64 && !host.is_empty();
    let is_plain = |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    let is_host = host
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-'));
    if fits && name.chars().all(is_plain) && is_host { Ok(email) } else { Err(bad()) }
}
