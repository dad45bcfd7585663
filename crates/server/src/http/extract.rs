//! Reading requests: each type can only be had from a request that is right.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tollgate_core::RequestId;
use tollgate_core::form::Form;
use tollgate_core::gate::ErrorShape;
use tollgate_core::oauth::{OAuthError, Presented, client};

use super::error::bad_request;
use super::problem::Problem;
use super::{BODY_LIMIT, Origin, Web};
use crate::operations::{Authorization, Client, ManageError};

/// The `Authorization` headers of a request.
pub(crate) fn authorization(headers: &HeaderMap) -> Authorization<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Authorization::Missing };
    if values.next().is_some() {
        return Authorization::Many;
    }
    value.to_str().map_or(Authorization::Unreadable, Authorization::One)
}

/// What the client calls itself.
pub(crate) fn agent(headers: &HeaderMap) -> &str {
    headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// The client of a request, for the record of last use.
pub(crate) fn client_of<'a>(web: &Web, origin: Origin, headers: &'a HeaderMap) -> Client<'a> {
    Client { address: origin.client(headers, web.app.trusted_peers()), agent: agent(headers) }
}

/// Where the request came from. [`Answers`](super::Answers) puts it there for a router; without it the request is treated as from
/// nowhere.
impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| super::error::outage(ErrorShape::Google))
    }
}

/// The request's id, which `request::around` made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) RequestId);

impl<S: Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let id = parts.extensions.get::<RequestId>().copied();
        id.map(Self).ok_or_else(|| super::error::outage(ErrorShape::Google))
    }
}

/// A form request whose client authenticated in exactly one way (RFC 6749 §2.3).
pub(crate) struct ClientForm {
    pub(crate) presented: Presented,
    origin: Origin,
    headers: HeaderMap,
    form: Form<'static>,
}

impl ClientForm {
    /// From where the request came, and by what.
    pub(crate) fn client(&self, web: &Web) -> Client<'_> {
        client_of(web, self.origin, &self.headers)
    }

    /// The value of a form parameter; `None` when it is absent or empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.form.value(name)
    }

    /// Reads a request that came from `origin`.
    pub(crate) async fn read(origin: Origin, request: Request, web: &Web) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        refuse_credentials_in_url(parts.uri.query())?;
        let wrong_type = |message| bad_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, message, ErrorShape::OAuth);
        if parts.headers.contains_key(CONTENT_ENCODING) {
            return Err(wrong_type("Send the form without Content-Encoding"));
        }
        if media_type(&parts.headers) != Some("application/x-www-form-urlencoded") {
            return Err(wrong_type("Send application/x-www-form-urlencoded"));
        }
        let body = read_body(body, web, ErrorShape::OAuth).await?;
        let repeated = OAuthError::InvalidRequest("A parameter is repeated, or there are more than 100");
        let form = Form::parse(&body).map_err(|_| repeated)?;
        let header = match authorization(&parts.headers) {
            Authorization::Missing => None,
            Authorization::One(value) => Some(value),
            Authorization::Unreadable => return Err(OAuthError::InvalidClient.into()),
            Authorization::Many => return Err(OAuthError::InvalidRequest("Send one Authorization header").into()),
        };
        let presented = client(header, &form)?;
        Ok(Self { presented, origin, form: form.into_owned(), headers: parts.headers })
    }
}

impl FromRequest<Web> for ClientForm {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let origin = request.extensions().get::<Origin>().copied().ok_or(OAuthError::Unavailable)?;
        Self::read(origin, request, web).await
    }
}

fn refuse_credentials_in_url(query: Option<&str>) -> Result<(), OAuthError> {
    let Some(query) = query else { return Ok(()) };
    let secret_names = ["client_secret", "client_id", "token", "access_token"];
    let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or(""));
    if names.any(|name| secret_names.contains(&name)) {
        return Err(OAuthError::InvalidRequest("Credentials do not belong in the URL"));
    }
    Ok(())
}

/// A JSON body. It may come as `application/x-www-form-urlencoded` too: that is what `curl -d` sends.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Web> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let known =
            matches!(media_type(&parts.headers), Some("application/json" | "application/x-www-form-urlencoded"));
        if !known || parts.headers.contains_key(CONTENT_ENCODING) {
            let message = "Send application/json without Content-Encoding";
            return Err(bad_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, message, ErrorShape::Google));
        }
        let body = read_body(body, web, ErrorShape::Google).await?;
        parse_object(&body).map(Self)
    }
}

/// A JSON body that may be left out, type and all, or be `null`: then it is the default.
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Web> for MaybeJson<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (_, body) = request.into_parts();
        let body = read_body(body, web, ErrorShape::Google).await?;
        let given: Option<T> = if body.is_empty() { None } else { parse_object(&body)? };
        Ok(Self(given.unwrap_or_default()))
    }
}

/// As `parse_body`. An array is refused: serde takes it for the fields in their order.
fn parse_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(invalid("body", "has the wrong type or form"));
    }
    parse_body(body)
}

/// Names the field that is wrong, and never quotes its value: it might be a secret.
pub(crate) fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let steps = path.split('.').map(|step| step.split('[').next().unwrap_or_default());
        let place = steps.take_while(|step| is_plain_name(step)).collect::<Vec<_>>().join(".");
        let cause = error.inner().to_string();
        let field = named_in(&cause).or((!place.is_empty()).then_some(&*place)).unwrap_or("body").to_owned();
        let message = match error.inner().classify() {
            serde_json::error::Category::Data if cause.starts_with("missing field") => "is missing",
            serde_json::error::Category::Data if cause.starts_with("unknown field") => "is not a field of this request",
            serde_json::error::Category::Data => "has the wrong type or form",
            _ => "is not JSON",
        };
        invalid(&field, message)
    })?;
    reader.end().map_err(|_| invalid("body", "is not one JSON value"))?;
    Ok(parsed)
}

/// The field that serde names between backquotes: it is a name, not a value.
fn named_in(cause: &str) -> Option<&str> {
    let is_name = cause.starts_with("missing field") || cause.starts_with("unknown field");
    let (_, rest) = cause.split_once('`').filter(|_| is_name)?;
    let name = rest.split('`').next()?;
    is_plain_name(name).then_some(name)
}

/// Letters only, and few: a secret that was sent as a name has digits and an underscore.
fn is_plain_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

pub(crate) fn invalid(field: &str, message: &str) -> Problem {
    let mut problem = Problem::from(ManageError::Invalid { field: "body", message: message.to_owned() });
    problem.message = format!("{field}: {message}");
    problem.details = vec![serde_json::json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{ "field": field, "description": message }],
    })];
    problem
}

/// The media type without its parameters, in lower case where it is one of ours.
fn media_type(headers: &HeaderMap) -> Option<&'static str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let name = value.split(';').next()?.trim();
    let known = ["application/json", "application/x-www-form-urlencoded"];
    known.into_iter().find(|known| name.eq_ignore_ascii_case(known))
}

pub(crate) async fn read_body(body: Body, web: &Web, shape: ErrorShape) -> Result<Bytes, Problem> {
    let patience = Duration::from_secs(web.app.config.http.request_seconds);
    let read = tokio::time::timeout(patience, Limited::new(body, BODY_LIMIT).collect()).await;
    match read {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(bad_request(StatusCode::PAYLOAD_TOO_LARGE, "The body may have at most 65536 bytes", shape))
        }
        Ok(Err(_)) => Err(bad_request(StatusCode::BAD_REQUEST, "The body could not be read", shape)),
        Err(_) => Err(bad_request(StatusCode::REQUEST_TIMEOUT, "The body did not come in time", shape)),
    }
}
