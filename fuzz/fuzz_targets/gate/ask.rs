//! A call, put to each of the doors, and what it says, in one form.

use axum::body::Body;
use http::{HeaderValue, Request};
use prost::Message as _;
use serde_json::Value;
use tollgate_fuzz::world::{Answer, World};

use crate::messages::{self, Attributes, CheckRequest, CheckResponse, HeaderMap, HttpRequest};

/// The identity of an allow, without the id of the request.
const IDENTITY: [&str; 5] =
    ["tollgate-account", "tollgate-project", "tollgate-credential", "tollgate-credential-kind", "tollgate-scope"];

/// A call as a gateway tells of it.
pub struct Call<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub target: &'a str,
    pub authorizations: Vec<&'a [u8]>,
}

/// What a door said.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// The values of [`IDENTITY`].
    Allowed(Vec<String>),
    /// Status, challenge, and the body with another id of the request.
    Denied(u16, String, Value),
}

impl<'a> Call<'a> {
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let mut lines = input.split(|&byte| byte == b'\n');
        let mut text = || std::str::from_utf8(lines.next()?).ok();
        let (method, host, target) = (text()?, text()?, text()?);
        let authorizations: Vec<&[u8]> = lines.take(3).collect();
        // What is no header's value cannot have come as one.
        let are_headers =
            authorizations.iter().all(|value| HeaderValue::from_bytes(value).is_ok() && !value.is_empty());
        are_headers.then_some(Self { method, host, target, authorizations })
    }

    /// Each header by itself, as bytes.
    pub fn raw(&self) -> CheckRequest {
        let header = |value: &&[u8]| messages::HeaderValue {
            key: "authorization".to_owned(),
            value: String::new(),
            raw_value: value.to_vec(),
        };
        let headers = self.authorizations.iter().map(header).collect();
        self.message(HttpRequest { header_map: Some(HeaderMap { headers }), ..HttpRequest::default() })
    }

    /// As texts by name, where there are not several.
    pub fn joined(&self) -> Option<CheckRequest> {
        let value = match *self.authorizations {
            [] => None,
            [value] => Some(std::str::from_utf8(value).ok()?),
            _ => return None,
        };
        let headers = value.map(|value| ("authorization".to_owned(), value.to_owned())).into_iter().collect();
        Some(self.message(HttpRequest { headers, ..HttpRequest::default() }))
    }

    fn message(&self, http: HttpRequest) -> CheckRequest {
        let (method, path, host) = (self.method.to_owned(), self.target.to_owned(), self.host.to_owned());
        let http = Some(HttpRequest { method, path, host, ..http });
        let attributes = Attributes { source: None, request: Some(messages::Request { http }) };
        CheckRequest { attributes: Some(attributes) }
    }
}

/// The body of a gRPC request.
pub fn framed(message: &CheckRequest) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).expect("short");
    [&[0], &length.to_be_bytes()[..], &bytes].concat()
}

/// Asks Envoy's gRPC door. The error is gRPC's code, which is never our own failure.
pub fn grpc(world: &World, body: &[u8]) -> Result<Outcome, String> {
    let request = Request::post("/envoy.service.auth.v3.Authorization/Check")
        .header("host", "tollgate.example")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(body.to_vec()));
    let answer = world.ask(request.expect("a request"));
    assert_eq!(answer.status, 200);
    let code = answer.header("grpc-status");
    if code != "0" {
        // A message that cannot be read, not `UNAVAILABLE`, `UNKNOWN` or `DATA_LOSS`.
        assert!(["3", "8", "11", "12", "13"].contains(&code), "{code} {}", answer.header("grpc-message"));
        return Err(code.to_owned());
    }
    let read = CheckResponse::decode(&answer.body[5..]).expect("a response");
    let code = read.status.expect("a status").code;
    match read.answer.expect("an answer") {
        messages::Answer::Ok(allowed) => {
            assert_eq!(code, 0);
            Ok(Outcome::Allowed(identity(|name| header(&allowed.headers, name).to_owned())))
        }
        messages::Answer::Denied(denied) => {
            assert_ne!(code, 0);
            let status = u16::try_from(denied.status.expect("a status").code).expect("an HTTP status");
            let id = header(&denied.headers, "request-id");
            Ok(Outcome::Denied(
                status,
                header(&denied.headers, "www-authenticate").to_owned(),
                body_of(&denied.body, id),
            ))
        }
    }
}

/// Asks a door over HTTP, if the call can be told in headers.
pub fn http(world: &World, door: &str, call: &Call<'_>) -> Option<Outcome> {
    let by_nginx = door == "/gate/nginx";
    let names = if by_nginx {
        ["x-original-method", "x-original-host", "x-original-uri"]
    } else {
        ["x-forwarded-method", "x-forwarded-host", "x-forwarded-uri"]
    };
    let mut request = Request::get(door).header("host", "tollgate.example").body(Body::empty()).expect("a request");
    for (name, text) in names.into_iter().zip([call.method, call.host, call.target]) {
        let value = HeaderValue::from_str(text).ok()?;
        value.to_str().ok()?;
        request.headers_mut().insert(name, value);
    }
    for value in &call.authorizations {
        request.headers_mut().append("authorization", HeaderValue::from_bytes(value).ok()?);
    }
    let answer = world.ask(request);
    if answer.status == 200 {
        assert!(answer.body.is_empty() && answer.header("cache-control") == "no-store");
        return Some(Outcome::Allowed(identity(|name| answer.header(name).to_owned())));
    }
    Some(denied(&answer, by_nginx))
}

fn denied(answer: &Answer, by_nginx: bool) -> Outcome {
    let id = answer.header("request-id");
    let challenge = answer.header("www-authenticate").to_owned();
    let body = body_of(std::str::from_utf8(&answer.body).expect("JSON"), id);
    if !by_nginx {
        return Outcome::Denied(answer.status, challenge, body);
    }
    // nginx passes on nothing but these.
    assert!([401, 403].contains(&answer.status), "{}", answer.status);
    let status = answer.header("tollgate-deny-status").parse().expect("the denial's own status");
    assert_eq!(answer.status == 401, status == 401);
    Outcome::Denied(status, challenge, body_of(answer.header("tollgate-deny-body"), id))
}

fn body_of(text: &str, id: &str) -> Value {
    assert!(!id.is_empty() && text.len() < 1_024, "{text}");
    serde_json::from_str(&text.replace(id, "")).expect("the body is JSON")
}

fn identity(value: impl Fn(&str) -> String) -> Vec<String> {
    let all: Vec<String> = IDENTITY.into_iter().map(value).collect();
    assert!(all[..4].iter().all(|value| !value.is_empty()), "every identity header is set");
    all
}

fn header<'a>(headers: &'a [messages::HeaderValueOption], name: &str) -> &'a str {
    let mut all = headers.iter().filter_map(|option| option.header.as_ref());
    all.find(|header| header.key == name).map_or("", |header| &header.value)
}
