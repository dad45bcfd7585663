//! RFC 7009: one token ends before its time, at the next request, for good, and its siblings live on.

use crate::ask::Answer;
use crate::world::{Key, World};

async fn revoke(world: &World, by: &Key, token: &str) -> Answer {
    world.ask("POST", "/oauth2/revoke").basic(&by.id, &by.secret).form(&format!("token={token}")).send().await
}

/// The statuses of a call, of a management request and of the token's introspection.
async fn statuses(world: &World, key: &Key, token: &str) -> (u16, u16, bool) {
    let call = world.call(key).bearer(token).send().await;
    let api = world.ask("GET", &key.path()).bearer(token).send().await;
    assert!(!call.challenge().contains("expired") && !api.challenge().contains("expired"), "{}", call.challenge());
    let introspect =
        world.ask("POST", "/oauth2/introspect").basic(&key.id, &key.secret).form(&format!("token={token}"));
    (call.status, api.status, introspect.send().await.is(200).json()["active"] == true)
}

const SCOPES: [&str; 3] = ["keys:manage", "introspect", "demo"];

on_both_engines! {
    async fn a_revoked_token_is_refused_at_the_next_request_and_its_siblings_live_on(world: World) {
        let key = world.customer(&SCOPES).await;
        let (token, sibling) = (world.token(&key).await, world.token(&key).await);
        assert_eq!(statuses(&world, &key, &token).await, (200, 200, true));
        let answer = revoke(&world, &key, &token).await.is(200);
        assert_eq!(answer.text, "");
        assert_eq!(statuses(&world, &key, &token).await, (401, 401, false));
        assert_eq!(statuses(&world, &key, &sibling).await, (200, 200, true));
        revoke(&world, &key, &token).await.is(200);
        world.pass(3_605);
        let refused = world.call(&key).bearer(&token).send().await.is(401);
        assert!(refused.challenge().contains("error=\"invalid_token\""));
    }

    async fn a_revocation_outlives_a_restart(world: World) {
        let key = world.customer(&SCOPES).await;
        let (token, sibling) = (world.token(&key).await, world.token(&key).await);
        revoke(&world, &key, &token).await.is(200);
        let world = world.reopen(|_| {}).await;
        assert_eq!(statuses(&world, &key, &token).await, (401, 401, false));
        assert_eq!(statuses(&world, &key, &sibling).await, (200, 200, true));
        world.pass(3_604);
        let world = world.reopen(|_| {}).await;
        assert_eq!(statuses(&world, &key, &token).await.0, 401, "also within the leeway");
        world.pass(86_400);
        assert_eq!(world.reopen(|_| {}).await.texts("SELECT id FROM revoked_tokens").await.len(), 1);
    }

    async fn a_revocation_is_forgotten_a_day_after_the_tokens_end(world: World) {
        let key = world.customer(&SCOPES).await;
        let token = world.token(&key).await;
        revoke(&world, &key, &token).await.is(200);
        world.pass(3_605 + 86_400);
        let world = world.reopen(|_| {}).await;
        assert_eq!(world.texts("SELECT id FROM revoked_tokens").await, [""; 0]);
        revoke(&world, &key, &token).await.is(200);
        assert_eq!(world.texts("SELECT id FROM revoked_tokens").await, [""; 0], "nor is it remembered again");
    }

    async fn a_revoked_token_stays_revoked_when_the_clock_was_ahead_and_is_set_back(world: World) {
        let key = world.customer(&SCOPES).await;
        let [before, meanwhile, live] = [world.token(&key).await, world.token(&key).await, world.token(&key).await];
        revoke(&world, &key, &before).await.is(200);
        world.pass(7_200);
        revoke(&world, &key, &meanwhile).await.is(200);
        let ahead = world.token(&key).await;
        let world = world.reopen(|_| {}).await;
        world.pass(-7_200);
        for revoked in [&before, &meanwhile] {
            assert_eq!(statuses(&world, &key, revoked).await, (401, 401, false));
        }
        for token in [&live, &ahead] {
            assert_eq!(statuses(&world, &key, token).await, (200, 200, true));
        }
    }

    async fn only_the_owner_revokes_and_nobody_learns_of_others_tokens(world: World) {
        let key = world.customer(&SCOPES).await;
        let sibling = world.new_key(&key.project, &serde_json::json!({ "displayName": "sibling" })).await;
        let stranger = world.customer(&SCOPES).await;
        let token = world.token(&key).await;
        let nonsense = revoke(&world, &stranger, "nonsense").await;
        nonsense.clone().is(200);
        for other in [&sibling, &stranger] {
            assert_eq!(revoke(&world, other, &token).await.comparable(), nonsense.comparable());
        }
        assert_eq!(statuses(&world, &key, &token).await, (200, 200, true));
    }

    async fn a_client_that_revokes_must_authenticate_and_name_a_token(world: World) {
        let key = world.customer(&SCOPES).await;
        let token = world.token(&key).await;
        let body = format!("token={token}");
        world.ask("POST", "/oauth2/revoke").form(&body).send().await.oauth(401, "invalid_client");
        world.ask("POST", "/oauth2/revoke").bearer(&token).form(&body).send().await.oauth(401, "invalid_client");
        revoke(&world, &key, "").await.oauth(400, "invalid_request");
        let twice = format!("{token}&token={token}");
        revoke(&world, &key, &twice).await.oauth(400, "invalid_request");
        assert_eq!(statuses(&world, &key, &token).await, (200, 200, true));
        let hinted = format!("{token}&token_type_hint=nonsense");
        revoke(&world, &key, &hinted).await.is(200);
        assert_eq!(statuses(&world, &key, &token).await, (401, 401, false));
    }

    async fn a_revocation_that_cannot_be_stored_is_503_and_never_200(world: World) {
        let key = world.customer(&SCOPES).await;
        let token = world.token(&key).await;
        world.execute("ALTER TABLE revoked_tokens RENAME TO elsewhere").await;
        let answer = revoke(&world, &key, &token).await;
        answer.oauth(503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "2");
        world.execute("ALTER TABLE elsewhere RENAME TO revoked_tokens").await;
        revoke(&world, &key, &token).await.is(200);
        assert_eq!(statuses(&world, &key, &token).await, (401, 401, false));
    }

    async fn a_revoked_token_is_known_by_its_id_and_not_by_its_text(world: World) {
        let key = world.customer(&SCOPES).await;
        let token = world.token(&key).await;
        revoke(&world, &key, &token).await.is(200);
        let stored = world.texts("SELECT id FROM revoked_tokens").await;
        let jti = crate::token_endpoint::decoded(&token)[1]["jti"].as_str().map(ToOwned::to_owned);
        assert_eq!(stored.first(), jti.as_ref());
    }
}
