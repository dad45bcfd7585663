//! `POST /oauth2/introspect` (RFC 7662). An inactive token is `{"active":false}`, whatever the reason.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;
use tollgate_core::oauth::OAuthError;

use crate::http::Web;
use crate::http::extract::ClientForm;
use crate::http::problem::Problem;
use crate::operations::Introspected;

pub(crate) async fn introspect(State(web): State<Web>, form: ClientForm) -> Result<Response, Problem> {
    let token = form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let body = match web.app.introspect(&form.presented, &token, form.client(&web)).await? {
        Introspected::Inactive => json!({ "active": false }),
        Introspected::Active(verified) => {
            let token = &verified.token;
            json!({
                "active": true,
                "scope": token.scopes.as_str(),
                "client_id": token.key,
                "sub": token.key,
                "aud": &*token.audience,
                "iss": web.app.issuer(),
                "iat": token.issued_at,
                "exp": token.expires_at,
                "jti": format!("{:032x}", token.id),
                "token_type": "bearer",
                "project_id": token.project,
                "account_id": token.account,
            })
        }
    };
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body.to_string()).into_response())
}
