//! Token introspection (RFC 7662): for keys with the scope `introspect`, about tokens of their own account.

use std::sync::Arc;

use tollgate_core::oauth::{OAuthError, Presented};
use tollgate_core::scope::INTROSPECT;

use super::authenticate::{Verified, unavailable};
use super::{App, Client};

/// What is told of a token.
#[derive(Debug)]
pub enum Introspected {
    /// It may be used now.
    Active(Arc<Verified>),
    /// It may not, whatever the reason.
    Inactive,
}

impl App {
    /// Says whether a token may be used now. A token of another account is as inactive as nonsense, unless the operator
    /// configured the key for all accounts.
    ///
    /// # Errors
    /// The client is not authenticated or lacks the scope, or the store did not answer.
    pub async fn introspect(
        &self,
        presented: &Presented,
        text: &str,
        client: Client<'_>,
    ) -> Result<Introspected, OAuthError> {
        let authenticated = self.authenticate_client(presented, client).await?;
        let caller = &authenticated.known;
        let for_all = self.introspects_all.contains(&caller.key.id);
        if !for_all && !caller.key.scopes.contains(INTROSPECT) {
            return Err(OAuthError::InsufficientScope);
        }
        let Ok(verified) = self.verify(text) else { return Ok(Introspected::Inactive) };
        let (known, state) = self.live_token(&verified.token).await.map_err(|cause| unavailable(&cause))?;
        let reaches = known.is_some_and(|known| for_all || known.above.account.id == caller.above.account.id);
        if reaches && state.is_ok() { Ok(Introspected::Active(verified)) } else { Ok(Introspected::Inactive) }
    }
}
