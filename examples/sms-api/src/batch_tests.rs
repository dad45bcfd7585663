use super::*;

fn parse(body: &Value) -> Result<Message, Problem> {
    Message::parse(body.to_string().as_bytes())
}

fn message() -> Value {
    json!({ "from": "+12025550100", "to": ["+12025550134", "12025550135"], "body": "Hello", "type": "mt_text" })
}

fn batch(body: &Value, now: Timestamp) -> Batch {
    Batch::new("id".to_owned(), "owner".to_owned(), parse(body).expect("a message"), now).expect("a batch")
}

#[test]
fn numbers_come_back_without_plus_and_fields_as_they_were_sent() {
    let mut sent = message();
    sent["client_reference"] = json!("ours");
    let view = batch(&sent, Timestamp::from_seconds(0)).view();
    assert_eq!(view["to"], json!(["12025550134", "12025550135"]));
    assert_eq!((&view["from"], &view["client_reference"]), (&json!("12025550100"), &json!("ours")));
    assert_eq!((&view["canceled"], &view["type"]), (&json!(false), &json!("mt_text")));
    assert_eq!(view["created_at"], "1970-01-01T00:00:00.000Z");
    assert!(view.get("send_at").is_none());
}

#[test]
fn parts_are_paid_for_every_recipient() {
    let mut sent = message();
    sent["body"] = json!("a".repeat(161));
    assert_eq!(parse(&sent).expect("a message").units(), 4);
}

#[test]
fn each_mistake_has_its_code() {
    let with = |name: &str, value: Value| {
        let mut sent = message();
        sent[name] = value;
        parse(&sent).expect_err("refused").code
    };
    assert_eq!(Message::parse(b"{").expect_err("refused").code, "syntax_invalid_json");
    assert_eq!(Message::parse(b"").expect_err("refused").code, "syntax_invalid_json");
    for wrong in [with("to", json!("+12025550134")), with("to", json!(["+1-202"])), with("body", json!(5))] {
        assert_eq!(wrong, "syntax_invalid_parameter_format");
    }
    let broken = [
        with("to", json!([])),
        with("to", json!(vec!["+12025550134"; 1_001])),
        with("body", json!("")),
        with("body", json!("a".repeat(2_001))),
        with("type", json!("mt_binary")),
        with("from", json!("")),
        with("parameters", json!({ "name": { "default": "you" } })),
        with("max_number_of_message_parts", json!(0)),
    ];
    assert_eq!(broken, ["syntax_constraint_violation"; 8]);
}

#[test]
fn a_batch_may_not_end_before_it_leaves_and_dates_must_be_readable() {
    let mut sent = message();
    sent["send_at"] = json!("2026-11-24T10:00:00Z");
    sent["expire_at"] = json!("2026-11-24T09:00:00Z");
    let make = |sent: &Value| {
        let message = parse(sent).expect("a message");
        Batch::new(String::new(), String::new(), message, Timestamp::default()).expect_err("refused").code
    };
    assert_eq!(make(&sent), "syntax_constraint_violation");
    sent["expire_at"] = json!("tomorrow");
    assert_eq!(make(&sent), "syntax_invalid_parameter_format");
}

#[test]
fn time_alone_delivers_a_batch() {
    let now = Timestamp::from_seconds(1_000);
    let mut sent = message();
    sent["send_at"] = json!(now.plus_seconds(60).to_string());
    let batch = batch(&sent, now);
    let at = |seconds| batch.delivery(now.plus_seconds(seconds));
    assert_eq!(
        [at(0), at(59), at(60), at(62)],
        [Delivery::Queued, Delivery::Queued, Delivery::Dispatched, Delivery::Delivered]
    );
    let report = batch.report(now.plus_seconds(62));
    assert_eq!((&report["statuses"][0]["code"], &report["total_message_count"]), (&json!(0), &json!(2)));
}

#[test]
fn what_was_canceled_before_it_left_never_leaves_and_what_has_left_arrives() {
    let now = Timestamp::from_seconds(1_000);
    let mut sent = message();
    let mut gone = batch(&sent, now);
    gone.cancel(now);
    assert_eq!(gone.delivery(now.plus_seconds(2)), Delivery::Delivered);
    assert_eq!(gone.view()["canceled"], true);

    sent["send_at"] = json!(now.plus_seconds(60).to_string());
    let mut waiting = batch(&sent, now);
    waiting.cancel(now.plus_seconds(1));
    assert_eq!(waiting.delivery(now.plus_seconds(100)), Delivery::Cancelled);
    let modified = waiting.view()["modified_at"].clone();
    waiting.cancel(now.plus_seconds(5));
    assert_eq!(waiting.view()["modified_at"], modified);
}
