//! Personal tokens: made once by a form, at most twenty a person, dead when they are deleted or have ended.

use std::sync::Arc;

use tollgate_core::Role;
use tollgate_server::operations::{ManageError, SignedIn};

use crate::world::World;

async fn made(world: &World, me: &SignedIn, name: &str) -> (tollgate_server::operations::PersonalToken, String) {
    world.pass(1);
    let (token, secret) = world.app.create_personal_token(me, None, name, None).await.expect("room for one");
    (token, secret.expose().to_owned())
}

on_both_engines! {
    async fn a_personal_token_is_its_person_until_it_is_deleted_or_ends(world: World) {
        let (me, account) = world.set_up().await;
        let (token, secret) = made(&world, &me, "laptop").await;
        assert!(secret.starts_with("tgp_") && secret.starts_with(token.hint.trim_end_matches('…')));
        assert_eq!(token.ends_at, world.now().plus_seconds(90 * 86_400));
        let found = world.app.person_of_token(&secret).await.expect("answers").expect("known");
        assert_eq!((found.user.id, found.role_in(account.id)), (me.person.user.id, Some(Role::Owner)));
        assert!(world.app.person_of_token(&secret[..secret.len() - 1]).await.expect("answers").is_none());
        let listed = world.app.personal_tokens(&me).await.expect("a list");
        assert_eq!((listed.len(), listed[0].used_at), (1, Some(world.now())));
        world.pass(299);
        world.app.person_of_token(&secret).await.expect("answers");
        assert_eq!(world.app.personal_tokens(&me).await.expect("a list")[0].used_at, Some(world.now().plus_seconds(-299)));
        world.pass(1);
        world.app.person_of_token(&secret).await.expect("answers");
        assert_eq!(world.app.personal_tokens(&me).await.expect("a list")[0].used_at, Some(world.now()));

        let other = world.stranger("other@example.com").await;
        assert!(matches!(world.app.delete_personal_token(&other, None, token.id).await, Err(ManageError::NotFound(_))));
        world.app.delete_personal_token(&me, None, token.id).await.expect("its own");
        assert!(world.app.person_of_token(&secret).await.expect("answers").is_none());
        world.pass(1);
        let (day, secret) = world.app.create_personal_token(&me, None, "day", Some(1)).await.expect("a day");
        world.pass(86_399);
        assert!(world.app.person_of_token(secret.expose()).await.expect("answers").is_some());
        world.pass(1);
        assert_eq!(day.ends_at, world.now());
        assert!(world.app.person_of_token(secret.expose()).await.expect("answers").is_none());
        let trail = world.done_by(me.person.user.id).await;
        assert!(trail.ends_with(&["personalToken.create", "personalToken.delete", "personalToken.create"].map(str::to_owned)), "{trail:?}");
    }

    async fn a_form_makes_one_token_and_bad_values_make_none(world: World) {
        let (me, _) = world.set_up().await;
        let (token, _) = world.app.create_personal_token(&me, Some("form 1"), "laptop", Some(365)).await.expect("made");
        assert!(matches!(world.app.create_personal_token(&me, Some("form 1"), "laptop", None).await, Err(ManageError::FormUsed)));
        assert_eq!(world.app.form_target("form 1").await.expect("answers"), Some(token.id.to_string()));
        for (name, days) in [("", None), ("\u{202e}x", None), ("x", Some(0)), ("x", Some(366))] {
            assert!(matches!(world.app.create_personal_token(&me, None, name, days).await, Err(ManageError::Invalid { .. })), "{name:?} {days:?}");
        }
        assert!(world.app.create_personal_token(&me, None, &"x".repeat(65), None).await.is_err());
        assert_eq!(world.app.personal_tokens(&me).await.expect("a list").len(), 1);
    }

    async fn a_person_never_has_more_than_twenty_live_tokens(world: World) {
        let (me, _) = world.set_up().await;
        let (first, _) = made(&world, &me, "first").await;
        let mut making = tokio::task::JoinSet::new();
        for at in 0..30 {
            let (app, me) = (Arc::clone(&world.app), me.clone());
            making.spawn(async move { app.create_personal_token(&me, None, &format!("t{at}"), Some(1)).await.is_ok() });
        }
        assert_eq!(making.join_all().await.into_iter().filter(|made| *made).count(), 19);
        let full = world.app.create_personal_token(&me, Some("form"), "x", None).await;
        assert!(matches!(full, Err(ManageError::Precondition(_))));
        world.app.delete_personal_token(&me, None, first.id).await.expect("its own");
        assert!(world.app.create_personal_token(&me, Some("form"), "x", None).await.is_ok(), "a refused form was not used up");
        world.pass(86_400);
        assert!(world.app.create_personal_token(&me, None, "x", None).await.is_ok(), "ended ones do not count");
    }
}
