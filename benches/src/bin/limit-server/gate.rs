//! `GET /gate` for a token that was seen before.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::limit::{Identity, Limit};
use crate::refusal;

const ACCOUNT: HeaderName = HeaderName::from_static("tollgate-account");
const PROJECT: HeaderName = HeaderName::from_static("tollgate-project");
const CREDENTIAL: HeaderName = HeaderName::from_static("tollgate-credential");
const CREDENTIAL_KIND: HeaderName = HeaderName::from_static("tollgate-credential-kind");
const SCOPE: HeaderName = HeaderName::from_static("tollgate-scope");
const REQUEST_ID: HeaderName = HeaderName::from_static("tollgate-request-id");

/// 200 with the identity of the token, which is looked up by its hash and not verified again.
pub(crate) fn answer<B>(limit: &Limit, request: &Request<B>) -> Response<Full<Bytes>> {
    let identity = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .and_then(|token| limit.remembered(token));
    match identity {
        Some(identity) => allow(identity, limit.request_id()),
        None => refusal(StatusCode::UNAUTHORIZED),
    }
}

fn allow(identity: &Identity, request_id: String) -> Response<Full<Bytes>> {
    let Ok(request_id) = HeaderValue::from_maybe_shared(Bytes::from(request_id)) else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    headers.reserve(7);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCOUNT, identity.account.clone());
    headers.insert(PROJECT, identity.project.clone());
    headers.insert(CREDENTIAL, identity.credential.clone());
    headers.insert(CREDENTIAL_KIND, HeaderValue::from_static("access-key"));
    headers.insert(SCOPE, identity.scope.clone());
    headers.insert(REQUEST_ID, request_id);
    response
}
