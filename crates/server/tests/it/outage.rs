//! The database is away: known credentials go on, what cannot be counted or changed is 503, and nobody is told 401.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::ask::{Answer, Ask};
use crate::postgres::Server;
use crate::world::{Key, World};

/// Changes are given up so soon that their callers hear of it within two seconds.
const SOON: Duration = Duration::from_secs(2);

async fn soon(ask: Ask) -> Answer {
    timeout(SOON, ask.send()).await.expect("an answer within two seconds")
}

/// What must hold for a known credential while nothing can be written.
async fn goes_on(world: &World, key: &Key, token: &str) {
    world.ask_token(key, "").await.is(200);
    world.gate("/status").bearer(token).send().await.is(200);
    world.call(key).bearer("forged").send().await.is(401);
    for change in [
        world
            .ask("POST", &format!("/v1/projects/{}/accessKeys", key.project))
            .operator()
            .json(&json!({ "displayName": "new" })),
        world.ask("DELETE", &key.path()).bearer(token),
    ] {
        let answer = soon(change).await;
        answer.google(503, "UNAVAILABLE");
        assert!(!answer.header("retry-after").is_empty());
    }
    let revoke = world.ask("POST", "/oauth2/revoke").basic(&key.id, &key.secret).form(&format!("token={token}"));
    soon(revoke).await.oauth(503, "temporarily_unavailable");
}

#[tokio::test]
async fn with_postgres_stopped_known_credentials_go_on_and_calls_that_cannot_be_counted_are_503() {
    let server = Server::start().expect("PostgreSQL starts");
    let world = World::new(Some(server.schema().await)).await;
    let key = world.customer(&["keys:manage", "demo"]).await;
    let unseen = world.new_key(&key.project, &json!({ "displayName": "unseen" })).await;
    let token = world.token(&key).await;
    world.call(&key).bearer(&token).send().await.is(200);
    drop(server);

    goes_on(&world, &key, &token).await;
    let call = world.call(&key).bearer(&token).send().await;
    call.google(503, "UNAVAILABLE");
    assert_eq!((call.header("retry-after"), call.challenge()), ("2", ""));
    let unknown = soon(
        world.ask("POST", "/oauth2/token").basic(&unseen.id, &unseen.secret).form("grant_type=client_credentials"),
    );
    unknown.await.oauth(503, "temporarily_unavailable");
    world.ask("GET", "/readyz").send().await.is(503);
    world.ask("GET", "/livez").send().await.is(200);
}

#[tokio::test]
async fn while_sqlite_is_locked_changes_are_503_and_known_credentials_go_on() {
    let world = World::on_sqlite().await;
    let key = world.customer(&["keys:manage", "demo"]).await;
    let token = world.token(&key).await;
    world.call(&key).bearer(&token).send().await.is(200);

    let mut lock = world.config_database().locked().await;
    let began = Instant::now();
    let answer = soon(world.ask("POST", &format!("{}/disable", key.path())).operator()).await;
    answer.google(503, "UNAVAILABLE");
    assert!(began.elapsed() < SOON);
    world.ask_token(&key, "").await.is(200);
    world.ask("GET", &key.path()).bearer(&token).send().await.is(200);
    lock.release().await;

    world.call(&key).bearer(&token).send().await.is(200);
    world.key_verb(&key, "disable", &json!({})).await;
    world.call(&key).bearer(&token).send().await.is(401);
}
