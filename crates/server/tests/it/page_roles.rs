//! Each role against each page and action, and each id of one account in the hands of another.

use serde_json::json;

use crate::pages::Browser;
use crate::world::World;

const ROLES: [&str; 5] = ["owner", "admin", "developer", "billing", "auditor"];

/// Pages and actions with the roles that may, written out by hand. `{a}` is the account, `{p}` its project, `{k}` a key,
/// `{v}` a service plan with its API token `{t}`.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("GET", "/accounts/{a}/keys", &["owner", "admin", "developer", "auditor"]),
    ("GET", "/accounts/{a}/projects", &ROLES),
    ("GET", "/accounts/{a}/projects/new", &["owner", "admin", "developer"]),
    ("POST", "/accounts/{a}/projects/new", &["owner", "admin", "developer"]),
    ("GET", "/accounts/{a}/settings", &ROLES),
    ("POST", "/accounts/{a}/settings", &["owner", "admin"]),
    ("GET", "/accounts/{a}/usage", &ROLES),
    ("GET", "/accounts/{a}/usage.csv", &ROLES),
    ("GET", "/accounts/{a}/usage.json", &ROLES),
    ("GET", "/accounts/{a}/usage/statement", &ROLES),
    ("GET", "/accounts/{a}/audit", &["owner", "admin", "auditor"]),
    ("GET", "/accounts/{a}/audit.ndjson", &["owner", "admin", "auditor"]),
    ("GET", "/accounts/{a}/requests", &["owner", "admin", "developer", "auditor"]),
    ("GET", "/accounts/{a}/members", &["owner", "admin", "developer", "auditor"]),
    ("GET", "/accounts/{a}/members/invite", &["owner", "admin"]),
    ("POST", "/accounts/{a}/members/invite", &["owner", "admin"]),
    ("GET", "/projects/{p}", &ROLES),
    ("GET", "/projects/{p}/usage", &ROLES),
    ("GET", "/projects/{p}/settings", &ROLES),
    ("POST", "/projects/{p}/settings", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/archive", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/archive", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/new", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/new", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}", &["owner", "admin", "developer", "auditor"]),
    ("GET", "/projects/{p}/keys/{k}/first-use", &["owner", "admin", "developer", "auditor"]),
    ("GET", "/projects/{p}/keys/{k}/rename", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/{k}/rename", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}/rotate", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/{k}/rotate", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}/end-overlap", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/{k}/end-overlap", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}/revoke-tokens", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/{k}/revoke-tokens", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}/disable", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/{k}/disable", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}/enable", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/keys/{k}/enable", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/keys/{k}/delete", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/sms", &["owner", "admin", "developer", "auditor"]),
    ("GET", "/projects/{p}/sms/new", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/sms/new", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/sms/{v}/rename", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/sms/{v}/rename", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/sms/{v}/tokens/new", &["owner", "admin", "developer"]),
    ("POST", "/projects/{p}/sms/{v}/tokens/new", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/sms/{v}/tokens/{t}/revoke", &["owner", "admin", "developer"]),
    ("GET", "/projects/{p}/sms/{v}/delete", &["owner", "admin", "developer"]),
    ("GET", "/operator/accounts", &[]),
    ("GET", "/operator/signing-keys", &[]),
    ("GET", "/operator/products", &[]),
    ("GET", "/operator/node", &[]),
];

/// An account with a project, a key and a service plan.
struct Place {
    account: String,
    project: String,
    key: String,
    plan: String,
    token: String,
}

impl Place {
    async fn new(world: &World) -> Self {
        let account = world.new_account().await;
        let project = world.new_project(&account).await;
        let key = world.new_key(&project, &json!({ "displayName": "worker" })).await.id;
        let plan = world.new_plan(&project, "plan").await;
        Self { account, project, key, plan: plan.id, token: plan.token_id }
    }

    fn path(&self, path: &str) -> String {
        let ids = [
            ("{a}", &self.account),
            ("{p}", &self.project),
            ("{k}", &self.key),
            ("{v}", &self.plan),
            ("{t}", &self.token),
        ];
        ids.into_iter().fold(path.to_owned(), |path, (place, id)| path.replace(place, id))
    }
}

async fn status(browser: &Browser<'_>, method: &str, path: &str) -> u16 {
    if method == "GET" { browser.page(path).await.status } else { browser.post(path, "").await.status }
}

#[tokio::test]
async fn each_role_may_what_its_table_says_and_no_more() {
    let world = World::on_sqlite().await;
    let place = Place::new(&world).await;
    for role in ROLES {
        let browser = world.member(&place.account, role).await;
        for (method, path, may) in TABLE {
            let status = status(&browser, method, &place.path(path)).await;
            if path.starts_with("/operator/") {
                assert_eq!(status, 404, "{role} {method} {path}");
            } else if may.contains(&role) {
                assert!([200, 303, 422].contains(&status), "{role} {method} {path}: {status}");
            } else {
                assert_eq!(status, 403, "{role} {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn what_belongs_to_another_account_is_not_told_from_what_does_not_exist() {
    let world = World::on_sqlite().await;
    let (own, other) = (Place::new(&world).await, Place::new(&world).await);
    let nothing = Place {
        account: "01a20000-0000-7000-8000-000000000000".to_owned(),
        project: "01a20000-0000-7000-8000-000000000000".to_owned(),
        key: "01a20000-0000-7000-8000-000000000000".to_owned(),
        plan: "01a2000000007000800000000000000a".to_owned(),
        token: "01a20000-0000-7000-8000-000000000000".to_owned(),
    };
    let owner = world.member(&own.account, "owner").await;
    let before = world.texts("SELECT id FROM audit_events").await.len();
    for (method, path, _) in TABLE.iter().filter(|(_, path, _)| !path.starts_with("/operator/")) {
        let mut pages = Vec::new();
        for place in [&other, &nothing] {
            let answer = if *method == "GET" {
                owner.page(&place.path(path)).await
            } else {
                owner.post(&place.path(path), "").await
            };
            let id = answer.header("request-id").to_owned();
            pages.push((answer.status, answer.text.replace(&id, "")));
        }
        assert_eq!(pages[0].0, 404, "{method} {path}");
        assert_eq!(pages[0], pages[1], "{method} {path}");
    }
    // Own project, other key; other project, own key.
    for (project, key) in [(&own.project, &other.key), (&other.project, &own.key)] {
        owner.page(&format!("/projects/{project}/keys/{key}")).await.is(404);
    }
    for (project, plan) in [(&own.project, &other.plan), (&other.project, &own.plan)] {
        owner.page(&format!("/projects/{project}/sms/{plan}/rename")).await.is(404);
    }
    owner.page(&format!("/projects/{}/sms/{}/tokens/{}/revoke", own.project, own.plan, other.token)).await.is(404);
    owner.page(&format!("/accounts/{}/keys?project={}", own.account, other.project)).await.is(404);
    assert_eq!(world.texts("SELECT id FROM audit_events").await.len(), before, "nothing was changed");
}

#[tokio::test]
async fn nobody_sees_anything_without_signing_in() {
    let world = World::on_sqlite().await;
    let place = Place::new(&world).await;
    for (method, path, _) in TABLE {
        let path = place.path(path);
        let answer = world.ask(method, &path).header("sec-fetch-site", "same-origin").form("").send().await.is(303);
        let next: String = path.replace('/', "%2F");
        assert_eq!(answer.header("location"), format!("/sign-in?next={next}"), "{method}");
    }
}

#[tokio::test]
async fn in_a_suspended_account_members_read_and_change_nothing() {
    let world = World::on_sqlite().await;
    let place = Place::new(&world).await;
    let owner = world.member(&place.account, "owner").await;
    world.make(&format!("/v1/accounts/{}/suspend", place.account), &json!({})).await;
    owner.page(&place.path("/accounts/{a}/keys")).await.is(200).says(&["This account is suspended"]);
    owner.page(&place.path("/accounts/{a}/usage")).await.is(200);
    owner.page(&place.path("/projects/{p}/keys/new")).await.is(403).says(&["suspended"]);
    owner.post(&place.path("/projects/{p}/keys/{k}/disable"), "").await.is(403);
    let operator = world.operator_person(&place.account).await;
    operator.page(&place.path("/projects/{p}/keys/new")).await.is(200);
}
