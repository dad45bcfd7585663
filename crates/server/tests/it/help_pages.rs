//! Help is for everybody, signed in or not.

use crate::world::World;

#[tokio::test]
async fn help_is_shown_to_everybody_with_the_operators_words_as_text() {
    let world = World::on_sqlite().await;
    let account = world.new_account().await;
    let steps = [
        "Two ways lead to the same page",
        "NEW KEY",
        "Rotate",
        "https://tollgate.example/oauth2/token",
        "demo",
        "SERVICE PLAN ID",
    ];
    let page = world.ask("GET", "/help").send().await.is(200).says(&steps).says(&["has left no address"]);
    assert!(!page.text.contains(&account), "nobody is signed in");
    let world = world.reopen(|config| "<b>Call</b> us\n+46 123".clone_into(&mut config.dashboard.contact)).await;
    let member = world.member(&account, "billing").await;
    let page = member.page("/help").await.is(200).says(&steps).says(&["&#60;b&#62;Call&#60;/b&#62; us<br>+46 123"]);
    assert!(!page.text.contains(&format!("/accounts/{account}/requests")), "billing may not look up denials");
    let page = world.member(&account, "auditor").await.page("/help").await.is(200);
    page.says(&[&format!("/accounts/{account}/requests"), &format!("/accounts/{account}/keys")]);
}
