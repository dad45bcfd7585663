//! A Tollgate in this process, asked through its router, with one key, one token and one service plan.
//!
//! Inputs cannot know secrets that are made anew in each process: they hold placeholders such as `$T` instead.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tollgate_core::Timestamp;
use tollgate_core::clock::ManualClock;
use tollgate_core::random::SystemRandom;
use tollgate_server::config::Config;
use tollgate_server::http::{Answers as _, Numbers, Origin, Site, Web, site};
use tollgate_server::operations::App;

/// Four products as in the server's own tests; no limits, which would answer in place of what is tried here.
const CONFIGURATION: &str = r#"
public_url = "https://tollgate.example"
[limits]
token_per_second = 0
basic_per_second = 0
guess_per_second = 0
[[product]]
name = "demo"
routes = ["/v1/projects/{project_id}/**"]
accepts = ["token", "basic"]
scope = "demo"
[[product]]
name = "sms"
routes = ["/xms/v1/{service_plan_id}/**"]
accepts = ["token", "api-token"]
scope = "sms"
errors = "xms"
[[product]]
name = "maps"
routes = ["/maps/**"]
accepts = ["token", "basic"]
errors = "oauth"
[[product]]
name = "status"
routes = ["/status"]
count = false
"#;

/// A server with what it knows.
pub struct World {
    runtime: tokio::runtime::Runtime,
    site: Site,
    /// The KEY ID.
    pub key: String,
    /// The KEY SECRET.
    pub secret: String,
    /// The key's project.
    pub project: String,
    /// An access token of the key, with the scopes `demo` and `sms`.
    pub token: String,
    /// The SERVICE PLAN ID of a plan in the project.
    pub plan: String,
    /// The plan's API token.
    pub api_token: String,
    _directory: tempfile::TempDir,
}

/// An answer, read to its end. gRPC's trailers are among the headers.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A header's value; empty when it did not come.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("our headers are visible ASCII"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

impl World {
    /// Starts a server on a directory of its own.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::parse("fuzz.toml".as_ref(), CONFIGURATION).expect("a configuration");
        config.data_dir = directory.path().join("data");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_790_000_000)));
        let app = runtime.block_on(App::open(config, clock, Arc::new(SystemRandom::default()))).expect("a server");
        let site = site(Web { app, numbers: Arc::new(Numbers::default()) });
        let empty = String::new;
        let mut world = Self {
            runtime,
            site,
            key: empty(),
            secret: empty(),
            project: empty(),
            token: empty(),
            plan: empty(),
            api_token: empty(),
            _directory: directory,
        };
        world.furnish();
        world
    }

    fn furnish(&mut self) {
        let account = self.make("/v1/accounts", &json!({ "displayName": "An account" }));
        let path = format!("/v1/accounts/{}/projects", text(&account["accountId"]));
        self.project = text(&self.make(&path, &json!({ "displayName": "A project" }))["projectId"]);
        let path = format!("/v1/projects/{}", self.project);
        let body = json!({ "displayName": "A key", "scopes": ["demo", "sms"] });
        let made = self.make(&format!("{path}/accessKeys"), &body);
        (self.key, self.secret) = (text(&made["accessKey"]["accessKeyId"]), text(&made["secret"]));
        let made = self.make(&format!("{path}/servicePlans"), &json!({ "displayName": "A plan" }));
        (self.plan, self.api_token) = (text(&made["servicePlan"]["servicePlanId"]), text(&made["secret"]));
        let request = Request::post("/oauth2/token")
            .header("host", "tollgate.example")
            .header("authorization", format!("Basic {}", self.pair()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials"));
        self.token = text(&self.ask(request.expect("a request")).json()["access_token"]);
    }

    /// What the operator makes.
    fn make(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path)
            .header("host", "tollgate.example")
            .header("content-type", "application/json")
            .extension(Origin::Operator)
            .body(Body::from(body.to_string()));
        let answer = self.ask(request.expect("a request"));
        assert_eq!(answer.status, 200, "{path}");
        answer.json()
    }

    /// KEY ID and KEY SECRET as HTTP Basic wants them.
    pub fn pair(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", self.key, self.secret))
    }

    /// Sends a request, from the public listener unless it says otherwise.
    pub fn ask(&self, mut request: Request<Body>) -> Answer {
        let from_outside = Origin::Public(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let origin = request.extensions_mut().remove().unwrap_or(from_outside);
        self.runtime.block_on(async { read(self.site.clone().answer(origin, request).await).await })
    }

    /// The input with the placeholders filled in.
    pub fn fill(&self, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(input.len());
        let mut at = 0;
        while at < input.len() {
            let value =
                (input[at] == b'$').then(|| input.get(at + 1)).flatten().and_then(|&name| self.placeholder(name));
            match value {
                Some(value) => {
                    out.extend_from_slice(value.as_bytes());
                    at += 2;
                }
                None => {
                    out.push(input[at]);
                    at += 1;
                }
            }
        }
        out
    }

    fn placeholder(&self, name: u8) -> Option<String> {
        match name {
            b'T' => Some(self.token.clone()),
            b'B' => Some(self.pair()),
            b'K' => Some(self.key.clone()),
            b'C' => Some(self.secret.clone()),
            b'P' => Some(self.project.clone()),
            b'S' => Some(self.plan.clone()),
            b'A' => Some(self.api_token.clone()),
            _ => None,
        }
    }
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let collected = body.collect().await.expect("a body in memory");
    let mut headers = parts.headers;
    headers.extend(collected.trailers().cloned().unwrap_or_default());
    Answer { status: parts.status.as_u16(), headers, body: collected.to_bytes() }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
