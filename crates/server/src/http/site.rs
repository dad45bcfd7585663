//! All doors together. Those of the gate, and those of OAuth that programs ask often, stand before the router: what a router does
//! for them - to match, to box, to carry along - is a sixth of what a call costs.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Method, Request};
use tower::Service as _;

use super::extract::ClientForm;
use super::oauth::{self, metadata::issuer_path};
use super::request::{Visit, refused};
use super::{Id, Origin, Web, gate};

/// What answers requests: the [`Site`], or a router.
pub trait Answers: Clone + Send + 'static {
    /// Answers a request that came from `origin`.
    fn answer(self, origin: Origin, request: Request<Body>) -> impl Future<Output = Response> + Send;
}

/// Its handlers find the origin in the request's extensions.
impl Answers for Router {
    async fn answer(mut self, origin: Origin, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(origin);
        let Ok(response) = self.call(request).await;
        response
    }
}

/// What answers every request, on the public listener and on the operator's socket. Who comes through which of them is the
/// request's [`Origin`].
#[derive(Clone)]
pub struct Site(Arc<Doors>);

struct Doors {
    web: Web,
    often: Vec<(String, Door)>,
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
    /// The doors that are asked often before `router`, which has all others, and refuses methods. Where the public URL has a path
    /// they stand below it and at the root, as the others do.
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
        Self(Arc::new(Doors { web, often, router }))
    }
}

impl Answers for Site {
    async fn answer(self, origin: Origin, request: Request<Body>) -> Response {
        let Doors { web, often, router } = &*self.0;
        let (path, method) = (request.uri().path(), request.method());
        let Some((route, door)) = often.iter().find(|(known, door)| known == path && door.takes(method)) else {
            return router.clone().answer(origin, request).await;
        };
        let visit = Visit::of(&request, Some(origin), web);
        let answer = match (refused(&request), door) {
            (Some(problem), _) => problem.into_response(),
            (None, Door::Forwarded) => {
                gate::forwarded(web, origin, Id(visit.id), request.headers()).await.into_response()
            }
            (None, Door::Nginx) => gate::nginx(web, origin, Id(visit.id), request.headers()).await.into_response(),
            // In a box: what a token needs is not moved about for every call at the gate.
            (None, Door::Token | Door::Introspect) => Box::pin(oauth(web, *door, origin, request)).await,
        };
        visit.end(web, route, answer)
    }
}

async fn oauth(web: &Web, door: Door, origin: Origin, request: Request<Body>) -> Response {
    let answer = match ClientForm::read(origin, request, web).await {
        Err(problem) => Err(problem),
        Ok(form) if door == Door::Token => oauth::token::token(State(web.clone()), form).await,
        Ok(form) => oauth::introspect::introspect(State(web.clone()), form).await,
    };
    answer.into_response()
}
