//! New passwords: by a link that works once, or by the old one.

use tollgate_server::operations::{ManageError, ProofError, SignInError};

use crate::person::{OWNER, PASSWORD, client, cookie, token};
use crate::world::World;

const OTHER: &str = "another four words";

on_both_engines! {
    async fn a_reset_link_sets_the_password_once_and_ends_all_sessions(world: World) {
        world.set_up().await;
        let before = world.sign_in(OWNER, PASSWORD).await.expect("right");
        let older = world.app.reset_link(&world.socket(), OWNER).await.expect("there is one");
        let made = world.app.reset_link(&world.socket(), " Owner@Example.com").await.expect("there is one");
        assert!(made.url.starts_with("https://tollgate.example/reset/new?token=tgl_"), "{}", made.url);
        assert_eq!(world.app.reset_address(&token(&older)).await.expect("answers"), None);
        assert_eq!(world.app.reset_address(&token(&made)).await.expect("answers").as_deref(), Some(OWNER));
        assert!(matches!(world.app.reset_password(&token(&made), OWNER, client(2)).await, Err(ManageError::Invalid { field: "password", .. })));
        world.app.reset_password(&token(&made), OTHER, client(2)).await.expect("live");
        assert!(matches!(world.app.reset_password(&token(&made), OTHER, client(2)).await, Err(ManageError::NotFound(_))));
        assert!(world.seen(&cookie(&before).secret).await.is_none());
        assert!(matches!(world.sign_in(OWNER, PASSWORD).await, Err(SignInError::Wrong)));
        let me = world.entered(&world.sign_in(OWNER, OTHER).await.expect("the new one")).await;
        assert!(world.done_by(me.person.user.id).await.contains(&"password.reset".to_owned()));
        assert!(matches!(world.app.reset_link(&world.socket(), "nobody@example.com").await, Err(ManageError::NotFound("user"))));
    }

    async fn a_reset_link_is_dead_after_an_hour_to_the_second(world: World) {
        world.set_up().await;
        let made = world.app.reset_link(&world.socket(), OWNER).await.expect("there is one");
        world.pass(3_599);
        assert!(world.app.reset_address(&token(&made)).await.expect("answers").is_some());
        world.pass(1);
        assert!(world.app.reset_address(&token(&made)).await.expect("answers").is_none());
        assert!(matches!(world.app.reset_password(&token(&made), OTHER, client(2)).await, Err(ManageError::NotFound(_))));
        world.signs_in(OWNER).await;
    }

    async fn a_new_password_ends_the_other_sessions_and_the_links_that_sign_in(world: World) {
        let (owner, _) = world.set_up().await;
        let (mine, other) = (world.sign_in(OWNER, PASSWORD).await.expect("right"), world.sign_in(OWNER, PASSWORD).await.expect("right"));
        let me = world.entered(&mine).await;
        let reset = world.app.reset_link(&world.socket(), OWNER).await.expect("made");
        let way_in = world.app.sign_in_link(&world.socket(), &owner.person.user).await.expect("made");
        assert!(matches!(world.app.change_password(&me, None, "wrong", OTHER).await, Err(ProofError::Wrong(_))));
        world.pass(1);
        let cookie_now = world.app.change_password(&me, None, PASSWORD, OTHER).await.expect("the old one is right");
        assert!(world.seen(&cookie(&mine).secret).await.is_none(), "the old cookie ends at once");
        assert!(world.seen(&cookie(&other).secret).await.is_none());
        assert_eq!(world.seen(&cookie_now.secret).await.expect("goes on").session.id, me.session.id);
        assert_eq!(world.app.reset_address(&token(&reset)).await.expect("answers"), None);
        assert!(matches!(world.app.sign_in_by_link(&token(&way_in), client(2)).await, Err(SignInError::DeadLink)));
        assert!(world.sign_in(OWNER, OTHER).await.is_ok());
        assert!(world.app.change_password(&me, None, OTHER, PASSWORD).await.is_err(), "a request of the old cookie");
    }

    async fn guesses_at_the_old_password_are_held_up(world: World) {
        let (owner, _) = world.set_up().await;
        for _ in 0..5 {
            assert!(matches!(world.app.change_password(&owner, None, "wrong", OTHER).await, Err(ProofError::Wrong(_))));
        }
        assert!(matches!(world.app.change_password(&owner, None, PASSWORD, OTHER).await, Err(ProofError::Wait(_))));
        world.pass(2);
        assert!(world.app.change_password(&owner, None, PASSWORD, OTHER).await.is_ok());
    }

    async fn who_asks_for_a_reset_learns_nothing(world: World) {
        world.set_up().await;
        for email in [OWNER, "nobody@example.com", "no address"] {
            assert!(world.app.ask_reset(email, client(2)).is_ok());
        }
        for _ in 0..4 {
            assert!(world.app.ask_reset("nobody@example.com", client(2)).is_ok());
        }
        assert!(matches!(world.app.ask_reset("nobody@example.com", client(2)), Err(SignInError::Wait(_))));
        world.signs_in(OWNER).await;
    }
}
