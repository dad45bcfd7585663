//! The audit log as a page and as NDJSON: filters, paging, and nothing of another account.

use serde_json::{Value, json};

use crate::world::World;

/// The lines of an export.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

on_both_engines! {
    async fn the_audit_log_names_who_did_what_to_what(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let owner = world.member(&key.account, "owner").await;
        let path = format!("/projects/{}/keys/new", key.project);
        let form = owner.page(&path).await.is(200).hidden("form");
        owner.post(&path, &format!("form={form}&display_name=%3Cb%3Ebold%3C%2Fb%3E")).await.is(200);
        let page = owner.page(&format!("/accounts/{}/audit", key.account)).await.is(200);
        assert_eq!(page.header("cache-control"), "no-store");
        for part in [
            "Made an access key", "accessKey.create", "&#60;b&#62;bold&#60;/b&#62;", "operator", "127.0.0.1",
            "<time datetime=\"2026-09-2", &format!("owner@{}.example", key.account),
        ] {
            assert!(page.text.contains(part), "{part} in {}", page.text);
        }
        assert!(!page.text.contains("<b>bold"));
    }

    async fn filters_narrow_the_log_and_its_export_alike(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        world.pass(1);
        let owner = world.member(&key.account, "owner").await;
        world.pass(86_400);
        world.key_verb(&key, "disable", &json!({})).await;
        let now = world.now().to_string();
        let today = &now[..10];
        let export = async |query: &str| {
            let path = format!("/accounts/{}/audit.ndjson?{query}", key.account);
            let answer = owner.page(&path).await.is(200);
            assert_eq!(answer.header("content-type"), "application/x-ndjson");
            assert_eq!(answer.header("cache-control"), "no-store");
            lines(&answer.text).iter().map(|line| line["action"].as_str().expect("an action").to_owned()).collect::<Vec<_>>()
        };
        let all = ["accessKey.disable", "user.create", "accessKey.create", "project.create", "account.create"];
        assert_eq!(export("").await, all);
        assert_eq!(export("group=accessKey").await, ["accessKey.disable", "accessKey.create"]);
        assert_eq!(export("group=project").await, ["project.create"]);
        assert_eq!(export(&format!("from={today}")).await, ["accessKey.disable"]);
        assert_eq!(export(&format!("to={today}&group=account")).await, ["account.create"]);
        assert_eq!(export("actor=operator").await, all);
        assert_eq!(export("actor=keys").await, [] as [&str; 0]);
        assert_eq!(export(&format!("who=owner%40{}.example", key.account)).await, [] as [&str; 0]);
        assert_eq!(export("who=%25").await, [] as [&str; 0]);
        let page = owner.page(&format!("/accounts/{}/audit?group=member", key.account)).await.is(200);
        assert!(page.text.contains("Nothing fits this filter"));
    }

    async fn the_log_goes_on_from_page_to_page_and_keeps_its_filter(world: World) {
        let key = world.customer(&[]).await;
        let owner = world.member(&key.account, "owner").await;
        for _ in 0..30 {
            world.key_verb(&key, "disable", &json!({})).await;
            world.key_verb(&key, "enable", &json!({})).await;
            world.pass(1);
        }
        let first = owner.page(&format!("/accounts/{}/audit?group=accessKey", key.account)).await.is(200);
        assert_eq!(first.text.matches("<td data-label=\"Time\">").count(), 50);
        let at = first.text.find("Next page").expect("a next page");
        let href = first.text[..at].rsplit("href=\"").next().and_then(|rest| rest.split('"').next()).expect("a link");
        let href = href.replace("&#38;", "&");
        assert!(href.contains("group=accessKey&page="), "{href}");
        let second = owner.page(&href).await.is(200);
        assert_eq!(second.text.matches("<td data-label=\"Time\">").count(), 11);
        assert!(!second.text.contains("Next page"));
        owner.page(&href.replace("accessKey", "project")).await.is(422);
        let export = owner.page(&format!("/accounts/{}/audit.ndjson?group=accessKey", key.account)).await.is(200);
        assert_eq!(lines(&export.text).len(), 61);
    }

    async fn an_export_of_several_parts_is_whole_and_in_order(world: World) {
        let key = world.customer(&[]).await;
        let owner = world.member(&key.account, "owner").await;
        let before = world.texts("SELECT id FROM audit_events WHERE account_id IS NOT NULL").await.len();
        let values: Vec<String> = (0..2_500)
            .map(|at| {
                format!("('0000{at:04}-0000-7000-8000-000000000000', '{}', 1, 'operator', 'account.update', 'x', '{{}}', '')",
                    key.account)
            })
            .collect();
        let sql = "INSERT INTO audit_events (id, account_id, at, actor, action, target, details, address) VALUES ";
        world.execute(&format!("{sql}{}", values.join(","))).await;
        let export = owner.page(&format!("/accounts/{}/audit.ndjson", key.account)).await.is(200);
        let ids: Vec<String> =
            lines(&export.text).iter().map(|line| line["eventId"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(ids.len(), before + 2_500);
        assert!(ids.is_sorted_by(|left, right| left > right), "newest first, each once");
    }
}

#[tokio::test]
async fn a_filter_that_is_wrong_comes_back_with_what_was_typed() {
    let world = World::on_sqlite().await;
    let account = world.new_account().await;
    let auditor = world.member(&account, "auditor").await;
    let path = format!("/accounts/{account}/audit");
    let page = auditor.page(&format!("{path}?from=yesterday&who=me%22%3E")).await.is(422);
    assert!(page.text.contains("value=\"yesterday\"") && page.text.contains("aria-describedby=\"from-error\""));
    assert!(page.text.contains("value=\"me&#34;&#62;\""), "{}", page.text);
    auditor.page(&format!("{path}?from=2026-11-23&to=2026-11-22")).await.is(422);
    auditor.page(&format!("{path}?group=nonsense")).await.is(422);
    auditor.page(&format!("{path}?page=forged")).await.is(422);
    auditor.page(&format!("{path}.ndjson?to=tomorrow")).await.is(422);
}

#[tokio::test]
async fn owners_admins_and_auditors_read_the_log_and_nobody_else_does() {
    let world = World::on_sqlite().await;
    let (account, other) = (world.new_account().await, world.new_account().await);
    for (role, status) in [("owner", 200), ("admin", 200), ("developer", 403), ("billing", 403), ("auditor", 200)] {
        let member = world.member(&account, role).await;
        for path in ["audit", "audit.ndjson"] {
            member.page(&format!("/accounts/{account}/{path}")).await.is(status);
            let theirs = member.page(&format!("/accounts/{other}/{path}")).await.is(404);
            let nobodys = member.page(&format!("/accounts/00000000-0000-7000-8000-000000000000/{path}")).await;
            assert_eq!(theirs.comparable(), nobodys.comparable());
        }
    }
    world.ask("GET", &format!("/accounts/{account}/audit")).send().await.is(303);
}
