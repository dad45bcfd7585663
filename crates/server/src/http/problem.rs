//! An error answer before it is written: status, words and headers. The request id is added when it is rendered.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tollgate_core::RequestId;
use tollgate_core::gate::ErrorShape;

use super::dashboard::{self, Look};

/// What went wrong, for the client. Handlers return it; `request::around` renders it.
#[derive(Debug, Clone)]
pub struct Problem {
    pub(crate) status: StatusCode,
    /// `NOT_FOUND`, `invalid_client`, `forbidden`: the word that the shape wants.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) shape: ErrorShape,
    pub(crate) details: Vec<Value>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The reason in one word, for the log and the nginx door.
    pub(crate) reason: &'static str,
    /// How it looks, when it is shown to a person, as a page.
    pub(crate) page: Option<Box<Look>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>, shape: ErrorShape) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            shape,
            details: Vec::new(),
            headers: Vec::new(),
            reason: code,
            page: None,
        }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        // What cannot stand in a header is left out; the body still says it.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn with_detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    /// Writes headers and body into the response that carried this problem.
    pub(crate) fn render(self, carrier: &mut Response, request: RequestId, base: &str) {
        *carrier.status_mut() = self.status;
        let headers = carrier.headers_mut();
        let body = if let Some(look) = &self.page {
            dashboard::put_headers(headers);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            dashboard::render_problem(&self, look, base, request)
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            self.body(Some(request))
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.shape == ErrorShape::OAuth {
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        *carrier.body_mut() = Body::from(body);
    }

    /// The JSON of an answer to a program. It names the request where there was one.
    pub(crate) fn body(&self, request: Option<RequestId>) -> String {
        let body = match self.shape {
            ErrorShape::OAuth => json!({ "error": self.code, "error_description": self.message }),
            ErrorShape::Xms => json!({ "code": self.code, "text": self.message }),
            ErrorShape::Google => {
                let mut details = self.details.clone();
                details.extend(request.map(|request| {
                    json!({
                        "@type": "type.googleapis.com/google.rpc.RequestInfo",
                        "requestId": request,
                    })
                }));
                json!({ "error": {
                    "code": self.status.as_u16(),
                    "message": self.message,
                    "status": self.code,
                    "details": details,
                }})
            }
        };
        body.to_string()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut carrier = self.status.into_response();
        carrier.extensions_mut().insert(self);
        carrier
    }
}
