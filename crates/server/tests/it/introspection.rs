//! RFC 7662: who may ask about which token, and what is told.

use serde_json::{Value, json};

use crate::ask::Answer;
use crate::token_endpoint::decoded;
use crate::world::{Key, World, id};

async fn introspect(world: &World, by: &Key, token: &str) -> Answer {
    world.ask("POST", "/oauth2/introspect").basic(&by.id, &by.secret).form(&format!("token={token}")).send().await
}

/// Inactive is exactly this, whatever the reason.
#[track_caller]
fn inactive(answer: Answer) {
    let answer = answer.is(200);
    assert_eq!(answer.text, r#"{"active":false}"#);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
}

on_both_engines! {
    async fn an_active_token_is_described_to_a_key_of_its_account(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        let project = world.new_project(&key.account).await;
        let observer = world.new_key(&project, &json!({ "displayName": "observer", "scopes": ["introspect"] })).await;
        let token = world.token(&key).await;
        let [_, claims] = decoded(&token);
        let answer = introspect(&world, &observer, &token).await.is(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        for (member, value) in [
            ("active", json!(true)), ("scope", json!("demo sms")), ("client_id", json!(key.id)), ("sub", json!(key.id)),
            ("token_type", json!("bearer")), ("iss", json!("https://tollgate.example")), ("project_id", json!(key.project)),
            ("account_id", json!(key.account)),
        ] {
            assert_eq!(body[member], value, "{member}");
        }
        for same in ["aud", "exp", "iat", "jti"] {
            assert_eq!(body[same], claims[same], "{same}");
        }
        let hint = format!("token={token}&token_type_hint=refresh_token");
        let hinted = world.ask("POST", "/oauth2/introspect").basic(&observer.id, &observer.secret).form(&hint);
        assert_eq!(hinted.send().await.is(200).json()["active"], true);
    }

    async fn a_token_of_another_account_is_as_inactive_as_nonsense(world: World) {
        let key = world.customer(&["demo"]).await;
        let stranger = world.customer(&["introspect"]).await;
        let token = world.token(&key).await;
        let foreign = introspect(&world, &stranger, &token).await;
        let nonsense = introspect(&world, &stranger, "nonsense").await;
        assert_eq!(foreign.comparable(), nonsense.comparable());
        inactive(foreign);
        inactive(nonsense);
    }

    async fn a_key_of_the_platform_may_ask_about_all_accounts(world: World) {
        let key = world.customer(&["demo"]).await;
        let platform = world.customer(&[]).await;
        let token = world.token(&key).await;
        introspect(&world, &platform, &token).await.oauth(403, "insufficient_scope");
        let known = platform.id.clone();
        let world = world.reopen(|config| config.introspection.all_accounts = vec![known]).await;
        assert_eq!(introspect(&world, &platform, &token).await.is(200).json()["active"], true);
        inactive(introspect(&world, &platform, "nonsense").await);
    }

    async fn inactive_is_the_same_whatever_the_reason(world: World) {
        let observer = world.customer(&["introspect"]).await;
        let make = async |name: &str| world.new_key(&observer.project, &json!({ "displayName": name, "scopes": ["demo"] })).await;
        let (ended, gone, revoked, all) = (make("ended").await, make("gone").await, make("revoked").await, make("all").await);
        let mut tokens = Vec::new();
        for key in [&ended, &gone, &revoked, &all] {
            tokens.push(world.token(key).await);
            assert_eq!(introspect(&world, &observer, &tokens[tokens.len() - 1]).await.is(200).json()["active"], true);
        }
        world.change_key(&ended, &json!({ "expireTime": world.instant(1) })).await;
        world.pass(1);
        world.ask("DELETE", &gone.path()).operator().send().await.is(200);
        let revoke = world.ask("POST", "/oauth2/revoke").basic(&revoked.id, &revoked.secret).form(&format!("token={}", tokens[2]));
        revoke.send().await.is(200);
        world.key_verb(&all, "revokeTokens", &json!({})).await;
        for token in &tokens {
            inactive(introspect(&world, &observer, token).await);
        }
        let own = world.token(&observer).await;
        world.pass(3_605);
        inactive(introspect(&world, &observer, &own).await);
        for nonsense in ["x", &observer.secret, &observer.id, "a.b.c"] {
            inactive(introspect(&world, &observer, nonsense).await);
        }
    }

    async fn who_may_not_ask_learns_nothing(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        introspect(&world, &key, &token).await.oauth(403, "insufficient_scope");
        let wrong = Key { secret: world.customer(&[]).await.secret, ..key.clone() };
        let refused = introspect(&world, &wrong, &token).await;
        refused.oauth(401, "invalid_client");
        assert_eq!(refused.challenge(), "Basic realm=\"tollgate\"");
        let bearer = world.ask("POST", "/oauth2/introspect").bearer(&token).form(&format!("token={token}")).send().await;
        bearer.oauth(401, "invalid_client");
        let observer = world.customer(&["introspect"]).await;
        let without = world.ask("POST", "/oauth2/introspect").basic(&observer.id, &observer.secret).form("").send().await;
        without.oauth(400, "invalid_request");
        let narrow: Value = world.ask_token(&observer, "&scope=introspect").await.is(200).json();
        assert_eq!(id(&narrow, "scope"), "introspect");
    }
}
