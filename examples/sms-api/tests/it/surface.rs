//! What clients of the SMS and the numbers surface see.

use http::StatusCode;
use serde_json::{Value, json};

use crate::tollgate::{World, request};

const KEY: &str = "acc/pro/key/access-token";
const PLAN: &str = "acc/pro/plan/api-token";
const BATCHES: &str = "/xms/v1/pro/batches";

fn hello() -> Value {
    json!({ "from": "12025550100", "to": ["+12025550134"], "body": "Hello", "type": "mt_text" })
}

#[tokio::test]
async fn a_batch_is_sent_read_listed_canceled_and_delivered() {
    let world = World::open().await;
    let sent = world.post(KEY, BATCHES, &hello()).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{sent:?}");
    assert_eq!(sent.headers["request-id"], "r-1");
    let batch = sent.json();
    let id = batch["id"].as_str().expect("an id");
    assert_eq!(id.len(), 26);
    assert_eq!((&batch["canceled"], &batch["to"]), (&json!(false), &json!(["12025550134"])));

    let one = format!("{BATCHES}/{id}");
    assert_eq!(world.get(KEY, &one).await.json(), batch);
    let list = world.get(KEY, BATCHES).await.json();
    assert_eq!(list, json!({ "count": 1, "page": 0, "page_size": 1, "batches": [batch] }));
    world.clock.advance_seconds(2);
    let report = world.get(KEY, &format!("{one}/delivery_report?type=summary")).await.json();
    assert_eq!(report["statuses"][0]["status"], "Delivered");
    let canceled = world.send(request("DELETE", KEY, &one, "")).await;
    assert_eq!((canceled.status, &canceled.json()["canceled"]), (StatusCode::OK, &json!(true)));
    assert_eq!(world.get(KEY, &one).await.json()["canceled"], true);
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let world = World::open().await;
    for reference in ["one", "two", "two"] {
        let mut sent = hello();
        sent["client_reference"] = json!(reference);
        assert_eq!(world.post(KEY, BATCHES, &sent).await.status, StatusCode::CREATED);
    }
    let shape = |list: Value| {
        let shown = list["batches"].as_array().expect("a list").len();
        (list["count"].clone(), list["page"].clone(), list["page_size"].clone(), shown)
    };
    let get = async |query: &str| shape(world.get(KEY, &format!("{BATCHES}?{query}")).await.json());
    assert_eq!(get("page_size=2").await, (json!(3), json!(0), json!(2), 2));
    assert_eq!(get("page=1&page_size=2").await, (json!(3), json!(1), json!(1), 1));
    assert_eq!(get("page=99999999999999&page_size=100").await.3, 0);
    assert_eq!(get("client_reference=two").await.3, 2);
    assert_eq!(get("from=%2B12025550100,x").await.3, 3);
    assert_eq!(get("from=x").await.3, 0);
    assert_eq!(get("start_date=2999-01-01T00:00:00Z").await.3, 0);
    assert_eq!(get("end_date=2999-01-01T00:00:00Z").await.3, 3);
    for (query, code) in [
        ("page=-1", "syntax_invalid_parameter_format"),
        ("start_date=today", "syntax_invalid_parameter_format"),
        ("page_size=0", "syntax_constraint_violation"),
        ("page_size=101", "syntax_constraint_violation"),
    ] {
        assert_eq!(world.get(KEY, &format!("{BATCHES}?{query}")).await.xms(), (400, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_batch_is_nothing_to_other_accounts_projects_and_plans() {
    let world = World::open().await;
    let id = world.post(KEY, BATCHES, &hello()).await.json()["id"].as_str().expect("an id").to_owned();
    for other in ["else/pro/key/access-token", "acc/sub/key/access-token", PLAN] {
        for (method, path) in [("GET", ""), ("DELETE", ""), ("GET", "/delivery_report")] {
            let answer = world.send(request(method, other, &format!("{BATCHES}/{id}{path}"), "")).await;
            assert_eq!(answer.xms(), (404, "not_found".to_owned()), "{other}");
        }
        assert_eq!(world.get(other, BATCHES).await.json()["count"], 0);
    }
    // Another key of the same project sees it.
    assert_eq!(world.get("acc/pro/key2/access-key", &format!("{BATCHES}/{id}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_take_and_takes_nothing() {
    let world = World::open().await;
    let mut sent = hello();
    sent["body"] = json!("Zażółć".repeat(20));
    sent["to"] = json!(["+12025550134", "+12025550135"]);
    let path = format!("{BATCHES}/dry_run?per_recipient=true&number_of_recipients=1");
    let answer = world.post(KEY, &path, &sent).await.json();
    assert_eq!((&answer["number_of_recipients"], &answer["number_of_messages"]), (&json!(2), &json!(4)));
    let shown = answer["per_recipient"].as_array().expect("a list");
    assert_eq!(shown.len(), 1);
    for (word, shown) in [("True", true), ("false", false)] {
        let answer = world.post(KEY, &format!("{BATCHES}/dry_run?per_recipient={word}"), &sent).await.json();
        assert_eq!(answer.get("per_recipient").is_some(), shown, "{word}");
    }
    let wrong = world.post(KEY, &format!("{BATCHES}/dry_run?per_recipient=5"), &sent).await;
    assert_eq!(wrong.xms(), (400, "syntax_invalid_parameter_format".to_owned()));
    assert_eq!((&shown[0]["encoding"], &shown[0]["number_of_parts"]), (&json!("unicode"), &json!(2)));
    assert_eq!(world.get(KEY, BATCHES).await.json()["count"], 0);
    assert!(world.asked("/v1/usage/events").is_empty());
}

#[tokio::test]
async fn mistakes_are_told_in_the_shape_of_their_surface() {
    let world = World::open().await;
    let post = async |kind: &str, body: String| {
        let mut request = request("POST", KEY, BATCHES, &body);
        request.headers_mut().insert("content-type", kind.parse().expect("a value"));
        world.send(request).await.xms()
    };
    let hello = hello().to_string();
    assert_eq!(post("text/plain", hello.clone()).await, (415, "syntax_constraint_violation".to_owned()));
    assert_eq!(post("application/json", "{".to_owned()).await, (400, "syntax_invalid_json".to_owned()));
    let long = format!("{hello}{}", " ".repeat(70_000));
    assert_eq!(post("application/json", long).await, (400, "syntax_constraint_violation".to_owned()));
    assert_eq!(post("application/json; charset=utf-8", "{}".to_owned()).await.1, "syntax_invalid_parameter_format");
    assert_eq!(world.get(KEY, "/xms/v1/pro/groups").await.xms(), (404, "not_found".to_owned()));
    assert_eq!(world.send(request("PUT", KEY, BATCHES, "")).await.xms(), (405, "method_not_allowed".to_owned()));
    let numbers = world.get(KEY, "/v1/projects/pro/availableNumbers:rentAny").await;
    assert_eq!(numbers.json()["error"]["status"], "NOT_FOUND");
    assert_eq!((&numbers.json()["error"]["code"], numbers.status.as_u16()), (&json!(404), 404));
}

#[tokio::test]
async fn a_project_has_one_number_for_those_who_ask_for_its_kind() {
    let world = World::open().await;
    let path = "/v1/projects/pro/activeNumbers";
    let found = world.get(KEY, &format!("{path}?regionCode=US&type=LOCAL")).await.json();
    assert_eq!((&found["totalSize"], &found["nextPageToken"]), (&json!(1), &json!("")));
    assert_eq!(found["activeNumbers"][0]["projectId"], "pro");
    let none = world.get(KEY, &format!("{path}?regionCode=SE&type=LOCAL")).await.json();
    assert_eq!(none, json!({ "activeNumbers": [], "nextPageToken": "", "totalSize": 0 }));
}
