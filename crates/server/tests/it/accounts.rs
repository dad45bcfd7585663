//! Accounts, projects and subprojects, and the trail of what was done to them.

use serde_json::{Value, json};

use crate::world::{World, id};

fn ids(page: &Value, list: &str, name: &str) -> Vec<String> {
    page[list].as_array().expect("a list").iter().map(|entry| id(entry, name)).collect()
}

on_both_engines! {
    async fn an_account_is_made_read_changed_and_listed(world: World) {
        let made = world.make("/v1/accounts", &json!({ "displayName": "Cafe\u{301} Ltd" })).await;
        let account = id(&made, "accountId");
        let now = world.now().to_string();
        assert_eq!(made, json!({
            "accountId": account, "displayName": "Caf\u{e9} Ltd", "keyLimit": 10, "suspended": false,
            "createTime": now, "updateTime": now,
        }));
        let path = format!("/v1/accounts/{account}");
        assert_eq!(world.read(&path).await, made);
        world.pass(1);
        let changed = world.ask("PATCH", &path).operator().json(&json!({ "displayName": "B", "keyLimit": 3 })).send().await;
        let changed = changed.is(200).json();
        assert_eq!((&changed["displayName"], &changed["keyLimit"]), (&json!("B"), &json!(3)));
        assert_eq!((&changed["createTime"], &changed["updateTime"]), (&json!(now), &json!(world.now().to_string())));
        for wrong in [json!({ "keyLimit": 0 }), json!({ "keyLimit": 100_001 }), json!({ "displayName": "" }), json!({ "displayName": "x".repeat(256) }), json!({ "name": "x" })] {
            world.ask("PATCH", &path).operator().json(&wrong).send().await.google(400, "INVALID_ARGUMENT");
        }

        let second = world.new_account().await;
        let whole = world.read("/v1/accounts").await;
        assert_eq!(ids(&whole, "accounts", "accountId"), [account.clone(), second.clone()]);
        let first = world.read("/v1/accounts?pageSize=1").await;
        assert_eq!(ids(&first, "accounts", "accountId"), [account]);
        let rest = world.read(&format!("/v1/accounts?pageSize=1&pageToken={}", id(&first, "nextPageToken"))).await;
        assert_eq!(ids(&rest, "accounts", "accountId"), [second]);
        assert_eq!(rest["nextPageToken"], "");
        for missing in ["GET", "PATCH"] {
            let ask = world.ask(missing, "/v1/accounts/01995a31-0000-7000-8000-000000000000").operator();
            ask.json(&json!({})).send().await.google(404, "NOT_FOUND");
        }
        world.ask("GET", "/v1/accounts/x").operator().send().await.google(400, "INVALID_ARGUMENT");
    }

    async fn a_suspension_is_repeatable_and_keeps_its_first_instant(world: World) {
        let account = world.new_account().await;
        let path = format!("/v1/accounts/{account}");
        let first = world.make(&format!("{path}/suspend"), &json!({})).await;
        world.pass(5);
        let again = world.make(&format!("{path}/suspend"), &json!({})).await;
        assert_eq!((&first["suspended"], &first["suspendTime"]), (&json!(true), &again["suspendTime"]));
        let resumed = world.make(&format!("{path}/resume"), &json!({})).await;
        assert_eq!((&resumed["suspended"], resumed.get("suspendTime")), (&json!(false), None));
    }

    async fn a_project_is_made_renamed_archived_and_listed(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let path = format!("/v1/projects/{project}");
        let renamed = world.ask("PATCH", &path).operator().json(&json!({ "displayName": "renamed" })).send().await.is(200);
        assert_eq!(renamed.json()["displayName"], "renamed");
        let second = world.new_project(&account).await;
        let list = format!("/v1/accounts/{account}/projects");
        assert_eq!(ids(&world.read(&list).await, "projects", "projectId"), [project.clone(), second.clone()]);

        assert_eq!(world.make(&format!("{path}/archive"), &json!({})).await["archived"], true);
        assert_eq!(world.read(&path).await["archived"], true);
        world.ask("PATCH", &path).operator().json(&json!({ "displayName": "x" })).send().await.google(400, "FAILED_PRECONDITION");
        world.ask("POST", &format!("{path}/archive")).operator().send().await.google(400, "FAILED_PRECONDITION");
        world.ask("POST", &format!("{path}/subprojects")).operator().json(&json!({ "displayName": "x" })).send().await.google(400, "FAILED_PRECONDITION");
        assert_eq!(ids(&world.read(&list).await, "projects", "projectId"), std::slice::from_ref(&second));
        assert_eq!(ids(&world.read(&format!("{list}?showArchived=true")).await, "projects", "projectId"), [project, second]);
        world.ask("GET", &format!("{list}?showArchived=yes")).operator().send().await.google(400, "INVALID_ARGUMENT");
        let nowhere = "/v1/accounts/01995a31-0000-7000-8000-000000000000/projects";
        world.ask("POST", nowhere).operator().json(&json!({ "displayName": "x" })).send().await.google(404, "NOT_FOUND");
    }

    async fn a_subproject_is_a_leaf_with_labels_and_a_soft_end(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        world.pass(1);
        let list = format!("/v1/projects/{}/subprojects", key.project);
        let ask = |method: &str, path: &str| world.ask(method, path).basic(&key.id, &key.secret);
        let body = json!({ "displayName": "north", "labels": { "region": "n\u{f6}rd", "empty": "" } });
        let made = ask("POST", &list).json(&body).send().await.is(200).json();
        let below = id(&made, "subprojectId");
        let now = world.now().to_string();
        assert_eq!(made, json!({
            "subprojectId": below, "displayName": "north", "parentProjectId": key.project,
            "labels": { "region": "n\u{f6}rd", "empty": "" }, "createTime": now, "updateTime": now, "deleted": false,
        }));
        let path = format!("/v1/subprojects/{below}");
        assert_eq!(ask("GET", &path).send().await.is(200).json(), made);
        world.pass(1);
        ask("POST", &list).json(&json!({ "displayName": "north" })).send().await.is(200);

        let changed = ask("PATCH", &path).json(&json!({ "labels": { "a": "b" } })).send().await.is(200).json();
        assert_eq!((&changed["displayName"], &changed["labels"]), (&json!("north"), &json!({ "a": "b" })));
        let many: serde_json::Map<String, Value> = (0..256).map(|at| (format!("l{at}"), json!(""))).collect();
        for wrong in [json!({ "labels": many }), json!({ "labels": { "": "x" } }), json!({ "labels": { "a": "\n" } }), json!({ "labels": { "a": 1 } }), json!({ "displayName": "" })] {
            ask("PATCH", &path).json(&wrong).send().await.google(400, "INVALID_ARGUMENT");
        }
        let leaf = ask("POST", &format!("/v1/projects/{below}/subprojects")).json(&json!({ "displayName": "x" })).send().await;
        leaf.google(400, "FAILED_PRECONDITION");

        assert_eq!(ask("DELETE", &path).send().await.is(200).json()["deleted"], true);
        assert_eq!(ask("GET", &path).send().await.is(200).json()["deleted"], true);
        let listed = async |query: &str| ask("GET", &format!("{list}{query}")).send().await.is(200).json()["subprojects"].as_array().map(Vec::len);
        assert_eq!((listed("").await, listed("?showDeleted=true").await, listed("?showDeleted=true&pageSize=1").await), (Some(1), Some(2), Some(1)));
        assert_eq!(world.read(&format!("/v1/accounts/{}/projects", key.account)).await["projects"].as_array().map(Vec::len), Some(1), "subprojects are not projects");
        world.ask("GET", &format!("/v1/subprojects/{}", key.project)).operator().send().await.google(404, "NOT_FOUND");
    }

    async fn every_change_leaves_one_event_in_the_trail_of_its_account(world: World) {
        let key = world.customer(&["keys:manage", "demo"]).await;
        let stranger = world.customer(&[]).await;
        let below = world.new_subproject(&key.project).await;
        let project = format!("/v1/projects/{}", key.project);
        let account = format!("/v1/accounts/{}", key.account);
        for (method, path, body) in [
            ("PATCH", account.clone(), json!({ "displayName": "b" })), ("POST", format!("{account}/suspend"), json!({})),
            ("POST", format!("{account}/resume"), json!({})), ("PATCH", project.clone(), json!({ "displayName": "b" })),
            ("PATCH", format!("/v1/subprojects/{below}"), json!({ "displayName": "b" })),
            ("DELETE", format!("/v1/subprojects/{below}"), json!({})), ("PATCH", key.path(), json!({ "displayName": "b" })),
            ("POST", format!("{}/disable", key.path()), json!({})), ("POST", format!("{}/enable", key.path()), json!({})),
            ("POST", format!("{}/rotateSecret", key.path()), json!({})), ("POST", format!("{}/endOverlap", key.path()), json!({})),
            ("POST", format!("{}/revokeTokens", key.path()), json!({})), ("DELETE", key.path(), json!({})),
            ("POST", format!("{project}/archive"), json!({})),
        ] {
            world.pass(1);
            world.ask(method, &path).operator().json(&body).send().await.is(200);
        }
        let trail = world.read(&format!("{account}/auditEvents")).await;
        let mut actions = ids(&trail, "auditEvents", "action");
        actions.reverse();
        assert_eq!(actions, [
            "account.create", "project.create", "accessKey.create", "subproject.create", "account.update", "account.suspend",
            "account.resume", "project.update", "subproject.update", "subproject.delete", "accessKey.update", "accessKey.disable",
            "accessKey.enable", "accessKey.rotateSecret", "accessKey.endOverlap", "accessKey.revokeTokens", "accessKey.delete",
            "project.archive",
        ]);
        assert!(ids(&trail, "auditEvents", "actor").iter().all(|actor| actor == "operator"));
        assert_eq!(trail["auditEvents"][0]["time"], world.now().to_string());
        let newest = world.read(&format!("{account}/auditEvents?pageSize=2")).await;
        assert_eq!(ids(&newest, "auditEvents", "action"), ["project.archive", "accessKey.delete"]);
        let next = world.read(&format!("{account}/auditEvents?pageSize=1&pageToken={}", id(&newest, "nextPageToken"))).await;
        assert_eq!(ids(&next, "auditEvents", "action"), ["accessKey.revokeTokens"]);
        let theirs = world.read(&format!("/v1/accounts/{}/auditEvents", stranger.account)).await;
        assert_eq!(ids(&theirs, "auditEvents", "action"), ["accessKey.create", "project.create", "account.create"]);
    }
}
