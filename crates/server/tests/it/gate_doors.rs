//! The gate's doors: forward-auth, nginx and Envoy ask the same gate, each in its own words.

use serde_json::{Value, json};

use crate::ask::{Answer, Ask};
use crate::world::{Key, World, id};

/// The identity headers: all set on every allow, so that none that a client sent survives.
const IDENTITY: [&str; 6] = [
    "tollgate-account",
    "tollgate-project",
    "tollgate-credential",
    "tollgate-credential-kind",
    "tollgate-scope",
    "tollgate-request-id",
];

fn nginx(world: &World, target: &str) -> Ask {
    world.ask("GET", "/gate/nginx").header("x-original-method", "GET").header("x-original-uri", target)
}

fn envoy(world: &World, method: &str, target: &str) -> Ask {
    world.ask(method, &format!("/gate/envoy{target}"))
}

/// The same call at each door.
fn doors(world: &World, target: &str) -> [Ask; 3] {
    [world.gate(target), nginx(world, target), envoy(world, "GET", target)]
}

#[track_caller]
fn allowed(answer: &Answer, key: &Key, kind: &str, scope: &str) {
    assert_eq!((answer.status, &*answer.text, answer.header("cache-control")), (200, "", "no-store"), "{answer:?}");
    for name in IDENTITY {
        assert!(answer.headers.contains_key(name), "{name} is missing");
    }
    assert_eq!(answer.header("tollgate-account"), key.account);
    assert_eq!(answer.header("tollgate-project"), key.project);
    assert_eq!(answer.header("tollgate-credential"), key.id);
    assert_eq!(answer.header("tollgate-credential-kind"), kind);
    assert_eq!(answer.header("tollgate-scope"), scope);
    assert_eq!(answer.header("tollgate-request-id"), answer.header("request-id"));
}

on_both_engines! {
    async fn every_door_lets_a_good_call_through_and_says_who_it_is(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        let token = world.token(&key).await;
        let bare = Key { account: key.account.clone(), ..world.new_key(&key.project, &json!({ "displayName": "bare", "scopes": [] })).await };
        let target = format!("/v1/projects/{}/things?a=//b", key.project);
        for ask in doors(&world, &target) {
            allowed(&ask.bearer(&token).send().await, &key, "access-token", "demo sms");
        }
        for ask in doors(&world, &target) {
            allowed(&ask.basic(&key.id, &key.secret).send().await, &key, "access-key", "demo sms");
        }
        for ask in doors(&world, "/maps/tile") {
            allowed(&ask.basic(&bare.id, &bare.secret).send().await, &bare, "access-key", "");
        }
        for ask in doors(&world, "/status") {
            let pretended = ask.header("tollgate-account", "somebody").header("tollgate-scope", "all");
            allowed(&pretended.bearer(&token).send().await, &key, "access-token", "demo sms");
        }
    }

    async fn envoys_door_takes_every_method_and_the_raw_path(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            for rest in ["", "/", "/things", "/availableNumbers:rentAny", "/a%20b/?q=%2F%2e"] {
                let target = format!("/v1/projects/{}{rest}", key.project);
                envoy(&world, method, &target).bearer(&token).send().await.is(200);
            }
        }
        for root in ["", "/"] {
            envoy(&world, "GET", root).bearer(&token).send().await.google(404, "NOT_FOUND");
        }
        world.ask("GET", "/gate/envoyed").bearer(&token).send().await.is(404);
    }

    async fn a_gateway_that_does_not_say_what_is_called_is_told_so(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        world.ask("GET", "/gate").bearer(&token).send().await.google(400, "INVALID_ARGUMENT");
        world.ask("GET", "/gate").bearer(&token).header("x-forwarded-method", "GET").send().await.google(400, "INVALID_ARGUMENT");
        world.ask("GET", "/gate/nginx").bearer(&token).send().await.google(400, "INVALID_ARGUMENT");
        let twice = world.call(&key).header("x-forwarded-uri", "/status").bearer(&token);
        twice.send().await.google(400, "INVALID_ARGUMENT");
    }

    async fn a_denial_has_its_status_and_nginx_gets_401_or_403_with_the_reason(world: World) {
        let key = world.customer(&["sms"]).await;
        let token = world.token(&key).await;
        let own = format!("/v1/projects/{}/things", key.project);
        let other = "/v1/projects/01995a31-0000-7000-8000-000000000000/things";
        let bearer = format!("Bearer {token}");
        for (target, credentials, status, reason) in [
            ("/nowhere", vec![&*bearer], 404, "no_route"),
            ("/", vec![], 404, "no_route"),
            ("/maps//tile", vec![&*bearer], 400, "ambiguous_path"),
            ("/maps/%2e%2e/tile", vec![&*bearer], 400, "ambiguous_path"),
            (&*own, vec![], 401, "no_credential"),
            (&*own, vec![&*bearer, &*bearer], 400, "two_credentials"),
            (&*own, vec!["Digest x"], 401, "malformed_credential"),
            (&*own, vec!["Basic !!!"], 401, "malformed_credential"),
            (&*own, vec!["Bearer x"], 401, "unknown_credential"),
            ("/status", vec!["Basic eDp5"], 401, "wrong_kind"),
            (&*own, vec![&*bearer], 403, "wrong_scope"),
            (other, vec![&*bearer], 403, "wrong_project"),
        ] {
            let at = |ask: Ask| credentials.iter().fold(ask, |ask, value| ask.header("authorization", value)).send();
            let elsewhere = at(world.gate(target)).await.is(status);
            assert_eq!(elsewhere.header("tollgate-deny"), "", "{target}");
            at(envoy(&world, "GET", target)).await.is(status);
            let answer = at(nginx(&world, target)).await;
            assert_eq!(answer.status, if status == 401 { 401 } else { 403 }, "{target}");
            assert_eq!(answer.header("tollgate-deny"), reason);
            assert_eq!(answer.header("tollgate-deny-status"), status.to_string());
            let body = answer.header("tollgate-deny-body").replace(answer.header("request-id"), "REQUEST");
            assert_eq!(body, elsewhere.comparable().1, "the body that nginx drops");
            assert_eq!(answer.challenge().is_empty(), answer.status != 401 && reason != "wrong_scope", "{reason}");
        }
    }

    async fn a_limit_says_how_long_to_wait_at_every_door(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let target = format!("/v1/projects/{}/things", key.project);
        for _ in 0..30 {
            world.gate(&target).basic(&key.id, &key.secret).send().await.is(200);
        }
        for (ask, status) in doors(&world, &target).into_iter().zip([429, 403, 429]) {
            let answer = ask.basic(&key.id, &key.secret).send().await.is(status);
            assert_eq!(answer.header("retry-after"), "1");
        }
        world.gate(&target).bearer(&token).send().await.is(200);
        world.ask_token(&key, "").await.is(200);
        world.pass(1);
        world.gate(&target).basic(&key.id, &key.secret).send().await.is(200);
    }

    async fn denials_have_the_shape_of_their_route_and_are_small_json(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let other = "01995a31-0000-7000-8000-000000000000";
        for ask in doors(&world, &format!("/v1/projects/{other}/things")) {
            let answer = ask.bearer(&token).send().await.is(403);
            let body = answer.json();
            assert_eq!((&body["error"]["code"], &body["error"]["status"]), (&json!(403), &json!("PERMISSION_DENIED")));
            let details = body["error"]["details"].as_array().expect("a list");
            assert!(details.iter().any(|detail| detail["requestId"] == answer.header("request-id")), "{body}");
            small(&answer);
        }
        for ask in doors(&world, &format!("/xms/v1/{other}/batches")) {
            let answer = ask.bearer(&token).send().await.is(403);
            let body = answer.json();
            assert_eq!((&body["code"], body["text"].is_string()), (&json!("forbidden"), true), "{body}");
            small(&answer);
        }
        for ask in doors(&world, "/maps/tile") {
            let answer = ask.bearer("x").send().await.is(401);
            let body: Value = answer.json();
            assert_eq!((&body["error"], body["error_description"].is_string()), (&json!("invalid_token"), true), "{body}");
            small(&answer);
        }
        for ask in doors(&world, &format!("/{}", "x".repeat(4_000))) {
            small(&ask.bearer(&token).send().await);
        }
    }

    async fn a_route_belongs_to_its_product_whatever_the_host_header_says(world: World) {
        let world = world.reopen(|config| config.product[3].hosts = vec!["status.example".to_owned()]).await;
        let key = world.customer(&[]).await;
        let token = world.token(&key).await;
        let at = |host: &str| world.gate("/status").header("x-forwarded-host", host).bearer(&token).send();
        at("status.example").await.is(200);
        at("STATUS.example:8443").await.is(200);
        at("other.example").await.is(404);
        world.gate("/status").bearer(&token).send().await.is(404);
        let envoy = envoy(&world, "GET", "/status").without("host").header("host", "status.example").bearer(&token);
        envoy.send().await.is(200);
    }

    async fn a_call_that_cannot_be_counted_is_refused_with_503(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        let token = world.token(&key).await;
        let demo = format!("/v1/projects/{}/things", key.project);
        world.gate(&demo).bearer(&token).send().await.is(200);
        world.break_journal().await;
        for ask in doors(&world, &demo) {
            let answer = ask.bearer(&token).send().await;
            answer.google(503, "UNAVAILABLE");
            assert_eq!((answer.header("retry-after"), answer.challenge()), ("2", ""));
            assert_eq!(answer.header("tollgate-account"), "");
        }
        let sms = world.gate(&format!("/xms/v1/{}/batches", key.project)).bearer(&token).send().await.is(503);
        assert_eq!(id(&sms.json(), "code"), "unavailable");
        world.gate("/status").bearer(&token).send().await.is(200);
        world.ask("GET", "/readyz").send().await.is(503);
        world.gate(&demo).bearer("x").send().await.is(401);
        world.ask_token(&key, "").await.is(200);

        world.mend_journal().await;
        world.gate(&demo).bearer(&token).send().await.is(200);
        world.ask("GET", "/readyz").send().await.is(200);
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 2, "the refused calls are not on the bill");
    }
}

#[track_caller]
fn small(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.text.len() < 1_024, "{} bytes: {}", answer.text.len(), answer.text);
}
