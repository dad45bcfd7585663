//! People of a test: who signs in, and with what.

use std::net::IpAddr;

use tollgate_core::{Role, Secret, UserId};
use tollgate_server::operations::{
    Account, Actor, Attempt, Client, Cookie, Doing, FactorAttempt, FirstSetUp, MadeLink, MemberPower, ProofError,
    SignInError, SignInStep, SignedIn,
};

use crate::world::World;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "four words in order";
pub(crate) const OWNER: &str = "owner@example.com";

/// A browser at an address of the documentation's network.
pub(crate) fn client(last: u8) -> Client<'static> {
    Client { address: Some(IpAddr::from([192, 0, 2, last])), agent: "a browser" }
}

/// The secret in a link.
#[track_caller]
pub(crate) fn token(made: &MadeLink) -> String {
    made.url.split_once("token=").expect("a link with a secret").1.to_owned()
}

impl World {
    /// The operator's socket as a doer.
    pub(crate) fn socket(&self) -> Doing<'static> {
        Doing::by(&Actor::Operator)
    }

    /// Sets up: the operator, who owns the first account.
    pub(crate) async fn set_up(&self) -> (SignedIn, Account) {
        self.pass(1);
        let link = self.app.setup_link(&self.socket()).await.expect("nobody can sign in yet");
        let first = FirstSetUp { email: OWNER, password: PASSWORD, account: "First", project: "main" };
        let (step, account, _) = self.app.set_up(&token(&link), &first, client(1)).await.expect("a live link");
        let account = self.app.account(account).await.expect("it was just made");
        (self.entered(&step).await, account)
    }

    /// Somebody new with a role in the account.
    pub(crate) async fn join(&self, account: &Account, email: &str, role: Role) -> SignedIn {
        self.pass(1);
        let link = self.app.invite(&self.socket(), MemberPower::All, account, email, role).await.expect("invited");
        let step = self.app.accept_as_new(&token(&link), PASSWORD, client(1)).await.expect("a live invitation");
        self.entered(&step).await
    }

    pub(crate) async fn account(&self, id: &str) -> Account {
        self.app.account(id.parse().expect("an id")).await.expect("there is such an account")
    }

    /// A personal token of this person.
    pub(crate) async fn personal_token(&self, me: &SignedIn) -> String {
        let made = self.app.create_personal_token(me, None, "of a test", None).await;
        made.expect("room for one").1.expose().to_owned()
    }

    /// Somebody new who belongs to no account.
    pub(crate) async fn stranger(&self, email: &str) -> SignedIn {
        let account = self.account(&self.new_account().await).await;
        self.join(&account, email, Role::Owner).await
    }

    /// The session of a sign-in that came so far.
    pub(crate) async fn entered(&self, step: &SignInStep) -> SignedIn {
        self.seen(&cookie(step).secret).await.expect("a live session")
    }

    /// The session of a cookie, if it is one.
    pub(crate) async fn seen(&self, cookie: &Secret) -> Option<SignedIn> {
        let found = self.app.signed_in(cookie.expose(), client(1)).await.expect("the store answers");
        found.map(|(signed_in, _)| signed_in)
    }

    /// The session of a person as it is now, after rights or cookies have changed.
    pub(crate) async fn signs_in(&self, email: &str) -> SignedIn {
        let step = self.sign_in(email, PASSWORD).await.expect("the right password");
        self.entered(&step).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<SignInStep, SignInError> {
        self.app.sign_in(&Attempt { email, password, client: client(1), device: "" }).await
    }

    pub(crate) async fn finish(&self, pending: &SignedIn, code: &str) -> Result<SignInStep, ProofError> {
        self.app.finish_sign_in(pending, &FactorAttempt { code, client: client(1), device: "" }).await
    }

    /// The actions in the trail that this person did, oldest first; those of one instant by their names.
    pub(crate) async fn done_by(&self, user: UserId) -> Vec<String> {
        self.texts(&format!("SELECT action FROM audit_events WHERE actor = 'user:{user}' ORDER BY at, action")).await
    }
}

pub(crate) fn cookie(step: &SignInStep) -> &Cookie {
    match step {
        SignInStep::Done { cookie, .. } | SignInStep::Factor(cookie) => cookie,
    }
}
