//! Who is it: a KEY ID with its KEY SECRET, or an access token.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use tollgate_core::credential::Inactive;
use tollgate_core::gate::{CredentialKind, Denial};
use tollgate_core::id::SecretId;
use tollgate_core::keyset::KeyState;
use tollgate_core::master::SecretHash;
use tollgate_core::oauth::{OAuthError, Presented, basic, scheme};
use tollgate_core::scope::KEYS_MANAGE;
use tollgate_core::secret::{SecretKind, kind_of};
use tollgate_core::signing::SigningKey;
use tollgate_core::token::Token;
use tollgate_core::{CredentialId, KeyId, PlanId, ProjectId, Scopes, Secret};

use super::directory::{Known, KnownPlan};
use super::{App, Authorization, Person};
use crate::store::StoreError;

/// Where a request comes from, for the record of last use.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The address, as far as it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub agent: &'a str,
}

/// Who calls the management API from outside.
#[derive(Debug)]
pub enum Caller {
    /// An access key.
    Key(KeyCaller),
    /// A person, by a token of its own.
    Person(Box<Person>),
}

/// An access key that manages its project over the API.
#[derive(Debug, Clone)]
pub struct KeyCaller {
    /// The KEY ID.
    pub key: KeyId,
    /// The key's own project.
    pub project: ProjectId,
    /// What the credential holds: the token's scopes, or the key's for Basic.
    pub scopes: Scopes,
    /// From where it calls.
    pub address: Option<IpAddr>,
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
    fn into_oauth(self) -> OAuthError {
        match self {
            Self::Unknown | Self::Inactive(..) => OAuthError::InvalidClient,
            Self::TooMany(wait) => OAuthError::TooMany(wait),
            Self::Unavailable(cause) => unavailable(&cause),
        }
    }
}

impl AuthError {
    /// What the gate and the management API answer to Basic, and whose key it was if that is known.
    pub(super) fn into_denial(self) -> Result<(Denial, Option<Known>), StoreError> {
        match self {
            Self::Unknown => Ok((Denial::Unknown(CredentialKind::Basic), None)),
            Self::TooMany(wait) => Ok((Denial::TooMany(wait), None)),
            Self::Inactive(known, reason) => Ok((Denial::Inactive(reason), Some(*known))),
            Self::Unavailable(cause) => Err(cause),
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
            return Err(guessed(self.limits.take_guess(CredentialId::Key(id), now)));
        };
        let known = self.directory.key(id, &self.store, &self.master).await?;
        let Some(known) = known else {
            self.compare_with_nothing(&secret);
            return Err(guessed(self.limits.take_guess(CredentialId::Key(id), now)));
        };
        let Some(secret) = known.key.secret(&secret, &self.master, now) else {
            return Err(guessed(self.limits.take_guess(CredentialId::Key(id), now)));
        };
        match known.live(now) {
            Ok(()) => Ok(Authenticated { known, secret }),
            Err(reason) => Err(AuthError::Inactive(Box::new(known), reason)),
        }
    }

    /// Checks an API token of a service plan. The same work is done whether the plan exists or not.
    pub(super) async fn authenticate_plan(
        &self,
        id: PlanId,
        text: &str,
    ) -> Result<Result<(KnownPlan, SecretId), Denial>, StoreError> {
        let now = self.now();
        let guessed = || {
            let wait = self.limits.take_guess(CredentialId::Plan(id), now);
            Ok(Err(wait.map_or_else(Denial::TooMany, |()| Denial::Unknown(CredentialKind::ApiToken))))
        };
        let Some(token) = Secret::parse(&self.config.brand, SecretKind::ApiToken, text) else { return guessed() };
        let Some(known) = self.directory.plan(id, &self.store, &self.master).await? else {
            self.compare_with_nothing(&token);
            return guessed();
        };
        match known.plan.token(&token, &self.master, now) {
            Some(token) => Ok(Ok((known, token))),
            None => guessed(),
        }
    }

    /// Checks the client of an OAuth request, and from where it comes.
    pub(super) async fn authenticate_client(
        &self,
        presented: &Presented,
        client: Client<'_>,
    ) -> Result<Authenticated, OAuthError> {
        let authenticated = self.authenticate(presented).await.map_err(AuthError::into_oauth)?;
        if authenticated.known.key.allows(client.address) { Ok(authenticated) } else { Err(OAuthError::InvalidClient) }
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

    /// Who calls the management API: a key that holds `keys:manage`, by token or by Basic, or a person by a token of its own.
    ///
    /// # Errors
    /// Our own outage; the inner error is the caller's fault.
    pub async fn caller(
        &self,
        authorization: Authorization<'_>,
        client: Client<'_>,
    ) -> Result<Result<Caller, Denial>, StoreError> {
        if let Some(person) = self.person_caller(authorization).await? {
            return Ok(person.map(|person| Caller::Person(Box::new(person))));
        }
        let (known, scopes) = match self.key_caller(authorization, client).await? {
            Ok(found) => found,
            Err(denial) => return Ok(Err(denial)),
        };
        if !scopes.contains(KEYS_MANAGE) {
            return Ok(Err(Denial::WrongScope(KEYS_MANAGE.into())));
        }
        Ok(Ok(Caller::Key(KeyCaller {
            key: known.key.id,
            project: known.key.project,
            scopes,
            address: client.address,
        })))
    }

    /// A person by a token of its own; `None` when something else came.
    pub(super) async fn person_caller(
        &self,
        authorization: Authorization<'_>,
    ) -> Result<Option<Result<Person, Denial>>, StoreError> {
        let Authorization::One(value) = authorization else { return Ok(None) };
        let (scheme, text) = scheme(value);
        if !scheme.eq_ignore_ascii_case("bearer") || self.kind_of_bearer(text) != CredentialKind::Personal {
            return Ok(None);
        }
        let person = self.person_of_token(text).await?;
        Ok(Some(person.ok_or(Denial::Unknown(CredentialKind::Personal))))
    }

    /// An access key by token or by Basic, from an address that it may be used from, with what it holds.
    pub(super) async fn key_caller(
        &self,
        authorization: Authorization<'_>,
        client: Client<'_>,
    ) -> Result<Result<(Known, Scopes), Denial>, StoreError> {
        let value = match authorization {
            Authorization::One(value) => value,
            Authorization::Missing => return Ok(Err(Denial::NoCredential)),
            Authorization::Many => return Ok(Err(Denial::TwoCredentials)),
            Authorization::Unreadable => return Ok(Err(Denial::Malformed)),
        };
        let (scheme, rest) = scheme(value);
        let found = if scheme.eq_ignore_ascii_case("bearer") {
            self.bearer_caller(rest).await?
        } else if scheme.eq_ignore_ascii_case("basic") {
            self.basic_caller(rest).await?
        } else {
            Err(Denial::Malformed)
        };
        Ok(found.and_then(|(known, scopes)| {
            if known.key.allows(client.address) { Ok((known, scopes)) } else { Err(Denial::WrongAddress) }
        }))
    }

    async fn bearer_caller(&self, text: &str) -> Result<Result<(Known, Scopes), Denial>, StoreError> {
        let verified = match self.verify(text) {
            Ok(verified) => verified,
            Err(denial) => return Ok(Err(denial)),
        };
        let (known, state) = self.live_token(&verified.token).await?;
        let right_audience = *verified.token.audience == *self.audience;
        Ok(state.and_then(|()| match known {
            Some(_) if !right_audience => Err(Denial::WrongAudience),
            Some(known) => Ok((known, verified.token.scopes.clone())),
            None => Err(Denial::Unknown(CredentialKind::Token)),
        }))
    }

    async fn basic_caller(&self, encoded: &str) -> Result<Result<(Known, Scopes), Denial>, StoreError> {
        let Ok(presented) = basic(encoded) else { return Ok(Err(Denial::Malformed)) };
        match self.authenticate(&presented).await {
            Ok(authenticated) => {
                let scopes = authenticated.known.key.scopes.clone();
                Ok(Ok((authenticated.known, scopes)))
            }
            Err(error) => error.into_denial().map(|(denial, _)| Err(denial)),
        }
    }

    pub(super) fn kind_of_bearer(&self, text: &str) -> CredentialKind {
        match kind_of(&self.config.brand, text) {
            Some(SecretKind::Key) => CredentialKind::BareSecret,
            Some(SecretKind::ApiToken) => CredentialKind::ApiToken,
            Some(SecretKind::Personal) => CredentialKind::Personal,
            Some(SecretKind::Session | SecretKind::Link) | None => CredentialKind::Token,
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
        } else if let Err(reason) = known.live(now) {
            Err(Denial::Inactive(reason))
        } else if token.is_over(now, self.times.leeway_seconds) {
            Err(Denial::Expired(token.expires_at))
        } else {
            Ok(())
        };
        Ok((Some(known), state))
    }
}
