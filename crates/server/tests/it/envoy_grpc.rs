//! Envoy's external authorization over gRPC: both forms of headers, denials as answers, our own failure as an error.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::ask::{Ask, basic};
use crate::wire_messages::{Fields, Message};
use crate::world::World;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const UNAVAILABLE: &str = "14";
const OVERWRITE_IF_EXISTS_OR_ADD: u64 = 2;

/// In which form Envoy sends headers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// `headers`, a map of texts.
    Joined,
    /// `header_map`, with `encode_raw_headers`.
    Raw,
}

const FORMS: [Form; 2] = [Form::Joined, Form::Raw];

/// A call as Envoy tells of it.
struct Call {
    form: Form,
    target: String,
    host: &'static str,
    source: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Call {
    fn new(form: Form, target: &str) -> Self {
        let pseudo = vec![(":path", "/elsewhere".to_owned()), (":method", "GET".to_owned())];
        Self { form, target: target.to_owned(), host: "api.example:8443", source: "203.0.113.9", headers: pseudo }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn message(&self) -> Message {
        let mut http = Message::default().text(2, "GET").text(4, &self.target).text(5, self.host);
        let mut raw = Message::default();
        for (name, value) in &self.headers {
            match self.form {
                Form::Joined => http = http.message(3, &Message::default().text(1, name).text(2, value)),
                Form::Raw => raw = raw.message(1, &Message::default().text(1, name).bytes(3, value.as_bytes())),
            }
        }
        if self.form == Form::Raw {
            http = http.message(13, &raw);
        }
        let port = Message::default().text(2, self.source);
        let source = Message::default().message(1, &Message::default().message(1, &port));
        let request = Message::default().message(2, &http);
        Message::default().message(1, &Message::default().message(1, &source).message(4, &request))
    }

    async fn send(&self, world: &World) -> Result<Fields, String> {
        send(world.ask("POST", CHECK), &self.message()).await
    }

    async fn allowed(&self, world: &World) -> Vec<(String, String)> {
        let answer = self.send(world).await.expect("an answer");
        assert_eq!(answer.message(1).number(1), 0, "{answer:?}");
        headers(&answer.message(3))
    }

    /// Status, headers and body of the denial.
    async fn denied(&self, world: &World) -> (u64, Vec<(String, String)>, Value) {
        let answer = self.send(world).await.expect("a denial is an answer");
        assert_ne!(answer.message(1).number(1), 0, "a status that says no");
        assert!(!answer.has(3), "no answer that lets it through");
        let denied = answer.message(2);
        let body = denied.text(3);
        assert!(body.len() < 1_024, "{body}");
        (denied.message(1).number(1), headers(&denied), serde_json::from_str(&body).expect("JSON"))
    }
}

/// The headers of an answer, each of which replaces what was there.
fn headers(answer: &Fields) -> Vec<(String, String)> {
    let options = answer.messages(2);
    for option in &options {
        assert_eq!((option.number(3), option.number(4)), (OVERWRITE_IF_EXISTS_OR_ADD, 1));
    }
    options.iter().map(|option| (option.message(1).text(1), option.message(1).text(2))).collect()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The message of a gRPC answer, or the code of its error.
async fn send(ask: Ask, message: &Message) -> Result<Fields, String> {
    let ask = ask.header("content-type", "application/grpc").header("te", "trailers").body(message.framed());
    let response = ask.respond().await;
    assert_eq!(response.status(), 200);
    let (parts, body) = response.into_parts();
    let collected = body.collect().await.expect("a body in memory");
    let trailers = collected.trailers().cloned().unwrap_or(parts.headers);
    match trailers.get("grpc-status").map(|status| status.to_str().expect("digits")) {
        Some("0") => Ok(Fields::framed(&collected.to_bytes())),
        Some(code) => Err(code.to_owned()),
        None => panic!("no grpc-status"),
    }
}

on_both_engines! {
    async fn envoy_hears_over_grpc_who_calls_and_every_header_replaces_the_clients(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let target = format!("/v1/projects/{}/things?a=//b", key.project);
        for form in FORMS {
            let call = Call::new(form, &target).bearer(&token).header("tollgate-account", "other");
            let identity = call.allowed(&world).await;
            let names: Vec<_> = identity.iter().map(|(name, _)| &**name).collect();
            let all = ["account", "project", "credential", "credential-kind", "scope", "request-id"];
            assert_eq!(names, all.map(|name| format!("tollgate-{name}")));
            assert_eq!(header(&identity, "tollgate-account"), key.account);
            assert_eq!(header(&identity, "tollgate-credential"), key.id);
            assert_eq!(header(&identity, "tollgate-credential-kind"), "access-token");
            let with_basic = Call::new(form, &target).header("authorization", basic(&key.id, &key.secret));
            assert_eq!(header(&with_basic.allowed(&world).await, "tollgate-credential-kind"), "access-key");
        }
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 4);
    }

    async fn a_denial_over_grpc_has_the_status_headers_and_body_of_the_other_doors(world: World) {
        let key = world.customer(&["sms"]).await;
        let token = world.token(&key).await;
        let own = format!("/v1/projects/{}/things", key.project);
        let elsewhere = "01995a31-0000-7000-8000-000000000000";
        let other = format!("/v1/projects/{elsewhere}/things");
        for form in FORMS {
            for (target, status, shape) in [
                (&*own, 403, "/error/status=PERMISSION_DENIED"),
                (&*other, 403, "/error/status=PERMISSION_DENIED"),
                ("/nowhere", 404, "/error/status=NOT_FOUND"),
                ("/maps//tile", 400, "/error/status=INVALID_ARGUMENT"),
                (&*format!("/xms/v1/{elsewhere}/batches"), 403, "/code=forbidden"),
            ] {
                let (code, headers, body) = Call::new(form, target).bearer(&token).denied(&world).await;
                let (pointer, word) = shape.split_once('=').expect("a pointer and a word");
                assert_eq!((code, body.pointer(pointer)), (status, Some(&json!(word))), "{target}: {body}");
                assert_eq!(header(&headers, "content-type"), "application/json");
                assert_eq!(header(&headers, "cache-control"), "no-store");
            }
            let (code, headers, body) = Call::new(form, &own).denied(&world).await;
            assert_eq!((code, header(&headers, "www-authenticate")), (401, "Bearer realm=\"tollgate\""));
            let id = header(&headers, "request-id");
            assert!(body.to_string().contains(id) && !id.is_empty(), "{body}");
            let (code, headers, _) = Call::new(form, "/maps/tile").bearer("x").denied(&world).await;
            assert!(code == 401 && !header(&headers, "www-authenticate").contains("expired"));
        }
        world.pass(7_200);
        let (code, headers, _) = Call::new(Form::Raw, &own).bearer(&token).denied(&world).await;
        assert!(code == 401 && header(&headers, "www-authenticate").contains("Jwt expired at "), "{headers:?}");
    }

    async fn a_limit_over_grpc_is_429_with_the_time_to_wait(world: World) {
        let key = world.customer(&["demo"]).await;
        let target = format!("/v1/projects/{}/things", key.project);
        let call = Call::new(Form::Joined, &target).header("authorization", basic(&key.id, &key.secret));
        for _ in 0..30 {
            call.allowed(&world).await;
        }
        let (code, headers, _) = call.denied(&world).await;
        assert_eq!((code, header(&headers, "retry-after")), (429, "1"));
    }

    async fn two_credentials_over_grpc_are_none(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let target = format!("/v1/projects/{}/things", key.project);
        let raw = Call::new(Form::Raw, &target).bearer(&token).bearer(&token);
        assert_eq!(raw.denied(&world).await.0, 400);
        let joined = Call::new(Form::Joined, &target).header("authorization", format!("Bearer {token},Bearer {token}"));
        assert_eq!(joined.denied(&world).await.0, 401);
    }

    async fn envoy_says_where_a_call_comes_from_if_it_is_trusted(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        world.change_key(&key, &json!({ "allowedAddresses": ["203.0.113.9/32"] })).await;
        let target = format!("/v1/projects/{}/things", key.project);
        let call = |source| Call { source, ..Call::new(Form::Raw, &target).bearer(&token) };
        call("203.0.113.9").allowed(&world).await;
        assert_eq!(call("203.0.113.8").denied(&world).await.0, 403);
        let pretended = call("203.0.113.8").header("x-forwarded-for", "203.0.113.9");
        assert_eq!(pretended.denied(&world).await.0, 403);
        let balanced = call("127.0.0.1").header("x-forwarded-for", "203.0.113.9");
        balanced.allowed(&world).await;
        let stranger = world.ask("POST", CHECK).peer("198.51.100.7");
        let answer = send(stranger, &call("203.0.113.9").message()).await.expect("an answer");
        assert_eq!(answer.message(2).message(1).number(1), 403);
    }

    async fn our_own_failure_over_grpc_is_an_error_and_never_a_denial(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let call = Call::new(Form::Joined, &format!("/v1/projects/{}/things", key.project)).bearer(&token);
        call.allowed(&world).await;
        world.break_journal().await;
        assert_eq!(call.send(&world).await.expect_err("no answer"), UNAVAILABLE);
        world.mend_journal().await;
        call.allowed(&world).await;
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 2);
    }

    async fn what_is_no_http_request_is_a_grpc_error(world: World) {
        let invalid = "3";
        for message in [Message::default(), Message::default().message(1, &Message::default())] {
            assert_eq!(send(world.ask("POST", CHECK), &message).await.expect_err("no answer"), invalid);
        }
        let huge = Message::default().text(9, &"x".repeat(300_000));
        assert_eq!(send(world.ask("POST", CHECK), &huge).await.expect_err("too large"), "11");
        let garbage = world.ask("POST", CHECK).header("content-type", "application/grpc").body(b"\x00\x00\x00\x00\x01\xff".to_vec());
        assert_ne!(garbage.respond().await.headers()["grpc-status"], "0");
    }

    async fn the_health_service_says_what_readyz_says(world: World) {
        let ask = async |service: &str| send(world.ask("POST", HEALTH), &Message::default().text(1, service)).await;
        for service in ["", "envoy.service.auth.v3.Authorization"] {
            assert_eq!(ask(service).await.expect("an answer").number(1), 1);
        }
        assert_eq!(ask("another").await.expect_err("unknown"), "5");
        world.break_journal().await;
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        world.call(&key).bearer(&token).send().await.is(503);
        assert_eq!(ask("").await.expect("an answer").number(1), 2);
    }
}
