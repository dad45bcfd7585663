//! What the gate is asked, and what happens when it says no, or nothing.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use crate::tollgate::{Asked, World, friendly, request};

const KEY: &str = "acc/pro/key/access-token";

#[tokio::test]
async fn the_gate_is_told_the_call_and_nothing_else_of_the_client() {
    let world = World::open().await;
    let mut call = request("GET", KEY, "/xms/v1/pro/batches?page=0&page_size=5", "");
    call.headers_mut().insert("tollgate-account", "other".parse().expect("a value"));
    call.headers_mut().insert("x-forwarded-uri", "/v1/projects/other".parse().expect("a value"));
    assert_eq!(world.send(call).await.status, StatusCode::OK);
    let asked = world.asked("/gate").remove(0);
    let header = |name: &str| asked.headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect();
    let one = |name: &str| -> Vec<&str> { header(name) };
    assert_eq!(one("x-forwarded-method"), ["GET"]);
    assert_eq!(one("x-forwarded-uri"), ["/xms/v1/pro/batches?page=0&page_size=5"]);
    assert_eq!(one("x-forwarded-host"), ["sms.example.com"]);
    assert_eq!(one("authorization"), [KEY]);
    assert!(one("tollgate-account").is_empty());
}

#[tokio::test]
async fn two_credentials_reach_the_gate_as_two() {
    let world = World::open().await;
    let mut call = request("GET", KEY, "/xms/v1/pro/batches", "");
    call.headers_mut().append("authorization", "second".parse().expect("a value"));
    world.send(call).await;
    assert_eq!(world.asked("/gate")[0].headers.get_all("authorization").iter().count(), 2);
}

#[tokio::test]
async fn a_denial_reaches_the_client_unchanged() {
    let denial = |_: &_| {
        let challenge = "Bearer error=\"invalid_token\", error_description=\"Jwt expired at 2026-11-23T17:31:02Z\"";
        Response::builder()
            .status(401)
            .header("www-authenticate", challenge)
            .header("content-type", "application/json")
            .header("request-id", "r-2")
            .body(Body::from("{\"code\":\"unauthorized\",\"text\":\"Jwt expired\"}"))
            .expect("an answer")
    };
    let world = World::new(denial).await;
    let answer = world.get(KEY, "/xms/v1/pro/batches").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.headers["www-authenticate"].to_str().expect("text").ends_with("expired at 2026-11-23T17:31:02Z\""));
    assert_eq!(
        (answer.headers["request-id"].as_bytes(), answer.headers["content-type"].as_bytes()),
        (&b"r-2"[..], &b"application/json"[..])
    );
    assert_eq!(answer.body, "{\"code\":\"unauthorized\",\"text\":\"Jwt expired\"}");
    assert_eq!(world.asked("/gate").len(), 1);
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_asked_about_first() {
    let world = World::new(|_: &_| StatusCode::FORBIDDEN.into_response()).await;
    assert_eq!(world.get(KEY, "/nowhere").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn without_the_gate_nothing_is_answered_but_503_in_each_shape() {
    let mut world = World::open().await;
    assert_eq!(world.get(KEY, "/xms/v1/pro/batches").await.status, StatusCode::OK);
    world.end_tollgate();
    let xms = world.get(KEY, "/xms/v1/pro/batches").await;
    assert_eq!(xms.xms(), (503, "unavailable".to_owned()));
    assert_eq!(xms.headers["retry-after"], "2");
    let google = world.get(KEY, "/v1/projects/pro/activeNumbers").await;
    assert_eq!((google.status.as_u16(), &google.json()["error"]["status"]), (503, &json!("UNAVAILABLE")));
    world.start_tollgate().await;
    assert_eq!(world.get(KEY, "/xms/v1/pro/batches").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_without_identity_lets_nobody_in() {
    let world = World::new(|_: &_| StatusCode::OK.into_response()).await;
    assert_eq!(world.get(KEY, "/xms/v1/pro/batches").await.xms().0, 503);
    let world = World::new(|_: &_| StatusCode::FOUND.into_response()).await;
    assert_eq!(world.get(KEY, "/xms/v1/pro/batches").await.xms().0, 503);
}

#[tokio::test]
async fn calls_do_not_wait_for_one_another() {
    // Nobody is let in before both have asked.
    let both = std::sync::Barrier::new(2);
    let world = World::new(move |asked: &Asked| {
        tokio::task::block_in_place(|| both.wait());
        friendly(asked)
    })
    .await;
    let path = "/xms/v1/pro/batches";
    let (one, other) = tokio::join!(world.get(KEY, path), world.get(KEY, path));
    assert_eq!([one.status, other.status], [StatusCode::OK; 2]);
    let ports: Vec<_> = world.asked("/gate").iter().map(|asked| asked.peer).collect();
    assert_eq!(ports[0], ports[1], "one connection");
}
