//! Units: reported by the API behind, counted once under (source, id), on the account that the call was counted on.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ask::{Answer, Ask};
use crate::world::{Key, Plan, World};

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";
const DAY: i64 = 86_400;

/// An event about a call of this key on SMS.
fn event(key: &Key, id: &str, quantity: i64) -> Value {
    about((&key.account, &key.project, &key.id), id, quantity)
}

fn about((account, project, credential): (&str, &str, &str), id: &str, quantity: i64) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/sms", "type": "tollgate.units",
        "data": { "account": account, "project": project, "credential": credential, "product": "sms", "quantity": quantity },
    })
}

impl World {
    fn report(&self, by: &Key, body: &Value) -> Ask {
        let kind = if body.is_array() { BATCH } else { ONE };
        let ask = self.ask("POST", "/v1/usage/events").basic(&by.id, &by.secret);
        ask.header("content-type", kind).body(body.to_string())
    }

    /// A customer whose key may report and use SMS.
    async fn reporting(&self) -> Key {
        self.customer(&["sms", "usage:report"]).await
    }

    async fn units(&self, account: &str) -> i64 {
        self.usage(account, "key").await["totalUnits"].as_i64().expect("a sum")
    }
}

fn said(answer: &Answer) -> (i64, i64) {
    let answer = answer.json();
    (answer["counted"].as_i64().expect("a number"), answer["duplicates"].as_i64().expect("a number"))
}

/// Refused as a whole, for a reason.
fn refused(answer: &Answer, words: &str) {
    let error = answer.google(400, "INVALID_ARGUMENT");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(words), "{message}");
}

on_both_engines! {
    async fn an_event_counts_once_however_often_it_comes(world: World) {
        let key = world.reporting().await;
        let first = event(&key, "a", 3);
        assert_eq!(said(&world.report(&key, &first).send().await.is(200)), (1, 0));
        assert_eq!(said(&world.report(&key, &first).send().await.is(200)), (0, 1));
        // Another quantity under the same id is the same event.
        assert_eq!(said(&world.report(&key, &event(&key, "a", 50)).send().await.is(200)), (0, 1));
        let batch = json!([event(&key, "a", 3), event(&key, "b", 4), event(&key, "b", 4), event(&key, "c", 5)]);
        assert_eq!(said(&world.report(&key, &batch).send().await.is(200)), (2, 2));
        let mut elsewhere = event(&key, "a", 100);
        elsewhere["source"] = "/other".into();
        assert_eq!(said(&world.report(&key, &elsewhere).send().await.is(200)), (1, 0));
        assert_eq!(world.units(&key.account).await, 112);
        let world = world.reopen(|_| {}).await;
        assert_eq!(said(&world.report(&key, &first).send().await.is(200)), (0, 1));
        assert_eq!(world.usage(&key.account, "key").await["totalCalls"], 0, "units are no calls");
    }

    async fn an_event_of_the_next_hour_is_in_no_sum_that_ends_with_this_one(world: World) {
        let key = world.reporting().await;
        let next_hour = world.now().hour().plus_seconds(3_600);
        world.pass((next_hour.0 - world.now().0) / 1_000_000 - 60);
        let mut ahead = event(&key, "ahead", 7);
        ahead["time"] = next_hour.plus_seconds(60).to_string().into();
        assert_eq!(said(&world.report(&key, &json!([event(&key, "now", 5), ahead])).send().await.is(200)), (2, 0));
        for group in ["project", "key", "product", "day", "hour"] {
            assert_eq!(world.usage(&key.account, group).await["totalUnits"], 5, "{group}");
        }
        world.pass(120);
        assert_eq!(world.units(&key.account).await, 12);
    }

    async fn many_at_once_and_calls_beside_them_lose_nothing(world: World) {
        let key = world.reporting().await;
        let token = world.token(&key).await;
        let call = || world.gate(&format!("/xms/v1/{}/batches", key.project)).bearer(&token);
        let mut running = JoinSet::new();
        for _ in 0..8 {
            let batch: Vec<Value> = (0..50).map(|id| event(&key, &format!("id {id}"), 2)).collect();
            running.spawn(world.report(&key, &json!(batch)).send());
            for _ in 0..20 {
                running.spawn(call().send());
            }
        }
        let answers = running.join_all().await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        let usage = world.usage(&key.account, "key").await;
        assert_eq!((&usage["totalUnits"], &usage["totalCalls"]), (&json!(100), &json!(160)));
    }

    async fn units_stand_on_their_credential_project_product_hour_day_and_month(world: World) {
        let key = world.reporting().await;
        let below = world.new_subproject(&key.project).await;
        let plan: Plan = world.new_plan(&key.project, "plan").await;
        world.gate(&plan.batches()).bearer(&plan.token).send().await.is(200);
        let now = world.now();
        let mut earlier = event(&key, "a", 10);
        earlier["time"] = now.plus_seconds(-30 * DAY).to_string().into();
        let batch = json!([
            earlier,
            about((&key.account, &key.project, &plan.id), "b", 20),
            about((&key.account, &below, &plan.id), "c", 40),
        ]);
        assert_eq!(said(&world.report(&key, &batch).send().await.is(200)), (3, 0));
        let from = now.plus_seconds(-40 * DAY);
        let ask = async |group: &str, from: tollgate_core::Timestamp| {
            let path = format!("/v1/accounts/{}/usage?groupBy={group}&from={from}", key.account);
            world.read(&path).await
        };
        for group in ["key", "project", "product", "day", "hour"] {
            assert_eq!(ask(group, from).await["totalUnits"], 70, "{group}");
            assert_eq!(ask(group, from.day()).await["totalUnits"], 70, "{group}, by whole days");
            assert_eq!(ask(group, now.hour()).await["totalUnits"], 60, "{group}");
        }
        let rows = ask("key", from).await;
        let row = |id: &str| {
            let rows = rows["usage"].as_array().expect("rows");
            rows.iter().find(|row| row["servicePlanId"] == id || row["accessKeyId"] == id).expect("a row")["units"].clone()
        };
        assert_eq!((row(&plan.id), row(&key.id)), (json!(60), json!(10)));
        let by_day = "SELECT CAST(SUM(units) AS BIGINT) || ' ' || COUNT(*) FROM usage_daily";
        let by_month = "SELECT CAST(SUM(units) AS BIGINT) || ' ' || COUNT(*) FROM usage_monthly";
        assert_eq!((world.texts(by_day).await, world.texts(by_month).await), (vec!["70 3".to_owned()], vec!["70 3".to_owned()]));
        let owner = world.member(&key.account, "owner").await;
        let statement = owner.page(&format!("/accounts/{}/usage/statement", key.account)).await.is(200);
        statement.says(&["20 message parts", "40 message parts"]);
        let page = owner.page(&format!("/accounts/{}/usage?group=key&period=7d", key.account)).await.is(200);
        page.says(&["Message parts", ">60<"]);
        let csv = owner.page(&format!("/accounts/{}/usage.csv?group=product&period=7d", key.account)).await.is(200);
        csv.says(&["product,calls,denied,units", "sms,1,0,60"]);
    }

    async fn a_key_bills_its_own_account_and_no_other(world: World) {
        let key = world.reporting().await;
        let other = world.reporting().await;
        let beside = world.new_project(&key.account).await;
        let plan = world.new_plan(&beside, "beside").await;
        let nothing = "01a20000-0000-7000-8000-000000000000";
        let words = "account, project and credential must be those of one call";
        for whose in [
            (&*other.account, &*other.project, &*other.id),
            (&key.account, &other.project, &other.id),
            (&other.account, &key.project, &key.id),
            (&key.account, &key.project, &other.id),
            (&key.account, &key.project, &plan.id),
            (&key.account, &beside, &key.id),
            (&key.account, nothing, &key.id),
            (&key.account, &key.project, nothing),
            (nothing, &key.project, &key.id),
        ] {
            let batch = json!([event(&key, "good", 1), about(whose, "bad", 1)]);
            refused(&world.report(&key, &batch).send().await, &format!("event 1: {words}"));
        }
        let (mine, theirs) = (world.units(&key.account).await, world.units(&other.account).await);
        assert_eq!((mine, theirs), (0, 0), "all or nothing");
        assert_eq!(said(&world.report(&key, &event(&key, "good", 1)).send().await.is(200)), (1, 0), "its id was not used up");
        // What one account has reported says nothing to another.
        assert_eq!(said(&world.report(&other, &event(&other, "good", 1)).send().await.is(200)), (1, 0));

        let platform = world.customer(&[]).await;
        let without = world.report(&platform, &event(&key, "x", 1)).send().await.is(403);
        assert!(without.challenge().contains("insufficient_scope"), "{}", without.challenge());
        let id = platform.id.clone();
        let world = world.reopen(|config| config.metering.all_accounts.push(id)).await;
        let batch = json!([event(&key, "x", 7), event(&other, "y", 8)]);
        assert_eq!(said(&world.report(&platform, &batch).send().await.is(200)), (2, 0));
        assert_eq!((world.units(&key.account).await, world.units(&other.account).await), (8, 9));
    }

    async fn an_id_is_remembered_for_35_days_and_old_events_are_refused(world: World) {
        let key = world.reporting().await;
        let at = world.now();
        let mut dated = event(&key, "a", 1);
        dated["time"] = at.to_string().into();
        assert_eq!(said(&world.report(&key, &dated).send().await.is(200)), (1, 0));
        world.pass(34 * DAY);
        // What is over is forgotten at a start, too.
        let world = world.reopen(|_| {}).await;
        assert_eq!(said(&world.report(&key, &dated).send().await.is(200)), (0, 1));
        world.pass(1);
        refused(&world.report(&key, &dated).send().await, "event 0: time must be within the last 34 days");
        world.pass(DAY);
        // What is over is forgotten at a start, too.
        let world = world.reopen(|_| {}).await;
        assert!(world.texts("SELECT id FROM usage_events").await.is_empty());
        refused(&world.report(&key, &dated).send().await, "within the last 34 days");
        let mut ahead = event(&key, "b", 1);
        ahead["time"] = world.now().plus_seconds(301).to_string().into();
        refused(&world.report(&key, &ahead).send().await, "within the last 34 days");
        assert_eq!(world.texts("SELECT CAST(SUM(units) AS TEXT) FROM usage_daily").await, ["1"]);
    }

    async fn an_id_is_kept_with_its_count_or_not_at_all(world: World) {
        let key = world.reporting().await;
        // The table that is written last is away.
        world.execute("ALTER TABLE usage_hourly RENAME TO away").await;
        let batch = json!([event(&key, "a", 3), event(&key, "b", 4)]);
        world.report(&key, &batch).send().await.google(503, "UNAVAILABLE");
        assert!(world.texts("SELECT id FROM usage_events").await.is_empty());
        assert!(world.texts("SELECT credential_id FROM usage_daily WHERE units > 0").await.is_empty());
        world.execute("ALTER TABLE away RENAME TO usage_hourly").await;
        assert_eq!(said(&world.report(&key, &batch).send().await.is(200)), (2, 0));
        assert_eq!(world.units(&key.account).await, 7);
    }

    async fn a_deleted_key_s_late_events_still_count(world: World) {
        let key = world.reporting().await;
        let gone = world.new_key(&key.project, &json!({ "displayName": "gone" })).await;
        let plan = world.new_plan(&key.project, "gone").await;
        world.ask("DELETE", &gone.path()).operator().send().await.is(200);
        world.ask("DELETE", &plan.path).operator().send().await.is(200);
        let batch = json!([about((&key.account, &key.project, &gone.id), "a", 1), about((&key.account, &key.project, &plan.id), "b", 2)]);
        assert_eq!(said(&world.report(&key, &batch).send().await.is(200)), (2, 0));
        assert_eq!(world.units(&key.account).await, 3);
    }
}

#[tokio::test]
async fn what_is_no_event_is_refused_with_its_place() {
    let world = World::on_sqlite().await;
    let key = world.reporting().await;
    let with = |field: &str, value: Value| {
        let mut event = event(&key, "a", 1);
        event[field] = value;
        event
    };
    let data = |field: &str, value: Value| {
        let mut event = event(&key, "a", 1);
        event["data"][field] = value;
        event
    };
    for (wrong, words) in [
        (with("specversion", "0.3".into()), "specversion must be 1.0"),
        (with("type", "other".into()), "type must be tollgate.units"),
        (with("id", "".into()), "id must be 1 to 255 characters"),
        (with("source", "a\u{0}b".into()), "source must be 1 to 255 characters"),
        (with("id", "x".repeat(256).into()), "id must be 1 to 255 characters"),
        (with("time", "yesterday".into()), "time must be an RFC 3339 instant"),
        (data("quantity", 0.into()), "data.quantity must be 1 to 1000000000"),
        (data("quantity", (-1).into()), "data.quantity must be"),
        (data("quantity", 1_000_000_001_i64.into()), "data.quantity must be"),
        (data("product", "demo".into()), "data.product must be a product that counts units: sms"),
        (data("credential", "nobody".into()), "data.credential is no KEY ID"),
        (data("account", "".into()), "data.account is not a UUID"),
        (data("quantity", 1.5.into()), "has the wrong type or form"),
        (data("qty", 1.into()), "is not a field of this request"),
        (json!({}), "is missing"),
        (json!([]), "must be 1 to 1000"),
        (json!(vec![json!(1); 3]), "has the wrong type or form"),
    ] {
        refused(&world.report(&key, &wrong).send().await, words);
    }
    let ask = || world.ask("POST", "/v1/usage/events").basic(&key.id, &key.secret);
    ask().json(&event(&key, "a", 1)).send().await.is(415);
    ask().header("content-type", ONE).body("not JSON").send().await.google(400, "INVALID_ARGUMENT");
    ask().header("content-type", BATCH).body("x".repeat(70_000)).send().await.is(413);
    let token = world.token(&key).await;
    let by_token = world.ask("POST", "/v1/usage/events").bearer(&token);
    let body = event(&key, "a", 1).to_string();
    by_token.header("content-type", "application/cloudevents+json; charset=utf-8").body(body).send().await.is(200);
    world.ask("POST", "/v1/usage/events").send().await.is(401);
    assert_eq!(world.units(&key.account).await, 1);
}
