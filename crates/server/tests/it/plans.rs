//! SMS: service plans with their API tokens, at the management API and at the gate.

use serde_json::json;
use tokio::task::JoinSet;

use crate::ask::{Answer, Ask};
use crate::world::{Plan, World, id};

impl World {
    /// A call of SMS with a plan in the path and some token.
    async fn sms(&self, plan: &Plan, token: &str) -> Answer {
        self.gate(&plan.batches()).bearer(token).send().await
    }

    async fn new_token(&self, plan: &Plan, body: &serde_json::Value) -> (String, String) {
        let made = self.make(&format!("{}/apiTokens", plan.path), body).await;
        (id(&made["apiToken"], "apiTokenId"), id(&made, "secret"))
    }
}

async fn at_once(asks: impl Iterator<Item = Ask>) -> Vec<u16> {
    let running: JoinSet<Answer> = asks.map(Ask::send).collect();
    running.join_all().await.iter().map(|answer| answer.status).collect()
}

on_both_engines! {
    async fn an_api_token_opens_the_paths_of_its_plan_and_is_counted_on_it(world: World) {
        let key = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        assert!(plan.id.len() == 32 && plan.id.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
        assert!(plan.token.starts_with("tgt_"));
        let answer = world.sms(&plan, &plan.token).await.is(200);
        let told = ["account", "project", "credential", "credential-kind", "scope"]
            .map(|name| answer.header(&format!("tollgate-{name}")).to_owned());
        assert_eq!(told, [&*key.account, &*key.project, &*plan.id, "api-token", ""]);

        let token = world.token(&key).await;
        let same = world.gate(&format!("/xms/v1/{}/batches", key.project)).bearer(&token).send().await.is(200);
        assert_eq!(same.header("tollgate-credential"), key.id);

        let usage = world.usage(&key.account, "key").await;
        let rows = usage["usage"].as_array().expect("rows");
        assert_eq!(rows.len(), 2);
        let row = rows.iter().find(|row| row["servicePlanId"] == *plan.id).expect("the plan's row");
        assert_eq!((&row["calls"], &row["displayName"], row.get("accessKeyId")), (&json!(1), &json!("main"), None));
        let listed = world.read(&format!("{}/apiTokens", plan.path)).await;
        assert_eq!(listed["apiTokens"][0]["lastUseTime"], world.now().to_string());
        assert!(!listed.to_string().contains(&plan.token));
        assert_eq!(listed["apiTokens"][0]["hint"], format!("{}…", &plan.token[..8]));
    }

    async fn a_revoked_api_token_is_refused_at_the_next_call(world: World) {
        let key = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        world.sms(&plan, &plan.token).await.is(200);
        let (second_id, second) = world.new_token(&plan, &json!({})).await;
        world.sms(&plan, &second).await.is(200);
        world.ask("DELETE", &format!("{}/apiTokens/{}", plan.path, plan.token_id)).operator().send().await.is(200);
        let refused = world.sms(&plan, &plan.token).await.is(401);
        assert!(!refused.challenge().contains("expired") && !refused.text.contains("expired"));
        world.sms(&plan, &second).await.is(200);
        let again = world.ask("DELETE", &format!("{}/apiTokens/{}", plan.path, plan.token_id)).operator().send().await;
        again.google(404, "NOT_FOUND");
        world.ask("DELETE", &format!("{}/apiTokens/{second_id}", plan.path)).operator().send().await.is(200);
        world.sms(&plan, &second).await.is(401);
        assert_eq!(world.read(&plan.path).await["apiTokens"], json!([]), "a plan without tokens stays");
        let (_, third) = world.new_token(&plan, &json!({})).await;
        world.sms(&plan, &third).await.is(200);
        world.ask("DELETE", &plan.path).operator().send().await.is(200);
        world.sms(&plan, &third).await.is(401);
        world.ask("GET", &plan.path).operator().send().await.is(404);
    }

    async fn a_rotation_lets_the_old_token_live_for_the_overlap(world: World) {
        let key = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        let (_, second) = world.new_token(&plan, &json!({ "overlapSeconds": 3_600 })).await;
        let third = world.ask("POST", &format!("{}/apiTokens", plan.path)).operator().send().await;
        let error = third.google(400, "FAILED_PRECONDITION");
        assert_eq!(error["message"], "Two API tokens are live already; revoke one first");
        world.pass(3_599);
        world.sms(&plan, &plan.token).await.is(200);
        world.pass(1);
        world.sms(&plan, &plan.token).await.is(401);
        let (_, third) = world.new_token(&plan, &json!({ "overlapSeconds": 0 })).await;
        world.sms(&plan, &second).await.is(401);
        world.sms(&plan, &third).await.is(200);
        for seconds in [-1, 2_592_001] {
            let ask = world.ask("POST", &format!("{}/apiTokens", plan.path)).operator();
            ask.json(&json!({ "overlapSeconds": seconds })).send().await.google(400, "INVALID_ARGUMENT");
        }
    }

    async fn many_at_once_make_two_tokens_and_one_plan_of_a_name(world: World) {
        let key = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        let path = format!("{}/apiTokens", plan.path);
        let answers = at_once((0..20).map(|_| world.ask("POST", &path).operator())).await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(world.read(&path).await["apiTokens"].as_array().expect("tokens").len(), 2);
        world.pass(1);
        let path = format!("/v1/projects/{}/servicePlans", key.project);
        let create = |_| world.ask("POST", &path).operator().json(&json!({ "displayName": "second" }));
        let answers = at_once((0..20).map(create)).await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(answers.iter().filter(|status| **status == 409).count(), 19);
        let listed = world.read(&path).await;
        assert_eq!(listed["servicePlans"].as_array().expect("plans").len(), 2);
        let taken = create(0).send().await;
        let details = &taken.google(409, "ALREADY_EXISTS")["details"][0];
        assert_eq!(details["resourceType"], "servicePlan");
        assert_eq!(details["resourceName"], listed["servicePlans"][1]["servicePlanId"]);
    }

    async fn wrong_pairs_are_told_what_came_and_what_is_wanted(world: World) {
        let key = world.customer(&["sms", "demo"]).await;
        let stranger = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        let other = world.new_plan(&stranger.project, "other").await;
        let token = world.token(&key).await;
        let no_plan = "0".repeat(32);
        for (path, token, status, words) in [
            (format!("/xms/v1/{}/batches", key.project), &plan.token, 401, "the path names a Project ID"),
            ("/xms/v1/nonsense/batches".to_owned(), &plan.token, 401, "the path names no SERVICE PLAN ID"),
            (plan.batches(), &token, 403, "put Project ID"),
            (plan.batches(), &other.token, 401, "The credential is not known: an API token of a service plan came"),
            (format!("/xms/v1/{no_plan}/batches"), &plan.token, 401, "not known: an API token of a service plan came"),
            (plan.batches(), &format!("{}x", plan.token), 401, "not known: an API token of a service plan came"),
            (format!("/xms/v1/{}/batches", plan.id.to_uppercase()), &plan.token, 401, "no SERVICE PLAN ID"),
            (plan.batches(), &key.secret, 401, "wants an API token of a service plan, or an access token"),
        ] {
            let answer = world.gate(&path).bearer(token).send().await.is(status);
            let text = answer.json()["text"].as_str().expect("the shape of SMS").to_owned();
            assert!(text.contains(words), "{path}: {text}");
            assert!(!answer.text.contains("expired") && !answer.text.contains(token.as_str()), "{text}");
        }
        let elsewhere = format!("/v1/projects/{}/things", key.project);
        let answer = world.gate(&elsewhere).bearer(&plan.token).send().await;
        let error = answer.google(401, "UNAUTHENTICATED");
        let words = "This route wants an access token, or KEY ID and KEY SECRET by Basic; an API token of a service plan came";
        assert_eq!(error["message"], words);
        let mixed_up = world.gate(&format!("/v1/projects/{}/things", plan.id)).bearer(&token).send().await;
        let error = mixed_up.google(403, "PERMISSION_DENIED");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("names the SERVICE PLAN ID") && !message.contains("or send"), "{message}");
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 0);
        assert_eq!(world.usage(&stranger.account, "key").await["totalCalls"], 0);
    }

    async fn archived_projects_and_suspended_accounts_stop_their_plans(world: World) {
        let key = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        world.sms(&plan, &plan.token).await.is(200);
        let account = format!("/v1/accounts/{}", key.account);
        world.ask("POST", &format!("{account}/suspend")).operator().send().await.is(200);
        let stopped = world.sms(&plan, &plan.token).await.is(401);
        assert!(stopped.text.contains("the account is suspended"), "{}", stopped.text);
        world.ask("POST", &format!("{account}/resume")).operator().send().await.is(200);
        world.sms(&plan, &plan.token).await.is(200);
        let denials = world.usage(&key.account, "key").await;
        assert_eq!((&denials["totalCalls"], &denials["totalDenied"]), (&json!(2), &json!(1)));
        let denial = world.read(&format!("/v1/denials/{}", stopped.header("request-id"))).await;
        assert_eq!((&denial["servicePlanId"], denial.get("accessKeyId")), (&json!(plan.id), None));
        world.ask("POST", &format!("/v1/projects/{}/archive", key.project)).operator().send().await.is(200);
        world.sms(&plan, &plan.token).await.is(401);
        let path = format!("/v1/projects/{}/servicePlans", key.project);
        let late = world.ask("POST", &path).operator().json(&json!({ "displayName": "late" })).send().await;
        late.google(400, "FAILED_PRECONDITION");
    }

    async fn guesses_at_a_plan_are_limited_and_never_use_up_the_honest_budget(world: World) {
        let key = world.customer(&["sms"]).await;
        let (plan, other) = (world.new_plan(&key.project, "main").await, world.new_plan(&key.project, "other").await);
        let mut statuses = Vec::new();
        for _ in 0..25 {
            statuses.push(world.sms(&plan, &other.token).await.status);
        }
        assert_eq!((statuses[0], statuses[24]), (401, 429));
        world.sms(&plan, &plan.token).await.is(200);
        world.sms(&other, &other.token).await.is(200);
    }

    async fn plans_come_in_pages_and_have_names(world: World) {
        let key = world.customer(&["sms"]).await;
        let path = format!("/v1/projects/{}/servicePlans", key.project);
        assert_eq!(world.read(&path).await, json!({ "servicePlans": [], "nextPageToken": "" }));
        let mut plans = Vec::new();
        for number in 0..3 {
            world.pass(1);
            plans.push(world.new_plan(&key.project, &format!("plan {number}")).await);
        }
        let first = world.read(&format!("{path}?pageSize=2")).await;
        assert_eq!(first["servicePlans"][1]["servicePlanId"], *plans[1].id);
        let token = first["nextPageToken"].as_str().expect("a token");
        let rest = world.read(&format!("{path}?pageSize=2&pageToken={token}")).await;
        assert_eq!(rest["servicePlans"][0]["displayName"], "plan 2");
        let rename = |name: &str| world.ask("PATCH", &plans[0].path).operator().json(&json!({ "displayName": name }));
        assert_eq!(rename("first").send().await.is(200).json()["displayName"], "first");
        rename("plan 1").send().await.google(409, "ALREADY_EXISTS");
        rename("").send().await.google(400, "INVALID_ARGUMENT");
        world.ask("GET", &format!("{path}/nonsense")).operator().send().await.google(400, "INVALID_ARGUMENT");
        let others = world.customer(&[]).await;
        let elsewhere = format!("/v1/projects/{}/servicePlans/{}", others.project, plans[0].id);
        world.ask("GET", &elsewhere).operator().send().await.google(404, "NOT_FOUND");
        world.ask("DELETE", &elsewhere).operator().send().await.google(404, "NOT_FOUND");
        let events = world.read(&format!("/v1/accounts/{}/auditEvents", key.account)).await.to_string();
        assert!(events.contains("servicePlan.create") && events.contains("servicePlan.update"), "{events}");
        assert!(plans.iter().all(|plan| !events.contains(&plan.token)));
    }
}
