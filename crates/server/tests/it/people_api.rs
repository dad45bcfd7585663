//! People at the management API: with personal tokens, and what the operator does for them.

use serde_json::{Value, json};
use tollgate_core::Role;

use crate::person::{OWNER, PASSWORD, client};
use crate::world::{World, id};

const NOWHERE: &str = "01995a31-0000-7000-8000-000000000000";

/// The secret in a link of an answer.
fn token(answer: &Value, name: &str) -> String {
    let url = id(answer, name);
    url.split_once("token=").expect("a link with a secret").1.to_owned()
}

on_both_engines! {
    async fn a_person_sees_itself_and_its_own_accounts(world: World) {
        let (operator, first) = world.set_up().await;
        let me = world.stranger("me@example.com").await;
        let account = me.person.seats[0].account.clone();
        let second = world.account(&world.new_account().await).await;
        let made = world.app.invite(&world.socket(), tollgate_server::operations::MemberPower::All, &second, "me@example.com", Role::Auditor).await.expect("invited");
        world.app.accept_as(&me, &crate::person::token(&made)).await.expect("its own");
        let mine = world.personal_token(&me).await;
        let shown = world.ask("GET", "/v1/me").bearer(&mine).send().await.is(200).json();
        assert_eq!(shown, json!({
            "userId": me.person.user.id, "email": "me@example.com", "operator": false,
            "accounts": [
                { "accountId": account.id, "displayName": "An account", "role": "owner", "suspended": false },
                { "accountId": second.id, "displayName": "An account", "role": "auditor", "suspended": false },
            ],
        }));
        let list = async |query: &str| world.ask("GET", &format!("/v1/accounts{query}")).bearer(&mine).send().await.is(200).json();
        let ids = |page: &Value| page["accounts"].as_array().expect("a list").iter().map(|one| id(one, "accountId")).collect::<Vec<_>>();
        assert_eq!(ids(&list("").await), [account.id.to_string(), second.id.to_string()]);
        let page = list("?pageSize=1").await;
        assert_eq!(ids(&page), [account.id.to_string()]);
        let rest = list(&format!("?pageSize=1&pageToken={}", id(&page, "nextPageToken"))).await;
        assert_eq!((ids(&rest), rest["nextPageToken"].as_str()), (vec![second.id.to_string()], Some("")));
        let borrowed = world.ask("GET", &format!("/v1/accounts?pageToken={}", id(&page, "nextPageToken")));
        borrowed.bearer(&world.personal_token(&operator).await).send().await.google(400, "INVALID_ARGUMENT");
        let all = world.ask("GET", "/v1/accounts").bearer(&world.personal_token(&operator).await).send().await.is(200).json();
        assert_eq!(ids(&all).len(), 3);
        assert!(ids(&all).contains(&first.id.to_string()));
    }

    async fn a_dead_personal_token_is_refused_like_one_that_never_was(world: World) {
        let (me, _) = world.set_up().await;
        let secret = world.personal_token(&me).await;
        world.ask("GET", "/v1/me").bearer(&secret).send().await.is(200);
        world.ask("GET", "/v1/me").header("authorization", &format!("bEaReR {secret}")).send().await.is(200);
        let token = world.app.personal_tokens(&me).await.expect("a list").remove(0);
        world.app.delete_personal_token(&me, None, token.id).await.expect("its own");
        let dead = world.ask("GET", "/v1/me").bearer(&secret).send().await;
        dead.google(401, "UNAUTHENTICATED");
        assert!(dead.challenge().starts_with("Bearer error=\"invalid_token\""), "{}", dead.challenge());
        let never = world.ask("GET", "/v1/me").bearer("tgp_nonsense").send().await;
        assert_eq!(dead.comparable(), never.comparable());
        world.ask("GET", &format!("/v1/me?access_token={secret}")).send().await.is(401);
        let gate = world.gate("/status").bearer(&secret).send().await;
        assert_eq!(gate.status, 401, "no API takes it");
    }

    async fn a_refusal_names_the_role_and_what_is_out_of_reach_is_not_there(world: World) {
        let account = world.account(&world.new_account().await).await;
        let project = world.new_project(&account.id.to_string()).await;
        let below = world.new_subproject(&project).await;
        let key = world.new_key(&project, &json!({ "displayName": "main" })).await;
        let auditor = world.personal_token(&world.join(&account, "auditor@example.com", Role::Auditor).await).await;
        let refused = world.ask("DELETE", &key.path()).bearer(&auditor).send().await.google(403, "PERMISSION_DENIED");
        assert_eq!(refused["message"], "To change access keys you need the role owner, admin or developer");
        let stranger = world.personal_token(&world.stranger("stranger@example.com").await).await;
        for (real, unreal) in [
            (format!("/v1/accounts/{}", account.id), format!("/v1/accounts/{NOWHERE}")),
            (format!("/v1/projects/{project}"), format!("/v1/projects/{NOWHERE}")),
            (format!("/v1/subprojects/{below}"), format!("/v1/subprojects/{project}")),
            (key.path(), format!("/v1/projects/{NOWHERE}/accessKeys/{}", key.id)),
        ] {
            let [real, unreal] = [world.ask("GET", &real).bearer(&stranger).send().await, world.ask("GET", &unreal).bearer(&stranger).send().await];
            real.google(404, "NOT_FOUND");
            assert_eq!(real.comparable(), unreal.comparable());
        }
        let limit = world.ask("PATCH", &format!("/v1/accounts/{}", account.id)).json(&json!({ "keyLimit": 99 }));
        let owner = world.personal_token(&world.join(&account, "owner@example.com", Role::Owner).await).await;
        limit.bearer(&owner).send().await.google(403, "PERMISSION_DENIED");
    }

    async fn a_suspended_account_is_read_and_not_changed(world: World) {
        let owner = world.stranger("owner@example.com").await;
        let account = owner.person.seats[0].account.id.to_string();
        let project = world.new_project(&account).await;
        let owner = world.personal_token(&owner).await;
        world.make(&format!("/v1/accounts/{account}/suspend"), &json!({})).await;
        world.ask("GET", &format!("/v1/projects/{project}/accessKeys")).bearer(&owner).send().await.is(200);
        let create = world.ask("POST", &format!("/v1/projects/{project}/accessKeys")).json(&json!({ "displayName": "x" }));
        let refused = create.bearer(&owner).send().await.google(403, "PERMISSION_DENIED");
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("suspended")), "{refused}");
    }

    async fn what_a_person_does_stands_in_the_trail_under_its_name_and_address(world: World) {
        let owner = world.stranger("owner@example.com").await;
        let account = owner.person.seats[0].account.id.to_string();
        let secret = world.personal_token(&owner).await;
        world.pass(1);
        let path = format!("/v1/accounts/{account}/projects");
        let made = world.ask("POST", &path).peer("203.0.113.9").bearer(&secret).json(&json!({ "displayName": "mine" })).send().await.is(200);
        let newest = world.read(&format!("/v1/accounts/{account}/auditEvents?pageSize=1")).await["auditEvents"][0].take();
        assert_eq!(newest["actor"], format!("user:{}", owner.person.user.id));
        assert_eq!((&newest["target"], &newest["address"]), (&made.json()["projectId"], &json!("203.0.113.9")));
    }

    async fn an_account_is_made_with_an_invitation_of_its_owner(world: World) {
        let body = json!({ "displayName": "Customer", "ownerEmail": "Boss@Example.com" });
        let answer = world.ask("POST", "/v1/accounts").operator().json(&body).send().await.is(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let (account, token) = (id(&answer.json(), "accountId"), token(&answer.json(), "invitationUrl"));
        let invitation = world.app.invitation(&token).await.expect("live");
        assert_eq!((invitation.email.as_str(), invitation.role, invitation.account.id.to_string()), ("boss@example.com", Role::Owner, account.clone()));
        world.app.accept_as_new(&token, PASSWORD, client(1)).await.expect("live");
        let trail = world.texts(&format!("SELECT action FROM audit_events WHERE account_id = '{account}' ORDER BY at, action")).await;
        assert_eq!(trail, ["account.create", "invitation.create", "member.join"]);
        let before = world.read("/v1/accounts").await;
        let wrong = world.ask("POST", "/v1/accounts").operator().json(&json!({ "displayName": "x", "ownerEmail": "nobody" })).send().await;
        let wrong = wrong.google(400, "INVALID_ARGUMENT");
        assert_eq!(wrong["details"][0]["fieldViolations"][0]["field"], "ownerEmail");
        assert_eq!(world.read("/v1/accounts").await, before);
    }

    async fn members_are_invited_changed_and_removed_over_the_api(world: World) {
        let (_, account) = world.set_up().await;
        world.pass(1);
        let path = format!("/v1/accounts/{}/members", account.id);
        let invite = |email: &str, role: &str| world.ask("POST", &path).operator().json(&json!({ "email": email, "role": role }));
        let made = invite("new@example.com", "billing").send().await.is(200).json();
        assert_eq!((&made["invitation"]["email"], &made["invitation"]["role"], &made["mailed"]), (&json!("new@example.com"), &json!("billing"), &json!(false)));
        assert_eq!(made["invitation"]["expireTime"], world.instant(7 * 86_400));
        world.app.accept_as_new(&token(&made, "url"), PASSWORD, client(1)).await.expect("live");
        invite("new@example.com", "billing").send().await.google(409, "ALREADY_EXISTS");
        invite("other@example.com", "root").send().await.google(400, "INVALID_ARGUMENT");
        invite("other", "admin").send().await.google(400, "INVALID_ARGUMENT");
        let listed = world.read(&path).await;
        let user = id(&listed["members"][1], "userId");
        assert_eq!((&listed["members"][0]["email"], &listed["members"][1]["role"]), (&json!(OWNER), &json!("billing")));
        let one = format!("{path}/{user}");
        let changed = world.ask("PATCH", &one).operator().json(&json!({ "role": "admin" })).send().await.is(200).json();
        assert_eq!(changed["role"], "admin");
        world.ask("DELETE", &one).operator().send().await.is(200);
        world.ask("DELETE", &one).operator().send().await.google(404, "NOT_FOUND");
        world.ask("PATCH", &format!("{path}/x")).operator().json(&json!({ "role": "admin" })).send().await.google(400, "INVALID_ARGUMENT");
        let owner = id(&listed["members"][0], "userId");
        world.ask("DELETE", &format!("{path}/{owner}")).operator().send().await.google(400, "FAILED_PRECONDITION");
    }

    async fn the_operator_makes_the_links_that_let_people_in(world: World) {
        let setup = world.ask("POST", "/v1/setupLinks").operator().send().await.is(200);
        assert_eq!(setup.header("cache-control"), "no-store");
        assert_eq!(setup.json()["expireTime"], world.instant(86_400));
        assert!(world.app.can_set_up(&token(&setup.json(), "url")).await.expect("answers"));
        world.set_up().await;
        world.ask("POST", "/v1/setupLinks").operator().send().await.google(400, "FAILED_PRECONDITION");
        let reset = world.make("/v1/resetLinks", &json!({ "email": OWNER })).await;
        assert_eq!(world.app.reset_address(&token(&reset, "url")).await.expect("answers").as_deref(), Some(OWNER));
        world.ask("POST", "/v1/resetLinks").operator().json(&json!({ "email": "nobody@example.com" })).send().await.google(404, "NOT_FOUND");
    }
}
