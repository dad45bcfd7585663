//! A small API behind the gate, for `tollgate dev`: each call is admitted and counted before it is answered.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tollgate_core::RequestId;
use tollgate_core::gate::ErrorShape;

use crate::http::{Origin, Problem, Web, around, authorization, client_of, outage};
use crate::operations::Call;

/// The demo API: it answers every path of a product with who called.
pub fn router(web: Web) -> Router {
    Router::new().fallback(answer).layer(from_fn_with_state(web.clone(), around)).with_state(web)
}

async fn answer(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let extensions = request.extensions();
    let (Some(&origin), Some(&id)) = (extensions.get::<Origin>(), extensions.get::<RequestId>()) else {
        return Err(outage(ErrorShape::Google));
    };
    let headers = request.headers();
    let call = Call {
        request: id,
        method: request.method().as_str(),
        host: request.uri().host().unwrap_or("127.0.0.1"),
        target: request.uri().path(),
        authorization: authorization(headers),
        client: client_of(&web, origin, headers),
    };
    let allowed = web.app.admit(&call).await?;
    let body = json!({
        "message": "Hello. This call was let through and counted.",
        "accountId": allowed.whose.account,
        "projectId": allowed.whose.project,
        "credentialId": allowed.whose.credential,
        "scope": allowed.grant.scopes().as_str(),
    });
    Ok(axum::Json(body).into_response())
}
