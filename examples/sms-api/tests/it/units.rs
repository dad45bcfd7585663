//! What is paid for by quantity is counted before it is sent, once, and by the batch's own id.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::tollgate::{Asked, World, friendly};

const KEY: &str = "acc/pro/key/access-token";
const PLAN: &str = "acc/pro/plan/api-token";
const BATCHES: &str = "/xms/v1/pro/batches";
const EVENTS: &str = "/v1/usage/events";

fn two_parts_to_two() -> Value {
    json!({ "to": ["+12025550134", "+12025550135"], "body": "a".repeat(161) })
}

/// A Tollgate whose events are answered by `script`, which is told the how-manieth they are.
async fn world(script: impl Fn(usize) -> Option<Response> + Send + Sync + 'static) -> World {
    let seen = AtomicUsize::new(0);
    World::new(move |asked: &Asked| {
        let scripted = (asked.path == EVENTS).then(|| script(seen.fetch_add(1, Ordering::SeqCst))).flatten();
        scripted.unwrap_or_else(|| friendly(asked))
    })
    .await
}

#[tokio::test]
async fn the_parts_of_a_batch_are_an_event_of_its_id_for_who_sent_it() {
    let world = World::open().await;
    let batch = world.post(PLAN, BATCHES, &two_parts_to_two()).await.json();
    let events = world.asked(EVENTS);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].headers["content-type"], "application/cloudevents+json");
    assert_eq!(events[0].headers["authorization"], "Bearer t");
    let event: Value = serde_json::from_str(&events[0].body).expect("JSON");
    assert_eq!(
        event,
        json!({
            "specversion": "1.0", "id": batch["id"], "source": "/sms", "type": "tollgate.units",
            "time": batch["created_at"],
            "data": { "account": "acc", "project": "pro", "credential": "plan", "product": "sms", "quantity": 4 },
        })
    );
}

#[tokio::test]
async fn a_batch_that_cannot_be_counted_is_not_sent() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST] {
        let world = world(move |_| Some(status.into_response())).await;
        assert_eq!(world.post(KEY, BATCHES, &two_parts_to_two()).await.xms(), (503, "unavailable".to_owned()));
        assert_eq!(world.get(KEY, BATCHES).await.json()["count"], 0);
        assert_eq!(world.asked(EVENTS).len(), 1);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_counted() {
    let world = World::open().await;
    assert_eq!(world.post(KEY, BATCHES, &json!({ "to": [], "body": "x" })).await.status, StatusCode::BAD_REQUEST);
    assert!(world.asked(EVENTS).is_empty());
}

#[tokio::test]
async fn one_token_serves_until_it_is_about_to_end() {
    let world = World::open().await;
    for _ in 0..3 {
        world.post(KEY, BATCHES, &two_parts_to_two()).await;
    }
    let requests = world.asked("/oauth2/token");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body, "grant_type=client_credentials&scope=usage%3Areport");
    world.clock.advance_seconds(3_541);
    world.post(KEY, BATCHES, &two_parts_to_two()).await;
    assert_eq!(world.asked("/oauth2/token").len(), 2);
}

fn challenge(text: &str) -> Option<Response> {
    Some((StatusCode::UNAUTHORIZED, [("www-authenticate", text.to_owned())]).into_response())
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_the_same_event_sent_again() {
    let world =
        world(|nth| if nth == 0 { challenge("Bearer error_description=\"Jwt expired at 17:31\"") } else { None }).await;
    assert_eq!(world.post(KEY, BATCHES, &two_parts_to_two()).await.status, StatusCode::CREATED);
    let events = world.asked(EVENTS);
    assert_eq!((events.len(), &events[0].body), (2, &events[1].body));
    assert_eq!(world.asked("/oauth2/token").len(), 2);
}

#[tokio::test]
async fn a_revoked_token_is_not_tried_again_before_the_next_batch() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let world = world(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        challenge("Bearer error=\"invalid_token\", error_description=\"The access token was revoked\"")
    })
    .await;
    for tries in 1..=2 {
        assert_eq!(world.post(KEY, BATCHES, &two_parts_to_two()).await.xms().0, 503);
        assert_eq!((refused.load(Ordering::SeqCst), world.asked("/oauth2/token").len()), (tries, tries));
    }
}
