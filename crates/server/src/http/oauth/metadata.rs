//! Discovery (RFC 8414) and the JWKS (RFC 7517). Nothing here ever comes from a request's headers.

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::http::Web;
use crate::operations::App;

/// The path of the issuer, before which the well-known path is inserted (RFC 8414 §3.1). Empty for most.
pub(crate) fn issuer_path(app: &App) -> String {
    let rest = app.issuer().as_str().split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map(|at| rest[at..].to_owned()).unwrap_or_default()
}

pub(crate) async fn metadata(State(web): State<Web>) -> Response {
    let issuer = web.app.issuer().as_str();
    let methods = ["client_secret_basic", "client_secret_post"];
    let body = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "scopes_supported": web.app.scopes(),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
    });
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")], body.to_string()).into_response()
}

pub(crate) async fn jwks(State(web): State<Web>, headers: HeaderMap) -> Response {
    let body = web.app.jwks();
    let tag: String =
        digest(&SHA256, body.as_bytes()).as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let max_age = format!("public, max-age={}", web.app.key_times().jwks_max_age_seconds);
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let caching = [(ETAG, tag.clone()), (CACHE_CONTROL, max_age)];
    if known
        .is_some_and(|known| known == "*" || known.split(',').any(|other| other.trim().trim_start_matches("W/") == tag))
    {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], body).into_response()
}
