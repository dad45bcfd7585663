//! The bill: exactly the calls that were let through, on the account that owns the credential, by hour.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{Key, World, id};

/// Group and calls of each row.
fn calls(usage: &Value, group: &str) -> Vec<(String, i64)> {
    let rows = usage["usage"].as_array().expect("a list");
    let mut rows: Vec<_> = rows.iter().map(|row| (id(row, group), row["calls"].as_i64().expect("a number"))).collect();
    rows.sort();
    rows
}

async fn call(world: &World, token: &str, target: &str, times: usize) {
    for _ in 0..times {
        world.gate(target).bearer(token).send().await.is(200);
    }
}

on_both_engines! {
    async fn exactly_the_admitted_calls_are_counted_by_project_key_product_and_hour(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        let below = world.new_subproject(&key.project).await;
        let second = world.new_key(&key.project, &json!({ "displayName": "second", "scopes": ["demo"] })).await;
        let stranger = world.customer(&["demo"]).await;
        let (one, two, other) = (world.token(&key).await, world.token(&second).await, world.token(&stranger).await);
        let demo = |project: &str| format!("/v1/projects/{project}/things");
        let first_hour = world.now().hour();

        call(&world, &one, &demo(&key.project), 3).await;
        call(&world, &one, &demo(&below), 2).await;
        call(&world, &one, &format!("/xms/v1/{}/batches", key.project), 4).await;
        call(&world, &two, &demo(&key.project), 5).await;
        call(&world, &other, &demo(&stranger.project), 7).await;
        call(&world, &one, "/status", 6).await;
        world.gate(&demo(&key.project)).basic(&key.id, &key.secret).send().await.is(200);
        world.pass(3_600);
        let late = world.token(&key).await;
        call(&world, &late, &demo(&key.project), 1).await;
        world.gate(&demo(&stranger.project)).bearer(&late).send().await.is(403);
        world.gate(&demo(&key.project)).bearer("forged").send().await.is(401);

        let usage = async |group: &str| world.usage(&key.account, group).await;
        let mut projects = vec![(key.project.clone(), 14), (below, 2)];
        projects.sort();
        let by_project = usage("project").await;
        assert_eq!(calls(&by_project, "projectId"), projects);
        assert_eq!((&by_project["totalCalls"], &by_project["totalDenied"]), (&json!(16), &json!(1)));
        let mut keys = vec![(key.id.clone(), 11), (second.id.clone(), 5)];
        keys.sort();
        assert_eq!(calls(&usage("key").await, "accessKeyId"), keys);
        assert_eq!(calls(&usage("product").await, "product"), [("demo".to_owned(), 12), ("sms".to_owned(), 4)]);
        let hours = [(first_hour.to_string(), 15), (first_hour.plus_seconds(3_600).to_string(), 1)];
        assert_eq!(calls(&usage("hour").await, "hour"), hours);
        assert_eq!(calls(&usage("day").await, "day"), [(first_hour.to_string()[..10].to_owned(), 16)]);
        assert_eq!(world.usage(&stranger.account, "key").await["totalCalls"], 7);
        assert_eq!(world.usage(&stranger.account, "key").await["totalDenied"], 0);
    }

    async fn what_was_admitted_is_stored_before_the_answer(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        for sum in 1..=3 {
            call(&world, &token, &format!("/v1/projects/{}/things", key.project), 1).await;
            assert_eq!(world.stored_calls().await, sum);
        }
    }

    async fn calls_go_on_while_the_counters_cannot_be_written(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let path = format!("/v1/projects/{}/things", key.project);
        call(&world, &token, &path, 1).await;
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 1);
        world.execute("ALTER TABLE usage_monthly RENAME TO elsewhere").await;
        call(&world, &token, &path, 2).await;
        let usage = format!("/v1/accounts/{}/usage", key.account);
        world.ask("GET", &usage).operator().send().await.google(503, "UNAVAILABLE");
        call(&world, &token, &path, 3).await;
        world.ask("GET", "/readyz").send().await.is(200);
        world.execute("ALTER TABLE elsewhere RENAME TO usage_monthly").await;
        call(&world, &token, &path, 4).await;
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 10);
    }

    async fn a_thousand_calls_at_once_are_counted_once_each(world: World) {
        let keys: Vec<Key> = [world.customer(&["demo"]).await, world.customer(&["demo"]).await].to_vec();
        let mut asks = JoinSet::new();
        for key in &keys {
            let token = world.token(key).await;
            for at in 0..500 {
                let token = if at % 5 == 4 { "forged" } else { &token };
                asks.spawn(world.call(key).bearer(token).send());
            }
        }
        let answers = asks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 800);
        for key in &keys {
            let usage = world.usage(&key.account, "project").await;
            assert_eq!(usage["totalCalls"], 400);
            assert_eq!(usage["totalDenied"], 0, "a forged token is nobody's");
        }
    }

    async fn the_bill_stays_through_restarts_and_deletions(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let target = format!("/v1/projects/{}/things", key.project);
        call(&world, &token, &target, 2).await;
        let world = world.reopen(|_| {}).await;
        call(&world, &token, &target, 3).await;
        world.ask("DELETE", &key.path()).operator().send().await.is(200);
        world.gate(&target).bearer(&token).send().await.is(401);
        let usage = world.usage(&key.account, "key").await;
        assert_eq!(calls(&usage, "accessKeyId"), [(key.id.clone(), 5)]);
        assert_eq!(usage["usage"][0]["displayName"], "main");
    }

    async fn usage_is_asked_for_whole_hours(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        call(&world, &token, &format!("/v1/projects/{}/things", key.project), 2).await;
        let ask = async |query: &str| world.ask("GET", &format!("/v1/accounts/{}/usage?{query}", key.account)).operator().send().await;
        let total = async |query: &str| ask(query).await.is(200).json()["totalCalls"].clone();
        let (hour, next) = (world.now().hour(), world.now().hour().plus_seconds(3_600));
        assert_eq!(total("").await, 2);
        assert_eq!(total(&format!("from={hour}&to={next}")).await, 2);
        assert_eq!(total(&format!("from={}", hour.plus_seconds(1_800))).await, 2, "the hour that holds this instant");
        assert_eq!(total(&format!("to={hour}")).await, 0, "the end is not included");
        assert_eq!(total(&format!("from={next}&to={next}")).await, 0);
        let shown = ask("").await.json();
        assert_eq!((&shown["to"], &shown["countedUpTo"]), (&json!(next.to_string()), &json!(world.now().to_string())));
        for wrong in [format!("from={next}&to={hour}"), "from=yesterday".to_owned(), "to=2026-01-01".to_owned(), "groupBy=colour".to_owned()] {
            ask(&wrong).await.google(400, "INVALID_ARGUMENT");
        }
        world.ask("GET", "/v1/accounts/01995a31-0000-7000-8000-000000000000/usage").operator().send().await.google(404, "NOT_FOUND");
    }

    async fn the_last_use_is_known_per_secret(world: World) {
        let old = world.customer(&["demo"]).await;
        assert!(world.read(&old.path()).await.get("lastUseTime").is_none());
        world.token(&old).await;
        world.usage(&old.account, "key").await;
        let used = world.now().to_string();
        world.pass(1);
        let made = world.key_verb(&old, "rotateSecret", &json!({})).await;
        let new = Key { secret: id(&made, "secret"), ..old.clone() };
        world.pass(60);
        let ask = world.call(&new).basic(&new.id, &new.secret).header("user-agent", "probe/1\t2").header("x-forwarded-for", "203.0.113.7");
        ask.send().await.is(200);
        world.usage(&old.account, "key").await;
        let shown = world.read(&old.path()).await;
        assert_eq!(shown["lastUseTime"], world.now().to_string());
        let of_secret = |at: usize| shown["secrets"][at]["lastUseTime"].clone();
        assert_eq!((of_secret(0), of_secret(1)), (json!(used), json!(world.now().to_string())));
        let seen = world.texts("SELECT address || ' ' || agent FROM credential_activity ORDER BY used_at DESC LIMIT 1").await;
        assert_eq!(seen, ["203.0.113.7 probe/12"]);

        world.pass(60);
        let token = world.token(&new).await;
        world.pass(60);
        world.call(&new).bearer(&token).send().await.is(200);
        world.usage(&old.account, "key").await;
        assert_eq!(world.read(&old.path()).await["lastUseTime"], world.now().to_string(), "calls with a token count as use too");
    }
}
