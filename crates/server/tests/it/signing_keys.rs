//! Signing keys are rotated by command and on schedule without one refused token.

use serde_json::{Value, json};

use crate::token_endpoint::decoded;
use crate::world::{Key, World, id};

/// The ids of the keys that the JWKS shows.
async fn published(world: &World) -> Vec<String> {
    let set = world.ask("GET", "/.well-known/jwks.json").send().await.is(200).json();
    set["keys"].as_array().expect("a list").iter().map(|key| id(key, "kid")).collect()
}

fn signer(token: &str) -> String {
    id(&decoded(token)[0], "kid")
}

async fn rotate(world: &World) -> Vec<Value> {
    let keys = world.make("/v1/signingKeys/rotate", &json!({})).await;
    keys["signingKeys"].as_array().expect("a list").clone()
}

fn states(keys: &[Value]) -> Vec<String> {
    keys.iter().map(|key| id(key, "state")).collect()
}

on_both_engines! {
    async fn the_next_key_is_published_for_as_long_as_a_jwks_may_be_kept_before_it_signs(world: World) {
        let key = world.customer(&["demo"]).await;
        let before = world.token(&key).await;
        let first = published(&world).await;
        assert_eq!(first.len(), 2, "the active key and the next");
        let next = first.iter().find(|kid| **kid != signer(&before)).expect("another key").clone();

        world.pass(100);
        let keys = rotate(&world).await;
        assert_eq!(states(&keys), ["active", "next", "next"]);
        let mut signers = Vec::new();
        for _ in 0..400 {
            world.pass(1);
            let known = published(&world).await;
            let token = id(&world.ask_token(&key, "").await.is(200).json(), "access_token");
            assert!(known.contains(&signer(&token)), "every signer is published");
            world.call(&key).bearer(&token).send().await.is(200);
            signers.push(signer(&token));
        }
        signers.dedup();
        assert_eq!(signers, [signer(&before), next], "one change, from the first to the next");
        world.call(&key).bearer(&before).send().await.is(200);
    }

    async fn a_rotation_takes_effect_when_all_verifiers_can_know_the_next_key(world: World) {
        let key = world.customer(&["demo"]).await;
        let old = signer(&world.token(&key).await);
        let begun = world.now();
        world.make("/v1/signingKeys/rotate", &json!({})).await;
        world.pass(296);
        assert_eq!(signer(&world.token(&key).await), old, "within 300 s of the publication at the start");
        world.pass(1);
        assert_ne!(signer(&world.token(&key).await), old);
        let keys = world.read("/v1/signingKeys").await;
        let list = keys["signingKeys"].as_array().expect("a list");
        assert_eq!(states(list), ["retired", "active", "next"]);
        assert_eq!(list[0]["retireTime"], list[1]["activeTime"]);
        assert!(id(&list[1], "activeTime") <= begun.plus_seconds(300).to_string());
        assert!(list[2].get("activeTime").is_none());
    }

    async fn a_retired_key_stays_published_until_its_last_token_is_over_everywhere(world: World) {
        let key = world.customer(&["demo"]).await;
        world.pass(300);
        rotate(&world).await;
        let retired = published(&world).await[0].clone();
        world.pass(3_600 + 300 + 5 - 1);
        assert!(published(&world).await.contains(&retired));
        world.pass(1);
        assert!(!published(&world).await.contains(&retired));
        assert_eq!(states(world.read("/v1/signingKeys").await["signingKeys"].as_array().expect("a list"))[0], "removed");
        world.ask_token(&key, "").await.is(200);
    }

    async fn a_token_of_a_removed_key_is_called_expired(world: World) {
        let key = world.customer(&["demo"]).await;
        let (seen, unseen) = (world.token(&key).await, world.token(&key).await);
        world.call(&key).bearer(&seen).send().await.is(200);
        world.pass(300);
        rotate(&world).await;
        world.pass(86_400);
        let world = world.reopen(|_| {}).await;
        for token in [seen, unseen] {
            let answer = world.call(&key).bearer(&token).send().await.is(401);
            assert!(answer.challenge().contains("Jwt expired at"), "{}", answer.challenge());
        }
    }

    async fn rotations_in_a_row_refuse_no_token(world: World) {
        let key = world.customer(&["demo"]).await;
        let mut tokens = vec![world.token(&key).await];
        for _ in 0..4 {
            rotate(&world).await;
            tokens.push(world.token(&key).await);
        }
        for _ in 0..4 {
            world.pass(150);
            rotate(&world).await;
            tokens.push(world.token(&key).await);
            world.pass(400);
            let token = world.token(&key).await;
            assert!(published(&world).await.contains(&signer(&token)), "the signer is published");
            tokens.push(token);
        }
        for token in &tokens {
            world.call(&key).bearer(token).send().await.is(200);
        }
        world.pass(2 * 86_400);
        let token = world.token(&key).await;
        assert!(published(&world).await.contains(&signer(&token)), "the signer is published");
        rotate(&world).await;
        world.call(&key).bearer(&token).send().await.is(200);
        assert!(published(&world).await.contains(&signer(&token)));
    }

    async fn a_key_that_signs_after_hurried_rotations_ends_in_its_own_time(world: World) {
        let key = world.customer(&["demo"]).await;
        for _ in 0..4 {
            rotate(&world).await;
        }
        world.pass(86_400);
        let token = world.token(&key).await;
        let keys = rotate(&world).await;
        assert_eq!(keys.iter().filter(|key| key["state"] == "active").count(), 1);
        assert_ne!(signer(&world.token(&key).await), signer(&token), "another key signs now");
        assert!(published(&world).await.contains(&signer(&token)), "it is published as long as its tokens live");
        let answer = world.call(&key).bearer(&token).send().await;
        answer.is(200);
    }

    async fn a_new_key_takes_over_on_schedule(world: World) {
        let key = world.customer(&["demo"]).await;
        let old = world.token(&key).await;
        world.pass(30 * 86_400 - 60);
        let world = world.reopen(|_| {}).await;
        assert_eq!(signer(&world.token(&key).await), signer(&old), "not before 30 days");
        let last = world.token(&key).await;
        world.pass(60);
        let world = world.reopen(|_| {}).await;
        let new = world.token(&key).await;
        assert_ne!(signer(&new), signer(&old));
        for token in [&last, &new] {
            world.call(&key).bearer(token).send().await.is(200);
        }
        assert_eq!(published(&world).await.len(), 3, "retired, active and next");
        let world = world.reopen(|_| {}).await;
        assert_eq!(published(&world).await.len(), 3, "a restart rotates nothing");

        let world = world.reopen(|config| config.tokens.rotation_days = 0).await;
        world.pass(300 * 86_400);
        let world = world.reopen(|_| {}).await;
        assert_eq!(signer(&world.token(&key).await), signer(&new), "0 switches the schedule off");
    }

    async fn a_token_outlives_a_restart(world: World) {
        let key: Key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let before = published(&world).await;
        let world = world.reopen(|_| {}).await;
        assert_eq!(published(&world).await, before);
        world.call(&key).bearer(&token).send().await.is(200);
    }

    async fn the_jwks_is_cached_by_its_etag(world: World) {
        let ask = || world.ask("GET", "/.well-known/jwks.json");
        let first = ask().send().await.is(200);
        assert_eq!(first.header("cache-control"), "public, max-age=300");
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 10, "{tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = ask().header("if-none-match", &known).send().await.is(304);
            assert_eq!((&*answer.text, answer.header("etag"), answer.header("cache-control")), ("", &*tag, "public, max-age=300"));
        }
        ask().header("if-none-match", "\"other\"").send().await.is(200);
        rotate(&world).await;
        let changed = ask().header("if-none-match", &tag).send().await.is(200);
        assert_ne!(changed.header("etag"), tag);
        let keys = changed.json()["keys"].as_array().expect("a list").clone();
        for key in &keys {
            assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!("ES256")));
            assert!(key.get("d").is_none());
        }
    }

    async fn private_keys_are_encrypted_at_rest_and_bound_to_their_row(world: World) {
        let key = world.customer(&["demo"]).await;
        let sealed = if world.config.database.url.is_some() { "encode(sealed, 'hex')" } else { "lower(hex(sealed))" };
        let rows = world.texts(&format!("SELECT {sealed} FROM signing_keys")).await;
        assert_eq!(rows.len(), 2);
        for row in &rows {
            // PKCS#8 of an EC key holds the object identifiers id-ecPublicKey and prime256v1 in the clear.
            assert!(!row.contains("06072a8648ce3d0201") && !row.contains("06082a8648ce3d030107"), "{row}");
        }
        world.token(&key).await;
        world.execute("UPDATE signing_keys SET sealed = (SELECT sealed FROM signing_keys ORDER BY kid LIMIT 1)").await;
        let (error, _) = world.refused(|_| {}).await;
        assert!(error.starts_with("signing key ") && error.contains("cannot be decrypted"), "{error}");
    }

    async fn discovery_comes_from_the_configuration_alone(world: World) {
        let paths = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        for path in paths {
            let ask = world.ask("GET", path).without("host").header("host", "evil.example").header("x-forwarded-host", "evil.example");
            let answer = ask.send().await.is(200);
            let body = answer.json();
            assert_eq!(body["issuer"], "https://tollgate.example");
            assert_eq!(body["token_endpoint"], "https://tollgate.example/oauth2/token");
            assert_eq!(body["jwks_uri"], "https://tollgate.example/.well-known/jwks.json");
            assert_eq!(body["grant_types_supported"], json!(["client_credentials"]));
            assert_eq!(body["response_types_supported"], json!([]));
            assert_eq!(body["token_endpoint_auth_methods_supported"], json!(["client_secret_basic", "client_secret_post"]));
            assert_eq!(body["scopes_supported"], json!(["demo", "introspect", "keys:manage", "sms", "usage:report"]));
            assert!(!answer.text.contains("evil"));
        }
        let world = world.reopen(|config| config.public_url = "https://tollgate.example/auth".to_owned()).await;
        let body = world.ask("GET", "/.well-known/oauth-authorization-server/auth").send().await.is(200).json();
        assert_eq!(body["issuer"], "https://tollgate.example/auth", "the path comes after the well-known part");
        for path in ["/auth/.well-known/openid-configuration", "/auth/.well-known/jwks.json", "/.well-known/jwks.json"] {
            world.ask("GET", path).send().await.is(200);
        }
        let denied = world.ask("GET", "/auth/oauth2/token").send().await.is(405);
        assert_eq!(denied.json()["error"], "invalid_request", "what is below the path speaks its protocol too");
    }
}
