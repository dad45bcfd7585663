//! A page on its way out: its headers, and how a problem looks.

use askama::Template;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tollgate_core::RequestId;

use super::look::Look;
use super::statics;
use crate::http::problem::Problem;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A rendered page.
pub(crate) struct Page<T>(pub(crate) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(text) => Html(text).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A page with a form that has to be corrected.
pub(crate) fn wrong<T: Template>(page: T) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response()
}

pub(crate) async fn with_headers(request: Request, next: Next) -> Response {
    let look = Look::of(request.headers());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().get_mut::<Problem>() {
        problem.page = Some(Box::new(look));
    }
    put_headers(response.headers_mut());
    response
}

/// What every page says to the browser. Nothing of it may be stored: pages hold personal data, one of them a secret.
pub(crate) fn put_headers(headers: &mut HeaderMap) {
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (OPENER, "same-origin"),
        (RESOURCE, "same-origin"),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (PERMISSIONS, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Bare<'a>,
    status: u16,
    message: &'a str,
    request: String,
}

/// What pages need that stand outside: base path, version of the static files, looks.
#[derive(Debug, Clone)]
pub(crate) struct Bare<'a> {
    pub(crate) base: &'a str,
    pub(crate) version: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) local_times: bool,
}

impl<'a> Bare<'a> {
    pub(crate) fn new(base: &'a str, look: &Look) -> Self {
        Self { base, version: statics::version(), theme: look.theme, local_times: look.local_times }
    }
}

/// A problem as a page for people.
pub(crate) fn render_problem(problem: &Problem, look: &Look, base: &str, request: RequestId) -> String {
    let page = ProblemPage {
        frame: Bare::new(base, look),
        status: problem.status.as_u16(),
        message: &problem.message,
        request: request.to_string(),
    };
    page.render().unwrap_or_else(|_| problem.message.clone())
}
