//! `GET /gate` for a token that was seen before, and `GET /verify` for one that is verified each time.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::limit::{Identity, Limit, unix_seconds};
use crate::refusal;

const ACCOUNT: HeaderName = HeaderName::from_static("tollgate-account");
const PROJECT: HeaderName = HeaderName::from_static("tollgate-project");
const CREDENTIAL: HeaderName = HeaderName::from_static("tollgate-credential");
const CREDENTIAL_KIND: HeaderName = HeaderName::from_static("tollgate-credential-kind");
const SCOPE: HeaderName = HeaderName::from_static("tollgate-scope");
const REQUEST_ID: HeaderName = HeaderName::from_static("tollgate-request-id");

/// 200 with the identity of the token, which is looked up by its hash and not verified again.
pub(crate) fn answer<B>(limit: &Limit, request: &Request<B>) -> Response<Full<Bytes>> {
    respond(limit, bearer(request).and_then(|token| limit.remembered(token)))
}

/// 200 with the identity of the token, whose signature and end are verified.
pub(crate) fn verify<B>(limit: &Limit, request: &Request<B>) -> Response<Full<Bytes>> {
    let token = bearer(request).and_then(|token| std::str::from_utf8(token).ok());
    let key = token.and_then(|token| limit.issuer.verified_key(token, unix_seconds()));
    respond(limit, key.and_then(|key| limit.identity(&key)))
}

fn bearer<B>(request: &Request<B>) -> Option<&[u8]> {
    request.headers().get(AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")
}

fn respond(limit: &Limit, identity: Option<&Identity>) -> Response<Full<Bytes>> {
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
