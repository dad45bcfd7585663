//! `POST /oauth2/token` (RFC 6749 §4.4).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::PRAGMA;
use tollgate_core::oauth::OAuthError;

use crate::http::Web;
use crate::http::answer::unstored;
use crate::http::extract::ClientForm;
use crate::http::problem::Problem;

pub(crate) async fn token(State(web): State<Web>, form: ClientForm) -> Result<Response, Problem> {
    match form.value("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::UnsupportedGrantType.into()),
        None => return Err(OAuthError::InvalidRequest("grant_type is missing").into()),
    }
    let client = form.client(&web);
    let (scope, resource) = (form.value("scope"), form.value("resource"));
    let issued = web.app.issue_token(&form.presented, scope, resource, client).await?;
    // RFC 6749 §5.1; `scope` is there even when it is empty. By hand: neither a token nor a scope (§3.3) holds what JSON escapes,
    // and to look for it takes as long as the rest of the answer.
    let (lifetime, scope) = (issued.expires_in.to_string(), issued.scopes.as_str());
    let body = [
        r#"{"access_token":""#,
        &issued.access_token,
        r#"","token_type":"bearer","expires_in":"#,
        &lifetime,
        r#","scope":""#,
        scope,
        r#""}"#,
    ];
    Ok(([(PRAGMA, "no-cache")], unstored(body.concat())).into_response())
}
