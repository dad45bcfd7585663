//! Why a page is not shown: one exhaustive match to what people are told.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tollgate_core::gate::ErrorShape;
use tollgate_core::{CredentialId, Right};

use crate::http::error::word;
use crate::http::problem::Problem;
use crate::operations::ManageError;

/// Why a page is not shown.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody is signed in: sign in, and come back to this path.
    SignIn { base: String, next: String },
    /// The password was given too long ago: give it again, and come back to this path.
    Confirm { base: String, next: String },
    /// The role does not allow it.
    Role(Right),
    /// What an operation said.
    Manage(ManageError),
    /// A status and what to do.
    Refused(StatusCode, String),
}

impl From<ManageError> for Failure {
    fn from(error: ManageError) -> Self {
        Self::Manage(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { base, next } => to_page(&base, "sign-in", &next),
            Self::Confirm { base, next } => to_page(&base, "confirm", &next),
            Self::Role(right) => {
                let message = format!("Your role does not let you {}. Ask an owner of the account", right.purpose());
                page(StatusCode::FORBIDDEN, message)
            }
            Self::Manage(error) => {
                let (status, message) = told(&error);
                if let ManageError::Unavailable(cause) = error {
                    tracing::error!(error = %cause, "store");
                }
                page(status, message)
            }
            Self::Refused(status, message) => page(status, message),
        }
    }
}

/// The path goes along, so that nothing is lost but what was typed.
fn to_page(base: &str, page: &str, next: &str) -> Response {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    Redirect::to(&format!("{base}/{page}?next={next}")).into_response()
}

fn page(status: StatusCode, message: String) -> Response {
    let mut problem = Problem::new(status, word(status, ErrorShape::Google), message, ErrorShape::Google);
    // `page::with_headers` knows how the browser wants it to look.
    problem.page = Some(Box::default());
    problem.into_response()
}

/// Status and words for people.
pub(crate) fn told(error: &ManageError) -> (StatusCode, String) {
    match error {
        ManageError::Invalid { message, .. } => (StatusCode::UNPROCESSABLE_ENTITY, sentence(message)),
        ManageError::NotFound(what) => {
            (StatusCode::NOT_FOUND, format!("There is no such {what} here, or it is out of your reach"))
        }
        ManageError::Forbidden(message) => (StatusCode::FORBIDDEN, (*message).to_owned()),
        ManageError::NameTaken(CredentialId::Key(_)) => {
            (StatusCode::CONFLICT, "Another access key of the project has this name".to_owned())
        }
        ManageError::NameTaken(CredentialId::Plan(_)) => {
            (StatusCode::CONFLICT, "Another service plan of the project has this name".to_owned())
        }
        ManageError::Exists(message) | ManageError::Precondition(message) => (StatusCode::CONFLICT, message.clone()),
        ManageError::FormUsed => (StatusCode::CONFLICT, error.to_string()),
        ManageError::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable: nothing was changed. Try again".to_owned())
        }
    }
}

pub(crate) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
