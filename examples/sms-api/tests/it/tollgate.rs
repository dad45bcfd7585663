//! A stand-in for Tollgate that answers as it is told and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Router, serve};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tollgate_core::clock::ManualClock;
use tollgate_core::random::SystemRandom;
use tollgate_core::secret::SecretKind;
use tollgate_core::{Secret, Timestamp};
use tollgate_sms_api::{Api, Reporter, router};
use tower::ServiceExt as _;

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The other end of the connection that it came by.
    pub(crate) peer: SocketAddr,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

type Script = dyn Fn(&Asked) -> Response + Send + Sync;

#[derive(Clone)]
struct Shared {
    asked: Arc<Mutex<Vec<Asked>>>,
    script: Arc<Script>,
}

/// The stand-in, and the API that asks it. The address of the test's client is none.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tollgate: SocketAddr,
    api: Router,
    shared: Shared,
    runtime: Option<Runtime>,
}

impl World {
    /// A world whose Tollgate answers by `script`.
    pub(crate) async fn new(script: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let shared = Shared { asked: Arc::default(), script: Arc::new(script) };
        let (runtime, tollgate) = start(SocketAddr::from(([127, 0, 0, 1], 0)), shared.clone()).await;
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_700_000_000)));
        let random = SystemRandom::default();
        let reporter =
            Reporter { key_id: "reporter".to_owned(), key_secret: Secret::generate("tg", SecretKind::Key, &random) };
        let api = Api::new(tollgate, Some(reporter), Arc::clone(&clock) as _, Arc::new(random));
        Self { clock, tollgate, api: router(api), shared, runtime: Some(runtime) }
    }

    /// A world in which Tollgate lets everybody in, as the account, project and credential that the request names.
    pub(crate) async fn open() -> Self {
        Self::new(friendly).await
    }

    /// What Tollgate was asked at a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.shared.asked.lock().expect("no panic").iter().filter(|asked| asked.path == path).cloned().collect()
    }

    /// Ends Tollgate: its connections break.
    pub(crate) fn end_tollgate(&mut self) {
        let runtime = self.runtime.take().expect("it runs");
        // Apart, because a runtime does not wait inside another.
        let end = std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(5)));
        end.join().expect("no panic");
    }

    /// Starts Tollgate again where it was.
    pub(crate) async fn start_tollgate(&mut self) {
        let (runtime, _) = start(self.tollgate, self.shared.clone()).await;
        self.runtime = Some(runtime);
    }

    /// Sends a request to the API.
    pub(crate) async fn send(&self, request: http::Request<Body>) -> Answer {
        let response = self.api.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).expect("text") }
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(request("GET", who, path, "")).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.send(request("POST", who, path, &body.to_string())).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// Status and code of an error of the SMS surface.
    pub(crate) fn xms(&self) -> (u16, String) {
        let body = self.json();
        assert!(body["text"].is_string(), "{body}");
        (self.status.as_u16(), body["code"].as_str().expect("a code").to_owned())
    }
}

/// A request of `who`, whom the friendly Tollgate takes at the word: `account/project/credential/kind`.
pub(crate) fn request(method: &str, who: &str, path: &str, body: &str) -> http::Request<Body> {
    http::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "sms.example.com")
        .header("authorization", who)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

/// Lets everybody in, gives every token, counts every event.
pub(crate) fn friendly(asked: &Asked) -> Response {
    match asked.path.as_str() {
        "/gate" => {
            let who = asked.headers["authorization"].to_str().expect("text").to_owned();
            let words: Vec<&str> = who.split('/').collect();
            let names = ["tollgate-account", "tollgate-project", "tollgate-credential", "tollgate-credential-kind"];
            let mut answer = Response::builder().header("tollgate-request-id", "r-1").header("tollgate-scope", "");
            for (name, word) in names.into_iter().zip(words) {
                answer = answer.header(name, word);
            }
            answer.body(Body::empty()).expect("an answer")
        }
        "/oauth2/token" => {
            let body = json!({ "access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "" });
            axum::Json(body).into_response()
        }
        "/v1/usage/events" => axum::Json(json!({ "counted": 1, "duplicates": 0 })).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves on a runtime of its own, whose end breaks all connections.
async fn start(address: SocketAddr, shared: Shared) -> (Runtime, SocketAddr) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let router = Router::new().fallback(answer).with_state(shared).into_make_service_with_connect_info::<SocketAddr>();
    let listening = runtime.spawn(async move {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { serve(listener, router).await.expect("serving") });
        address
    });
    let address = listening.await.expect("listening");
    (runtime, address)
}

async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("text");
    let asked = Asked { peer, path: head.uri.path().to_owned(), headers: head.headers, body };
    shared.asked.lock().expect("no panic").push(asked.clone());
    (shared.script)(&asked)
}
