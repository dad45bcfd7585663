//! Signing in: one answer in the same time, whether there is such a person or not.

use serde_json::json;
use tollgate_core::page;

use super::Cookie;
use super::delays::Trier;
use super::sessions::SignedIn;
use crate::operations::{Actor, App, Client, Doing, ManageError};
use crate::store::StoreError;
use crate::store::links::Purpose;
use crate::store::users::User;

/// What the browser's device cookie is sealed for.
const DEVICE: &str = "device";

/// An e-mail address and a password that shall sign in.
pub struct Attempt<'a> {
    /// As it was typed.
    pub email: &'a str,
    /// As it was typed.
    pub password: &'a str,
    /// From where, by what.
    pub client: Client<'a>,
    /// What the browser keeps of an earlier sign-in.
    pub device: &'a str,
}

/// How far a sign-in has come.
pub enum SignInStep {
    /// Signed in.
    Done {
        /// The session's cookie.
        cookie: Cookie,
        /// For the device cookie.
        device: String,
    },
    /// The second factor is outstanding.
    Factor(Cookie),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Something of it is wrong; nobody learns what.
    #[error("E-mail address or password is wrong")]
    Wrong,
    /// Too many tries.
    #[error("Too many tries. Try again in {0}")]
    Wait(Wait),
    /// The link was used before, has ended, or never was.
    #[error("This link was used before or has ended. Ask for a new one")]
    DeadLink,
    /// The store did not answer.
    #[error("Temporarily unavailable; try again")]
    Unavailable(#[from] StoreError),
}

/// A wait in words.
#[derive(Debug, Clone, Copy)]
pub struct Wait(pub i64);

impl std::fmt::Display for Wait {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => out.write_str("one second"),
            seconds @ ..120 => write!(out, "{seconds} seconds"),
            seconds => write!(out, "{} minutes", (seconds + 59) / 60),
        }
    }
}

impl App {
    /// Signs in with a password.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn sign_in(&self, attempt: &Attempt<'_>) -> Result<SignInStep, SignInError> {
        let email: String = attempt.email.trim().to_lowercase().chars().take(300).collect();
        let found = self.store.user_by_email(&email).await?;
        let trier = self.trier(&email, attempt, found.as_ref().map(|(user, _)| user));
        self.delays.take(&trier, self.now()).map_err(|seconds| SignInError::Wait(Wait(seconds)))?;
        let (user, password) = match found {
            Some((user, proofs)) => (Some(user), proofs.password),
            None => (None, None),
        };
        let fits = self.password_fits(attempt.password, password).await;
        let Some(user) = user.filter(|_| fits) else { return Err(SignInError::Wrong) };
        if !user.has_factor {
            self.delays.forgive(&trier);
        }
        Ok(self.begun(&user, attempt.client).await?)
    }

    /// Signs in by a link, without a password. The second factor is not asked for: the operator made the link.
    ///
    /// # Errors
    /// A dead link, or an outage.
    pub async fn sign_in_by_link(&self, token: &str, client: Client<'_>) -> Result<SignInStep, SignInError> {
        let link = self.link(token, Purpose::SignIn).await?.ok_or(SignInError::DeadLink)?;
        let found = match link.user {
            Some(id) => self.store.user(id).await?,
            None => None,
        };
        let (user, _) = found.ok_or(SignInError::DeadLink)?;
        let (session, cookie, hash) = self.new_session(&user, client, false);
        let actor = Actor::Person(user.id);
        let doing = Doing { address: client.address, ..Doing::by(&actor) };
        let event = self.user_event(&doing, None, "session.createByLink", user.id, &json!({ "link": link.id }));
        if !self.store.begin_by_link(&link, &session, &hash, &event).await? {
            return Err(SignInError::DeadLink);
        }
        Ok(SignInStep::Done { cookie, device: self.device(&user) })
    }

    /// Signs out: ends the session.
    ///
    /// # Errors
    /// An outage: then the session goes on.
    pub async fn sign_out(&self, signed_in: &SignedIn) -> Result<(), ManageError> {
        match self.end_session(signed_in, signed_in.session.id).await {
            // It ended in the meantime.
            Ok(()) | Err(ManageError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives the password again, before something that cannot be undone. The session gets a new cookie.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn confirm(&self, signed_in: &SignedIn, password: &str) -> Result<Option<Cookie>, SignInError> {
        let user = &signed_in.person.user;
        let trier = signed_in.trier();
        self.delays.take(&trier, self.now()).map_err(|seconds| SignInError::Wait(Wait(seconds)))?;
        let stored = self.store.user(user.id).await?.and_then(|(_, proofs)| proofs.password);
        if !self.password_fits(password, stored).await {
            return Err(SignInError::Wrong);
        }
        self.delays.forgive(&trier);
        Ok(self.renewed(&signed_in.session, self.now()).await?)
    }

    pub(super) async fn begun(&self, user: &User, client: Client<'_>) -> Result<SignInStep, StoreError> {
        let (session, cookie, hash) = self.new_session(user, client, user.has_factor);
        if user.has_factor {
            self.store.insert_session(&session, &hash, None).await?;
            return Ok(SignInStep::Factor(cookie));
        }
        let actor = Actor::Person(user.id);
        let doing = Doing { address: client.address, ..Doing::by(&actor) };
        let event = self.user_event(&doing, None, "session.create", user.id, &json!({}));
        self.store.insert_session(&session, &hash, Some(&event)).await?;
        Ok(SignInStep::Done { cookie, device: self.device(user) })
    }

    /// What a browser keeps, to show later that this person has signed in with it. It opens nothing.
    pub(super) fn device(&self, user: &User) -> String {
        page::seal(self.master.present(), DEVICE, &user.id.to_string())
    }

    fn trier(&self, email: &str, attempt: &Attempt<'_>, user: Option<&User>) -> Trier {
        let is_known = user.is_some_and(|user| self.knows(attempt.device, user));
        Trier { email: email.to_owned(), address: attempt.client.address, is_known }
    }

    /// Whether this person has signed in before with the browser that keeps this.
    pub(super) fn knows(&self, device: &str, user: &User) -> bool {
        page::open(self.master.present(), DEVICE, device).is_ok_and(|id| id == user.id.to_string())
    }
}
