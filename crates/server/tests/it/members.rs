//! Members: invited by a link that works once, given roles, removed. An account keeps an owner.

use std::sync::Arc;

use tollgate_core::{Right, Role};
use tollgate_server::operations::{ManageError, MemberPower, Page, SignInStep};

use crate::person::{OWNER, PASSWORD, client, token};
use crate::world::World;

const NEW: &str = "new@example.com";

on_both_engines! {
    async fn an_invitation_makes_its_reader_a_member_once(world: World) {
        let (owner, account) = world.set_up().await;
        world.pass(1);
        let made = world.app.invite(&owner.doing(None), MemberPower::All, &account, " New@Example.com ", Role::Developer).await.expect("invited");
        assert!(made.url.starts_with("https://tollgate.example/invitation?token=tgl_"), "{}", made.url);
        let seen = world.app.invitation(&token(&made)).await.expect("live");
        assert_eq!((seen.email.as_str(), seen.role, seen.has_user, seen.account.id), (NEW, Role::Developer, false, account.id));
        let short = world.app.accept_as_new(&token(&made), "short", client(2)).await;
        assert!(matches!(short, Err(ManageError::Invalid { field: "password", .. })), "a bad password uses nothing up");
        let step = world.app.accept_as_new(&token(&made), PASSWORD, client(2)).await.expect("live");
        assert!(matches!(step, SignInStep::Done { .. }));
        let joined = world.entered(&step).await;
        assert_eq!((joined.person.user.email.as_str(), joined.person.role_in(account.id)), (NEW, Some(Role::Developer)));
        assert!(joined.person.may(&account, Right::ManageKeys) && !joined.person.may(&account, Right::ManageMembers));
        assert!(matches!(world.app.accept_as_new(&token(&made), PASSWORD, client(2)).await, Err(ManageError::NotFound(_))));
        assert_eq!(world.done_by(joined.person.user.id).await, ["member.join", "session.create"]);
        let (members, next) = world.app.members(account.id, &Page { size: Some(1), token: String::new() }).await.expect("a page");
        assert_eq!((members[0].email.as_str(), members[0].role), (OWNER, Role::Owner));
        let (members, next) = world.app.members(account.id, &Page { size: Some(1), token: next }).await.expect("a page");
        assert_eq!((members[0].email.as_str(), next.as_str()), (NEW, ""));
        let again = world.app.invite(&owner.doing(None), MemberPower::All, &account, NEW, Role::Auditor).await;
        assert!(matches!(again, Err(ManageError::Exists(_))), "a member already");
    }

    async fn an_invitation_ends_when_it_is_replaced_withdrawn_or_a_week_old(world: World) {
        let (owner, account) = world.set_up().await;
        let invite = async || {
            world.pass(1);
            world.app.invite(&owner.doing(None), MemberPower::All, &account, NEW, Role::Admin).await.expect("invited")
        };
        let open = async || world.app.invitations(account.id, &Page::default()).await.expect("a page").0;
        let (first, second) = (invite().await, invite().await);
        assert!(world.app.invitation(&token(&first)).await.is_err());
        assert_eq!(open().await.iter().map(|link| link.id).collect::<Vec<_>>(), [second.link.id]);
        world.app.withdraw_invitation(&owner.doing(None), account.id, second.link.id).await.expect("open");
        assert!(matches!(world.app.withdraw_invitation(&owner.doing(None), account.id, second.link.id).await, Err(ManageError::NotFound(_))));
        assert!(world.app.invitation(&token(&second)).await.is_err());
        let third = invite().await;
        world.pass(7 * 86_400 - 1);
        assert!(world.app.invitation(&token(&third)).await.is_ok());
        world.pass(1);
        assert!(world.app.accept_as_new(&token(&third), PASSWORD, client(2)).await.is_err());
        assert!(open().await.is_empty());
        assert!(world.app.invitation("tgl_nonsense").await.is_err());
    }

    async fn who_can_sign_in_accepts_its_own_invitation_and_no_other(world: World) {
        let (owner, account) = world.set_up().await;
        let invited = world.stranger(NEW).await;
        let other = world.stranger("other@example.com").await;
        let made = world.app.invite(&owner.doing(None), MemberPower::All, &account, NEW, Role::Billing).await.expect("invited");
        assert!(world.app.invitation(&token(&made)).await.expect("live").has_user);
        assert!(matches!(world.app.accept_as_new(&token(&made), PASSWORD, client(2)).await, Err(ManageError::Exists(_))));
        assert!(matches!(world.app.accept_as(&other, &token(&made)).await, Err(ManageError::Forbidden(_))));
        assert_eq!(world.app.accept_as(&invited, &token(&made)).await.expect("its own"), account.id);
        assert!(matches!(world.app.accept_as(&invited, &token(&made)).await, Err(ManageError::NotFound(_))));
        assert_eq!(world.signs_in(NEW).await.person.role_in(account.id), Some(Role::Billing));
        assert_eq!(world.signs_in("other@example.com").await.person.role_in(account.id), None);
    }

    async fn one_invitation_taken_up_eight_times_at_once_makes_one_person(world: World) {
        let (owner, account) = world.set_up().await;
        let made = world.app.invite(&owner.doing(None), MemberPower::All, &account, NEW, Role::Billing).await.expect("invited");
        let mut tries = tokio::task::JoinSet::new();
        for last in 0..8 {
            let (app, token) = (Arc::clone(&world.app), token(&made));
            tries.spawn(async move { app.accept_as_new(&token, PASSWORD, client(last)).await.is_ok() });
        }
        let accepted = tries.join_all().await.into_iter().filter(|accepted| *accepted).count();
        let people = world.texts(&format!("SELECT id FROM users WHERE email = '{NEW}'")).await.len();
        let joins = world.texts("SELECT id FROM audit_events WHERE action = 'member.join'").await.len();
        assert_eq!((accepted, people, joins), (1, 1, 1));
    }

    async fn only_owners_give_or_take_the_role_owner(world: World) {
        let (owner, account) = world.set_up().await;
        let admin = world.join(&account, "admin@example.com", Role::Admin).await;
        let developer = world.join(&account, "developer@example.com", Role::Developer).await;
        let power = admin.person.member_power(&account).expect("an admin changes members");
        assert_eq!((power, owner.person.member_power(&account).expect("all")), (MemberPower::AllButOwners, MemberPower::All));
        assert!(matches!(developer.person.member_power(&account), Err(ManageError::Forbidden(text)) if text.contains("owner or admin")));
        let (app, doing) = (&world.app, admin.doing(None));
        let id = developer.person.user.id;
        assert!(matches!(app.invite(&doing, power, &account, NEW, Role::Owner).await, Err(ManageError::Forbidden(_))));
        assert!(matches!(app.change_role(&doing, power, account.id, id, Role::Owner).await, Err(ManageError::Forbidden(_))));
        for role in [Role::Auditor, Role::Owner] {
            assert!(app.change_role(&doing, power, account.id, owner.person.user.id, role).await.is_err());
        }
        assert!(matches!(app.remove_member(&doing, power, account.id, owner.person.user.id).await, Err(ManageError::Forbidden(_))));
        world.pass(1);
        assert_eq!(app.change_role(&doing, power, account.id, id, Role::Auditor).await.expect("allowed").role, Role::Auditor);
        world.pass(1);
        app.remove_member(&doing, power, account.id, id).await.expect("allowed");
        assert!(matches!(app.remove_member(&doing, power, account.id, id).await, Err(ManageError::NotFound("member"))));
        assert_eq!(world.done_by(admin.person.user.id).await, ["member.join", "session.create", "member.changeRole", "member.remove"]);
    }

    async fn the_last_owner_stays_also_when_all_leave_at_once(world: World) {
        let (first, account) = world.set_up().await;
        let (app, doing) = (&world.app, first.doing(None));
        let id = first.person.user.id;
        assert!(matches!(app.leave(&first, None, account.id).await, Err(ManageError::Precondition(_))));
        assert!(matches!(app.remove_member(&doing, MemberPower::All, account.id, id).await, Err(ManageError::Precondition(_))));
        assert!(matches!(app.change_role(&doing, MemberPower::All, account.id, id, Role::Admin).await, Err(ManageError::Precondition(_))));
        app.change_role(&doing, MemberPower::All, account.id, id, Role::Owner).await.expect("it stays one");
        let mut owners = vec![first];
        for at in 0..7 {
            owners.push(world.join(&account, &format!("owner{at}@example.com"), Role::Owner).await);
        }
        let mut leaving = tokio::task::JoinSet::new();
        for one in owners {
            let (app, account) = (Arc::clone(&world.app), account.id);
            leaving.spawn(async move { app.leave(&one, None, account).await.is_ok() });
        }
        let left = leaving.join_all().await.into_iter().filter(|left| *left).count();
        let owners = app.members(account.id, &Page::default()).await.expect("a page").0;
        assert_eq!((left, owners.len(), owners[0].role), (7, 1, Role::Owner));
    }

    async fn who_is_removed_loses_its_rights_its_cookie_and_its_invitations(world: World) {
        let (owner, account) = world.set_up().await;
        let step = {
            let made = world.app.invite(&owner.doing(None), MemberPower::All, &account, NEW, Role::Admin).await.expect("invited");
            world.app.accept_as_new(&token(&made), PASSWORD, client(2)).await.expect("live")
        };
        let admin = world.entered(&step).await;
        let back = world.app.invite(&admin.doing(None), MemberPower::AllButOwners, &account, "back@example.com", Role::Admin).await.expect("invited");
        let kept = world.app.invite(&owner.doing(None), MemberPower::All, &account, "kept@example.com", Role::Admin).await.expect("invited");
        world.pass(60);
        world.app.remove_member(&owner.doing(None), MemberPower::All, account.id, admin.person.user.id).await.expect("a member");
        assert!(world.app.invitation(&token(&back)).await.is_err());
        assert!(world.app.invitation(&token(&kept)).await.is_ok());
        let old = crate::person::cookie(&step).secret.expose();
        let (after, renewed) = world.app.signed_in(old, client(2)).await.expect("the store answers").expect("signed in still");
        assert!(renewed.is_some() && after.person.role_in(account.id).is_none());
        assert!(matches!(world.app.account_of(&after.person, account.id).await, Err(ManageError::NotFound("account"))));
        assert!(matches!(after.person.member_power(&account), Err(ManageError::Forbidden(_))));
        world.pass(31);
        assert!(world.app.signed_in(old, client(2)).await.expect("the store answers").is_none());
    }

    async fn members_of_a_suspended_account_read_and_change_nothing(world: World) {
        let owner = world.stranger(NEW).await;
        let account = owner.person.seats[0].account.clone();
        world.make(&format!("/v1/accounts/{}/suspend", account.id), &serde_json::json!({})).await;
        let owner = world.signs_in(NEW).await;
        let account = world.app.account_of(&owner.person, account.id).await.expect("its own");
        assert!(owner.person.require(&account, Right::SeeKeys).is_ok());
        assert!(matches!(owner.person.member_power(&account), Err(ManageError::Forbidden(text)) if text.contains("suspended")));
    }
}
