//! `POST /oauth2/token` (RFC 6749 §4.4).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::PRAGMA;
use serde::Serialize;
use tollgate_core::oauth::OAuthError;

use crate::http::Web;
use crate::http::answer::Unstored;
use crate::http::extract::ClientForm;
use crate::http::problem::Problem;

/// RFC 6749 §5.1. `scope` is there even when it is empty.
#[derive(Serialize)]
struct Granted<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
}

pub(crate) async fn token(State(web): State<Web>, form: ClientForm) -> Result<Response, Problem> {
    match form.value("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::UnsupportedGrantType.into()),
        None => return Err(OAuthError::InvalidRequest("grant_type is missing").into()),
    }
    let client = form.client(&web);
    let (scope, resource) = (form.value("scope"), form.value("resource"));
    let issued = web.app.issue_token(&form.presented, scope, resource, client).await?;
    let granted = Granted {
        access_token: &issued.access_token,
        token_type: "bearer",
        expires_in: issued.expires_in,
        scope: issued.scopes.as_str(),
    };
    Ok(([(PRAGMA, "no-cache")], Unstored(granted)).into_response())
}
