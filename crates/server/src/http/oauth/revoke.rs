//! `POST /oauth2/revoke` (RFC 7009).

use axum::extract::State;
use http::StatusCode;
use tollgate_core::oauth::OAuthError;

use crate::http::Web;
use crate::http::extract::ClientForm;
use crate::http::problem::Problem;

pub(crate) async fn revoke(State(web): State<Web>, form: ClientForm) -> Result<StatusCode, Problem> {
    let token = form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    web.app.revoke_token(&form.presented, token, form.client(&web)).await?;
    Ok(StatusCode::OK)
}
