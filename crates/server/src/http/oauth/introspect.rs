//! `POST /oauth2/introspect` (RFC 7662). An inactive token is `{"active":false}`, whatever the reason.

use axum::extract::State;
use axum::response::Response;
use tollgate_core::oauth::OAuthError;

use crate::http::Web;
use crate::http::answer::unstored;
use crate::http::extract::ClientForm;
use crate::http::problem::Problem;
use crate::operations::Introspected;

pub(crate) async fn introspect(State(web): State<Web>, form: ClientForm) -> Result<Response, Problem> {
    let token = form.value("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let introspected = web.app.introspect(&form.presented, token, form.client(&web)).await?;
    let body = match introspected {
        Introspected::Inactive => r#"{"active":false}"#.to_owned(),
        Introspected::Active(verified) => {
            let members = verified.token.members(web.app.issuer());
            [r#"{"active":true,"token_type":"bearer","#, &members, "}"].concat()
        }
    };
    Ok(unstored(body))
}
