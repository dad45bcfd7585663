//! `POST /oauth2/token` with HTTP Basic.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, PRAGMA};
use hyper::{Request, Response, StatusCode};

use crate::jwt::LIFETIME_SECONDS;
use crate::limit::{AccessKey, Limit, unix_seconds};
use crate::refusal;

/// The longest `KEY_ID:KEY_SECRET` that is looked at.
const PAIR_BYTES: usize = 256;

/// A fresh token for the key in the Basic header.
pub(crate) async fn answer<B: Body>(limit: &Limit, request: Request<B>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let granted = body.collect().await.is_ok_and(|body| asks_for_client_credentials(&body.to_bytes()));
    if !granted {
        return refusal(StatusCode::BAD_REQUEST);
    }
    let Some(key) = authenticate(limit, &head.headers) else {
        return refusal(StatusCode::UNAUTHORIZED);
    };
    let Some(token) = limit.issuer.token(key, unix_seconds()) else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR);
    };
    success(&token, key.scope)
}

fn asks_for_client_credentials(form: &[u8]) -> bool {
    form_urlencoded::parse(form).any(|(name, value)| name == "grant_type" && value == "client_credentials")
}

/// The key of the Basic pair. The alphabet of our pairs needs no form-decoding, so the limit does none.
fn authenticate<'a>(limit: &'a Limit, headers: &HeaderMap) -> Option<&'a AccessKey> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let mut pair = [0; PAIR_BYTES];
    let length = BASE64_STANDARD.decode_slice(encoded, &mut pair).ok()?;
    let (id, secret) = std::str::from_utf8(&pair[..length]).ok()?.split_once(':')?;
    limit.authenticate(id, secret)
}

fn success(token: &str, scope: &str) -> Response<Full<Bytes>> {
    let body = format!(
        r#"{{"access_token":"{token}","token_type":"bearer","expires_in":{LIFETIME_SECONDS},"scope":"{scope}"}}"#
    );
    let mut response = Response::new(Full::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
