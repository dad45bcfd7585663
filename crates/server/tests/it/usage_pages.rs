//! Usage & billing: sums at the edges of days, downloads, who sees what, and forms that make no sense.

use serde_json::json;

use crate::world::{Key, World};

const DAY: i64 = 86_400;
const EVIL: &str = "=HYPERLINK(\"http://evil.example\",\"<b>free</b>\")";

async fn call(world: &World, key: &Key, times: usize) {
    for _ in 0..times {
        world.call(key).basic(&key.id, &key.secret).send().await.is(200);
    }
}

/// The world stands at 14:13 on 2026-09-21. Five calls before midnight, seven after.
async fn over_midnight(world: &World) -> Key {
    let key = world.customer(&["demo"]).await;
    call(world, &key, 3).await;
    world.pass(9 * 3_600);
    call(world, &key, 2).await;
    world.pass(3_600);
    call(world, &key, 7).await;
    key
}

/// The text between two others, the first such.
#[track_caller]
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} in {text}")) + start.len();
    let rest = &text[from..];
    &rest[..rest.find(end).unwrap_or_else(|| panic!("{end} after {start}"))]
}

/// Calls and denials in the last row.
fn total(page: &str) -> (String, String) {
    let foot = between(page, "<tfoot>", "</tfoot>");
    let number = |label: &str| between(foot, &format!("data-label=\"{label}\" class=\"number\">"), "<").to_owned();
    (number("Calls"), number("Denied"))
}

on_both_engines! {
    async fn days_begin_and_end_at_midnight_in_utc(world: World) {
        let key = over_midnight(&world).await;
        let billing = world.member(&key.account, "billing").await;
        let calls = async |query: &str| {
            let page = billing.page(&format!("/accounts/{}/usage?{query}", key.account)).await.is(200).text;
            if page.contains("<tfoot>") { total(&page).0 } else { "none".to_owned() }
        };
        assert_eq!(calls("period=today").await, "7");
        assert_eq!(calls("period=7d&group=day").await, "12");
        assert_eq!(calls("period=dates&from=2026-09-21&to=2026-09-21&group=key").await, "5");
        assert_eq!(calls("period=dates&from=2026-09-22&to=2026-09-22&group=product").await, "7");
        assert_eq!(calls("from=2026-09-21").await, "12", "dates need no period, and none to end with");
        assert_eq!(calls("period=dates&from=2026-09-01&to=2026-09-20").await, "none");
        assert_eq!(calls("period=30d&was=30d&from=2026-09-21&to=2026-09-21").await, "5", "dates were typed beside it");
        assert_eq!(calls("period=30d&was=dates&from=2026-09-21&to=2026-09-21").await, "12", "the period was chosen");
        let page = billing.page(&format!("/accounts/{}/usage?period=7d&group=day", key.account)).await.text;
        let days = between(&page, "<tbody>", "</tbody>");
        assert!(days.find("2026-09-21") < days.find("2026-09-22"), "{days}");
        assert!(page.contains("counted up to <time datetime=\"2026-09-22T00:13:"), "{page}");
        assert!(page.contains("41.6 %") && page.contains("58.3 %"), "{page}");
        assert_eq!(page.matches("<rect class=\"bar\"").count(), 2);
    }

    async fn keys_are_summed_over_a_long_period(world: World) {
        let key = world.customer(&["demo"]).await;
        let second = world.new_key(&key.project, &json!({ "displayName": "second", "scopes": ["demo"] })).await;
        for _ in 0..5 {
            call(&world, &key, 1).await;
            call(&world, &second, 2).await;
            world.pass(40 * DAY);
        }
        let owner = world.member(&key.account, "owner").await;
        let path = format!("/accounts/{}/usage.csv?period=12m&group=key", key.account);
        let expected = format!("{},second,10,0,0\r\n{},main,5,0,0\r\n", second.id, key.id);
        assert_eq!(owner.page(&path).await.is(200).text, format!("credential_id,display_name,calls,denied,units\r\n{expected}"));
        let page = owner.page(&format!("/accounts/{}/usage?period=12m&group=key", key.account)).await.is(200).text;
        assert_eq!(total(&page).0, "15");
    }

    async fn a_project_s_usage_is_its_own_and_its_subprojects(world: World) {
        let key = world.customer(&["demo"]).await;
        let below = world.new_subproject(&key.project).await;
        let other = world.new_project(&key.account).await;
        let second = world.new_key(&other, &json!({ "displayName": "second", "scopes": ["demo"] })).await;
        call(&world, &key, 2).await;
        call(&world, &Key { project: below.clone(), ..key.clone() }, 3).await;
        call(&world, &second, 4).await;
        let owner = world.member(&key.account, "owner").await;
        let page = owner.page(&format!("/projects/{}/usage?group=project", key.project)).await.is(200).text;
        assert_eq!(total(&page).0, "5");
        assert!(page.contains(&below) && !between(&page, "<tbody>", "</tfoot>").contains(&other));
        let page = owner.page(&format!("/projects/{}/usage", key.project)).await.is(200).text;
        assert_eq!(total(&page).0, "5", "keys, whole days");
        assert!(!page.contains(&second.id));
        assert_eq!(total(&owner.page(&format!("/accounts/{}/usage", key.account)).await.text).0, "9");
        assert_eq!(total(&owner.page(&format!("/projects/{below}/usage?group=product")).await.text).0, "3");
        let csv = owner.page(&format!("/projects/{}/usage.csv?group=product&period=today", key.project)).await.is(200);
        assert_eq!(csv.text, "product,calls,denied,units\r\ndemo,5,0,0\r\n");
    }

    async fn downloads_hold_the_shown_question_and_no_formula(world: World) {
        let key = over_midnight(&world).await;
        let evil = world.new_key(&key.project, &json!({ "displayName": EVIL, "scopes": ["demo"] })).await;
        call(&world, &evil, 20).await;
        let stranger = world.customer(&["demo"]).await;
        world.call(&stranger).basic(&key.id, &key.secret).send().await.is(403);
        let owner = world.member(&key.account, "owner").await;
        let path = |kind: &str, query: &str| format!("/accounts/{}/usage.{kind}?{query}", key.account);
        let csv = owner.page(&path("csv", "period=today&group=key")).await.is(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(csv.header("cache-control"), "no-store");
        let name = "attachment; filename=\"usage-2026-09-22-to-2026-09-22-by-key.csv\"";
        assert_eq!(csv.header("content-disposition"), name);
        let expected = format!(
            "credential_id,display_name,calls,denied,units\r\n{},\"'{}\",20,0,0\r\n{},main,7,1,0\r\n",
            evil.id, EVIL.replace('"', "\"\""), key.id
        );
        assert_eq!(csv.text, expected);
        let days = owner.page(&path("csv", "period=7d&group=day")).await.is(200).text;
        assert_eq!(days, "day,calls,denied,units\r\n2026-09-21,5,0,0\r\n2026-09-22,27,1,0\r\n");
        let json = owner.page(&path("json", "period=today&group=key")).await.is(200);
        assert!(json.header("content-disposition").ends_with(".json\""));
        let json = json.json();
        assert_eq!((&json["totalCalls"], &json["totalDenied"], &json["usage"][0]["displayName"]), (&json!(27), &json!(1), &json!(EVIL)));
        let page = owner.page(&format!("/accounts/{}/usage?period=today&group=key", key.account)).await.text;
        assert!(!page.contains("<b>free"), "a name is text");
        assert_eq!(total(&page), ("27".to_owned(), "1".to_owned()));
    }

    async fn the_statement_of_a_month_is_by_project_and_product(world: World) {
        let key = world.customer(&["demo", "sms"]).await;
        call(&world, &key, 2).await;
        let token = world.token(&key).await;
        world.gate(&format!("/xms/v1/{}/batches", key.project)).bearer(&token).send().await.is(200);
        // The 30th of September, and the 1st of October.
        world.pass(9 * DAY);
        call(&world, &key, 1).await;
        world.pass(DAY);
        call(&world, &key, 10).await;
        let billing = world.member(&key.account, "billing").await;
        let path = format!("/accounts/{}/usage/statement", key.account);
        let page = billing.page(&path).await.is(200).text;
        assert_eq!(total(&page).0, "10");
        assert!(page.contains("Statement of October 2026") && page.contains("This month is not over"), "{page}");
        assert!(page.contains("statement?month=2026-09") && !page.contains("month=2026-08"), "{page}");
        let page = billing.page(&format!("{path}?month=2026-09")).await.is(200).text;
        assert_eq!(total(&page).0, "4");
        assert!(page.contains("Sum of <bdi>A project</bdi>") && !page.contains("not over"), "{page}");
        let body = between(&page, "<tbody>", "</tfoot>");
        assert!(body.contains(">demo</td><td data-label=\"Calls\" class=\"number\">3<"), "{body}");
        assert!(body.contains(">sms</td><td data-label=\"Calls\" class=\"number\">1<"), "{body}");
        assert!(billing.page(&format!("{path}?month=1999-01")).await.is(200).text.contains("No call was counted"));
        billing.page(&format!("{path}?month=soon")).await.is(422);
    }
}

#[tokio::test]
async fn nobody_sees_the_usage_of_another_account() {
    let world = World::on_sqlite().await;
    let (own, other) = (over_midnight(&world).await, world.customer(&["demo"]).await);
    let stranger = world.member(&other.account, "owner").await;
    for path in [
        format!("/accounts/{}/usage", own.account),
        format!("/accounts/{}/usage.csv", own.account),
        format!("/accounts/{}/usage.json", own.account),
        format!("/accounts/{}/usage/statement", own.account),
        format!("/projects/{}/usage", own.project),
        format!("/projects/{}/usage.csv", own.project),
        format!("/projects/{}/usage.json", own.project),
        "/accounts/nonsense/usage".to_owned(),
    ] {
        let answer = stranger.page(&path).await.is(404);
        assert!(!answer.text.contains(&own.id));
        assert!(world.ask("GET", &path).send().await.is(303).header("location").starts_with("/sign-in"), "{path}");
        let operator = world.operator_person(&other.account).await.page(&path).await.status;
        assert_eq!(operator, if path.contains("nonsense") { 404 } else { 200 }, "{path}");
    }
    let page = stranger.page(&format!("/accounts/{}/usage?group=key", other.account)).await.is(200).text;
    assert!(page.contains("No call was counted") && !page.contains(&own.id));
}

#[tokio::test]
async fn every_role_sees_usage_and_only_links_that_it_may_follow() {
    let world = World::on_sqlite().await;
    let key = over_midnight(&world).await;
    for (role, sees_keys) in
        [("owner", true), ("admin", true), ("developer", true), ("billing", false), ("auditor", true)]
    {
        let member = world.member(&key.account, role).await;
        for path in
            [format!("/accounts/{}/usage?group=key", key.account), format!("/projects/{}/usage?group=key", key.project)]
        {
            let page = member.page(&path).await.is(200).text;
            assert!(page.contains("<bdi>main</bdi>") && page.contains(&key.id), "{role}");
            let leads_to_key = page.contains(&format!("/keys/{}\"", key.id));
            let leads_to_keys = page.contains(&format!("/accounts/{}/keys", key.account));
            assert_eq!((leads_to_key, leads_to_keys), (sees_keys, sees_keys), "{role} {path}");
        }
        member.page(&format!("/accounts/{}/usage/statement", key.account)).await.is(200);
    }
}

#[tokio::test]
async fn a_form_that_makes_no_sense_comes_back_with_what_was_typed() {
    let world = World::on_sqlite().await;
    let key = over_midnight(&world).await;
    let owner = world.member(&key.account, "owner").await;
    for (query, field, kept) in [
        ("period=dates&from=2026-09-22&to=2026-09-21", "from", "value=\"2026-09-22\""),
        ("period=dates&from=2026-02-31&to=2026-09-21", "from", "value=\"2026-02-31\""),
        ("period=dates&from=2026-09-01&to=%22%3E%3Cscript%3E", "to", "value=\"&#34;&#62;&#60;script&#62;\""),
        ("period=dates&from=2020-01-01&to=2026-09-21", "from", "value=\"2020-01-01\""),
        ("period=dates", "from", "value=\"\""),
        ("period=ever", "period", "value=\"ever\""),
        ("group=colour", "group", "value=\"30d\" selected"),
    ] {
        let page = owner.page(&format!("/accounts/{}/usage?{query}", key.account)).await.is(422).text;
        assert!(page.contains(&format!("<a href=\"#{field}\">")), "{query}: {page}");
        assert!(page.contains(kept), "{query}: {page}");
        assert!(!page.contains("<table"), "{query}");
        owner.page(&format!("/accounts/{}/usage.csv?{query}", key.account)).await.is(422);
        owner.page(&format!("/accounts/{}/usage.json?{query}", key.account)).await.is(422);
    }
}

#[tokio::test]
async fn sums_come_in_pages_of_50_and_deleted_things_keep_their_names() {
    let world = World::on_sqlite().await;
    let key = over_midnight(&world).await;
    world.ask("DELETE", &key.path()).operator().send().await.is(200);
    let day = world.now().day().0;
    for number in 0..60 {
        let values =
            format!("('{}', {day}, '{}', 'gone-{number:02}', 'demo', {}, 0)", key.account, key.project, 100 + number);
        world.execute(&format!("INSERT INTO usage_daily (account_id, day, project_id, credential_id, product, calls, denied) VALUES {values}")).await;
    }
    let owner = world.member(&key.account, "owner").await;
    let path = format!("/accounts/{}/usage?period=today&group=key", key.account);
    let first = owner.page(&path).await.is(200).text;
    let rows = |page: &str| {
        between(&page[page.find("id=\"sums\"").expect("a table")..], "<tbody>", "</tbody>").matches("<tr>").count()
    };
    assert_eq!(rows(&first), 50);
    assert!(first.contains("gone-59") && !first.contains("gone-09") && first.contains("page=2"));
    let second = owner.page(&format!("{path}&page=2")).await.is(200).text;
    assert_eq!(rows(&second), 11);
    assert!(second.contains("<bdi>main</bdi> <span class=\"badge off\">Deleted</span>"), "{second}");
    assert!(second.contains("Previous page") && !second.contains("Next page"));
    for page in ["0", "-1", "x", "99999999999999999999", "3"] {
        owner.page(&format!("{path}&page={page}")).await.is(200);
    }
    let csv = owner.page(&format!("/accounts/{}/usage.csv?period=today&group=key", key.account)).await.text;
    assert_eq!(csv.lines().count(), 62, "a file holds all pages");
}

#[tokio::test]
async fn the_list_of_keys_draws_30_days() {
    let world = World::on_sqlite().await;
    let key = over_midnight(&world).await;
    world.new_key(&key.project, &json!({ "displayName": "idle" })).await;
    let owner = world.member(&key.account, "owner").await;
    let page = owner.page(&format!("/accounts/{}/keys", key.account)).await.is(200).text;
    assert!(
        page.contains(
            "role=\"img\" aria-label=\"12 calls in 30 days\"><path class=\"bar\" d=\"M84 16v-12h2v12zm3 0v-16h2v16z\"/>"
        ),
        "{page}"
    );
    assert_eq!(page.matches("<svg").count(), 1, "who was not used draws nothing");
}
