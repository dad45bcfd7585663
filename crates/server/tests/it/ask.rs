//! A request to the router, and its answer.

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde_json::Value;
use tollgate_server::http::{Answers as _, Origin, Site};

/// The address from which requests come unless a test says otherwise: a gateway's, which is trusted.
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

pub(crate) struct Ask {
    site: Site,
    origin: Origin,
    request: Request<Body>,
}

impl Ask {
    /// A request from the public listener, without credentials.
    pub(crate) fn new(site: &Site, method: &str, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path).header("host", "tollgate.example");
        let request = request.body(Body::empty()).expect("a request");
        Self { site: site.clone(), origin: Origin::Public(PEER), request }
    }

    /// It comes over the operator's socket.
    pub(crate) fn operator(mut self) -> Self {
        self.origin = Origin::Operator;
        self
    }

    /// It comes from this peer.
    pub(crate) fn peer(mut self, address: &str) -> Self {
        self.origin = Origin::Public(address.parse().expect("an address"));
        self
    }

    /// Adds a header, beside another of its name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_str(value).expect("a header's value");
        self.request.headers_mut().append(name, value);
        self
    }

    /// Takes a header away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        self.header("authorization", &basic(id, secret))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn form(self, body: &str) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned())
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// The answer as it is, for those that are not text.
    pub(crate) async fn respond(self) -> Response<Body> {
        self.site.answer(self.origin, self.request).await
    }

    pub(crate) async fn send(self) -> Answer {
        let (parts, body) = self.respond().await.into_parts();
        let body = to_bytes(body, 1 << 22).await.expect("a body in memory");
        let text = String::from_utf8(body.to_vec()).expect("every answer is text");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}

/// The value of an `Authorization` header.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The answer again, if it has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {:?}", self.text, self.headers);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// A header's value; empty when it did not come.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    /// The challenge of a 401 or 403.
    pub(crate) fn challenge(&self) -> &str {
        self.header("www-authenticate")
    }

    /// Checks status and google.rpc code, and gives the `error` object.
    #[track_caller]
    pub(crate) fn google(&self, code: u16, status: &str) -> Value {
        let error = self.json()["error"].take();
        assert_eq!((self.status, &error["code"], &error["status"]), (code, &code.into(), &status.into()), "{error}");
        error
    }

    /// Checks status and `error` of an OAuth endpoint, and that a description came.
    #[track_caller]
    pub(crate) fn oauth(&self, code: u16, error: &str) -> &Self {
        let body = self.json();
        assert_eq!((self.status, &body["error"]), (code, &error.into()), "{body}");
        assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        self
    }

    /// Status, body and headers without what differs in every answer: the request id and the date.
    pub(crate) fn comparable(&self) -> (u16, String, HeaderMap) {
        let mut headers = self.headers.clone();
        let request = headers.remove("request-id").map(|id| id.to_str().expect("a UUID").to_owned());
        headers.remove("date");
        let text = request.map_or(self.text.clone(), |request| self.text.replace(&request, "REQUEST"));
        (self.status, text, headers)
    }
}
