//! A form that was sent, and what is wrong with it.

use axum::extract::{FromRequest, Request};
use http::StatusCode;
use tollgate_core::CredentialId;
use tollgate_core::gate::ErrorShape;
use zeroize::Zeroizing;

use super::failure::{Failure, told};
use crate::http::Web;
use crate::http::extract::read_body;
use crate::operations::ManageError;

/// The most fields of a form.
const MOST: usize = 200;

/// The fields of a form that was sent.
pub(crate) struct Fields(Vec<(String, Zeroizing<String>)>);

impl FromRequest<Web> for Fields {
    type Rejection = Failure;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let body = read_body(request.into_body(), web, ErrorShape::Google)
            .await
            .map_err(|problem| Failure::Refused(problem.status, problem.message))?;
        let pairs = form_urlencoded::parse(&body).into_owned().take(MOST + 1);
        let fields: Vec<_> = pairs.map(|(name, value)| (name, Zeroizing::new(value))).collect();
        if fields.len() > MOST {
            return Err(Failure::Refused(StatusCode::BAD_REQUEST, format!("The form has more than {MOST} fields")));
        }
        Ok(Self(fields))
    }
}

impl Fields {
    /// The value of a field; empty when it is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// All values of a field that may occur several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }
}

/// One thing that is wrong with a form.
#[derive(Debug, Clone)]
pub(crate) struct FieldError {
    /// The id of the field; empty when it is about the whole form.
    pub(crate) field: &'static str,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

impl FieldError {
    /// The field's name for people.
    pub(crate) fn label(&self) -> String {
        let mut label = match self.field {
            "email" => "E-mail address".to_owned(),
            "account" => "Name of the account".to_owned(),
            "project" => "Name of the project".to_owned(),
            "expires_on" => "Last day".to_owned(),
            "burst" => "Token requests at once".to_owned(),
            "per_second" => "Token requests per second".to_owned(),
            other => other.replace('_', " "),
        };
        label.get_mut(..1).map(str::make_ascii_uppercase);
        label
    }
}

/// All that is wrong with a form.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormErrors(Vec<FieldError>);

impl FormErrors {
    pub(crate) fn one(field: &'static str, message: impl Into<String>) -> Self {
        Self(vec![FieldError { field, message: message.into() }])
    }

    /// What an operation did not like, at the field that it belongs to. What no form can put right is a failure.
    pub(crate) fn of(error: ManageError) -> Result<Self, Failure> {
        match &error {
            ManageError::Invalid { field, message } => Ok(Self::one(field_name(field), message.clone())),
            ManageError::NameTaken(CredentialId::Key(_)) => {
                Ok(Self::one("display_name", "is taken by another access key of this project; choose another"))
            }
            ManageError::NameTaken(CredentialId::Plan(_)) => {
                Ok(Self::one("display_name", "is taken by another service plan of this project; choose another"))
            }
            ManageError::Precondition(_) | ManageError::Exists(_) => Ok(Self::one("", told(&error).1)),
            ManageError::Unavailable(cause) => {
                tracing::error!(error = %cause, "store");
                Ok(Self::one("", told(&error).1))
            }
            ManageError::NotFound(_) | ManageError::Forbidden(_) | ManageError::FormUsed => Err(error.into()),
        }
    }

    /// Adds what else is wrong.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn list(&self) -> &[FieldError] {
        &self.0
    }

    /// What is wrong with one field; empty when nothing is.
    pub(crate) fn at(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| &error.message)
    }
}

/// The field of the form for a field of the API.
fn field_name(field: &'static str) -> &'static str {
    match field {
        "displayName" => "display_name",
        "ownerEmail" => "owner",
        "keyLimit" => "key_limit",
        "expireTime" => "expires_on",
        "allowedAddresses" => "addresses",
        "scopes" => "scope",
        other => other,
    }
}
