//! Deactivation cascades: key, project, parent project and account, each alone, stop token, gate, introspection and
//! management alike, at the next request; and tokens that were issued before go the same way.

use serde_json::json;

use crate::world::{Key, World};

/// All that can be done with a key: the token endpoint, the gate by token and by Basic, the management API by both, its
/// own introspection, and another key's introspection of its token.
async fn statuses(world: &World, key: &Key, token: &str, observer: &Key) -> Vec<(&'static str, u16)> {
    let introspect =
        |by: &Key| world.ask("POST", "/oauth2/introspect").basic(&by.id, &by.secret).form(&format!("token={token}"));
    let observed = introspect(observer).send().await.is(200).json();
    let answers = vec![
        ("token endpoint", world.ask_token(key, "").await),
        ("gate with a token", world.call(key).bearer(token).send().await),
        ("gate with Basic", world.call(key).basic(&key.id, &key.secret).send().await),
        ("API with a token", world.ask("GET", &key.path()).bearer(token).send().await),
        ("API with Basic", world.ask("GET", &key.path()).basic(&key.id, &key.secret).send().await),
        ("introspection by itself", introspect(key).send().await),
    ];
    for (what, answer) in &answers {
        assert!(!answer.challenge().contains("expired"), "{what}: {}", answer.challenge());
    }
    let active = if observed["active"] == true { 200 } else { 401 };
    let observed = ("introspection by another", active);
    answers.into_iter().map(|(what, answer)| (what, answer.status)).chain([observed]).collect()
}

/// A key in a subproject, its token, a sibling below the same account that observes, and a stranger.
async fn family(world: &World) -> (Key, String, Key, String) {
    let observer = world.customer(&["introspect"]).await;
    let parent = world.new_project(&observer.account).await;
    let below = world.new_subproject(&parent).await;
    let body = json!({ "displayName": "main", "scopes": ["keys:manage", "introspect", "demo"] });
    let key = world.new_key(&below, &body).await;
    let token = world.token(&key).await;
    (Key { account: observer.account.clone(), ..key }, token, observer, parent)
}

async fn all_are(world: &World, (key, token, observer): (&Key, &str, &Key), status: u16) {
    for (what, found) in statuses(world, key, token, observer).await {
        assert_eq!(found, status, "{what}");
    }
}

on_both_engines! {
    async fn a_disabled_key_stops_everywhere_and_starts_again(world: World) {
        let (key, token, observer, _) = family(&world).await;
        all_are(&world, (&key, &token, &observer), 200).await;
        world.key_verb(&key, "disable", &json!({})).await;
        all_are(&world, (&key, &token, &observer), 401).await;
        world.key_verb(&key, "enable", &json!({})).await;
        all_are(&world, (&key, &token, &observer), 200).await;
    }

    async fn a_deleted_key_stops_everywhere(world: World) {
        let (key, token, observer, _) = family(&world).await;
        all_are(&world, (&key, &token, &observer), 200).await;
        world.ask("DELETE", &key.path()).operator().send().await.is(200);
        all_are(&world, (&key, &token, &observer), 401).await;
        world.new_key(&key.project, &json!({ "displayName": "main", "scopes": ["demo"] })).await;
        all_are(&world, (&key, &token, &observer), 401).await;
    }

    async fn a_deleted_subproject_stops_its_keys_everywhere(world: World) {
        let (key, token, observer, _) = family(&world).await;
        all_are(&world, (&key, &token, &observer), 200).await;
        world.ask("DELETE", &format!("/v1/subprojects/{}", key.project)).operator().send().await.is(200);
        all_are(&world, (&key, &token, &observer), 401).await;
    }

    async fn an_archived_parent_stops_the_keys_of_its_subprojects_everywhere(world: World) {
        let (key, token, observer, parent) = family(&world).await;
        all_are(&world, (&key, &token, &observer), 200).await;
        world.make(&format!("/v1/projects/{parent}/archive"), &json!({})).await;
        all_are(&world, (&key, &token, &observer), 401).await;
    }

    async fn a_suspended_account_stops_everywhere_and_starts_again(world: World) {
        let (key, token, observer, _) = family(&world).await;
        let platform = world.customer(&["introspect"]).await;
        let id = platform.id.clone();
        let world = world.reopen(|config| config.introspection.all_accounts = vec![id]).await;
        let account = format!("/v1/accounts/{}", key.account);
        all_are(&world, (&key, &token, &platform), 200).await;
        world.make(&format!("{account}/suspend"), &json!({})).await;
        all_are(&world, (&key, &token, &platform), 401).await;
        world.call(&platform).basic(&platform.id, &platform.secret).send().await.is(403);
        world.make(&format!("{account}/resume"), &json!({})).await;
        all_are(&world, (&key, &token, &platform), 200).await;
        world.ask_token(&observer, "").await.is(200);
    }

    async fn a_deactivation_outlives_a_restart(world: World) {
        let (key, token, observer, _) = family(&world).await;
        world.key_verb(&key, "disable", &json!({})).await;
        let world = world.reopen(|_| {}).await;
        all_are(&world, (&key, &token, &observer), 401).await;
    }

    async fn no_read_that_is_under_way_brings_a_disabled_key_back(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        for _ in 0..10 {
            // Nothing is in memory after a restart or a change, so that each of these reads the store.
            world.key_verb(&key, "enable", &json!({})).await;
            let mut asks: tokio::task::JoinSet<_> = (0..10).map(|_| world.call(&key).bearer(&token).send()).collect();
            world.key_verb(&key, "disable", &json!({})).await;
            world.call(&key).bearer(&token).send().await.is(401);
            while let Some(answer) = asks.join_next().await {
                let status = answer.expect("it runs to its end").status;
                assert!([200, 401].contains(&status), "{status}");
            }
            world.call(&key).bearer(&token).send().await.is(401);
        }
    }

    async fn absurd_data_in_one_key_refuses_that_key_alone(world: World) {
        let broken = world.customer(&["keys:manage", "demo"]).await;
        let whole = world.customer(&["keys:manage", "demo"]).await;
        world.execute(&format!("UPDATE access_keys SET scopes = 'a\"b', addresses = 'nowhere' WHERE id = '{}'", broken.id)).await;
        let world = world.reopen(|_| {}).await;
        world.ask_token(&broken, "").await.oauth(503, "temporarily_unavailable");
        let token = world.token(&whole).await;
        world.call(&whole).bearer(&token).send().await.is(200);
        world.ask("GET", &whole.path()).bearer(&token).send().await.is(200);
    }
}
