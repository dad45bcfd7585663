//! The gate: who is it, may it, count it. Nothing is let through that was not counted.

use std::sync::Arc;

use tollgate_core::credential::KeyEntry;
use tollgate_core::gate::{CredentialKind, Denial, ErrorShape, PathProject, Product, Question, decide};
use tollgate_core::oauth::{basic, scheme};
use tollgate_core::path::CallPath;
use tollgate_core::route::Captured;
use tollgate_core::{AccountId, KeyId, ProjectId, RequestId, Scopes};

use super::authenticate::Verified;
use super::directory::Known;
use super::ledger::{Counter, Touched};
use super::{App, Client};
use crate::store::StoreError;

/// The `Authorization` headers of a call.
#[derive(Debug, Clone, Copy)]
pub enum Authorization<'a> {
    /// None came.
    Missing,
    /// One came, and can be read.
    One(&'a str),
    /// One came that is not visible ASCII.
    Unreadable,
    /// Several came.
    Many,
}

/// A call that a gateway asks about.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The request id, for the log and the denial.
    pub request: RequestId,
    /// The call's method.
    pub method: &'a str,
    /// The call's host without port.
    pub host: &'a str,
    /// The call's request target.
    pub target: &'a str,
    /// The credential.
    pub authorization: Authorization<'a>,
    /// Who calls.
    pub client: Client<'a>,
}

/// What the credential holds.
#[derive(Debug)]
pub enum Grant {
    /// A token's scopes.
    Token(Arc<Verified>),
    /// The key's own scopes.
    Key(Arc<KeyEntry>),
}

impl Grant {
    /// The scopes of the call.
    pub fn scopes(&self) -> &Scopes {
        match self {
            Self::Token(verified) => &verified.token.scopes,
            Self::Key(key) => &key.scopes,
        }
    }

    /// The kind of credential.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Token(_) => CredentialKind::Token,
            Self::Key(_) => CredentialKind::Basic,
        }
    }
}

/// A call that is let through, and was counted.
#[derive(Debug)]
pub struct Allowed {
    /// Who pays.
    pub account: AccountId,
    /// What it is counted on.
    pub project: ProjectId,
    /// The access key.
    pub key: KeyId,
    /// What the credential holds.
    pub grant: Grant,
}

/// A call that is not let through.
#[derive(Debug)]
pub enum Refused {
    /// The call's own fault, in the shape of its route.
    Denied(Denial, ErrorShape),
    /// Our own outage: the call may be as good as it likes, it cannot be decided or counted.
    Unavailable(ErrorShape),
}

/// What became known on the way to a decision, for the record of a denial.
#[derive(Default)]
struct Trace {
    product: Option<u16>,
    known: Option<Known>,
}

impl App {
    /// Decides over a call, and counts it before it lets it through.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn admit(&self, call: &Call<'_>) -> Result<Allowed, Refused> {
        let mut trace = Trace::default();
        let outcome = self.decide(call, &mut trace).await;
        let shape = trace.product.map_or(ErrorShape::Google, |product| self.products.at(product).errors);
        match outcome {
            Ok(Ok(allowed)) => Ok(allowed),
            Ok(Err(denial)) => {
                self.record_denial(call, trace.product, trace.known.as_ref(), &denial);
                Err(Refused::Denied(denial, shape))
            }
            Err(cause) => {
                tracing::error!(error = %cause, "gate");
                Err(Refused::Unavailable(shape))
            }
        }
    }

    async fn decide(&self, call: &Call<'_>, trace: &mut Trace) -> Result<Result<Allowed, Denial>, StoreError> {
        let Ok(path) = CallPath::parse(call.target) else { return Ok(Err(Denial::AmbiguousPath)) };
        let Some((index, captured)) = self.products.find(call.host, path) else { return Ok(Err(Denial::NoRoute)) };
        trace.product = Some(index);
        let product = self.products.at(index);
        let (known, grant, touched) = match self.credential(call, product, trace).await? {
            Ok(found) => found,
            Err(denial) => return Ok(Err(denial)),
        };
        let named = self.named_project(captured).await?;
        let question = Question {
            product,
            chain: known.chain(),
            scopes: grant.scopes(),
            path_project: named.as_ref().map_or(PathProject::None, Named::as_path_project),
            address: call.client.address,
        };
        let project = match decide(&question) {
            Ok(project) => project,
            Err(denial) => return Ok(Err(denial)),
        };
        let allowed = Allowed { account: known.account.id, project, key: known.key.id, grant };
        if product.count {
            let counter = Counter { account: allowed.account, project, key: allowed.key, product: index };
            self.ledger.record(counter, touched, self.now(), call.client).await?;
        }
        Ok(Ok(allowed))
    }

    /// The genuine and live credential of a call.
    async fn credential(
        &self,
        call: &Call<'_>,
        product: &Product,
        trace: &mut Trace,
    ) -> Result<Result<(Known, Grant, Touched), Denial>, StoreError> {
        let value = match call.authorization {
            Authorization::Missing => return Ok(Err(Denial::NoCredential)),
            Authorization::Many => return Ok(Err(Denial::TwoCredentials)),
            Authorization::Unreadable => return Ok(Err(Denial::Malformed)),
            Authorization::One(value) => value,
        };
        let (scheme, rest) = scheme(value);
        let wrong_kind = |came| Denial::WrongKind { came, wants: product.accepted_words() };
        if scheme.eq_ignore_ascii_case("bearer") {
            let kind = self.kind_of_bearer(rest);
            if !product.accepts(kind) {
                return Ok(Err(wrong_kind(kind)));
            }
            self.token_credential(rest, product, trace).await
        } else if scheme.eq_ignore_ascii_case("basic") {
            if !product.accepts(CredentialKind::Basic) {
                return Ok(Err(wrong_kind(CredentialKind::Basic)));
            }
            self.basic_credential(rest, trace).await
        } else {
            Ok(Err(Denial::Malformed))
        }
    }

    async fn token_credential(
        &self,
        text: &str,
        product: &Product,
        trace: &mut Trace,
    ) -> Result<Result<(Known, Grant, Touched), Denial>, StoreError> {
        let verified = match self.verify(text) {
            Ok(verified) => verified,
            Err(denial) => return Ok(Err(denial)),
        };
        let token = &verified.token;
        let (known, state) = self.live_token(token).await?;
        if let Err(denial) = state {
            trace.known = known;
            return Ok(Err(denial));
        }
        let Some(known) = known else { return Ok(Err(Denial::Unknown(CredentialKind::Token))) };
        trace.known = Some(known.clone());
        if *token.audience != *self.audience && *token.audience != *product.audience {
            return Ok(Err(Denial::WrongAudience));
        }
        let touched = Touched::key(known.key.id);
        Ok(Ok((known, Grant::Token(verified), touched)))
    }

    async fn basic_credential(
        &self,
        encoded: &str,
        trace: &mut Trace,
    ) -> Result<Result<(Known, Grant, Touched), Denial>, StoreError> {
        let Ok(presented) = basic(encoded) else { return Ok(Err(Denial::Malformed)) };
        let authenticated = match self.authenticate(&presented).await {
            Ok(authenticated) => authenticated,
            Err(error) => {
                let (denial, known) = error.into_denial()?;
                trace.known = known;
                return Ok(Err(denial));
            }
        };
        let known = authenticated.known;
        trace.known = Some(known.clone());
        if let Err(wait) = self.limits.take_basic(known.key.id, self.now()) {
            return Ok(Err(Denial::TooMany(wait)));
        }
        let grant = Grant::Key(Arc::clone(&known.key));
        let touched = Touched::secret(authenticated.secret, known.key.id);
        Ok(Ok((known, grant, touched)))
    }

    /// The project that the path names. A place for a service plan takes a project id too: an OAuth token arrives so.
    async fn named_project(&self, captured: Captured<'_>) -> Result<Option<Named>, StoreError> {
        let Some(text) = captured.project.or(captured.service_plan) else { return Ok(None) };
        let Ok(id) = text.parse::<ProjectId>() else { return Ok(Some(Named::Unknown)) };
        let entry = self.directory.project(id, &self.store).await?;
        Ok(Some(entry.map_or(Named::Unknown, Named::Known)))
    }
}

enum Named {
    Known(tollgate_core::credential::ProjectEntry),
    Unknown,
}

impl Named {
    fn as_path_project(&self) -> PathProject<'_> {
        match self {
            Self::Known(entry) => PathProject::Known(entry),
            Self::Unknown => PathProject::Unknown,
        }
    }
}
