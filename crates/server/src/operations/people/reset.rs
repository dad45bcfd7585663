//! New passwords: by a link that works once, or by the old password. A second factor stays, and is asked for at the next
//! sign-in.

use serde_json::json;
use tollgate_core::Timestamp;

use super::delays::Trier;
use super::links::NewLink;
use super::post::Errand;
use super::sign_in::Wait;
use super::{Cookie, MadeLink, ProofError, SignedIn, email};
use crate::operations::{Actor, App, Client, Doing, ManageError, SignInError};
use crate::store::StoreError;
use crate::store::links::{Link, Purpose};
use crate::store::users::{PasswordBy, User};

/// How long a reset link works, in seconds.
const LIFETIME: i64 = 3_600;

impl App {
    /// Makes a link that sets a person's password, for the operator to hand over. An earlier one is dead then.
    ///
    /// # Errors
    /// Nobody has this e-mail address, or an outage.
    pub async fn reset_link(&self, doing: &Doing<'_>, address: &str) -> Result<MadeLink, ManageError> {
        let found = self.store.user_by_email(&email(address)?).await?;
        let (user, _) = found.ok_or(ManageError::NotFound("user"))?;
        self.make_link(doing, &reset(&user)).await
    }

    /// Asks for a reset link by mail, if mail goes out. Whether somebody has this address is looked up later, in the background, so that
    /// the answer and its time say nothing about it.
    ///
    /// # Errors
    /// Too many tries: [`SignInError::Wait`].
    pub fn ask_reset(&self, address: &str, client: Client<'_>) -> Result<(), SignInError> {
        let Ok(email) = email(address) else { return Ok(()) };
        // Apart from the tries to sign in: no address holds a blank.
        let trier = Trier { email: format!("reset {email}"), address: client.address, is_known: false };
        self.delays.take(&trier, self.now()).map_err(|seconds| SignInError::Wait(Wait(seconds)))?;
        self.post.send(Errand::Reset { email, address: client.address });
        Ok(())
    }

    /// Mails a reset link, if somebody has this address.
    pub(super) async fn mail_reset(&self, doing: &Doing<'_>, address: &str) -> Result<Option<MadeLink>, ManageError> {
        let Some((user, _)) = self.store.user_by_email(address).await? else { return Ok(None) };
        self.make_link(doing, &reset(&user)).await.map(Some)
    }

    /// The e-mail address whose password a link sets; `None` when it was used before or has ended.
    ///
    /// # Errors
    /// An outage.
    pub async fn reset_address(&self, token: &str) -> Result<Option<String>, ManageError> {
        Ok(self.link(token, Purpose::Reset).await?.map(|link| link.email))
    }

    /// Sets a password by a reset link. All sessions of the person end.
    ///
    /// # Errors
    /// A dead link ([`ManageError::NotFound`]), a bad password, or an outage.
    pub async fn reset_password(&self, token: &str, password: &str, client: Client<'_>) -> Result<(), ManageError> {
        let dead = || ManageError::NotFound("reset link");
        let (link, user) = self.reset_target(token).await?.ok_or_else(dead)?;
        let hash = self.new_password(password, &user.email).await?;
        let actor = Actor::Person(user.id);
        let doing = Doing { address: client.address, ..Doing::by(&actor) };
        let event = self.user_event(&doing, None, "password.reset", user.id, &json!({ "link": link.id }));
        if self.store.set_password((user.id, &hash), PasswordBy::Link(&link), &event).await? {
            Ok(())
        } else {
            Err(dead())
        }
    }

    async fn reset_target(&self, token: &str) -> Result<Option<(Link, User)>, StoreError> {
        let Some(link) = self.link(token, Purpose::Reset).await? else { return Ok(None) };
        let Some(id) = link.user else { return Ok(None) };
        Ok(self.store.user(id).await?.map(|(user, _)| (link, user)))
    }

    /// Changes the own password. The old one is needed if there is one. All other sessions end, and this one gets a new
    /// cookie; the old cookie is dead.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        old: &str,
        new: &str,
    ) -> Result<Cookie, ProofError> {
        let user = &signed_in.person.user;
        let trier = signed_in.trier();
        let now: Timestamp = self.now();
        let stored = self.store.user(user.id).await?.and_then(|(_, proofs)| proofs.password);
        if stored.is_some() {
            self.delays.take(&trier, now).map_err(|seconds| ProofError::Wait(Wait(seconds)))?;
            if !self.password_fits(old, stored).await {
                return Err(ProofError::Wrong("The present password is wrong"));
            }
            self.delays.forgive(&trier);
        }
        let hash = self.new_password(new, &user.email).await?;
        let (renewal, cookie) = self.strict_renewal(&signed_in.session);
        let event = self.user_event(&signed_in.doing(form), None, "password.change", user.id, &json!({}));
        if self.store.set_password((user.id, &hash), PasswordBy::Session(&renewal), &event).await? {
            Ok(cookie)
        } else {
            Err(ProofError::overtaken())
        }
    }
}

fn reset(user: &User) -> NewLink<'_> {
    NewLink {
        purpose: Purpose::Reset,
        email: &user.email,
        user: Some(user.id),
        account: None,
        role: None,
        lifetime: LIFETIME,
    }
}
