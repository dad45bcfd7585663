//! Who is it: a KEY ID with its KEY SECRET, or an access token.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use tollgate_core::credential::Inactive;
use tollgate_core::gate::{CredentialKind, Denial};
use tollgate_core::id::SecretId;
use tollgate_core::keyset::KeyState;
use tollgate_core::master::SecretHash;
use tollgate_core::oauth::{OAuthError, Presented};
use tollgate_core::secret::{SecretKind, kind_of};
use tollgate_core::signing::SigningKey;
use tollgate_core::token::Token;
use tollgate_core::{KeyId, Secret};

use super::App;
use super::directory::Known;
use crate::store::StoreError;

/// Where a request comes from, for the record of last use.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The address, as far as it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub agent: &'a str,
}

/// A token whose signature was checked.
#[derive(Debug)]
pub struct Verified {
    /// What it says.
    pub token: Token,
}

/// A key whose secret was presented.
pub(super) struct Authenticated {
    pub(super) known: Known,
    pub(super) secret: SecretId,
}

/// Why nobody was authenticated.
#[derive(Debug)]
pub(super) enum AuthError {
    /// Unknown key, wrong secret, or unreadable: these look alike.
    Unknown,
    /// The secret is right, but the key may not be used.
    Inactive(Box<Known>, Inactive),
    /// Too many wrong guesses; seconds to wait.
    TooMany(u32),
    /// The store did not answer.
    Unavailable(StoreError),
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl AuthError {
    /// What the OAuth endpoints answer. The class goes to the caller, the cause to the log.
    pub(super) fn into_oauth(self) -> OAuthError {
        match self {
            Self::Unknown | Self::Inactive(..) => OAuthError::InvalidClient,
            Self::TooMany(wait) => OAuthError::TooMany(wait),
            Self::Unavailable(cause) => unavailable(&cause),
        }
    }
}

/// Logs an outage once, and gives the constant answer for it.
pub(super) fn unavailable(cause: &StoreError) -> OAuthError {
    tracing::error!(error = %cause, "store");
    OAuthError::Unavailable
}

impl App {
    /// Checks a KEY ID and KEY SECRET. The same work is done whether the key exists or not.
    pub(super) async fn authenticate(&self, presented: &Presented) -> Result<Authenticated, AuthError> {
        let now = self.now();
        let Ok(id) = presented.id.parse::<KeyId>() else { return Err(AuthError::Unknown) };
        let guessed = |wait: Result<(), u32>| wait.map_or_else(AuthError::TooMany, |()| AuthError::Unknown);
        let Some(secret) = Secret::parse(&self.config.brand, SecretKind::Key, &presented.secret) else {
            return Err(guessed(self.limits.take_guess(id, now)));
        };
        let known = self.directory.key(id, &self.store, &self.master).await?;
        let Some(known) = known else {
            self.compare_with_nothing(&secret);
            return Err(guessed(self.limits.take_guess(id, now)));
        };
        let Some(secret) = known.key.secret(&secret, &self.master, now) else {
            return Err(guessed(self.limits.take_guess(id, now)));
        };
        match known.chain().live(now) {
            Ok(()) => Ok(Authenticated { known, secret }),
            Err(reason) => Err(AuthError::Inactive(Box::new(known), reason)),
        }
    }

    fn compare_with_nothing(&self, secret: &Secret) {
        let nothing = SecretHash::from_bytes(&[0; 32]).expect("32 bytes");
        std::hint::black_box(self.master.present().hash(secret).matches(&nothing));
    }

    /// Checks form and signature of a token, once per token: later calls find it by its hash.
    pub(super) fn verify(&self, text: &str) -> Result<Arc<Verified>, Denial> {
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let hash: [u8; 32] = hash.as_ref().try_into().expect("SHA-256 has 32 bytes");
        if let Some(verified) = self.verified.get(&hash) {
            return Ok(verified);
        }
        let keys = self.signing.load();
        let Ok((token, key)) = Token::verify(text, &self.issuer, &keys) else {
            return Err(Denial::Unknown(self.kind_of_bearer(text)));
        };
        self.refuse_removed_signer(&token, &key)?;
        let verified = Arc::new(Verified { token });
        self.verified.insert(hash, Arc::clone(&verified));
        Ok(verified)
    }

    /// All that a removed key signed has expired. A live token under it was forged with a key that leaked.
    fn refuse_removed_signer(&self, token: &Token, key: &SigningKey) -> Result<(), Denial> {
        let now = self.now();
        let removed = self.signing.load().state(key, now, self.times) == KeyState::Removed;
        if removed && !token.is_over(now, self.times.leeway_seconds) {
            return Err(Denial::Unknown(CredentialKind::Token));
        }
        Ok(())
    }

    pub(super) fn kind_of_bearer(&self, text: &str) -> CredentialKind {
        match kind_of(&self.config.brand, text) {
            Some(SecretKind::Key) => CredentialKind::BareSecret,
            Some(SecretKind::ApiToken) => CredentialKind::ApiToken,
            Some(SecretKind::Personal) => CredentialKind::Personal,
            None => CredentialKind::Token,
        }
    }

    /// The key of a token, if token and key may be used now. The end of the token is looked at last: "expired" means
    /// valid but for that.
    pub(super) async fn live_token(&self, token: &Token) -> Result<(Option<Known>, Result<(), Denial>), StoreError> {
        let now = self.now();
        let Some(known) = self.directory.key(token.key, &self.store, &self.master).await? else {
            return Ok((None, Err(Denial::Unknown(CredentialKind::Token))));
        };
        let revoked = self.revocations.contains(token.id) || token.generation != known.key.generation;
        let state = if revoked {
            Err(Denial::Revoked)
        } else if let Err(reason) = known.chain().live(now) {
            Err(Denial::Inactive(reason))
        } else if token.is_over(now, self.times.leeway_seconds) {
            Err(Denial::Expired(token.expires_at))
        } else {
            Ok(())
        };
        Ok((Some(known), state))
    }
}
