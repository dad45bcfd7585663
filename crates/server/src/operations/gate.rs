//! The gate: who is it, may it, count it. Nothing is let through that was not counted.

use std::sync::{Arc, LazyLock};

use tollgate_core::credential::{KeyEntry, ProjectEntry};
use tollgate_core::gate::{CredentialKind, Denial, ErrorShape, PathProject, Product, Question, decide};
use tollgate_core::oauth::{basic, scheme};
use tollgate_core::path::CallPath;
use tollgate_core::route::Captured;
use tollgate_core::{CredentialId, PlanId, ProjectId, RequestId, Scopes};

use super::authenticate::Verified;
use super::directory::{Known, Whose};
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

/// What a service plan holds.
static NO_SCOPES: LazyLock<Scopes> = LazyLock::new(Scopes::default);

/// What the credential holds.
#[derive(Debug)]
pub enum Grant {
    /// A token's scopes.
    Token(Arc<Verified>),
    /// The key's own scopes.
    Key(Arc<KeyEntry>),
    /// A service plan: what its API tokens may is what routes with its id offer.
    Plan,
}

impl Grant {
    /// The scopes of the call.
    pub fn scopes(&self) -> &Scopes {
        match self {
            Self::Token(verified) => &verified.token.scopes,
            Self::Key(key) => &key.scopes,
            Self::Plan => &NO_SCOPES,
        }
    }

    /// The kind of credential.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Token(_) => CredentialKind::Token,
            Self::Key(_) => CredentialKind::Basic,
            Self::Plan => CredentialKind::ApiToken,
        }
    }
}

/// A call that is let through, and was counted.
#[derive(Debug)]
pub struct Allowed {
    /// Who pays, what it is counted on, and the credential.
    pub whose: Whose,
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
    whose: Option<Whose>,
}

/// A credential that is genuine and live.
enum Genuine {
    Key(Known, Grant),
    Plan(Whose),
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
                self.record_denial(call, trace.product, trace.whose, &denial);
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
        let (credential, touched) = match self.credential(call, product, captured, trace).await? {
            Ok(found) => found,
            Err(denial) => return Ok(Err(denial)),
        };
        let allowed = match credential {
            Genuine::Key(known, grant) => match self.decide_key(call, product, captured, (known, grant)).await? {
                Ok(allowed) => allowed,
                Err(denial) => return Ok(Err(denial)),
            },
            Genuine::Plan(whose) => Allowed { whose, grant: Grant::Plan },
        };
        if product.count {
            let counter = Counter::new(allowed.whose, index);
            self.ledger.record(counter, touched, self.now(), call.client).await?;
        }
        Ok(Ok(allowed))
    }

    /// Decides over a call with the credential of an access key.
    async fn decide_key(
        &self,
        call: &Call<'_>,
        product: &Product,
        captured: Captured<'_>,
        (known, grant): (Known, Grant),
    ) -> Result<Result<Allowed, Denial>, StoreError> {
        let named = self.named_project(captured, &known.above.project).await?;
        let question = Question {
            product,
            key: &known.key,
            own: &known.above.project,
            scopes: grant.scopes(),
            path_project: named.as_ref().map_or(PathProject::None, Named::as_path_project),
            address: call.client.address,
        };
        Ok(decide(&question).map(|project| Allowed { whose: Whose { project, ..known.whose() }, grant }))
    }

    /// The genuine and live credential of a call.
    async fn credential(
        &self,
        call: &Call<'_>,
        product: &Product,
        captured: Captured<'_>,
        trace: &mut Trace,
    ) -> Result<Result<(Genuine, Touched), Denial>, StoreError> {
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
            match kind {
                CredentialKind::ApiToken => self.plan_credential(rest, captured, trace).await,
                _ => self.token_credential(rest, product, trace).await,
            }
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
    ) -> Result<Result<(Genuine, Touched), Denial>, StoreError> {
        let verified = match self.verify(text) {
            Ok(verified) => verified,
            Err(denial) => return Ok(Err(denial)),
        };
        let token = &verified.token;
        let (known, state) = self.live_token(token).await?;
        if let Err(denial) = state {
            trace.whose = known.as_ref().map(Known::whose);
            return Ok(Err(denial));
        }
        let Some(known) = known else { return Ok(Err(Denial::Unknown(CredentialKind::Token))) };
        trace.whose = Some(known.whose());
        if *token.audience != *self.audience && *token.audience != *product.audience {
            return Ok(Err(Denial::WrongAudience));
        }
        let touched = Touched::key(known.key.id);
        Ok(Ok((Genuine::Key(known, Grant::Token(verified)), touched)))
    }

    async fn basic_credential(
        &self,
        encoded: &str,
        trace: &mut Trace,
    ) -> Result<Result<(Genuine, Touched), Denial>, StoreError> {
        let Ok(presented) = basic(encoded) else { return Ok(Err(Denial::Malformed)) };
        let authenticated = match self.authenticate(&presented).await {
            Ok(authenticated) => authenticated,
            Err(error) => {
                let (denial, known) = error.into_denial()?;
                trace.whose = known.as_ref().map(Known::whose);
                return Ok(Err(denial));
            }
        };
        let known = authenticated.known;
        trace.whose = Some(known.whose());
        if let Err(wait) = self.limits.take_basic(known.key.id, self.now()) {
            return Ok(Err(Denial::TooMany(wait)));
        }
        let grant = Grant::Key(Arc::clone(&known.key));
        let touched = Touched::secret(authenticated.secret, CredentialId::Key(known.key.id));
        Ok(Ok((Genuine::Key(known, grant), touched)))
    }

    async fn plan_credential(
        &self,
        text: &str,
        captured: Captured<'_>,
        trace: &mut Trace,
    ) -> Result<Result<(Genuine, Touched), Denial>, StoreError> {
        let named = captured.service_plan.unwrap_or_default();
        let Ok(id) = named.parse::<PlanId>() else {
            return Ok(Err(Denial::NoPlanInPath { is_project: named.parse::<ProjectId>().is_ok() }));
        };
        let (known, token) = match self.authenticate_plan(id, text).await? {
            Ok(found) => found,
            Err(denial) => return Ok(Err(denial)),
        };
        let whose = known.whose();
        trace.whose = Some(whose);
        if let Err(reason) = known.above.live() {
            return Ok(Err(Denial::Inactive(reason)));
        }
        Ok(Ok((Genuine::Plan(whose), Touched::secret(token, whose.credential))))
    }

    /// The project that the path names. A place for a service plan takes a project id too: an OAuth token arrives so.
    async fn named_project(&self, captured: Captured<'_>, own: &ProjectEntry) -> Result<Option<Named>, StoreError> {
        let Some(text) = captured.project.or(captured.service_plan) else { return Ok(None) };
        let Ok(id) = text.parse::<ProjectId>() else {
            let plan = text.parse().map(|id| Named::Plan { id, takes_plan: captured.service_plan.is_some() });
            return Ok(Some(plan.unwrap_or(Named::Unknown)));
        };
        if id == own.id {
            return Ok(Some(Named::Known(*own)));
        }
        let entry = self.directory.project(id, &self.store).await?;
        Ok(Some(entry.map_or(Named::Unknown, Named::Known)))
    }
}

enum Named {
    Known(ProjectEntry),
    Unknown,
    Plan { id: PlanId, takes_plan: bool },
}

impl Named {
    fn as_path_project(&self) -> PathProject<'_> {
        match self {
            Self::Known(entry) => PathProject::Known(entry),
            Self::Unknown => PathProject::Unknown,
            Self::Plan { id, takes_plan } => PathProject::Plan { id: *id, takes_plan: *takes_plan },
        }
    }
}
