//! The second factor: a code works once, and so does a recovery code.

use std::sync::Arc;

use tollgate_core::Secret;
use tollgate_server::operations::{FactorAttempt, ManageError, ProofError, SignInStep, SignedIn};
use totp_rs::Builder;

use crate::person::{OWNER, PASSWORD, client, cookie, token};
use crate::world::World;

/// What an authenticator app shows.
struct AppOnPhone(Vec<u8>);

impl AppOnPhone {
    fn new(base32: &str) -> Self {
        Self(totp_rs::Secret::try_from_base32(base32).expect("base 32").as_bytes().to_vec())
    }

    /// The code of so many seconds from now.
    fn code(&self, world: &World, seconds: i64) -> String {
        let at = u64::try_from(world.now().seconds() + seconds).expect("after 1970");
        Builder::new().with_secret(self.0.clone()).build().expect("160 bits").generate(at).to_string()
    }
}

/// Switches the factor on; gives the app, the recovery codes and the session as it is then.
async fn switch_on(world: &World, me: &SignedIn) -> (AppOnPhone, Vec<String>, SignedIn) {
    let started = world.app.start_factor(me).expect("not on yet");
    let phone = AppOnPhone::new(&started.secret);
    let changed = world.app.confirm_factor(me, None, &started.sealed, &phone.code(world, 0)).await.expect("right");
    let codes = changed.codes.iter().map(|code| code.expose().to_owned()).collect();
    let me = world.seen(&changed.cookie.secret).await.expect("goes on");
    (phone, codes, me)
}

async fn pending(world: &World) -> (SignedIn, Secret) {
    match world.sign_in(OWNER, PASSWORD).await.expect("the right password") {
        SignInStep::Factor(cookie) => (world.seen(&cookie.secret).await.expect("pending"), cookie.secret),
        SignInStep::Done { .. } => panic!("the second factor was not asked for"),
    }
}

on_both_engines! {
    async fn a_code_switches_the_factor_on_and_every_sign_in_asks_for_one(world: World) {
        let (me, _) = world.set_up().await;
        let other = world.sign_in(OWNER, PASSWORD).await.expect("right");
        world.pass(1);
        let started = world.app.start_factor(&me).expect("not on yet");
        assert!(started.uri.starts_with("otpauth://totp/Tollgate%20tollgate.example:owner%40example.com?secret="), "{}", *started.uri);
        assert!(started.qr.path.starts_with("M4 4h7"));
        let phone = AppOnPhone::new(&started.secret);
        assert!(matches!(world.app.confirm_factor(&me, None, &started.sealed, &phone.code(&world, 60)).await, Err(ProofError::Wrong(_))));
        let changed = world.app.confirm_factor(&me, None, &started.sealed, &phone.code(&world, -30)).await.expect("a step late");
        assert_eq!(changed.codes.len(), 10);
        assert!(world.seen(&cookie(&other).secret).await.is_none(), "the other sessions end");
        let me = world.seen(&changed.cookie.secret).await.expect("goes on");
        assert!(me.person.user.has_factor);
        assert!(matches!(world.app.start_factor(&me), Err(ManageError::Exists(_))));

        world.pass(1);
        let (waiting, old) = pending(&world).await;
        assert!(waiting.session.pending);
        assert!(matches!(world.finish(&waiting, &phone.code(&world, -30)).await, Err(ProofError::Wrong(_))), "that code was used");
        assert!(matches!(world.finish(&waiting, "").await, Err(ProofError::Wrong(_))));
        let step = world.finish(&waiting, &phone.code(&world, 0)).await.expect("right");
        let entered = world.entered(&step).await;
        assert!(!entered.session.pending && entered.session.id != waiting.session.id);
        assert!(world.seen(&old).await.is_none(), "the pending session is gone");
        assert!(world.finish(&entered, &phone.code(&world, 30)).await.is_err());
        let (again, _) = pending(&world).await;
        assert!(matches!(world.finish(&again, &phone.code(&world, 0)).await, Err(ProofError::Wrong(_))), "a code works once");
        let trail = world.done_by(me.person.user.id).await;
        assert_eq!(trail.iter().rev().take(2).collect::<Vec<_>>(), ["session.create", "factor.enable"]);
    }

    async fn sixteen_at_once_get_in_with_one_code_once(world: World) {
        let (me, _) = world.set_up().await;
        let (phone, codes, _) = switch_on(&world, &me).await;
        for code in [String::new(), codes[0].clone()] {
            world.pass(3_601);
            let code = if code.is_empty() { phone.code(&world, 0) } else { code };
            let mut tries = tokio::task::JoinSet::new();
            let mut waiting = Vec::new();
            for _ in 0..4 {
                waiting.push(pending(&world).await.0);
            }
            for last in 0..16 {
                let (app, one, code) = (Arc::clone(&world.app), waiting[usize::from(last % 4)].clone(), code.clone());
                tries.spawn(async move {
                    let attempt = FactorAttempt { code: &code, client: client(100 + last), device: "" };
                    app.finish_sign_in(&one, &attempt).await.is_ok()
                });
            }
            assert_eq!(tries.join_all().await.into_iter().filter(|done| *done).count(), 1);
        }
    }

    async fn a_recovery_code_lets_in_once_and_new_ones_replace_the_old(world: World) {
        let (me, _) = world.set_up().await;
        let (phone, codes, me) = switch_on(&world, &me).await;
        assert_eq!(world.app.recovery_codes_left(&me).await.expect("answers"), 10);
        let (waiting, _) = pending(&world).await;
        let step = world.finish(&waiting, &codes[3].to_uppercase().replace('-', " ")).await.expect("right");
        let me = world.entered(&step).await;
        assert_eq!(world.app.recovery_codes_left(&me).await.expect("answers"), 9);
        let (waiting, _) = pending(&world).await;
        assert!(matches!(world.finish(&waiting, &codes[3]).await, Err(ProofError::Wrong(_))));
        assert!(matches!(world.app.new_recovery_codes(&me, None, &codes[3]).await, Err(ProofError::Wrong(_))));
        world.pass(30);
        let changed = world.app.new_recovery_codes(&me, None, &phone.code(&world, 0)).await.expect("right");
        let me = world.seen(&changed.cookie.secret).await.expect("goes on");
        assert!(world.seen(&cookie(&step).secret).await.is_none(), "the old cookie ends at once");
        assert!(matches!(world.app.disable_factor(&me, None, &codes[4]).await, Err(ProofError::Wrong(_))), "an old one");
        let off = world.app.disable_factor(&me, None, changed.codes[0].expose()).await.expect("a new one");
        assert!(off.codes.is_empty());
        let me = world.seen(&off.cookie.secret).await.expect("goes on");
        assert!(!me.person.user.has_factor);
        assert_eq!(world.app.recovery_codes_left(&me).await.expect("answers"), 0);
        assert!(matches!(world.sign_in(OWNER, PASSWORD).await, Ok(SignInStep::Done { .. })));
    }

    async fn a_secret_that_waits_in_a_page_is_bound_to_its_person_and_to_a_quarter_of_an_hour(world: World) {
        let (me, _) = world.set_up().await;
        let other = world.stranger("other@example.com").await;
        let started = world.app.start_factor(&me).expect("not on yet");
        let phone = AppOnPhone::new(&started.secret);
        let refused = |result| matches!(result, Err(ProofError::Refused(ManageError::Precondition(_))));
        assert!(refused(world.app.confirm_factor(&other, None, &started.sealed, &phone.code(&world, 0)).await));
        assert!(refused(world.app.confirm_factor(&me, None, "AAAA", &phone.code(&world, 0)).await));
        world.pass(900);
        assert!(refused(world.app.confirm_factor(&me, None, &started.sealed, &phone.code(&world, 0)).await));
        assert!(world.texts("SELECT id FROM users WHERE factor IS NOT NULL").await.is_empty());
    }

    async fn guesses_at_a_code_are_held_up_and_a_reset_password_still_needs_one(world: World) {
        let (me, _) = world.set_up().await;
        let (phone, _, _) = switch_on(&world, &me).await;
        let reset = world.app.reset_link(&world.socket(), OWNER).await.expect("made");
        world.app.reset_password(&token(&reset), PASSWORD, client(2)).await.expect("live");
        let (waiting, _) = pending(&world).await;
        for _ in 0..5 {
            assert!(matches!(world.finish(&waiting, "000000").await, Err(ProofError::Wrong(_))));
        }
        assert!(matches!(world.finish(&waiting, &phone.code(&world, 30)).await, Err(ProofError::Wait(_))));
        world.pass(2);
        assert!(world.finish(&waiting, &phone.code(&world, 30)).await.is_ok());
    }
}
