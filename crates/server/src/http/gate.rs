//! The gate's HTTP doors: forward-auth (Traefik, Caddy), nginx, and Envoy over HTTP.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tollgate_core::gate::ErrorShape;
use tollgate_core::{RequestId, id};

use super::extract::{Id, authorization, client_of};
use super::problem::Problem;
use super::request::of_id;
use super::{Origin, Web, error};
use crate::operations::{Allowed, Call, Refused};

const ACCOUNT: HeaderName = HeaderName::from_static("tollgate-account");
const PROJECT: HeaderName = HeaderName::from_static("tollgate-project");
const CREDENTIAL: HeaderName = HeaderName::from_static("tollgate-credential");
const CREDENTIAL_KIND: HeaderName = HeaderName::from_static("tollgate-credential-kind");
const SCOPE: HeaderName = HeaderName::from_static("tollgate-scope");
const REQUEST_ID: HeaderName = HeaderName::from_static("tollgate-request-id");
/// All identity headers.
pub(crate) const IDENTITY: [HeaderName; 6] = [ACCOUNT, PROJECT, CREDENTIAL, CREDENTIAL_KIND, SCOPE, REQUEST_ID];
const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-host");
const DENY: HeaderName = HeaderName::from_static("tollgate-deny");
const DENY_STATUS: HeaderName = HeaderName::from_static("tollgate-deny-status");
const DENY_BODY: HeaderName = HeaderName::from_static("tollgate-deny-body");

/// The answer to an allowed call: 200, empty, with every identity header set.
#[derive(Debug)]
pub(crate) struct Answer {
    allowed: Allowed,
    request: RequestId,
}

impl Answer {
    /// The identity headers. All are set on every allow, so that none that a client sent survives.
    pub(crate) fn identity(&self) -> [(HeaderName, HeaderValue); 6] {
        let mut buffer = id::buffer();
        let Allowed { whose, grant } = &self.allowed;
        let scopes = HeaderValue::from_str(grant.scopes().as_str());
        [
            (ACCOUNT, of_id(whose.account.encode(&mut buffer))),
            (PROJECT, of_id(whose.project.encode(&mut buffer))),
            (CREDENTIAL, of_id(whose.credential.encode(&mut buffer))),
            (CREDENTIAL_KIND, HeaderValue::from_static(grant.kind().code())),
            (SCOPE, scopes.expect("scope tokens are visible ASCII")),
            (REQUEST_ID, of_id(self.request.encode(&mut buffer))),
        ]
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        let headers = response.headers_mut();
        headers.reserve(8);
        headers.extend(self.identity());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// `/gate`: method, host and target come in `X-Forwarded-*`.
pub(super) async fn forwarded(web: &Web, origin: Origin, id: Id, headers: &HeaderMap) -> Result<Answer, Problem> {
    let [Some(method), Some(target)] = [FORWARDED_METHOD, FORWARDED_URI].map(|name| one(headers, &name)) else {
        return Err(missing("The gateway must send X-Forwarded-Method and X-Forwarded-Uri"));
    };
    let host = one(headers, &FORWARDED_HOST).unwrap_or("");
    Ok(admit(web, origin, id, headers, (method, host, target)).await?)
}

/// `/gate/nginx`: method and target come in `X-Original-*`. nginx passes on 401 and 403 alone and drops the body, so that every
/// other denial becomes 403, with its reason in `tollgate-deny`, its own status in `tollgate-deny-status` and its body in
/// `tollgate-deny-body`.
pub(super) async fn nginx(web: &Web, origin: Origin, id: Id, headers: &HeaderMap) -> Result<Answer, Problem> {
    let [Some(method), Some(target)] = [ORIGINAL_METHOD, ORIGINAL_URI].map(|name| one(headers, &name)) else {
        return Err(missing("nginx must send X-Original-Method and X-Original-URI"));
    };
    let host = one(headers, &ORIGINAL_HOST).or_else(|| one(headers, &HOST)).unwrap_or("");
    let decided = admit(web, origin, id, headers, (method, host, target)).await;
    decided.map_err(|refused| {
        let is_denial = matches!(refused, Refused::Denied(..));
        let mut problem = Problem::from(refused);
        if is_denial {
            let (reason, status) = (problem.reason, problem.status);
            let body = in_ascii(&problem.body(Some(id.0)));
            problem = problem.with_header(DENY, reason).with_header(DENY_STATUS, status.as_str());
            problem = problem.with_header(DENY_BODY, &body);
            if problem.status != StatusCode::UNAUTHORIZED {
                problem.status = StatusCode::FORBIDDEN;
            }
        }
        problem
    })
}

/// `/gate/envoy` and everything below: the call's own method and path, below the prefix.
pub(super) async fn envoy(State(web): State<Web>, origin: Origin, id: Id, request: Request) -> Result<Answer, Problem> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let target = target.strip_prefix("/gate/envoy").unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let headers = request.headers();
    let host = request.uri().host().or_else(|| one(headers, &HOST)).unwrap_or("").to_owned();
    Ok(admit(&web, origin, id, headers, (request.method().as_str(), &host, &target)).await?)
}

/// Asks about a call: method, host and target, with the headers that hold its credential and its client's address.
pub(crate) async fn admit(
    web: &Web,
    origin: Origin,
    id: Id,
    headers: &HeaderMap,
    (method, host, target): (&str, &str, &str),
) -> Result<Answer, Refused> {
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let call = Call {
        request: id.0,
        method,
        host,
        target,
        authorization: authorization(headers),
        client: client_of(web, origin, headers),
    };
    web.app.admit(&call).await.map(|allowed| Answer { allowed, request: id.0 })
}

/// The value of a header that must come once and be readable.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// JSON as it can stand in a header.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            text.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

fn missing(message: &str) -> Problem {
    error::bad_request(StatusCode::BAD_REQUEST, message, ErrorShape::Google)
}
