//! The page that says why a request was denied, and what to do.

use crate::world::World;

on_both_engines! {
    async fn a_denial_is_explained_to_its_own_account(world: World) {
        let key = world.customer(&["sms"]).await;
        let other = world.new_account().await;
        let token = world.token(&key).await;
        let denied = world.call(&key).bearer(&token).send().await.is(403);
        let request = denied.header("request-id");
        let path = format!("/accounts/{}/requests?id=%20{}%20", key.account, request.to_uppercase());
        let developer = world.member(&key.account, "developer").await;
        developer.page(&path).await.is(200).says(&[
            "The credential lacks the scope demo", "What to do:", "Give the access key the scope", "wrong_scope", &key.id, request,
        ]);
        let stranger = world.member(&other, "owner").await;
        let theirs = format!("/accounts/{other}/requests?id={request}");
        let page = stranger.page(&theirs).await.is(200).says(&["No denial is remembered"]);
        assert!(!page.text.contains("wrong_scope") && !page.text.contains(&key.id));
        let operator = world.operator_person(&other).await;
        operator.page(&theirs).await.is(200).says(&["wrong_scope", "another account"]);
    }

    async fn a_denial_of_nobody_is_the_operators(world: World) {
        let key = world.customer(&[]).await;
        let denied = world.call(&key).send().await.is(401);
        let path = format!("/accounts/{}/requests?id={}", key.account, denied.header("request-id"));
        let owner = world.member(&key.account, "owner").await;
        owner.page(&path).await.is(200).says(&["No denial is remembered", "belongs to no account"]);
        let operator = world.operator_person(&key.account).await;
        operator.page(&path).await.is(200).says(&["no_credential", "Authorization: Bearer", "no account"]);
    }
}

#[tokio::test]
async fn what_is_no_request_id_comes_back_with_what_one_looks_like() {
    let world = World::on_sqlite().await;
    let account = world.new_account().await;
    let owner = world.member(&account, "owner").await;
    let path = format!("/accounts/{account}/requests");
    let page = owner.page(&path).await.is(200);
    assert!(!page.text.contains("No denial is remembered"));
    owner.page(&format!("{path}?id=%22%3E%3Cscript%3E")).await.is(422).says(&[
        "is not a request id",
        "value=\"&#34;&#62;&#60;script&#62;\"",
        "aria-describedby=\"id-hint id-error\"",
    ]);
}

#[tokio::test]
async fn all_but_billing_look_up_denials_of_their_own_account() {
    let world = World::on_sqlite().await;
    let (account, other) = (world.new_account().await, world.new_account().await);
    for (role, status) in [("owner", 200), ("admin", 200), ("developer", 200), ("billing", 403), ("auditor", 200)] {
        let member = world.member(&account, role).await;
        member.page(&format!("/accounts/{account}/requests")).await.is(status);
        let theirs = member.page(&format!("/accounts/{other}/requests")).await.is(404);
        let nobodys = member.page("/accounts/00000000-0000-7000-8000-000000000000/requests").await;
        assert_eq!(theirs.comparable(), nobodys.comparable());
    }
}
