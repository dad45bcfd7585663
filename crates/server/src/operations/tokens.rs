//! Access tokens: issue and revoke. Issuing writes nothing.

use std::sync::Arc;

use tollgate_core::oauth::{OAuthError, Presented};
use tollgate_core::random::random_u128;
use tollgate_core::token::Token;
use tollgate_core::{CredentialId, Scopes};

use super::authenticate::unavailable;
use super::ledger::Touched;
use super::revocations::REMEMBERED_SECONDS;
use super::{App, Client};

/// A token that was issued.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub access_token: String,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// What it may.
    pub scopes: Scopes,
}

impl App {
    /// Exchanges a KEY ID and KEY SECRET for an access token (RFC 6749 §4.4). Without `scope` it holds all scopes of its
    /// key; `resource` narrows its audience to a product (RFC 8707).
    ///
    /// # Errors
    /// See [`OAuthError`].
    pub async fn issue_token(
        &self,
        presented: &Presented,
        scope: Option<&str>,
        resource: Option<&str>,
        client: Client<'_>,
    ) -> Result<Issued, OAuthError> {
        let authenticated = self.authenticate_client(presented, client).await?;
        let key = &authenticated.known.key;
        let now = self.now();
        self.limits.take_token(key.id, key.token_rate, now).map_err(OAuthError::TooMany)?;
        let scopes = match scope {
            None => key.scopes.clone(),
            Some(text) => {
                let asked = Scopes::parse(text).map_err(|_| OAuthError::InvalidScope)?;
                if !asked.is_subset(&key.scopes) {
                    return Err(OAuthError::InvalidScope);
                }
                asked
            }
        };
        let issued_at = now.seconds();
        let token = Token {
            key: key.id,
            project: key.project,
            account: authenticated.known.above.account.id,
            audience: self.audience_for(resource)?,
            scopes,
            issued_at,
            expires_at: issued_at + self.times.token_seconds,
            id: random_u128(&*self.random),
            generation: key.generation,
        };
        let keys = self.signing.load();
        let signer = keys.active(now).ok_or(OAuthError::Unavailable)?;
        let access_token =
            token.sign(&self.issuer, signer, &self.signing_random).map_err(|_| OAuthError::Unavailable)?;
        self.ledger.touch(Touched::secret(authenticated.secret, CredentialId::Key(key.id)), now, client);
        Ok(Issued { access_token, expires_in: self.times.token_seconds, scopes: token.scopes })
    }

    fn audience_for(&self, resource: Option<&str>) -> Result<Arc<str>, OAuthError> {
        match resource {
            None => Ok(Arc::clone(&self.audience)),
            Some(asked) if *asked == *self.audience => Ok(Arc::clone(&self.audience)),
            Some(asked) => {
                let product = self.products.iter().find(|product| *product.audience == *asked);
                product.map(|product| product.audience.to_string().into()).ok_or(OAuthError::InvalidTarget)
            }
        }
    }

    /// Revokes one token (RFC 7009). Only its own key revokes it; for all others it is as unknown as a foreign token,
    /// which is no error.
    ///
    /// # Errors
    /// The client is not authenticated, or the store did not answer.
    pub async fn revoke_token(&self, presented: &Presented, text: &str, client: Client<'_>) -> Result<(), OAuthError> {
        let authenticated = self.authenticate_client(presented, client).await?;
        let Ok(verified) = self.verify(text) else { return Ok(()) };
        let token = &verified.token;
        let ends_at = token.ends_at(self.times.leeway_seconds);
        let is_forgotten = ends_at.plus_seconds(REMEMBERED_SECONDS) <= self.now();
        if token.key != authenticated.known.key.id || is_forgotten {
            return Ok(());
        }
        self.store.revoke_token(token.id, ends_at).await.map_err(|cause| unavailable(&cause))?;
        self.revocations.add(token.id, ends_at);
        Ok(())
    }
}
