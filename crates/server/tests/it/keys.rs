//! Access keys from their making to their end, exactly as clients in the field expect them.

use serde_json::{Value, json};

use crate::world::{World, id};

/// The names in a page of keys.
fn names(page: &Value) -> Vec<String> {
    let keys = page["accessKeys"].as_array().expect("a list");
    keys.iter().map(|key| id(key, "displayName")).collect()
}

on_both_engines! {
    async fn a_key_is_made_read_renamed_and_deleted(world: World) {
        let manager = world.customer(&["keys:manage", "demo"]).await;
        let token = world.token(&manager).await;
        let path = format!("/v1/projects/{}/accessKeys", manager.project);
        world.pass(10);

        let answer = world.ask("POST", &path).bearer(&token).json(&json!({ "displayName": "shop" })).send().await.is(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let made = answer.json();
        let secret = id(&made, "secret");
        assert!(secret.starts_with("tgs_") && secret.len() == 53, "{secret}");
        let key = &made["accessKey"];
        let now = world.now().to_string();
        assert!(now.ends_with(".000Z"), "milliseconds and Z");
        for (field, value) in [
            ("displayName", json!("shop")), ("projectId", json!(manager.project)), ("createTime", json!(now)),
            ("updateTime", json!(now)), ("scopes", json!(["demo"])), ("status", json!("ACTIVE")),
            ("disabled", json!(false)), ("allowedAddresses", json!([])), ("createdBy", json!(format!("key:{}", manager.id))),
        ] {
            assert_eq!(key[field], value, "{field}");
        }
        let own = ["accessKeyId", "displayName", "projectId", "createTime", "updateTime"];
        let places: Vec<_> = own.iter().map(|name| answer.text.find(&format!("\"{name}\"")).expect("every field")).collect();
        assert!(places.is_sorted(), "the documented fields come first: {}", answer.text);

        let one = format!("{path}/{}", id(key, "accessKeyId"));
        let read = world.ask("GET", &one).bearer(&token).send().await.is(200);
        assert_eq!(read.json(), *key);
        assert!(!read.text.contains(&secret));

        world.pass(5);
        let renamed = world.ask("PATCH", &one).bearer(&token).json(&json!({ "displayName": "store" })).send().await.is(200);
        assert_eq!(renamed.json()["displayName"], "store");
        assert_eq!(renamed.json()["updateTime"], world.now().to_string());
        assert_eq!(renamed.json()["createTime"], now);

        assert_eq!(world.ask("DELETE", &one).bearer(&token).send().await.is(200).text, "{}");
        world.ask("GET", &one).bearer(&token).send().await.google(404, "NOT_FOUND");
        world.ask("PATCH", &one).bearer(&token).json(&json!({ "displayName": "x" })).send().await.google(404, "NOT_FOUND");
        world.ask("DELETE", &one).bearer(&token).send().await.google(404, "NOT_FOUND");
    }

    async fn a_key_is_disabled_and_enabled(world: World) {
        let key = world.customer(&["demo"]).await;
        let token = world.token(&key).await;
        let disabled = world.key_verb(&key, "disable", &json!({})).await;
        assert_eq!((&disabled["status"], &disabled["disabled"]), (&json!("DISABLED"), &json!(true)));
        world.ask_token(&key, "").await.oauth(401, "invalid_client");
        world.call(&key).bearer(&token).send().await.is(401);

        let enabled = world.key_verb(&key, "enable", &json!({})).await;
        assert_eq!((&enabled["status"], &enabled["disabled"]), (&json!("ACTIVE"), &json!(false)));
        world.ask_token(&key, "").await.is(200);
        world.call(&key).bearer(&token).send().await.is(200);
    }

    async fn keys_are_listed_in_pages(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        for name in ["b", "a", "c"] {
            world.new_key(&key.project, &json!({ "displayName": name })).await;
        }
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let ask = async |query: &str| {
            world.ask("GET", &format!("{path}{query}")).basic(&key.id, &key.secret).send().await
        };
        let whole = ask("").await.is(200).json();
        assert_eq!(names(&whole), ["main", "b", "a", "c"], "oldest first");
        assert_eq!(whole["nextPageToken"], "");
        for same in ["?pageSize=0", "?pageSize=", "?pageToken=", "?pageSize=4", "?pageSize=1000", "?unknown=1"] {
            assert_eq!(ask(same).await.is(200).json(), whole, "{same}");
        }

        let first = ask("?pageSize=3").await.is(200).json();
        assert_eq!(names(&first), ["main", "b", "a"]);
        let next = id(&first, "nextPageToken");
        let second = ask(&format!("?pageSize=3&pageToken={next}")).await.is(200).json();
        assert_eq!(names(&second), ["c"]);
        assert_eq!(second["nextPageToken"], "");

        for wrong in ["?pageSize=-1", "?pageSize=1001", "?pageSize=ten", "?pageSize=1&pageSize=1"] {
            ask(wrong).await.google(400, "INVALID_ARGUMENT");
        }
    }

    async fn a_forged_or_borrowed_page_token_is_refused(world: World) {
        let mine = world.customer(&["keys:manage"]).await;
        let other = world.new_project(&mine.account).await;
        for project in [&mine.project, &other] {
            world.new_key(project, &json!({ "displayName": "one" })).await;
            world.new_key(project, &json!({ "displayName": "two" })).await;
        }
        let next = |page: &Value| id(page, "nextPageToken");
        let borrowed = next(&world.read(&format!("/v1/projects/{other}/accessKeys?pageSize=1")).await);
        let elsewhere = next(&world.read(&format!("/v1/accounts/{}/projects?pageSize=1", mine.account)).await);
        let own = next(&world.read(&format!("/v1/projects/{}/accessKeys?pageSize=1", mine.project)).await);
        let cut = own[..own.len() - 1].to_owned();
        for token in [borrowed, elsewhere, cut, format!("{own}A"), "AAAA".to_owned(), "%00".to_owned(), mine.id.clone()] {
            let path = format!("/v1/projects/{}/accessKeys?pageToken={token}", mine.project);
            let answer = world.ask("GET", &path).basic(&mine.id, &mine.secret).send().await;
            let error = answer.google(400, "INVALID_ARGUMENT");
            assert!(error["message"].as_str().expect("a text").contains("pageToken"), "{error}");
        }
    }

    async fn a_json_body_may_come_as_a_form_because_curl_sends_it_so(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let ask = || world.ask("POST", &path).basic(&key.id, &key.secret);
        ask().form(r#"{"displayName":"by curl"}"#).send().await.is(200);
        let typed = |media: &str, name: &str| {
            ask().header("content-type", media).body(json!({ "displayName": name }).to_string())
        };
        typed("Application/JSON; charset=utf-8", "with charset").send().await.is(200);
        typed("text/plain", "typed wrong").send().await.google(415, "INVALID_ARGUMENT");
        ask().body(r#"{"displayName":"untyped"}"#).send().await.google(415, "INVALID_ARGUMENT");
        let packed = typed("application/json", "packed").header("content-encoding", "gzip");
        packed.send().await.google(415, "INVALID_ARGUMENT");
    }

    async fn bad_json_names_the_field_and_never_its_value(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        for (body, field) in [
            (r#"{"displayName":7}"#, "displayName"),
            (r#"{"name":"x"}"#, "name"),
            ("{}", "displayName"),
            (r#"{"displayName":"x","scopes":"SESAME"}"#, "scopes"),
            (r#"{"displayName":"x","scopes":["demo",7]}"#, "scopes"),
            (r#"{"displayName":"x","expireTime":"SESAME"}"#, "expireTime"),
            (r#"{"displayName":"x","allowedAddresses":["SESAME"]}"#, "allowedAddresses"),
            (r#"{"displayName":"x","tokenRate":{"burst":-1,"perSecond":1}}"#, "tokenRate"),
            (r#"{"displayName":"SESAME"#, "displayName"),
            (r#"["SESAME"]"#, "body"),
            (r#"{"displayName":"x"} {}"#, "body"),
            ("", "body"),
        ] {
            let answer = world.ask("POST", &path).basic(&key.id, &key.secret).json(&Value::Null).body(body).send().await;
            let error = answer.google(400, "INVALID_ARGUMENT");
            let named = id(&error["details"][0]["fieldViolations"][0], "field");
            assert_eq!(named.split(['.', '[']).next(), Some(field), "{body}: {error}");
            assert!(!answer.text.contains("SESAME"), "{}", answer.text);
        }
        let bytes = world.ask("POST", &path).basic(&key.id, &key.secret).json(&Value::Null).body(vec![b'"', 0xff, b'"']);
        bytes.send().await.google(400, "INVALID_ARGUMENT");
        let large = json!({ "displayName": "x".repeat(65_536) });
        world.ask("POST", &path).basic(&key.id, &key.secret).json(&large).send().await.google(413, "INVALID_ARGUMENT");
    }

    async fn a_taken_name_is_a_conflict_that_tells_the_keys_id(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let other = world.new_key(&key.project, &json!({ "displayName": "caf\u{e9}" })).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let ask = |method: &str, path: &str, name: &str| {
            world.ask(method, path).basic(&key.id, &key.secret).json(&json!({ "displayName": name }))
        };
        for answer in [
            ask("POST", &path, "caf\u{e9}").send().await,
            ask("POST", &path, " cafe\u{301}").send().await,
            ask("PATCH", &key.path(), "cafe\u{301}").send().await,
        ] {
            let error = answer.google(409, "ALREADY_EXISTS");
            assert_eq!(error["details"][0]["resourceName"], other.id, "{error}");
        }
        ask("PATCH", &other.path(), "caf\u{e9}").send().await.is(200);
        ask("POST", &path, "Caf\u{e9}").send().await.is(200);
        let elsewhere = world.new_project(&key.account).await;
        world.new_key(&elsewhere, &json!({ "displayName": "caf\u{e9}" })).await;
        world.ask("DELETE", &other.path()).operator().send().await.is(200);
        ask("POST", &path, "cafe\u{301}").send().await.is(200);
    }

    async fn names_are_1_to_64_characters_without_control_characters(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let path = format!("/v1/projects/{}/accessKeys", key.project);
        let ask = async |name: &str| {
            let body = json!({ "displayName": name });
            world.ask("POST", &path).basic(&key.id, &key.secret).json(&body).send().await
        };
        for wrong in ["", "  ", "a\u{0}b", "a\nb", "a\u{7f}b", "a\u{85}b", "a\u{202e}b", &"x".repeat(65), &"鍵".repeat(65)] {
            let error = ask(wrong).await.google(400, "INVALID_ARGUMENT");
            assert_eq!(error["details"][0]["fieldViolations"][0]["field"], "displayName");
        }
        for right in ["x".repeat(64), "鍵".repeat(64), "👩‍🔧 o'key <b>&amp;".to_owned()] {
            assert_eq!(ask(&right).await.is(200).json()["accessKey"]["displayName"], right);
        }
    }

    async fn a_key_may_delete_itself_even_as_the_last_one(world: World) {
        let key = world.customer(&["keys:manage"]).await;
        let token = world.token(&key).await;
        assert_eq!(world.ask("DELETE", &key.path()).basic(&key.id, &key.secret).send().await.is(200).text, "{}");
        world.ask_token(&key, "").await.oauth(401, "invalid_client");
        let answer = world.ask("GET", &key.path()).bearer(&token).send().await;
        answer.google(401, "UNAUTHENTICATED");
        assert!(!answer.challenge().contains("expired"), "{}", answer.challenge());
        let page = world.read(&format!("/v1/projects/{}/accessKeys", key.project)).await;
        assert_eq!(page, json!({ "accessKeys": [], "nextPageToken": "" }));
    }
}
