//! What surrounds every request: its id, the check of its Host, the rendering of problems, one log line, one count.
//!
//! The log line's fields: `request.id`, `http.method`, `http.route` (the template, never the path), `http.status`,
//! `duration_us`, `listener` (`public` or `operator`), and `reason` where a request was refused.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use tokio::time::Instant;
use tollgate_core::RequestId;
use tollgate_core::id::buffer;

use super::error::{bad_request, shape_of};
use super::oauth::metadata::issuer_path;
use super::problem::Problem;
use super::{Origin, Web};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The classes of answers that are counted: 2xx, 3xx, 4xx, 5xx.
pub(crate) const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// The groups of routes that are counted.
pub(crate) const GROUPS: [&str; 4] = ["oauth", "gate", "api", "other"];

/// What the metrics count: requests per group of routes and class of answer.
#[derive(Debug, Default)]
pub struct Numbers {
    pub(crate) requests: [[AtomicU64; CLASSES.len()]; GROUPS.len()],
    /// Set when the server is stopping: `/readyz` says so.
    pub(crate) draining: std::sync::atomic::AtomicBool,
}

impl Numbers {
    /// From now on `/readyz` answers 503.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    fn count(&self, route: &str, status: StatusCode) {
        let group = match route {
            _ if route.contains("/oauth2/") || route.contains("/.well-known/") => 0,
            _ if route.contains("/gate") || route.ends_with(".Authorization/Check") => 1,
            _ if route.contains("/v1/") => 2,
            _ => 3,
        };
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        self.requests[group][class].fetch_add(1, Ordering::Relaxed);
    }
}

/// Why a request was refused by an answer that is no [`Problem`], for the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reason(pub(crate) &'static str);

/// What surrounds a request that the router answers.
pub(crate) async fn around(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let origin = request.extensions().get::<Origin>().copied();
    let visit = Visit::of(&request, origin, &web);
    let response = match refused(&request) {
        Some(problem) => problem.into_response(),
        None => {
            request.extensions_mut().insert::<RequestId>(visit.id);
            next.run(request).await
        }
    };
    visit.end(&web, route.as_ref().map_or("", MatchedPath::as_str), response)
}

/// A request under way: what its log line will say.
pub(super) struct Visit {
    /// The id that the request was given.
    pub(super) id: RequestId,
    started: Instant,
    is_operators: bool,
    method: Method,
}

impl Visit {
    pub(super) fn of(request: &Request, origin: Option<Origin>, web: &Web) -> Self {
        Self {
            id: web.app.new_request(),
            started: Instant::now(),
            is_operators: origin == Some(Origin::Operator),
            method: request.method().clone(),
        }
    }

    /// Sees to the log and the metrics. `route` is the template that the request matched.
    pub(super) fn end(self, web: &Web, route: &str, mut response: Response) -> Response {
        let reason = finish(&mut response, self.id, web);
        let status = response.status();
        web.numbers.count(route, status);
        tracing::info!(
            request.id = self.id.encode(&mut buffer()),
            http.method = self.method.as_str(),
            http.route = route,
            http.status = status.as_u16(),
            duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            listener = if self.is_operators { "operator" } else { "public" },
            reason,
            "request"
        );
        response
    }
}

/// Why a request is not even looked at.
pub(super) fn refused(request: &Request) -> Option<Problem> {
    let message = "Exactly one Host header is needed";
    (!has_one_host(request)).then(|| bad_request(StatusCode::BAD_REQUEST, message, shape_of(request.uri())))
}

/// Renders a problem, and names the request in the answer.
fn finish(response: &mut Response, id: RequestId, web: &Web) -> Option<&'static str> {
    let problem = response.extensions_mut().remove::<Problem>();
    let said = response.extensions_mut().remove::<Reason>().map(|Reason(word)| word);
    let reason = problem.as_ref().map(|problem| problem.reason).or(said);
    if let Some(problem) = problem {
        problem.render(response, id, &issuer_path(&web.app));
    }
    response.headers_mut().insert(REQUEST_ID, of_id(id.encode(&mut buffer())));
    reason
}

/// The text of an id as the value of a header.
pub(super) fn of_id(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("an id is visible ASCII")
}

/// RFC 9112 §3.2: HTTP/1.1 wants exactly one Host. HTTP/2 carries it in `:authority`.
fn has_one_host(request: &Request) -> bool {
    if request.version() >= Version::HTTP_2 {
        return request.uri().host().is_some() || request.headers().contains_key(http::header::HOST);
    }
    request.headers().get_all(http::header::HOST).iter().count() == 1
}
