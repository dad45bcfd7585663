//! All doors as one service. The gate's stand before the router: they are asked about every call of every API, and what a router
//! does for them - to match, to box, to carry along - is a sixth of what a call costs.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use tower::Service;

use super::oauth::metadata::issuer_path;
use super::request::surround;
use super::{Id, Origin, Web, error, gate};
use tollgate_core::gate::ErrorShape;

/// What answers every request, on the public listener and on the operator's socket. Who comes through which of them stands in
/// the request's [`Origin`].
#[derive(Clone)]
pub struct Site {
    web: Web,
    gates: Arc<[(String, Gate)]>,
    router: Router,
}

/// A door of the gate whose path is always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Forwarded,
    Nginx,
}

impl Site {
    /// The gate's doors before `router`, which has all others. Where the public URL has a path they stand below it and at the
    /// root, as the others do.
    pub(super) fn new(web: Web, router: Router) -> Self {
        let path = issuer_path(&web.app);
        let gates = [("/gate", Gate::Forwarded), ("/gate/nginx", Gate::Nginx)];
        let mut gates: Vec<_> = gates.into_iter().map(|(door, gate)| (door.to_owned(), gate)).collect();
        if !path.is_empty() {
            gates.extend(gates.clone().into_iter().map(|(door, gate)| (format!("{path}{door}"), gate)));
        }
        Self { web, gates: gates.into(), router }
    }
}

impl Service<Request<Body>> for Site {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        match self.gates.iter().position(|(door, _)| door == path) {
            Some(place) => Box::pin(ask(self.web.clone(), Arc::clone(&self.gates), place, request)),
            None => Box::pin(self.router.call(request)),
        }
    }
}

/// Asks the gate at the door of this place.
async fn ask(
    web: Web,
    gates: Arc<[(String, Gate)]>,
    place: usize,
    request: Request<Body>,
) -> Result<Response, Infallible> {
    let (route, door) = &gates[place];
    let answered = surround(&web, request, route, async |request, id| {
        let Some(origin) = request.extensions().get::<Origin>().copied() else {
            return error::outage(ErrorShape::Google).into_response();
        };
        match door {
            Gate::Forwarded => gate::forwarded(&web, origin, Id(id), request.headers()).await.into_response(),
            Gate::Nginx => gate::nginx(&web, origin, Id(id), request.headers()).await.into_response(),
        }
    });
    Ok(answered.await)
}
