//! A sample API behind Tollgate: SMS batches and active numbers, as a platform of the field offers them.
//!
//! It speaks with Tollgate over HTTP alone. Each call is admitted by the gate before anything else is done with it, and what
//! is paid for by quantity, message parts, is reported before the client hears that its batch was taken.

mod answer;
mod batch;
mod batches;
mod gate;
mod link;
mod numbers;
pub mod parts;
mod units;
mod xms;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderValue, Uri};
use tollgate_core::{Clock, Random};

use crate::answer::{Problem, Shape};
use crate::batches::Batches;
use crate::gate::{Call, admit};
use crate::link::Link;
use crate::units::Meter;

pub use crate::units::Reporter;

/// The longest body that is read.
const BODY_BYTES: usize = 64 * 1024;

/// The API. Clones share everything.
#[derive(Clone)]
pub struct Api {
    link: Arc<Link>,
    meter: Option<Arc<Meter>>,
    batches: Arc<Batches>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Api {
    /// An API whose calls the Tollgate at `tollgate` admits. Without a reporter, message parts are not counted.
    pub fn new(
        tollgate: SocketAddr,
        reporter: Option<Reporter>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let meter = reporter.map(|reporter| Arc::new(Meter::new(reporter)));
        Self { link: Arc::new(Link::new(tollgate)), meter, batches: Arc::default(), clock, random }
    }
}

/// The API's routes. Where the address of the peer is in the request's extensions ([`ConnectInfo`]), the gate is told.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/xms/v1/{owner}/batches", get(xms::list).post(xms::send))
        .route("/xms/v1/{owner}/batches/dry_run", post(xms::dry_run))
        .route("/xms/v1/{owner}/batches/{id}", get(xms::get).delete(xms::cancel))
        .route("/xms/v1/{owner}/batches/{id}/delivery_report", get(xms::report))
        .route("/v1/projects/{project}/activeNumbers", get(numbers::active))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(api.clone(), through_the_gate))
        .with_state(api)
}

/// Before every route, and before the answer that there is none.
async fn through_the_gate(
    State(api): State<Api>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let call = Call {
        method: request.method().as_str(),
        uri: request.uri(),
        headers: request.headers(),
        client: peer.map(|Extension(ConnectInfo(address))| address.ip()),
    };
    let caller = match admit(&api.link, &call).await {
        Ok(caller) => caller,
        Err(answer) => return *answer,
    };
    let id = HeaderValue::try_from(&caller.request);
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Ok(id) = id {
        response.headers_mut().insert("request-id", id);
    }
    response
}

async fn not_found(uri: Uri) -> Response {
    Problem::not_found("There is nothing at this path").render(Shape::of(uri.path()))
}

async fn method_not_allowed(uri: Uri) -> Response {
    Problem::method().render(Shape::of(uri.path()))
}
