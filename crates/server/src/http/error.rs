//! From what went wrong to what the client is told: one exhaustive match per protocol. Reading it is reading RFC 6749 §5.2,
//! RFC 6750 §3 and the google.rpc codes.

use axum::response::IntoResponse;
use http::header::{ACCEPT, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::json;
use tollgate_core::CredentialId;
use tollgate_core::gate::{CredentialKind, Denial, ErrorShape};
use tollgate_core::oauth::OAuthError;

use super::dashboard::Look;
use super::problem::Problem;
use crate::operations::{ManageError, Refused};

const BASIC_CHALLENGE: &str = "Basic realm=\"tollgate\"";
const BEARER_CHALLENGE: &str = "Bearer realm=\"tollgate\"";
/// How long to wait before trying again after our own outage, in seconds.
const OUTAGE_WAIT: &str = "2";

/// RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 7662 §2.3.
impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        let problem = |status| Self::new(status, error.code(), error.to_string(), ErrorShape::OAuth);
        match error {
            OAuthError::InvalidRequest(_)
            | OAuthError::UnsupportedGrantType
            | OAuthError::InvalidScope
            | OAuthError::InvalidTarget => problem(StatusCode::BAD_REQUEST),
            OAuthError::InvalidClient => {
                problem(StatusCode::UNAUTHORIZED).with_header(WWW_AUTHENTICATE, BASIC_CHALLENGE)
            }
            OAuthError::InsufficientScope => problem(StatusCode::FORBIDDEN),
            OAuthError::TooMany(wait) => {
                problem(StatusCode::TOO_MANY_REQUESTS).with_header(RETRY_AFTER, &wait.to_string())
            }
            OAuthError::Unavailable => problem(StatusCode::SERVICE_UNAVAILABLE).with_header(RETRY_AFTER, OUTAGE_WAIT),
        }
    }
}

/// The google.rpc codes of the management API.
impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        let message = error.to_string();
        let google = |status, code| Self::new(status, code, message.clone(), ErrorShape::Google);
        match error {
            ManageError::Invalid { field, message } => {
                google(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT").with_detail(json!({
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{ "field": field, "description": message }],
                }))
            }
            ManageError::NotFound(_) => google(StatusCode::NOT_FOUND, "NOT_FOUND"),
            ManageError::Forbidden(_) => google(StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
            ManageError::NameTaken(credential) => google(StatusCode::CONFLICT, "ALREADY_EXISTS").with_detail(json!({
                "@type": "type.googleapis.com/google.rpc.ResourceInfo",
                "resourceType": match credential {
                    CredentialId::Key(_) => "accessKey",
                    CredentialId::Plan(_) => "servicePlan",
                },
                "resourceName": credential,
            })),
            ManageError::Exists(_) | ManageError::FormUsed => google(StatusCode::CONFLICT, "ALREADY_EXISTS"),
            ManageError::Precondition(_) => google(StatusCode::BAD_REQUEST, "FAILED_PRECONDITION"),
            ManageError::Unavailable(cause) => {
                tracing::error!(error = %cause, "store");
                google(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE").with_header(RETRY_AFTER, OUTAGE_WAIT)
            }
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Denied(denial, shape) => denied(&denial, shape),
            Refused::Unavailable(shape) => outage(shape),
        }
    }
}

/// Our own outage at the gate or at the management API's door.
pub(crate) fn outage(shape: ErrorShape) -> Problem {
    let code = word(StatusCode::SERVICE_UNAVAILABLE, shape);
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, "Temporarily unavailable; try again", shape)
        .with_header(RETRY_AFTER, OUTAGE_WAIT)
}

/// RFC 6750 §3: status and challenge of each reason. Only an expired token's challenge holds the word `expired`.
pub(crate) fn denied(denial: &Denial, shape: ErrorShape) -> Problem {
    let message = denial.message();
    let invalid_token = || format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
    let (status, challenge) = match denial {
        Denial::AmbiguousPath | Denial::TwoCredentials => (StatusCode::BAD_REQUEST, None),
        Denial::NoRoute => (StatusCode::NOT_FOUND, None),
        Denial::NoCredential => (StatusCode::UNAUTHORIZED, Some(BEARER_CHALLENGE.to_owned())),
        Denial::Unknown(CredentialKind::Basic) => (StatusCode::UNAUTHORIZED, Some(BASIC_CHALLENGE.to_owned())),
        Denial::Malformed
        | Denial::WrongKind { .. }
        | Denial::Unknown(_)
        | Denial::Expired(_)
        | Denial::Revoked
        | Denial::Inactive(_)
        | Denial::WrongAudience
        | Denial::NoPlanInPath { .. } => (StatusCode::UNAUTHORIZED, Some(invalid_token())),
        Denial::WrongScope(scope) => {
            (StatusCode::FORBIDDEN, Some(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")))
        }
        Denial::WrongProject { .. } | Denial::PlanInPath { .. } | Denial::WrongAddress => (StatusCode::FORBIDDEN, None),
        Denial::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, None),
    };
    let mut problem = Problem::new(status, word(status, shape), message.clone(), shape).with_detail(json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": denial.code(),
        "domain": "tollgate",
    }));
    problem.reason = denial.code();
    if let Some(challenge) = challenge {
        problem = problem.with_header(WWW_AUTHENTICATE, &challenge);
    }
    if let Denial::TooMany(wait) = denial {
        problem = problem.with_header(RETRY_AFTER, &wait.to_string());
    }
    problem
}

/// The word for a status in a shape.
pub(crate) fn word(status: StatusCode, shape: ErrorShape) -> &'static str {
    let [google, oauth, xms] = match status.as_u16() {
        400 => ["INVALID_ARGUMENT", "invalid_request", "syntax_constraint_violation"],
        401 => ["UNAUTHENTICATED", "invalid_token", "unauthorized"],
        403 => ["PERMISSION_DENIED", "insufficient_scope", "forbidden"],
        404 => ["NOT_FOUND", "invalid_request", "not_found"],
        405 => ["UNIMPLEMENTED", "invalid_request", "method_not_allowed"],
        413 | 415 => ["INVALID_ARGUMENT", "invalid_request", "syntax_constraint_violation"],
        429 => ["RESOURCE_EXHAUSTED", "slow_down", "too_many_requests"],
        408 => ["DEADLINE_EXCEEDED", "invalid_request", "timeout"],
        _ => ["UNAVAILABLE", "temporarily_unavailable", "unavailable"],
    };
    match shape {
        ErrorShape::Google => google,
        ErrorShape::OAuth => oauth,
        ErrorShape::Xms => xms,
    }
}

/// A request that is wrong in its form: status and what to do, in the shape of its path.
pub(crate) fn bad_request(status: StatusCode, message: &str, shape: ErrorShape) -> Problem {
    Problem::new(status, word(status, shape), message, shape)
}

/// The shape that a path of ours speaks.
pub(crate) fn shape_of(uri: &Uri) -> ErrorShape {
    if uri.path().contains("/oauth2/") { ErrorShape::OAuth } else { ErrorShape::Google }
}

/// A person gets a page, a program what its path speaks.
pub(super) async fn not_found(uri: Uri, headers: HeaderMap) -> impl IntoResponse {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut problem = bad_request(StatusCode::NOT_FOUND, "There is nothing at this path", shape_of(&uri));
    problem.page = accepts.contains("text/html").then(|| Box::new(Look::of(&headers)));
    problem
}

pub(super) async fn method_not_allowed(uri: Uri) -> impl IntoResponse {
    bad_request(StatusCode::METHOD_NOT_ALLOWED, "This path does not take this method; see Allow", shape_of(&uri))
}
