//! Who may do what: every route of the management API, asked by every identity.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate_core::Role;

use crate::ask::Ask;
use crate::world::{Key, World, id};

/// Method, path, body, what is answered to a key of the subproject, to a key of the project above it, and to the operator,
/// and which members may: owner, admin, developer, billing, auditor. Nobody and a deleted key get 401 everywhere; a stranger's
/// key and one without `keys:manage` get 403; other members get 403, and people outside 404.
///
/// `{a}` is the account, `{b}` one without projects, `{p}` the project, `{s}` the subproject, `{r}` a request that was denied,
/// `{e}` the owner's address. Made for each request: `{q}` a project, `{t}` a subproject, `{k}` a key of the subproject, `{v}` a
/// service plan of it and `{w}` its API token, `{u}` a member.
pub(crate) const ROUTES: &[(&str, &str, &str, [u16; 3], &str)] = &[
    ("GET", "/v1/accounts", "", [403, 403, 200], "oadbu"),
    ("POST", "/v1/accounts", r#"{"displayName":"x"}"#, [403, 403, 200], ""),
    ("GET", "/v1/accounts/{a}", "", [403, 403, 200], "oadbu"),
    ("PATCH", "/v1/accounts/{a}", r#"{"displayName":"x"}"#, [403, 403, 200], "oa"),
    ("POST", "/v1/accounts/{b}/suspend", "", [403, 403, 200], ""),
    ("POST", "/v1/accounts/{b}/resume", "", [403, 403, 200], ""),
    ("GET", "/v1/accounts/{a}/projects", "", [403, 403, 200], "oadbu"),
    ("POST", "/v1/accounts/{a}/projects", r#"{"displayName":"x"}"#, [403, 403, 200], "oad"),
    ("GET", "/v1/accounts/{a}/usage", "", [403, 403, 200], "oadbu"),
    ("GET", "/v1/accounts/{a}/auditEvents", "", [403, 403, 200], "oau"),
    ("GET", "/v1/accounts/{a}/members", "", [403, 403, 200], "oadu"),
    ("POST", "/v1/accounts/{a}/members", r#"{"email":"{n}@example.com","role":"admin"}"#, [403, 403, 200], "oa"),
    ("PATCH", "/v1/accounts/{a}/members/{u}", r#"{"role":"developer"}"#, [403, 403, 200], "oa"),
    ("DELETE", "/v1/accounts/{a}/members/{u}", "", [403, 403, 200], "oa"),
    ("GET", "/v1/projects/{s}", "", [200, 200, 200], "oadbu"),
    ("PATCH", "/v1/projects/{s}", r#"{"displayName":"x"}"#, [403, 403, 200], "oad"),
    ("POST", "/v1/projects/{q}/archive", "", [403, 403, 200], "oad"),
    ("GET", "/v1/projects/{s}/subprojects", "", [200, 200, 200], "oadbu"),
    ("POST", "/v1/projects/{p}/subprojects", r#"{"displayName":"x"}"#, [403, 200, 200], "oad"),
    ("GET", "/v1/subprojects/{s}", "", [403, 200, 200], "oadbu"),
    ("PATCH", "/v1/subprojects/{s}", r#"{"displayName":"x"}"#, [403, 200, 200], "oad"),
    ("DELETE", "/v1/subprojects/{t}", "", [403, 200, 200], "oad"),
    ("GET", "/v1/projects/{s}/accessKeys", "", [200, 200, 200], "oadu"),
    ("POST", "/v1/projects/{s}/accessKeys", r#"{"displayName":"{n}"}"#, [200, 200, 200], "oad"),
    ("GET", "/v1/projects/{s}/accessKeys/{k}", "", [200, 200, 200], "oadu"),
    ("PATCH", "/v1/projects/{s}/accessKeys/{k}", r#"{"displayName":"{n}"}"#, [200, 200, 200], "oad"),
    ("DELETE", "/v1/projects/{s}/accessKeys/{k}", "", [200, 200, 200], "oad"),
    ("POST", "/v1/projects/{s}/accessKeys/{k}/rotateSecret", "", [200, 200, 200], "oad"),
    ("POST", "/v1/projects/{s}/accessKeys/{k}/endOverlap", "", [200, 200, 200], "oad"),
    ("POST", "/v1/projects/{s}/accessKeys/{k}/revokeTokens", "", [200, 200, 200], "oad"),
    ("POST", "/v1/projects/{s}/accessKeys/{k}/disable", "", [200, 200, 200], "oad"),
    ("POST", "/v1/projects/{s}/accessKeys/{k}/enable", "", [200, 200, 200], "oad"),
    ("GET", "/v1/projects/{s}/servicePlans", "", [200, 200, 200], "oadu"),
    ("POST", "/v1/projects/{s}/servicePlans", r#"{"displayName":"{n}"}"#, [200, 200, 200], "oad"),
    ("GET", "/v1/projects/{s}/servicePlans/{v}", "", [200, 200, 200], "oadu"),
    ("PATCH", "/v1/projects/{s}/servicePlans/{v}", r#"{"displayName":"{n}"}"#, [200, 200, 200], "oad"),
    ("DELETE", "/v1/projects/{s}/servicePlans/{v}", "", [200, 200, 200], "oad"),
    ("GET", "/v1/projects/{s}/servicePlans/{v}/apiTokens", "", [200, 200, 200], "oadu"),
    ("POST", "/v1/projects/{s}/servicePlans/{v}/apiTokens", "", [200, 200, 200], "oad"),
    ("DELETE", "/v1/projects/{s}/servicePlans/{v}/apiTokens/{w}", "", [200, 200, 200], "oad"),
    // Only an access key with another scope.
    ("POST", "/v1/usage/events", "{}", [403, 403, 403], ""),
    ("GET", "/v1/denials/{r}", "", [403, 403, 200], "oadu"),
    ("GET", "/v1/me", "", [403, 403, 200], "oadbu"),
    // Somebody can sign in already.
    ("POST", "/v1/setupLinks", "", [403, 403, 400], ""),
    ("POST", "/v1/resetLinks", r#"{"email":"{e}"}"#, [403, 403, 200], ""),
    ("GET", "/v1/signingKeys", "", [403, 403, 200], ""),
    ("POST", "/v1/signingKeys/rotate", "", [403, 403, 200], ""),
];

const ROLES: [(char, Role); 5] =
    [('o', Role::Owner), ('a', Role::Admin), ('d', Role::Developer), ('b', Role::Billing), ('u', Role::Auditor)];

/// An account with a project, a subproject, keys of each kind, and people of each role.
pub(crate) struct Family {
    account: String,
    empty_account: String,
    project: String,
    below: String,
    denied: String,
    own: Key,
    above: Key,
    without: Key,
    deleted: Key,
    stranger: Key,
    /// Personal tokens of the members, in the order of [`ROLES`], of somebody outside, and of an operator.
    members: Vec<String>,
    outside: String,
    operator: String,
}

impl Family {
    pub(crate) async fn new(world: &World) -> Self {
        let stranger = world.customer(&["keys:manage"]).await;
        let new = json!({ "displayName": "family", "keyLimit": 1_000 });
        let account = id(&world.make("/v1/accounts", &new).await, "accountId");
        let project = world.new_project(&account).await;
        let below = world.new_subproject(&project).await;
        let key = |name: &str, scopes: &[&str]| json!({ "displayName": name, "scopes": scopes });
        let own = world.new_key(&below, &key("own", &["keys:manage"])).await;
        let above = world.new_key(&project, &key("above", &["keys:manage"])).await;
        let without = world.new_key(&below, &key("without", &["demo"])).await;
        let deleted = world.new_key(&below, &key("deleted", &["keys:manage"])).await;
        world.ask("DELETE", &deleted.path()).operator().send().await.is(200);
        let denied = world.call(&own).basic(&own.id, &own.secret).send().await.is(403).header("request-id").to_owned();
        let empty_account = world.new_account().await;
        let (operator, _) = world.set_up().await;
        let outside = world.stranger("outside@example.com").await;
        let family = world.account(&account).await;
        let mut members = Vec::new();
        for (_, role) in ROLES {
            let member = world.join(&family, &format!("{role}@family.example"), role).await;
            members.push(world.personal_token(&member).await);
        }
        let (outside, operator) = (world.personal_token(&outside).await, world.personal_token(&operator).await);
        Self {
            account,
            empty_account,
            project,
            below,
            denied,
            own,
            above,
            without,
            deleted,
            stranger,
            members,
            outside,
            operator,
        }
    }

    /// A route's path and body with the ids of this family.
    async fn fill(&self, world: &World, text: &str) -> String {
        let mut text = text.to_owned();
        if text.contains("{k}") {
            let name = format!("victim {}", world.now().0);
            let body = json!({ "displayName": name, "scopes": [] });
            text = text.replace("{k}", &world.new_key(&self.below, &body).await.id);
        }
        if text.contains("{v}") {
            let plan = world.new_plan(&self.below, &format!("victim {}", world.now().0)).await;
            text = text.replace("{v}", &plan.id).replace("{w}", &plan.token_id);
        }
        if text.contains("{q}") {
            text = text.replace("{q}", &world.new_project(&self.account).await);
        }
        if text.contains("{t}") {
            text = text.replace("{t}", &world.new_subproject(&self.project).await);
        }
        if text.contains("{u}") {
            let (account, email) = (world.account(&self.account).await, format!("{}@member.example", world.now().0));
            text = text.replace("{u}", &world.join(&account, &email, Role::Auditor).await.person.user.id.to_string());
        }
        let ids = [
            ("{a}", &*self.account),
            ("{b}", &self.empty_account),
            ("{p}", &self.project),
            ("{e}", "owner@family.example"),
            ("{s}", &self.below),
            ("{r}", &self.denied),
            ("{n}", &world.now().0.to_string()),
        ];
        ids.into_iter().fold(text, |text, (place, id)| text.replace(place, id))
    }

    /// A request to a route, without credentials.
    pub(crate) async fn ask(&self, world: &World, method: &str, path: &str, body: &str) -> Ask {
        world.pass(1);
        let ask = world.ask(method, &self.fill(world, path).await);
        let body = self.fill(world, body).await;
        if body.is_empty() { ask } else { ask.header("content-type", "application/json").body(body) }
    }
}

/// The routes below `/v1` in the product's own table: method and path, every placeholder the same.
pub(crate) fn routed() -> BTreeSet<(String, String)> {
    let table = include_str!("../../src/http/mod.rs");
    let mut found = BTreeSet::new();
    for route in table.split(".route(").skip(1) {
        let Some((path, handlers)) = route.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
            continue;
        };
        let handlers = handlers.split(".method_not_allowed_fallback").next().unwrap_or(handlers);
        for method in ["get", "post", "patch", "delete", "put"] {
            let named = handlers
                .match_indices(&format!("{method}("))
                .any(|(at, _)| !handlers[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
            if named && path.starts_with("/v1/") {
                found.insert((method.to_uppercase(), same_places(path)));
            }
        }
    }
    found
}

/// `/v1/accounts/{account}` → `/v1/accounts/{}`
pub(crate) fn same_places(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_of_the_management_api_is_asked() {
    let asked: BTreeSet<_> = ROUTES.iter().map(|route| (route.0.to_owned(), same_places(route.1))).collect();
    assert_eq!(asked, routed());
}

on_both_engines! {
    async fn each_identity_may_do_what_it_may_and_nothing_else(world: World) {
        let family = Family::new(&world).await;
        for (method, path, body, [own, above, operator], members) in ROUTES {
            let ask = async || family.ask(&world, method, path, body).await;
            let key = async |key: &Key| ask().await.basic(&key.id, &key.secret).send().await.status;
            let found = [
                ask().await.send().await.status,
                key(&family.deleted).await,
                key(&family.stranger).await,
                key(&family.without).await,
                key(&family.own).await,
                key(&family.above).await,
                ask().await.operator().send().await.status,
            ];
            assert_eq!(found, [401, 401, 403, 403, *own, *above, *operator], "{method} {path}");
            let person = async |token: &str| ask().await.bearer(token).send().await.status;
            for ((letter, role), token) in ROLES.iter().zip(&family.members) {
                let expected = if members.contains(*letter) { 200 } else { 403 };
                assert_eq!(person(token).await, expected, "{role}: {method} {path}");
            }
            let outside = match (members.is_empty(), path.contains('{')) {
                (true, _) => 403,
                (false, true) => 404,
                (false, false) => 200,
            };
            assert_eq!([person(&family.outside).await, person(&family.operator).await], [outside, *operator], "{method} {path}");
        }
    }

    async fn a_stranger_cannot_tell_what_exists_from_what_does_not(world: World) {
        let family = Family::new(&world).await;
        let nothing = "01995a31-0000-7000-8000-000000000000";
        let token = world.token(&family.stranger).await;
        for (method, path, body, ..) in ROUTES {
            let places = ["{a}", "{b}", "{p}", "{q}", "{s}", "{t}", "{k}", "{u}", "{r}"];
            let unknown = places.into_iter().fold((*path).to_owned(), |path, place| path.replace(place, nothing));
            for token in [&token, &family.outside] {
                let real = family.ask(&world, method, path, body).await.bearer(token).send().await;
                let unreal = family.ask(&world, method, &unknown, body).await.bearer(token).send().await;
                assert_eq!(real.comparable(), unreal.comparable(), "{method} {path}");
                for known in [&family.account, &family.project, &family.below, &family.own.id] {
                    assert!(!real.text.contains(known), "{}", real.text);
                }
            }
        }
        let own_project = format!("/v1/projects/{}/accessKeys", family.stranger.project);
        let borrowed = world.ask("GET", &format!("{own_project}/{}", family.own.id)).bearer(&token).send().await;
        let unknown = world.ask("GET", &format!("{own_project}/{nothing}")).bearer(&token).send().await;
        borrowed.google(404, "NOT_FOUND");
        assert_eq!(borrowed.comparable(), unknown.comparable());
        for method in ["PATCH", "DELETE"] {
            let ask = world.ask(method, &format!("{own_project}/{}", family.own.id)).bearer(&token).json(&json!({}));
            ask.send().await.google(404, "NOT_FOUND");
        }
        let gate = |project: &str| world.gate(&format!("/v1/projects/{project}/x")).bearer(&token).send();
        assert_eq!(gate(&family.project).await.comparable(), gate(nothing).await.comparable());
        let observer = world.customer(&["introspect"]).await;
        let foreign = world.token(&family.own).await;
        let introspect = |token: &str| world.ask("POST", "/oauth2/introspect").basic(&observer.id, &observer.secret).form(&format!("token={token}"));
        assert_eq!(introspect(&foreign).send().await.comparable(), introspect("x").send().await.comparable());
    }

    async fn nothing_that_a_stranger_tries_changes_anything(world: World) {
        let family = Family::new(&world).await;
        let trail = async || -> Value { world.read(&format!("/v1/accounts/{}/auditEvents?pageSize=1000", family.account)).await };
        for (method, path, body, _, members) in ROUTES.iter().filter(|route| route.0 != "GET") {
            let ask = family.ask(&world, method, path, body).await;
            let before = trail().await;
            ask.basic(&family.stranger.id, &family.stranger.secret).send().await.google(403, "PERMISSION_DENIED");
            assert_eq!(trail().await, before);
            let ask = family.ask(&world, method, path, body).await;
            let before = trail().await;
            let refused = ask.bearer(&family.outside).send().await;
            assert_eq!(refused.status, if members.is_empty() { 403 } else { 404 }, "{method} {path}");
            assert_eq!(trail().await, before);
        }
    }
}
