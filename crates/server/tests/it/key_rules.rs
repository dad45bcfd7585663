//! What a key may hold, from where and until when: limits, scopes, ends, addresses and rates.

use serde_json::json;

use crate::world::{Key, World, id};

on_both_engines! {
    async fn the_eleventh_key_is_refused_and_a_deleted_one_gives_its_place_back(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let create = async |name: &str| {
            world.ask("POST", &path).basic(&key.id, &key.secret).json(&json!({ "displayName": name })).send().await
        };
        for at in 2..=10 {
            create(&format!("key {at}")).await.is(200);
        }
        let error = create("key 11").await.google(400, "FAILED_PRECONDITION");
        assert_eq!(error["message"], "Limit of 10 Access Keys reached");
        assert_eq!(world.read(&format!("/v1/projects/{}", key.project)).await["accessKeys"], 10);

        world.ask("DELETE", &key.path()).basic(&key.id, &key.secret).send().await.is(200);
        assert_eq!(world.read(&format!("/v1/projects/{}", key.project)).await["accessKeys"], 9);
        world.new_key(&key.project, &json!({ "displayName": "key 11" })).await;
        let full = world.ask("POST", &path).operator().json(&json!({ "displayName": "key 12" })).send().await;
        full.google(400, "FAILED_PRECONDITION");
    }

    async fn the_limit_belongs_to_the_account_and_counts_each_project_apart(world: World) {
        let account = id(&world.make("/v1/accounts", &json!({ "displayName": "small", "keyLimit": 1 })).await, "accountId");
        let (one, other) = (world.new_project(&account).await, world.new_project(&account).await);
        let body = |name: &str| json!({ "displayName": name });
        world.new_key(&one, &body("a")).await;
        world.new_key(&other, &body("a")).await;
        let path = format!("/v1/projects/{one}/accessKeys");
        let error = world.ask("POST", &path).operator().json(&body("b")).send().await.google(400, "FAILED_PRECONDITION");
        assert_eq!(error["message"], "Limit of 1 Access Keys reached");
        let raised = world.ask("PATCH", &format!("/v1/accounts/{account}")).operator().json(&json!({ "keyLimit": 2 }));
        raised.send().await.is(200);
        world.new_key(&one, &body("b")).await;
    }

    async fn an_archived_project_takes_no_new_key(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        world.make(&format!("/v1/projects/{project}/archive"), &json!({})).await;
        let path = format!("/v1/projects/{project}/accessKeys");
        world.ask("POST", &path).operator().json(&json!({ "displayName": "x" })).send().await.google(400, "FAILED_PRECONDITION");
    }

    async fn a_key_never_makes_or_becomes_one_that_holds_more_than_itself(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let mut made = 0;
        let mut create = async |scopes: &[&str]| {
            made += 1;
            let body = json!({ "displayName": format!("key {made}"), "scopes": scopes });
            world.ask("POST", &path).basic(&key.id, &key.secret).json(&body).send().await
        };
        assert_eq!(create(&["demo"]).await.is(200).json()["accessKey"]["scopes"], json!(["demo"]));
        create(&[]).await.is(200);
        create(&["demo", "sms"]).await.google(403, "PERMISSION_DENIED");
        create(&["introspect"]).await.google(403, "PERMISSION_DENIED");
        for unknown in ["admin", "de mo", "\"", ""] {
            create(&[unknown]).await.google(400, "INVALID_ARGUMENT");
        }
        let itself = world.ask("PATCH", &key.path()).basic(&key.id, &key.secret).json(&json!({ "scopes": ["keys:manage", "sms"] }));
        itself.send().await.google(403, "PERMISSION_DENIED");

        let narrow = world.ask_token(&key, "&scope=keys:manage").await.is(200).json();
        let by_token = world.ask("POST", &path).bearer(&id(&narrow, "access_token"));
        let by_token = by_token.json(&json!({ "displayName": "by token", "scopes": ["demo"] }));
        by_token.send().await.google(403, "PERMISSION_DENIED");
    }

    async fn a_key_gets_no_secret_of_one_that_holds_more_than_itself(world: World) {
        let small = world.customer(&["keys:manage"]).await;
        let body = json!({ "displayName": "large", "scopes": ["keys:manage", "introspect", "demo"] });
        let large = world.new_key(&small.project, &body).await;
        let rotate = world.ask("POST", &format!("{}/rotateSecret", large.path())).basic(&small.id, &small.secret);
        rotate.send().await.google(403, "PERMISSION_DENIED");
        let own = world.ask("POST", &format!("{}/rotateSecret", small.path())).basic(&small.id, &small.secret);
        own.send().await.is(200);
    }

    async fn changed_scopes_are_in_force_at_the_next_token(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        world.change_key(&key, &json!({ "scopes": ["sms"] })).await;
        assert_eq!(world.ask_token(&key, "").await.is(200).json()["scope"], "sms");
        world.ask_token(&key, "&scope=demo").await.oauth(400, "invalid_scope");
    }

    async fn a_key_ends_at_its_expire_time_to_the_second(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let changed = world.change_key(&key, &json!({ "expireTime": world.instant(60) })).await;
        assert_eq!(changed["expireTime"], world.instant(60));
        let token = world.token(&key).await;
        world.pass(59);
        world.ask_token(&key, "").await.is(200);
        world.call(&key).bearer(&token).send().await.is(200);
        world.pass(1);
        let refused = world.ask_token(&key, "").await;
        refused.oauth(401, "invalid_client");
        for answer in [
            world.call(&key).bearer(&token).send().await,
            world.call(&key).basic(&key.id, &key.secret).send().await,
            world.ask("GET", &key.path()).bearer(&token).send().await,
        ] {
            assert!(!answer.clone().is(401).challenge().contains("expired"), "{}", answer.challenge());
        }
        assert_eq!(world.read(&key.path()).await["status"], "ENDED");

        let lifted = world.change_key(&key, &json!({ "expireTime": null })).await;
        assert!(lifted.get("expireTime").is_none(), "{lifted}");
        world.call(&key).bearer(&token).send().await.is(200);
    }

    async fn an_expire_time_lies_in_the_future(world: World) {
        let key = world.customer(&[]).await;
        for wrong in [world.instant(0), world.instant(-1), "tomorrow".to_owned(), "2030-01-01".to_owned()] {
            let body = json!({ "displayName": "x", "expireTime": wrong });
            let path = format!("/v1/projects/{}/accessKeys", key.project);
            let error = world.ask("POST", &path).operator().json(&body).send().await.google(400, "INVALID_ARGUMENT");
            assert_eq!(error["details"][0]["fieldViolations"][0]["field"], "expireTime");
        }
    }

    async fn a_key_with_addresses_works_only_from_there(world: World) {
        let key = world.customer(&["keys:manage", "introspect", "demo"]).await;
        let token = world.token(&key).await;
        let changed = world.change_key(&key, &json!({ "allowedAddresses": ["203.0.113.0/24", "2001:db8::1"] })).await;
        assert_eq!(changed["allowedAddresses"], json!(["203.0.113.0/24", "2001:db8::1/128"]));
        for (address, allowed) in [("203.0.113.9", true), ("2001:db8::1", true), ("203.0.114.9", false), ("2001:db8::2", false)] {
            for (what, answer) in asked_from(&world, &key, &token, address).await {
                assert_eq!(answer == 200, allowed, "{what} from {address}: {answer}");
            }
        }
        let spoofed = world.ask("GET", &key.path()).peer("198.51.100.7").header("x-forwarded-for", "203.0.113.9");
        spoofed.bearer(&token).send().await.google(403, "PERMISSION_DENIED");
        world.change_key(&key, &json!({ "allowedAddresses": [] })).await;
        world.call(&key).peer("198.51.100.7").bearer(&token).send().await.is(200);
    }

    async fn a_key_may_have_a_token_rate_of_its_own(world: World) {
        let key = world.customer(&[]).await;
        world.change_key(&key, &json!({ "tokenRate": { "burst": 2, "perSecond": 1 } })).await;
        let burst = async |most: usize| {
            let mut given = 0;
            while given < most && world.ask_token(&key, "").await.status == 200 {
                given += 1;
            }
            given
        };
        assert_eq!(burst(100).await, 2);
        world.pass(1);
        assert_eq!(burst(100).await, 1);
        world.change_key(&key, &json!({ "tokenRate": { "burst": 1, "perSecond": 0 } })).await;
        assert_eq!(burst(100).await, 100, "a rate of 0 switches the limit off");
        let usual = world.change_key(&key, &json!({ "tokenRate": null })).await;
        assert!(usual.get("tokenRate").is_none(), "{usual}");
        world.pass(60);
        assert_eq!(burst(100).await, 30, "30 at once, as the configuration says");
    }
}

/// The status of every way to use a key, from an address that a trusted gateway reports.
async fn asked_from(world: &World, key: &Key, token: &str, address: &str) -> Vec<(&'static str, u16)> {
    let form = |path| world.ask("POST", path).header("x-forwarded-for", address).basic(&key.id, &key.secret);
    let call = || world.call(key).header("x-forwarded-for", address);
    let api = || world.ask("GET", &key.path()).header("x-forwarded-for", address);
    vec![
        ("token", form("/oauth2/token").form("grant_type=client_credentials").send().await.status),
        ("introspection", form("/oauth2/introspect").form(&format!("token={token}")).send().await.status),
        ("call with a token", call().bearer(token).send().await.status),
        ("call with Basic", call().basic(&key.id, &key.secret).send().await.status),
        ("API with a token", api().bearer(token).send().await.status),
        ("API with Basic", api().basic(&key.id, &key.secret).send().await.status),
    ]
}
