//! All doors as one service. Those of the gate, and those of OAuth that programs ask often, stand before the router: what a router
//! does for them - to match, to box, to carry along - is a sixth of what a call costs.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest as _, State};
use axum::response::{IntoResponse, Response};
use http::{Method, Request};
use tower::Service;

use super::extract::ClientForm;
use super::oauth::{self, metadata::issuer_path};
use super::request::{Visit, refused};
use super::{Id, Origin, Web, error, gate};
use tollgate_core::gate::ErrorShape;

/// What answers every request, on the public listener and on the operator's socket. Who comes through which of them stands in
/// the request's [`Origin`].
#[derive(Clone)]
pub struct Site {
    web: Web,
    often: Arc<[(String, Door)]>,
    router: Router,
}

/// A door that is asked often, and whose path is always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The gate for Traefik and Caddy, by any method.
    Forwarded,
    /// The gate for nginx, by any method.
    Nginx,
    /// A token, by POST.
    Token,
    /// What is that token, by POST.
    Introspect,
}

impl Door {
    fn takes(self, method: &Method) -> bool {
        matches!(self, Self::Forwarded | Self::Nginx) || method == Method::POST
    }
}

impl Site {
    /// The doors that are asked often before `router`, which has all others, and refuses methods. Where the public URL has a path they stand below it and at the
    /// root, as the others do.
    pub(super) fn new(web: Web, router: Router) -> Self {
        let path = issuer_path(&web.app);
        let doors = [
            ("/gate", Door::Forwarded),
            ("/gate/nginx", Door::Nginx),
            ("/oauth2/token", Door::Token),
            ("/oauth2/introspect", Door::Introspect),
        ];
        let mut often: Vec<_> = doors.map(|(path, door)| (path.to_owned(), door)).into();
        if !path.is_empty() {
            often.extend(doors.map(|(below, door)| (format!("{path}{below}"), door)));
        }
        Self { web, often: often.into(), router }
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
        let (path, method) = (request.uri().path(), request.method());
        let Some(place) = self.often.iter().position(|(known, door)| known == path && door.takes(method)) else {
            return Box::pin(self.router.call(request));
        };
        let (web, often) = (self.web.clone(), Arc::clone(&self.often));
        let visit = Visit::of(&request, &web);
        if let Some(problem) = refused(&request) {
            return Box::pin(std::future::ready(Ok(visit.end(&web, &often[place].0, problem.into_response()))));
        }
        let door = often[place].1;
        // Two futures: what a token needs is not moved about for every call at the gate.
        match door {
            Door::Forwarded | Door::Nginx => Box::pin(async move {
                let answer = match request.extensions().get::<Origin>() {
                    None => Err(error::outage(ErrorShape::Google)),
                    Some(&from) if door == Door::Nginx => {
                        gate::nginx(&web, from, Id(visit.id), request.headers()).await
                    }
                    Some(&from) => gate::forwarded(&web, from, Id(visit.id), request.headers()).await,
                };
                Ok(visit.end(&web, &often[place].0, answer.into_response()))
            }),
            Door::Token | Door::Introspect => Box::pin(async move {
                let answer = match ClientForm::from_request(request, &web).await {
                    Err(problem) => Err(problem),
                    Ok(form) if door == Door::Token => oauth::token::token(State(web.clone()), form).await,
                    Ok(form) => oauth::introspect::introspect(State(web.clone()), form).await,
                };
                Ok(visit.end(&web, &often[place].0, answer.into_response()))
            }),
        }
    }
}
