//! Links that work once. The address in them comes from the configured public URL, never from a request.

use serde_json::json;
use tollgate_core::id::LinkId;
use tollgate_core::secret::SecretKind;
use tollgate_core::{AccountId, Role, Secret, UserId};

use crate::operations::{App, Doing, ManageError};
use crate::store::StoreError;
use crate::store::audit::Event;
use crate::store::links::{Link, Purpose};
use crate::store::users::User;

/// A link that was just made. It is shown or mailed once, and never kept.
pub struct MadeLink {
    /// The whole URL, with the secret in it.
    pub url: String,
    /// What is kept.
    pub link: Link,
    /// Whether it is on its way by mail. Whoever made it may see it all the same.
    pub is_mailed: bool,
}

/// What a link is to be.
pub(super) struct NewLink<'a> {
    pub(super) purpose: Purpose,
    pub(super) email: &'a str,
    pub(super) user: Option<UserId>,
    pub(super) account: Option<AccountId>,
    pub(super) role: Option<Role>,
    /// Seconds.
    pub(super) lifetime: i64,
}

impl App {
    /// The URL of a page of ours, on the configured public URL.
    pub fn page_url(&self, path: &str) -> String {
        format!("{}{path}", self.config.public_url)
    }

    /// Makes a link that signs a person in, once, within an hour.
    ///
    /// # Errors
    /// An outage.
    pub async fn sign_in_link(&self, doing: &Doing<'_>, user: &User) -> Result<MadeLink, ManageError> {
        let new = NewLink {
            purpose: Purpose::SignIn,
            email: &user.email,
            user: Some(user.id),
            account: None,
            role: None,
            lifetime: 3_600,
        };
        self.make_link(doing, &new).await
    }

    pub(super) async fn make_link(&self, doing: &Doing<'_>, new: &NewLink<'_>) -> Result<MadeLink, ManageError> {
        let (made, hash) = self.new_link(doing, new);
        let event = self.link_event(doing, &made.link);
        self.store.insert_link(&made.link, &hash, &event).await?;
        Ok(made)
    }

    pub(super) fn link_event(&self, doing: &Doing<'_>, link: &Link) -> Event {
        let details = json!({ "email": link.email, "role": link.role.map(Role::word) });
        let action = match link.purpose {
            Purpose::SetUp => "setupLink.create",
            Purpose::Invitation => "invitation.create",
            Purpose::Reset => "resetLink.create",
            Purpose::SignIn => "signInLink.create",
        };
        doing.event(self, link.account, None, action, link.id, &details)
    }

    /// A link and the hash that is stored of it.
    pub(super) fn new_link(&self, doing: &Doing<'_>, new: &NewLink<'_>) -> (MadeLink, Vec<u8>) {
        let now = self.now();
        let secret = Secret::generate(&self.config.brand, SecretKind::Link, &*self.random);
        let page = match new.purpose {
            Purpose::SetUp => "setup",
            Purpose::Invitation => "invitation",
            Purpose::Reset => "reset/new",
            Purpose::SignIn => "sign-in/link",
        };
        let url = self.page_url(&format!("/{page}?token={}", secret.expose()));
        let link = Link {
            id: LinkId::new(now, &*self.random),
            purpose: new.purpose,
            email: new.email.to_owned(),
            user: new.user,
            account: new.account,
            role: new.role,
            created_by: doing.actor.to_string(),
            created_at: now,
            ends_at: now.plus_seconds(new.lifetime),
        };
        (MadeLink { url, link, is_mailed: false }, self.master.present().hash(&secret).as_bytes().to_vec())
    }

    /// The link of a token, if it may still be used for this.
    pub(super) async fn link(&self, token: &str, purpose: Purpose) -> Result<Option<Link>, StoreError> {
        let Some(secret) = Secret::parse(&self.config.brand, SecretKind::Link, token) else { return Ok(None) };
        self.store.link(self.master.present().hash(&secret).as_bytes(), purpose, self.now()).await
    }
}
