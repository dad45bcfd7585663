//! Denials are counted, never billed, and each is explained under its request id, for the last thousand of an account.

use serde_json::json;

use crate::world::World;

on_both_engines! {
    async fn a_denial_is_explained_under_its_request_id(world: World) {
        let key = world.customer(&["sms"]).await;
        let token = world.token(&key).await;
        let answer = world.call(&key).header("x-forwarded-for", "203.0.113.7").bearer(&token).send().await.is(403);
        let request = answer.header("request-id");
        let denial = world.read(&format!("/v1/denials/{request}")).await;
        assert_eq!(denial, json!({
            "requestId": request, "accountId": key.account, "projectId": key.project, "accessKeyId": key.id,
            "product": "demo", "time": world.now().to_string(), "method": "GET",
            "path": format!("/v1/projects/{}/things", key.project), "address": "203.0.113.7", "reason": "wrong_scope",
            "message": "The credential lacks the scope demo",
        }));
        world.ask("GET", &format!("/v1/denials/{}", key.id)).operator().send().await.google(404, "NOT_FOUND");
        world.ask("GET", "/v1/denials/x").operator().send().await.google(400, "INVALID_ARGUMENT");
    }

    async fn a_denial_keeps_neither_query_nor_credential(world: World) {
        let key = world.customer(&["demo"]).await;
        let guess = world.customer(&[]).await.secret;
        let target = format!("/v1/projects/{}/things?token={guess}", key.project);
        let answer = world.gate(&target).basic(&key.id, &guess).send().await.is(401);
        let denial = world.read(&format!("/v1/denials/{}", answer.header("request-id"))).await;
        assert_eq!(denial["reason"], "unknown_credential");
        assert!(denial.get("accessKeyId").is_none(), "a wrong secret is nobody's: {denial}");
        assert!(!denial.to_string().contains(&guess));
    }

    async fn denials_are_counted_and_never_billed(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        world.call(&key).bearer(&token).send().await.is(200);
        world.key_verb(&key, "disable", &json!({})).await;
        for _ in 0..3 {
            world.call(&key).bearer(&token).send().await.is(401);
        }
        let usage = world.usage(&key.account, "key").await;
        assert_eq!((&usage["totalCalls"], &usage["totalDenied"]), (&json!(1), &json!(3)));
        assert_eq!((&usage["usage"][0]["calls"], &usage["usage"][0]["denied"]), (&json!(1), &json!(3)));
    }

    async fn a_thousand_denials_are_kept_per_account(world: World) {
        let key = world.customer(&["sms"]).await;
        let quiet = world.customer(&["sms"]).await;
        let deny = async |key: &crate::world::Key, token: &str| {
            let answer = world.call(key).bearer(token).send().await.is(403);
            answer.header("request-id").to_owned()
        };
        let untouched = deny(&quiet, &world.token(&quiet).await).await;
        let mut requests = Vec::new();
        for round in 0..11 {
            let token = world.token(&key).await;
            for _ in 0..if round == 10 { 3 } else { 100 } {
                world.pass(1);
                requests.push(deny(&key, &token).await);
            }
            world.usage(&key.account, "key").await;
        }
        assert_eq!(requests.len(), 1_003);
        let status = async |request: &str| world.ask("GET", &format!("/v1/denials/{request}")).operator().send().await.status;
        for (at, expected) in [(0, 404), (2, 404), (3, 200), (1_002, 200)] {
            assert_eq!(status(&requests[at]).await, expected, "denial {at}");
        }
        assert_eq!(status(&untouched).await, 200, "another account's denials stay");
        assert_eq!(world.usage(&key.account, "key").await["totalDenied"], 1_003, "all of them were counted");
    }

    async fn a_denial_that_cannot_be_remembered_is_counted_and_stops_no_call(world: World) {
        let key = world.customer(&["sms"]).await;
        let token = world.token(&key).await;
        let sms = format!("/xms/v1/{}/batches", key.project);
        world.execute("ALTER TABLE denials RENAME TO elsewhere").await;
        world.call(&key).bearer(&token).send().await.is(403);
        world.gate(&sms).bearer(&token).send().await.is(200);
        world.ask("GET", "/readyz").send().await.is(200);
        world.execute("ALTER TABLE elsewhere RENAME TO denials").await;
        let later = world.call(&key).bearer(&token).send().await.is(403).header("request-id").to_owned();
        assert_eq!(world.read(&format!("/v1/denials/{later}")).await["reason"], "wrong_scope");
        let usage = world.usage(&key.account, "key").await;
        assert_eq!((&usage["totalCalls"], &usage["totalDenied"]), (&json!(1), &json!(2)));
    }
}
