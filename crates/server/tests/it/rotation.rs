//! A key gets a new secret while the old one goes on: KEY ID and tokens stay, two secrets live at most.

use serde_json::{Value, json};

use crate::world::{Key, World, id};

/// Rotates a second later, and gives the key with its new secret.
async fn rotated(world: &World, key: &Key, body: &Value) -> Key {
    world.pass(1);
    let made = world.key_verb(key, "rotateSecret", body).await;
    assert_eq!(made["accessKey"]["accessKeyId"], key.id, "the KEY ID stays");
    Key { secret: id(&made, "secret"), ..key.clone() }
}

on_both_engines! {
    async fn both_secrets_work_until_the_overlap_is_over(world: World) {
        let old = world.customer(&["demo"]).await;
        let token = world.token(&old).await;
        let new = rotated(&world, &old, &json!({ "overlapSeconds": 60 })).await;
        assert_ne!(old.secret, new.secret);
        let shown = world.read(&old.path()).await;
        assert_eq!(shown["status"], "ROTATING");
        let secrets = shown["secrets"].as_array().expect("a list");
        assert_eq!(secrets.len(), 2);
        assert_eq!(secrets[0]["endTime"], world.instant(60));
        assert!(secrets[1].get("endTime").is_none());
        assert!(new.secret.starts_with(id(&secrets[1], "hint").trim_end_matches('…')));

        for key in [&old, &new] {
            world.ask_token(key, "").await.is(200);
            world.call(key).basic(&key.id, &key.secret).send().await.is(200);
        }
        world.pass(59);
        world.ask_token(&old, "").await.is(200);
        world.pass(1);
        world.ask_token(&old, "").await.oauth(401, "invalid_client");
        world.call(&old).basic(&old.id, &old.secret).send().await.is(401);
        world.ask_token(&new, "").await.is(200);
        world.call(&new).bearer(&token).send().await.is(200);
        let shown = world.read(&old.path()).await;
        assert_eq!((&shown["status"], shown["secrets"].as_array().map(Vec::len)), (&json!("ACTIVE"), Some(1)));
    }

    async fn the_old_secret_lives_for_a_day_unless_told_otherwise(world: World) {
        let old = world.customer(&[]).await;
        let answer = world.ask("POST", &format!("{}/rotateSecret", old.path())).operator().send().await.is(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        world.pass(86_399);
        world.ask_token(&old, "").await.is(200);
        world.pass(1);
        world.ask_token(&old, "").await.oauth(401, "invalid_client");
    }

    async fn an_overlap_ends_by_hand_at_the_next_request(world: World) {
        let old = world.customer(&[]).await;
        let new = rotated(&world, &old, &json!({})).await;
        world.ask_token(&old, "").await.is(200);
        let ended = world.key_verb(&old, "endOverlap", &json!({})).await;
        assert_eq!(ended["status"], "ACTIVE");
        world.ask_token(&old, "").await.oauth(401, "invalid_client");
        world.ask_token(&new, "").await.is(200);
        world.key_verb(&old, "endOverlap", &json!({})).await;
        world.ask_token(&new, "").await.is(200);
    }

    async fn without_overlap_the_old_secret_ends_at_once(world: World) {
        let old = world.customer(&[]).await;
        let new = rotated(&world, &old, &json!({ "overlapSeconds": 0 })).await;
        world.ask_token(&old, "").await.oauth(401, "invalid_client");
        world.ask_token(&new, "").await.is(200);
    }

    async fn no_more_than_two_secrets_live(world: World) {
        let first = world.customer(&[]).await;
        let second = rotated(&world, &first, &json!({ "overlapSeconds": 60 })).await;
        let path = format!("{}/rotateSecret", first.path());
        for body in [json!({}), json!({ "overlapSeconds": 0 })] {
            world.ask("POST", &path).operator().json(&body).send().await.google(400, "FAILED_PRECONDITION");
        }
        world.ask_token(&second, "").await.is(200);
        world.pass(60);
        let third = rotated(&world, &first, &json!({})).await;
        world.ask_token(&first, "").await.oauth(401, "invalid_client");
        world.ask_token(&second, "").await.is(200);
        world.ask_token(&third, "").await.is(200);
    }

    async fn an_overlap_is_0_to_30_days(world: World) {
        let key = world.customer(&[]).await;
        let path = format!("{}/rotateSecret", key.path());
        for wrong in [json!(-1), json!(2_592_001), json!("1"), json!(1.5)] {
            let ask = world.ask("POST", &path).operator().json(&json!({ "overlapSeconds": wrong }));
            ask.send().await.google(400, "INVALID_ARGUMENT");
        }
        rotated(&world, &key, &json!({ "overlapSeconds": 2_592_000 })).await;
    }

    async fn a_rotation_may_revoke_the_tokens_too(world: World) {
        let old = world.customer(&["demo"]).await;
        let token = world.token(&old).await;
        let new = rotated(&world, &old, &json!({ "overlapSeconds": 0, "revokeTokens": true })).await;
        let refused = world.call(&old).bearer(&token).send().await.is(401);
        assert!(!refused.challenge().contains("expired"), "{}", refused.challenge());
        let fresh = world.token(&new).await;
        world.call(&new).bearer(&fresh).send().await.is(200);
    }

    async fn all_tokens_of_a_key_are_revoked_and_its_secret_goes_on(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let other = world.new_key(&key.project, &json!({ "displayName": "other", "scopes": ["demo"] })).await;
        let (token, sibling) = (world.token(&key).await, world.token(&other).await);
        world.call(&key).bearer(&token).send().await.is(200);
        world.key_verb(&key, "revokeTokens", &json!({})).await;
        for answer in [world.call(&key).bearer(&token).send().await, world.ask("GET", &key.path()).bearer(&token).send().await] {
            assert!(!answer.clone().is(401).challenge().contains("expired"), "{}", answer.challenge());
        }
        let again = world.token(&key).await;
        world.call(&key).bearer(&again).send().await.is(200);
        world.call(&other).bearer(&sibling).send().await.is(200);
    }

    async fn rotations_outlive_a_restart(world: World) {
        let old = world.customer(&["demo"]).await;
        let token = world.token(&old).await;
        let new = rotated(&world, &old, &json!({ "overlapSeconds": 60, "revokeTokens": true })).await;
        let world = world.reopen(|_| {}).await;
        world.ask_token(&old, "").await.is(200);
        world.ask_token(&new, "").await.is(200);
        world.call(&old).bearer(&token).send().await.is(401);
        world.pass(60);
        world.ask_token(&old, "").await.oauth(401, "invalid_client");
    }
}
