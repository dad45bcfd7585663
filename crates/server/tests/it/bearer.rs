//! A token at the gate and at the management API: which words and statuses make clients refresh, and which must not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::ask::Answer;
use crate::token_endpoint::decoded;
use crate::world::{Key, World, id};

/// What the gate and the management API say to a token.
async fn both(world: &World, key: &Key, token: &str) -> [Answer; 2] {
    let api = world.ask("GET", &key.path()).bearer(token).send().await;
    [world.call(key).bearer(token).send().await, api]
}

/// A 401 that names no expiry: old clients would loop on it.
#[track_caller]
fn refused(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(
        answer.challenge().starts_with("Bearer error=\"invalid_token\", error_description=\""),
        "{}",
        answer.challenge()
    );
    assert!(!answer.challenge().to_lowercase().contains("expired"), "{}", answer.challenge());
    assert!(!answer.text.contains("expired"), "{}", answer.text);
}

on_both_engines! {
    async fn a_token_that_is_valid_but_for_its_end_is_called_expired(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let token = world.token(&key).await;
        let end = world.now().plus_seconds(3_600).to_string().replace(".000Z", "Z");
        world.pass(3_604);
        for answer in both(&world, &key, &token).await {
            answer.is(200);
        }
        world.pass(1);
        for answer in both(&world, &key, &token).await {
            let answer = answer.is(401);
            assert_eq!(answer.challenge(), format!("Bearer error=\"invalid_token\", error_description=\"Jwt expired at {end}\""));
        }
    }

    async fn the_leeway_is_the_configured_one(world: World) {
        let world = world.reopen(|config| config.tokens.leeway_seconds = 0).await;
        let key = world.customer(&["keys:manage", "demo"]).await;
        let token = world.token(&key).await;
        world.pass(3_599);
        for answer in both(&world, &key, &token).await {
            answer.is(200);
        }
        world.pass(1);
        for answer in both(&world, &key, &token).await {
            assert!(answer.is(401).challenge().contains("expired"));
        }
    }

    async fn nothing_presented_gets_a_challenge_without_an_error(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        for answer in [world.call(&key).send().await, world.ask("GET", &key.path()).send().await] {
            let answer = answer.is(401);
            assert_eq!(answer.challenge(), "Bearer realm=\"tollgate\"");
        }
        let token = world.token(&key).await;
        let query = world.gate(&format!("/v1/projects/{}/things?access_token={token}", key.project));
        query.header("cookie", &format!("access_token={token}")).send().await.is(401);
    }

    async fn forged_foreign_and_misspelt_tokens_are_refused(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let token = world.token(&key).await;
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims] = decoded(&token);
        let with_claims = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut changed = claims.clone();
            change(&mut changed);
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(changed.to_string()), parts[2])
        };
        let with_header = |header: serde_json::Value| format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), parts[1], parts[2]);
        let kid = &header["kid"];
        let stranger = World::new(None).await;
        let foreign = stranger.token(&stranger.customer(&["keys:manage", "demo"]).await).await;
        for wrong in [
            with_claims(&|claims| claims["exp"] = json!(4_000_000_000_i64)),
            with_claims(&|claims| claims["scope"] = json!("demo keys:manage introspect")),
            with_header(json!({ "alg": "none", "typ": "at+jwt", "kid": kid })),
            with_header(json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid })),
            with_header(json!({ "alg": "ES256", "typ": "JWT", "kid": kid })),
            with_header(json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["b64"] })),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{token}="), format!("{token}A"), token[..token.len() - 2].to_owned(), format!("{token}.x"),
            format!("{}.{}", parts[0], parts[1]), foreign, "abc".to_owned(), String::new(), "..".to_owned(),
        ] {
            for answer in both(&world, &key, &wrong).await {
                refused(&answer);
            }
        }
        for answer in both(&world, &key, &token).await {
            answer.is(200);
        }
    }

    async fn a_scope_that_is_missing_is_named_with_403(world: World) {
        let key = world.customer(&["sms"]).await;
        let token = world.token(&key).await;
        let [gate, api] = both(&world, &key, &token).await;
        assert_eq!(gate.is(403).challenge(), "Bearer error=\"insufficient_scope\", scope=\"demo\"");
        assert_eq!(api.is(403).challenge(), "Bearer error=\"insufficient_scope\", scope=\"keys:manage\"");

        let all = world.customer(&["sms", "demo", "keys:manage"]).await;
        let narrow = id(&world.ask_token(&all, "&scope=sms").await.is(200).json(), "access_token");
        for answer in both(&world, &all, &narrow).await {
            answer.is(403);
        }
        world.gate("/maps/tile").bearer(&narrow).send().await.is(200);
    }

    async fn a_token_for_one_product_is_refused_by_the_others(world: World) {
        let key = world.customer(&["sms", "demo", "keys:manage"]).await;
        let body = world.ask_token(&key, "&resource=https://tollgate.example/demo").await.is(200).json();
        let token = id(&body, "access_token");
        let [gate, api] = both(&world, &key, &token).await;
        gate.is(200);
        refused(&api);
        let sms = world.gate(&format!("/xms/v1/{}/batches", key.project)).bearer(&token).send().await;
        refused(&sms);
        refused(&world.gate("/maps/tile").bearer(&token).send().await);
    }

    async fn another_project_is_403_and_key_and_project_are_named(world: World) {
        let key = world.customer(&["keys:manage", "demo", "sms"]).await;
        let sibling = world.new_project(&key.account).await;
        let stranger = world.customer(&[]).await;
        let token = world.token(&key).await;
        for project in [&sibling, &stranger.project, "01995a31-0000-7000-8000-000000000000", "not-a-uuid", &stranger.account, &key.id] {
            let message = format!("The path names a project that access key {} of project {} does not reach", key.id, key.project);
            let demo = world.gate(&format!("/v1/projects/{project}/things")).bearer(&token).send().await;
            assert_eq!(demo.google(403, "PERMISSION_DENIED")["message"], message);
            let sms = world.gate(&format!("/xms/v1/{project}/batches")).bearer(&token).send().await.is(403);
            assert_eq!(sms.json(), json!({ "code": "forbidden", "text": message }));
        }
        for project in [&sibling, &stranger.project, "01995a31-0000-7000-8000-000000000000"] {
            let api = world.ask("GET", &format!("/v1/projects/{project}/accessKeys")).bearer(&token).send().await;
            api.google(403, "PERMISSION_DENIED");
        }
    }

    async fn a_key_reaches_its_subprojects_and_never_the_parent(world: World) {
        let above = world.customer(&["keys:manage", "demo"]).await;
        let below = world.new_subproject(&above.project).await;
        let beside = world.new_subproject(&above.project).await;
        let key = world.new_key(&below, &json!({ "displayName": "leaf", "scopes": ["keys:manage", "demo"] })).await;
        let (down, up) = (world.token(&above).await, world.token(&key).await);
        let reach = async |project: &str, token: &str| {
            let gate = world.gate(&format!("/v1/projects/{project}/things")).bearer(token).send().await;
            let api = world.ask("GET", &format!("/v1/projects/{project}/accessKeys")).bearer(token).send().await;
            assert_eq!(gate.status, api.status, "gate and API agree about {project}");
            gate.status
        };
        assert_eq!(reach(&above.project, &down).await, 200);
        assert_eq!(reach(&below, &down).await, 200);
        assert_eq!(reach(&beside, &down).await, 200);
        assert_eq!(reach(&below, &up).await, 200);
        assert_eq!(reach(&above.project, &up).await, 403);
        assert_eq!(reach(&beside, &up).await, 403);

        world.ask("DELETE", &format!("/v1/subprojects/{beside}")).bearer(&down).send().await.is(200);
        world.gate(&format!("/v1/projects/{beside}/things")).bearer(&down).send().await.is(403);
    }

    async fn the_kind_that_came_and_the_kind_that_is_wanted_are_told(world: World) {
        let key = world.customer(&["sms", "demo"]).await;
        let path = format!("/xms/v1/{}/batches", key.project);
        let basic = world.gate(&path).basic(&key.id, &key.secret).send().await.is(401);
        assert_eq!(basic.json()["text"], "This route wants an API token of a service plan, or an access token; KEY ID and KEY SECRET by Basic came");
        let bare = world.gate(&path).bearer(&key.secret).send().await.is(401);
        assert_eq!(bare.json()["text"], "This route wants an API token of a service plan, or an access token; a KEY SECRET without its KEY ID came");
        assert!(!bare.text.contains(&key.secret));
        let path = format!("/v1/projects/{}/things", key.project);
        let plan = world.gate(&path).bearer("tgt_abc").send().await.is(401);
        assert!(plan.text.contains("an API token of a service plan came"), "{}", plan.text);
    }
}
