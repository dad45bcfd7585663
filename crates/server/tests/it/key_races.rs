//! Many at once: limits, names and states hold, and a change and its audit event appear together.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ask::{Answer, Ask};
use crate::world::{World, id};

/// Sends all requests at once.
async fn at_once(asks: impl IntoIterator<Item = Ask>) -> Vec<Answer> {
    let running: JoinSet<Answer> = asks.into_iter().map(Ask::send).collect();
    running.join_all().await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// Those that were refused with this status, some at least, or because the store had no time for all: a slow machine has not.
fn refused(answers: &[Answer], status: u16) -> usize {
    assert_ne!(count(answers, status), 0, "no {status}");
    count(answers, status) + count(answers, 503)
}

async fn keys(world: &World, project: &str) -> Vec<Value> {
    let page = world.read(&format!("/v1/projects/{project}/accessKeys?pageSize=1000")).await;
    page["accessKeys"].as_array().expect("a list").clone()
}

async fn audited(world: &World, account: &str, action: &str) -> Vec<Value> {
    let page = world.read(&format!("/v1/accounts/{account}/auditEvents?pageSize=1000")).await;
    let events = page["auditEvents"].as_array().expect("a list");
    events.iter().filter(|event| event["action"] == action).cloned().collect()
}

on_both_engines! {
    async fn two_hundred_creates_at_once_leave_ten_keys(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let path = format!("/v1/projects/{project}/accessKeys");
        let create = |at| world.ask("POST", &path).operator().json(&json!({ "displayName": format!("key {at}") }));
        let answers = at_once((0..200).map(create)).await;
        assert_eq!((count(&answers, 200), refused(&answers, 400)), (10, 190));
        assert_eq!(keys(&world, &project).await.len(), 10);
        assert_eq!(world.read(&format!("/v1/projects/{project}")).await["accessKeys"], 10);
        assert_eq!(audited(&world, &account, "accessKey.create").await.len(), 10);
    }

    async fn two_hundred_creates_of_one_name_leave_one_key(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let path = format!("/v1/projects/{project}/accessKeys");
        let create = |_| world.ask("POST", &path).operator().json(&json!({ "displayName": "the one" }));
        let answers = at_once((0..200).map(create)).await;
        assert_eq!((count(&answers, 200), refused(&answers, 409)), (1, 199));
        let made = keys(&world, &project).await;
        assert_eq!(made.len(), 1);
        for answer in answers.iter().filter(|answer| answer.status == 409) {
            let error = answer.google(409, "ALREADY_EXISTS");
            assert_eq!(error["details"][0]["resourceName"], made[0]["accessKeyId"]);
        }
        assert_eq!(world.read(&format!("/v1/projects/{project}")).await["accessKeys"], 1);
    }

    async fn creates_and_deletes_at_once_leave_the_count_right(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let mut asks = Vec::new();
        for at in 0..5 {
            let key = world.new_key(&project, &json!({ "displayName": format!("old {at}") })).await;
            asks.extend((0..3).map(|_| world.ask("DELETE", &key.path()).operator()));
        }
        let path = format!("/v1/projects/{project}/accessKeys");
        asks.extend((0..30).map(|at| world.ask("POST", &path).operator().json(&json!({ "displayName": format!("new {at}") }))));
        let answers = at_once(asks).await;
        assert_eq!(count(&answers[..15], 200) + count(&answers[15..], 200), count(&answers, 200));
        let left = keys(&world, &project).await.len();
        assert!((5..=10).contains(&left), "{left}");
        assert_eq!(world.read(&format!("/v1/projects/{project}")).await["accessKeys"], left);
        assert_eq!(audited(&world, &account, "accessKey.delete").await.len(), 5);
    }

    async fn a_create_and_a_rename_to_one_name_leave_one_of_it(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let key = world.new_key(&project, &json!({ "displayName": "zero" })).await;
        let path = format!("/v1/projects/{project}/accessKeys");
        for round in 0..9 {
            let body = json!({ "displayName": format!("round {round}") });
            let create = world.ask("POST", &path).operator().json(&body);
            let rename = world.ask("PATCH", &key.path()).operator().json(&body);
            let answers = at_once([create, rename]).await;
            assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 1), "{answers:?}");
        }
    }

    async fn a_rename_at_the_same_time_does_not_undo_a_disable(world: World) {
        let key = world.customer(&["demo"]).await;
        for round in 0..10 {
            let rename = |at| {
                let body = json!({ "displayName": format!("{round} {at}") });
                world.ask("PATCH", &key.path()).operator().json(&body)
            };
            let disable = world.ask("POST", &format!("{}/disable", key.path())).operator();
            let asks = (0..3).map(rename).chain([disable]).chain((3..6).map(rename));
            assert_eq!(count(&at_once(asks).await, 200), 7);
            assert_eq!(world.read(&key.path()).await["disabled"], true);
            world.ask_token(&key, "").await.oauth(401, "invalid_client");
            world.key_verb(&key, "enable", &json!({})).await;
        }
    }

    async fn a_rename_at_the_same_time_does_not_undo_a_suspension(world: World) {
        let account = world.new_account().await;
        let path = format!("/v1/accounts/{account}");
        for round in 0..10 {
            let rename = |at| world.ask("PATCH", &path).operator().json(&json!({ "displayName": format!("{round} {at}") }));
            let suspend = world.ask("POST", &format!("{path}/suspend")).operator();
            let asks = (0..3).map(rename).chain([suspend]).chain((3..6).map(rename));
            assert_eq!(count(&at_once(asks).await, 200), 7);
            assert_eq!(world.read(&path).await["suspended"], true);
            world.make(&format!("{path}/resume"), &json!({})).await;
        }
    }

    async fn rotations_at_once_leave_two_secrets_at_most(world: World) {
        let key = world.customer(&[]).await;
        let rotate = |_| world.ask("POST", &format!("{}/rotateSecret", key.path())).operator();
        let answers = at_once((0..20).map(rotate)).await;
        assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 19));
        assert_eq!(world.read(&key.path()).await["secrets"].as_array().map(Vec::len), Some(2));
    }

    async fn a_key_and_its_audit_event_appear_together(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let create = || world.ask("POST", &path).basic(&key.id, &key.secret).json(&json!({ "displayName": "audited" }));

        world.execute("ALTER TABLE audit_events RENAME TO elsewhere").await;
        let refused = create().send().await;
        refused.google(503, "UNAVAILABLE");
        assert_eq!(refused.header("retry-after"), "2");
        for (method, path) in [("DELETE", key.path()), ("POST", format!("{}/disable", key.path())), ("POST", format!("{}/rotateSecret", key.path()))] {
            world.ask(method, &path).operator().send().await.google(503, "UNAVAILABLE");
        }
        world.execute("ALTER TABLE elsewhere RENAME TO audit_events").await;
        let left = keys(&world, &key.project).await;
        assert_eq!(left.len(), 1, "neither key nor event");
        assert_eq!((&left[0]["status"], left[0]["secrets"].as_array().map(Vec::len)), (&json!("ACTIVE"), Some(1)));
        assert_eq!(audited(&world, &key.account, "accessKey.create").await.len(), 1);
        assert_eq!(world.read(&format!("/v1/projects/{}", key.project)).await["accessKeys"], 1);

        world.pass(1);
        let made = create().send().await.is(200).json();
        let events = audited(&world, &key.account, "accessKey.create").await;
        assert_eq!(events.len(), 2);
        assert_eq!(events[0]["target"], made["accessKey"]["accessKeyId"]);
        assert_eq!(events[0]["actor"], format!("key:{}", key.id));
        assert_eq!(events[0]["projectId"], key.project);
        assert_eq!(events[0]["details"]["displayName"], "audited");
        assert!(!events[0].to_string().contains(&id(&made, "secret")));
    }
}
