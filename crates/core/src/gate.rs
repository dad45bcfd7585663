//! The gate's decision as a pure function: everything is known, nothing is looked up, the reason has a name.

use std::net::IpAddr;

use crate::clock::Timestamp;
use crate::credential::{Inactive, KeyEntry, ProjectEntry};
use crate::id::{KeyId, PlanId, ProjectId};
use crate::scope::Scopes;

/// In which shape a product's denials are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"error":{"code":…,"message":…,"status":…,"details":[…]}}`
    Google,
    /// `{"code":…,"text":…}`
    Xms,
    /// `{"error":…,"error_description":…}`
    OAuth,
}

/// A kind of credential at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access token from the token endpoint.
    Token,
    /// KEY ID and KEY SECRET by HTTP Basic.
    Basic,
    /// A service plan's API token.
    ApiToken,
    /// A KEY SECRET sent as a bearer token: a mix-up that deserves a clear answer.
    BareSecret,
    /// A person's token.
    Personal,
}

impl CredentialKind {
    /// How denials name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Token => "an access token",
            Self::Basic => "KEY ID and KEY SECRET by Basic",
            Self::ApiToken => "an API token of a service plan",
            Self::BareSecret => "a KEY SECRET without its KEY ID",
            Self::Personal => "a personal token",
        }
    }

    /// The value of the `tollgate-credential-kind` header.
    pub fn code(self) -> &'static str {
        match self {
            Self::Token => "access-token",
            Self::Basic => "access-key",
            Self::ApiToken => "api-token",
            Self::BareSecret => "key-secret",
            Self::Personal => "personal-token",
        }
    }
}

/// What a product asks of a call.
#[derive(Debug, Clone)]
pub struct Product {
    /// Its name, as usage shows it.
    pub name: Box<str>,
    /// Its own audience; tokens for the platform's audience are accepted too.
    pub audience: Box<str>,
    /// Whether access tokens are accepted.
    pub accepts_token: bool,
    /// Whether Basic is accepted.
    pub accepts_basic: bool,
    /// Whether API tokens of service plans are accepted.
    pub accepts_api_token: bool,
    /// The scope that a credential must hold.
    pub scope: Option<Box<str>>,
    /// The shape of its denials.
    pub errors: ErrorShape,
    /// Whether its calls are counted.
    pub count: bool,
    /// What its units are called in the plural, if it counts any beside its calls.
    pub unit: Option<Box<str>>,
}

impl Product {
    /// Whether this kind of credential may come here.
    pub fn accepts(&self, kind: CredentialKind) -> bool {
        match kind {
            CredentialKind::Token => self.accepts_token,
            CredentialKind::Basic => self.accepts_basic,
            CredentialKind::ApiToken => self.accepts_api_token,
            CredentialKind::BareSecret | CredentialKind::Personal => false,
        }
    }

    /// What this product accepts, in words.
    pub fn accepted_words(&self) -> &'static str {
        match (self.accepts_token, self.accepts_basic, self.accepts_api_token) {
            (true, true, true) => "an API token of a service plan, an access token, or KEY ID and KEY SECRET by Basic",
            (true, true, false) => "an access token, or KEY ID and KEY SECRET by Basic",
            (true, false, true) => "an API token of a service plan, or an access token",
            (true, false, false) => "an access token",
            (false, true, true) => "an API token of a service plan, or KEY ID and KEY SECRET by Basic",
            (false, true, false) => "KEY ID and KEY SECRET by Basic",
            (false, false, true) => "an API token of a service plan",
            (false, false, false) => "no credential",
        }
    }
}

/// Why a call was denied. Every reason has one status in each door's error shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The path could be read in two ways.
    AmbiguousPath,
    /// No product has this route.
    NoRoute,
    /// No credential came.
    NoCredential,
    /// More than one credential came.
    TwoCredentials,
    /// The credential cannot be read.
    Malformed,
    /// The route does not accept this kind.
    WrongKind {
        /// What came.
        came: CredentialKind,
        /// What the route wants.
        wants: &'static str,
    },
    /// Forged, foreign, unknown, deleted, or a wrong secret.
    Unknown(CredentialKind),
    /// A token that is valid but for its end, in seconds since 1970.
    Expired(i64),
    /// The token was revoked, alone or with all of its key.
    Revoked,
    /// The key, its project or its account is switched off.
    Inactive(Inactive),
    /// The token was made for another audience.
    WrongAudience,
    /// The path names a project that the key does not reach.
    WrongProject {
        /// The key that came.
        key: KeyId,
        /// The project it belongs to.
        project: ProjectId,
    },
    /// An API token came, and the path has something else in the place of its SERVICE PLAN ID.
    NoPlanInPath {
        /// Whether that is a Project ID.
        is_project: bool,
    },
    /// The credential of an access key came, and the path names a service plan.
    PlanInPath {
        /// The key that came.
        key: KeyId,
        /// The project it belongs to, whose id belongs there.
        project: ProjectId,
        /// What the path names, whether it exists or not.
        plan: PlanId,
        /// Whether the route takes a SERVICE PLAN ID, with an API token.
        takes_plan: bool,
    },
    /// The credential lacks the scope.
    WrongScope(Box<str>),
    /// The key may not be used from this address.
    WrongAddress,
    /// The limit of this credential is used up; seconds to wait.
    TooMany(u32),
}

impl Denial {
    /// A stable word for logs, metrics, `tollgate-deny` and `tollgate check`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmbiguousPath => "ambiguous_path",
            Self::NoRoute => "no_route",
            Self::NoCredential => "no_credential",
            Self::TwoCredentials => "two_credentials",
            Self::Malformed => "malformed_credential",
            Self::WrongKind { .. } => "wrong_kind",
            Self::Unknown(_) => "unknown_credential",
            Self::Expired(_) => "token_expired",
            Self::Revoked => "token_revoked",
            Self::Inactive(Inactive::KeyDisabled) => "key_disabled",
            Self::Inactive(Inactive::KeyEnded) => "key_ended",
            Self::Inactive(Inactive::ProjectArchived) => "project_archived",
            Self::Inactive(Inactive::AccountSuspended) => "account_suspended",
            Self::WrongAudience => "wrong_audience",
            Self::WrongProject { .. } => "wrong_project",
            Self::NoPlanInPath { .. } => "no_plan_in_path",
            Self::PlanInPath { .. } => "plan_in_path",
            Self::WrongScope(_) => "wrong_scope",
            Self::WrongAddress => "wrong_address",
            Self::TooMany(_) => "too_many",
        }
    }

    /// What the client is told. Only [`Denial::Expired`] may hold the word `expired`: old clients loop on it.
    pub fn message(&self) -> String {
        match self {
            Self::AmbiguousPath => crate::path::AmbiguousPath.to_string(),
            Self::NoRoute => "No product has this route".to_owned(),
            Self::NoCredential => "A credential is needed: Authorization: Bearer with an access token".to_owned(),
            Self::TwoCredentials => "Present one credential, not two".to_owned(),
            Self::Malformed => "The Authorization header cannot be read".to_owned(),
            Self::WrongKind { came, wants } => format!("This route wants {wants}; {} came", came.words()),
            Self::Unknown(kind) => format!("The credential is not known: {} came", kind.words()),
            Self::Expired(at) => format!("Jwt expired at {}", whole_second(*at)),
            Self::Revoked => "The access token was revoked".to_owned(),
            Self::Inactive(reason) => format!("The credential may not be used: {reason}"),
            Self::WrongAudience => "The access token was made for another audience".to_owned(),
            Self::WrongProject { key, project } => {
                format!("The path names a project that access key {key} of project {project} does not reach")
            }
            Self::NoPlanInPath { is_project } => no_plan_message(*is_project),
            Self::PlanInPath { key, project, plan, takes_plan } => plan_message(*key, *project, *plan, *takes_plan),
            Self::WrongScope(scope) => format!("The credential lacks the scope {scope}"),
            Self::WrongAddress => "The access key may not be used from this address".to_owned(),
            Self::TooMany(_) => "Too many requests for this credential; wait as Retry-After says".to_owned(),
        }
    }
}

fn no_plan_message(is_project: bool) -> String {
    let named = if is_project { "a Project ID" } else { "no SERVICE PLAN ID" };
    format!(
        "An API token of a service plan came, and the path names {named}: put the SERVICE PLAN ID there, or send an access token"
    )
}

fn plan_message(key: KeyId, project: ProjectId, plan: PlanId, takes_plan: bool) -> String {
    let remedy = if takes_plan { ", or send the API token of the service plan" } else { "" };
    format!(
        "The credential of access key {key} came, and the path names the SERVICE PLAN ID {plan}: put Project ID {project} there{remedy}"
    )
}

/// `2026-11-23T17:31:02Z`
fn whole_second(seconds: i64) -> String {
    let text = Timestamp::from_seconds(seconds).to_string();
    text.replace(".000Z", "Z")
}

/// Which project the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathProject<'a> {
    /// The route has no place for a project.
    None,
    /// A live or archived project that exists.
    Known(&'a ProjectEntry),
    /// Something that is no project.
    Unknown,
    /// Something in the form of a SERVICE PLAN ID.
    Plan {
        /// What the path says.
        id: PlanId,
        /// Whether the route has a place for one.
        takes_plan: bool,
    },
}

/// All that a decision over an access key's call needs.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The product of the route.
    pub product: &'a Product,
    /// The key.
    pub key: &'a KeyEntry,
    /// The key's project.
    pub own: &'a ProjectEntry,
    /// What the credential holds: the token's scopes, or the key's for Basic.
    pub scopes: &'a Scopes,
    /// The project in the path.
    pub path_project: PathProject<'a>,
    /// Where the call comes from, when the door knows it.
    pub address: Option<IpAddr>,
}

/// Decides over a call whose credential is genuine and live: project, scope, address. Returns the project that the call
/// is counted on: the key's own, or a subproject of it that the path names.
///
/// # Errors
/// The first rule that the call breaks.
pub fn decide(question: &Question<'_>) -> Result<ProjectId, Denial> {
    let (key, own) = (question.key, question.own);
    let wrong = Denial::WrongProject { key: key.id, project: own.id };
    let project = match question.path_project {
        PathProject::None => own.id,
        PathProject::Known(named) if named.id == own.id => own.id,
        PathProject::Known(named) if named.parent == Some(own.id) && !named.archived => named.id,
        PathProject::Known(_) | PathProject::Unknown => return Err(wrong),
        PathProject::Plan { id, takes_plan } => {
            let takes_plan = takes_plan && question.product.accepts_api_token;
            return Err(Denial::PlanInPath { key: key.id, project: own.id, plan: id, takes_plan });
        }
    };
    if let Some(scope) = &question.product.scope
        && !question.scopes.contains(scope)
    {
        return Err(Denial::WrongScope(scope.clone()));
    }
    if !key.allows(question.address) {
        return Err(Denial::WrongAddress);
    }
    Ok(project)
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
