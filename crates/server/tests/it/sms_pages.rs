//! The SMS pages: each form makes one thing, however often it is sent, and its API token stands in one answer.

use crate::pages::Browser;
use crate::world::{World, id};

async fn send(browser: &Browser<'_>, path: &str, form: &str) -> String {
    browser.post(path, form).await.is(200).text
}

/// API tokens in full: hints are shorter.
fn tokens(page: &str) -> Vec<String> {
    let starts = page.match_indices("tgt_").map(|(at, _)| &page[at..]);
    let words =
        starts.map(|rest| rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
    words.filter(|word: &String| word.len() == 53).collect()
}

on_both_engines! {
    async fn a_new_plan_is_made_once_and_its_token_works(world: World) {
        let key = world.customer(&["sms"]).await;
        let owner = world.member(&key.account, "owner").await;
        let list = format!("/projects/{}/sms", key.project);
        owner.page(&list).await.is(200).says(&["No service plan yet", "NEW SERVICE PLAN"]);
        let projects = format!("/accounts/{}/projects", key.account);
        owner.page(&projects).await.is(200).says(&["0 service plans of A project"]);
        let path = format!("{list}/new");
        let form = owner.page(&path).await.is(200).hidden("form");
        let body = format!("form={form}&display_name=sms-prod");
        let made = send(&owner, &path, &body).await;
        let found = tokens(&made);
        assert_eq!(found.len(), 1, "{made}");
        assert!(made.contains("I have stored the API token") && made.contains("id=\"service-plan-id\""), "{made}");
        for _ in 0..2 {
            let again = send(&owner, &path, &body).await;
            assert!(tokens(&again).is_empty() && again.contains("can no longer be shown"), "{again}");
        }
        let plans = world.read(&format!("/v1{list}").replace("/sms", "/servicePlans")).await;
        assert_eq!(plans["servicePlans"].as_array().expect("plans").len(), 1);
        let plan = id(&plans["servicePlans"][0], "servicePlanId");
        world.gate(&format!("/xms/v1/{plan}/batches")).bearer(&found[0]).send().await.is(200);
        world.usage(&key.account, "key").await;
        let page = owner.page(&list).await.is(200);
        assert!(tokens(&page.text).is_empty());
        page.says(&[&plan, "sms-prod", "0 s ago", "/xms/v1/$TOLLGATE_SERVICE_PLAN_ID/"]);
        owner.page(&projects).await.is(200).says(&["1 service plan of A project"]);
        let usage = owner.page(&format!("/accounts/{}/usage?group=key", key.account)).await.is(200);
        usage.says(&["sms-prod", &plan, &list]);
    }

    async fn another_token_is_made_once_and_a_revoked_one_is_refused(world: World) {
        let key = world.customer(&["sms"]).await;
        let plan = world.new_plan(&key.project, "main").await;
        let owner = world.member(&key.account, "developer").await;
        let list = format!("/projects/{}/sms", key.project);
        let path = format!("{list}/{}/tokens/new", plan.id);
        let form = owner.page(&path).await.is(200).hidden("form");
        owner.post(&path, &format!("form={form}&overlap=soon")).await.is(422).says(&["must be 0 to 2592000"]);
        let body = format!("form={form}&overlap=");
        let made = tokens(&send(&owner, &path, &body).await);
        assert_eq!((made.len(), tokens(&send(&owner, &path, &body).await).len()), (1, 0));
        owner.page(&path).await.is(200).says(&["Two API tokens are live already"]);
        let form = owner.page(&path).await.hidden("form");
        owner.post(&path, &format!("form={form}&overlap=")).await.is(422).says(&["revoke one first"]);
        let revoke = format!("{list}/{}/tokens/{}/revoke", plan.id, plan.token_id);
        owner.page(&revoke).await.is(200).says(&["refused from the next call on", &plan.token[..8]]);
        assert_eq!(owner.post(&revoke, "").await.is(303).header("location"), format!("{list}?done=api-token-revoked"));
        owner.page(&revoke).await.is(404);
        let call = async |token: &str| world.gate(&plan.batches()).bearer(token).send().await.status;
        assert_eq!((call(&plan.token).await, call(&made[0]).await), (401, 200));
    }
}

#[tokio::test]
async fn a_plan_is_renamed_and_deleted_and_wrong_names_come_back() {
    let world = World::on_sqlite().await;
    let key = world.customer(&["sms"]).await;
    let (plan, other) =
        (world.new_plan(&key.project, "main").await, world.new_plan(&key.project, "<i>other</i>").await);
    let owner = world.member(&key.account, "owner").await;
    let list = format!("/projects/{}/sms", key.project);
    owner.page(&list).await.is(200).says(&["&#60;i&#62;other"]);
    let rename = format!("{list}/{}/rename", plan.id);
    owner
        .post(&rename, "display_name=%3Ci%3Eother%3C%2Fi%3E")
        .await
        .is(422)
        .says(&["is taken by another service plan"]);
    owner.post(&rename, "display_name=").await.is(422).says(&["must not be empty"]);
    owner.post(&rename, "display_name=first").await.is(303);
    owner.page(&format!("{list}?done=plan-renamed")).await.is(200).says(&["first", "has its new name"]);
    let new = format!("{list}/new");
    owner.post(&new, "display_name=x").await.is(422).says(&["not complete"]);
    let delete = format!("{list}/{}/delete", other.id);
    owner.page(&delete).await.is(200).says(&["There is no way back"]);
    owner.post(&delete, "").await.is(303);
    world.gate(&other.batches()).bearer(&other.token).send().await.is(401);
    owner.page(&delete).await.is(404);
}
