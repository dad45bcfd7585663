//! A browser that is signed in: pages asked for with the cookie of a session.

use tollgate_server::operations::{Actor, Doing};

use crate::ask::{Answer, Ask};
use crate::world::World;

/// Somebody who is signed in, by the cookie of its session.
pub(crate) struct Browser<'w> {
    world: &'w World,
    cookie: String,
}

impl World {
    /// Signs in, by a link that works once, as a member of an account with this role (`owner`, `admin`, …). It is no
    /// operator. Its address is made of the role and the account's id.
    pub(crate) async fn member(&self, account: &str, role: &str) -> Browser<'_> {
        self.person(account, role, false).await
    }

    /// Signs in as the operator of the platform, who owns this account as well.
    pub(crate) async fn operator_person(&self, account: &str) -> Browser<'_> {
        self.person(account, "owner", true).await
    }

    async fn person(&self, account: &str, role: &str, operator: bool) -> Browser<'_> {
        let doing = Doing::by(&Actor::Operator);
        let account = self.app.account(account.parse().expect("an Account ID")).await.expect("an account");
        let kind = if operator { "operator" } else { role };
        let address = format!("{kind}@{}.example", account.id);
        let user = self.app.sample_owner(&doing, &address, &account).await.expect("a new user");
        let operator = i64::from(operator);
        self.execute(&format!("UPDATE users SET operator = {operator} WHERE id = '{}'", user.id)).await;
        self.execute(&format!("UPDATE memberships SET role = '{role}' WHERE user_id = '{}'", user.id)).await;
        let link = self.app.sign_in_link(&doing, &user).await.expect("a link").url;
        let path = link.strip_prefix("https://tollgate.example").expect("a page of the public URL").to_owned();
        let answer = self.ask("GET", &path).send().await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        assert!(cookie.starts_with("__Host-tollgate="), "{} {}", answer.status, answer.text);
        Browser { world: self, cookie }
    }
}

impl Browser<'_> {
    /// A request with the session's cookie.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        self.world.ask(method, path).header("cookie", &self.cookie)
    }

    /// A page as it is shown.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        self.ask("GET", path).send().await
    }

    /// A form as the browser sends it from a page of ours.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.ask("POST", path).header("sec-fetch-site", "same-origin").form(form).send().await
    }
}

#[tokio::test]
async fn a_session_opens_the_pages_of_its_own_accounts_only() {
    let world = World::on_sqlite().await;
    let (own, other) = (world.new_account().await, world.new_account().await);
    let (own_keys, other_keys) = (format!("/accounts/{own}/keys"), format!("/accounts/{other}/keys"));
    let member = world.member(&own, "developer").await;
    assert!(member.page(&own_keys).await.is(200).text.contains("Access keys"));
    member.page(&other_keys).await.is(404);
    world.operator_person(&own).await.page(&other_keys).await.is(200);
    let answer = world.ask("GET", &own_keys).send().await.is(303);
    assert!(answer.header("location").starts_with("/sign-in?next="));
    member.post("/theme", "theme=dark").await.is(303);
    member.post("/sign-out", "").await.is(303);
    member.page(&own_keys).await.is(303);
}
