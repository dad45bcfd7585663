//! Errors in the shape of the surface that the path belongs to.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use serde_json::json;

/// How a surface writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// SMS: `{"code":…,"text":…}`
    Xms,
    /// All else: `{"error":{"code":…,"message":…,"status":…,"details":[]}}`
    Google,
}

impl Shape {
    /// The shape of a path.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/xms/") { Self::Xms } else { Self::Google }
    }
}

/// What went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The body is no JSON.
    pub(crate) fn not_json(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "syntax_invalid_json", message)
    }

    /// A value that cannot be read.
    pub(crate) fn bad_format(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "syntax_invalid_parameter_format", message)
    }

    /// A value that can be read and is not allowed, or one that is missing.
    pub(crate) fn constraint(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "syntax_constraint_violation", message)
    }

    /// The body says that it is something else than JSON.
    pub(crate) fn not_json_type() -> Self {
        let message = "The body must be JSON: send Content-Type: application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "syntax_constraint_violation", message)
    }

    /// There is no such thing, or it is another caller's.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The path does not take this method.
    pub(crate) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method")
    }

    /// Something that we need is away: nothing was done.
    pub(crate) fn outage() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable; try again")
    }

    /// The answer.
    pub(crate) fn render(self, shape: Shape) -> Response {
        let body = match shape {
            Shape::Xms => json!({ "code": self.code, "text": self.message }),
            Shape::Google => json!({ "error": {
                "code": self.status.as_u16(),
                "message": self.message,
                "status": google_status(self.status),
                "details": [],
            }}),
        };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

fn google_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "UNIMPLEMENTED",
        StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}
