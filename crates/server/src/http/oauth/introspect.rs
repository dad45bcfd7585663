//! `POST /oauth2/introspect` (RFC 7662). An inactive token is `{"active":false}`, whatever the reason.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tollgate_core::oauth::OAuthError;
use tollgate_core::{AccountId, KeyId, ProjectId};

use crate::http::Web;
use crate::http::answer::Unstored;
use crate::http::extract::ClientForm;
use crate::http::problem::Problem;
use crate::operations::Introspected;

#[derive(Serialize)]
struct Introspection<'a> {
    active: bool,
    #[serde(flatten)]
    about: Option<About<'a>>,
}

/// What is told of an active token.
#[derive(Serialize)]
struct About<'a> {
    scope: &'a str,
    client_id: KeyId,
    sub: KeyId,
    aud: &'a str,
    iss: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    token_type: &'static str,
    project_id: ProjectId,
    account_id: AccountId,
}

pub(crate) async fn introspect(State(web): State<Web>, form: ClientForm) -> Result<Response, Problem> {
    let token = form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let introspected = web.app.introspect(&form.presented, token, form.client(&web)).await?;
    let verified = match &introspected {
        Introspected::Inactive => None,
        Introspected::Active(verified) => Some(&verified.token),
    };
    let about = verified.map(|token| About {
        scope: token.scopes.as_str(),
        client_id: token.key,
        sub: token.key,
        aud: &token.audience,
        iss: web.app.issuer(),
        iat: token.issued_at,
        exp: token.expires_at,
        jti: format!("{:032x}", token.id),
        token_type: "bearer",
        project_id: token.project,
        account_id: token.account,
    });
    Ok(Unstored(Introspection { active: about.is_some(), about }).into_response())
}
