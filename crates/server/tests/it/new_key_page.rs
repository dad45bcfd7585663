//! NEW KEY: however often its form is sent, there is one key, and its secret stands in one answer.

use serde_json::json;

use crate::pages::Browser;
use crate::world::World;

/// The page that shows a secret, or says that it cannot.
async fn send(browser: &Browser<'_>, path: &str, form: &str) -> String {
    browser.post(path, form).await.is(200).text
}

fn secrets(page: &str) -> usize {
    page.matches("tgs_").count()
}

async fn names(world: &World, project: &str) -> Vec<String> {
    world.texts(&format!("SELECT display_name FROM access_keys WHERE project_id = '{project}' ORDER BY id")).await
}

on_both_engines! {
    async fn a_form_that_is_sent_again_makes_no_second_key_and_shows_no_secret(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let owner = world.member(&account, "owner").await;
        let path = format!("/projects/{project}/keys/new");
        let form = owner.page(&path).await.is(200).hidden("form");
        let body = format!("form={form}&options=1&scope=demo&display_name=worker");
        let first = send(&owner, &path, &body).await;
        assert_eq!(secrets(&first), 1, "{first}");
        for _ in 0..3 {
            let again = send(&owner, &path, &body).await;
            assert_eq!(secrets(&again), 0);
            assert!(again.contains("can no longer be shown") && again.contains("/rotate") && again.contains("/delete"));
        }
        // Another name in the same form makes nothing either.
        send(&owner, &path, &body.replace("worker", "other")).await;
        assert_eq!(names(&world, &project).await, ["worker"]);
        assert_eq!(secrets(&owner.page(&format!("/accounts/{account}/keys")).await.is(200).text), 0);
    }

    async fn a_form_that_is_sent_at_once_many_times_makes_one_key(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let owner = world.member(&account, "owner").await;
        let path = format!("/projects/{project}/keys/new");
        let form = owner.page(&path).await.is(200).hidden("form");
        let body = format!("form={form}&display_name=worker");
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let ask = owner.ask("POST", &path).header("sec-fetch-site", "same-origin").form(&body);
            tasks.spawn(ask.send());
        }
        let pages: Vec<_> = tasks.join_all().await.into_iter().map(|answer| answer.is(200).text).collect();
        assert_eq!(pages.iter().map(|page| secrets(page)).sum::<usize>(), 1, "one page shows the secret");
        assert_eq!(names(&world, &project).await, ["worker"]);
    }

    async fn a_rotation_that_is_sent_again_makes_no_third_secret(world: World) {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let key = world.new_key(&project, &json!({ "displayName": "worker" })).await;
        let owner = world.member(&account, "owner").await;
        let path = format!("/projects/{project}/keys/{}/rotate", key.id);
        let form = owner.page(&path).await.is(200).hidden("form");
        let body = format!("form={form}&overlap=0");
        assert_eq!(secrets(&send(&owner, &path, &body).await), 1);
        let again = send(&owner, &path, &body).await;
        assert!(again.contains("rotated before") && secrets(&again) == 0, "{again}");
        let rotations = "SELECT id FROM audit_events WHERE action = 'accessKey.rotateSecret'";
        assert_eq!(world.texts(rotations).await.len(), 1);
    }
}

#[tokio::test]
async fn nobody_uses_up_the_form_of_another() {
    let world = World::on_sqlite().await;
    let account = world.new_account().await;
    let project = world.new_project(&account).await;
    let path = format!("/projects/{project}/keys/new");
    let (one, two) = (world.member(&account, "owner").await, world.member(&account, "admin").await);
    let form = one.page(&path).await.is(200).hidden("form");
    assert_eq!(secrets(&send(&two, &path, &format!("form={form}&display_name=two")).await), 1);
    world.pass(1);
    assert_eq!(secrets(&send(&one, &path, &format!("form={form}&display_name=one")).await), 1);
    one.post(&path, "display_name=without").await.is(422).says(&["not complete"]);
    assert_eq!(names(&world, &project).await, ["two", "one"]);
}

#[tokio::test]
async fn a_wrong_form_comes_back_with_all_that_was_typed_and_all_that_is_wrong() {
    let world = World::on_sqlite().await;
    let account = world.new_account().await;
    let project = world.new_project(&account).await;
    let owner = world.member(&account, "owner").await;
    let path = format!("/projects/{project}/keys/new");
    let form = owner.page(&path).await.is(200).hidden("form");
    let long = "x".repeat(65);
    let body = format!("form={form}&display_name={long}&addresses=nowhere&expires=on&expires_on=2026-13-01&burst=no");
    let page = owner.post(&path, &body).await.is(422);
    assert_eq!(page.hidden("form"), form, "the form still works");
    page.says(&[
        &long,
        "nowhere",
        "2026-13-01",
        "href=\"#display_name\"",
        "href=\"#addresses\"",
        "href=\"#expires_on\"",
        "href=\"#burst\"",
    ]);
    for (name, says) in
        [("", "must not be empty"), ("a%00b", "control characters"), ("%E2%80%AEevil", "control characters")]
    {
        owner.post(&path, &format!("form={form}&display_name={name}")).await.is(422).says(&[says]);
    }
    owner
        .post(&path, &format!("form={form}&display_name=%3Cb%3Ebold%3C%2Fb%3E"))
        .await
        .is(200)
        .says(&["&#60;b&#62;bold"]);
    let again = owner.page(&path).await.is(200).hidden("form");
    let taken = format!("form={again}&display_name=%3Cb%3Ebold%3C%2Fb%3E");
    owner.post(&path, &taken).await.is(422).says(&["is taken"]);
}
