//! The second factor: codes of an authenticator app (TOTP, RFC 6238: SHA-1, 6 digits, 30 seconds, one step of skew) and
//! recovery codes. A code works once, also when it is sent sixteen times at once.

use serde_json::json;
use tollgate_core::UserId;
use tollgate_core::master::SecretHash;
use tollgate_core::recovery::RecoveryCode;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use super::delays::Trier;
use super::enrolment::too_old;
use super::sign_in::{SignInStep, Wait};
use super::{Cookie, ProofError, SignedIn};
use crate::operations::{Actor, App, Client, Doing, ManageError};
use crate::store::StoreError;
use crate::store::factors::{FactorChange, FactorDone, FactorProof, NewFactor};
use crate::store::users::User;

/// 160 bits, as RFC 4226 §4 recommends.
pub(super) const SECRET_BYTES: usize = 20;
pub(super) const EXISTS: &str = "The second factor is on already";
const CODES: usize = 10;
const WRONG: ProofError = ProofError::Wrong("The code is wrong, too old, or was used before");

/// A code that shall finish a sign-in.
pub struct FactorAttempt<'a> {
    /// Six digits or a recovery code, as it was typed.
    pub code: &'a str,
    /// From where, by what.
    pub client: Client<'a>,
    /// What the browser keeps of an earlier sign-in.
    pub device: &'a str,
}

/// A change of the own second factor.
pub struct FactorChanged {
    /// The session's new cookie. The old one is dead, and so are the other sessions.
    pub cookie: Cookie,
    /// New recovery codes, to be shown once. Empty when the factor was switched off.
    pub codes: Vec<RecoveryCode>,
}

impl App {
    /// Switches the factor on: the code shows that an app has taken the secret. `sealed` came with the page.
    ///
    /// # Errors
    /// See [`ProofError`]; a page that was open too long is [`ManageError::Precondition`].
    pub async fn confirm_factor(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        sealed: &str,
        code: &str,
    ) -> Result<FactorChanged, ProofError> {
        let user = &signed_in.person.user;
        if user.has_factor {
            return Err(ManageError::Exists(EXISTS.to_owned()).into());
        }
        let secret = self.enrolled(user.id, sealed).ok_or_else(too_old)?;
        let trier = self.take_factor(user, &signed_in.trier())?;
        let step = self.step(secret.as_slice(), code).ok_or(WRONG)?;
        let master = self.master.present();
        let sealed = master.seal(&row(user.id), secret.as_slice());
        let (codes, hashes) = self.new_codes(user.id);
        let new = NewFactor { sealed: &sealed, master: master.fingerprint(), step, codes: &hashes };
        let (renewal, cookie) = self.strict_renewal(&signed_in.session);
        let event = self.user_event(&signed_in.doing(form), None, "factor.enable", user.id, &json!({}));
        match self.store.enable_factor(user.id, &new, &renewal, &event).await? {
            FactorDone::Done => {
                self.delays.forgive(&trier);
                Ok(FactorChanged { cookie, codes })
            }
            FactorDone::Wrong | FactorDone::Overtaken => Err(ProofError::overtaken()),
        }
    }

    /// Switches the factor off.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub async fn disable_factor(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        code: &str,
    ) -> Result<FactorChanged, ProofError> {
        self.changed_factor(signed_in, form, code, ("factor.disable", &FactorChange::Off), Vec::new()).await
    }

    /// Makes new recovery codes; the old ones are dead.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub async fn new_recovery_codes(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        code: &str,
    ) -> Result<FactorChanged, ProofError> {
        let (codes, hashes) = self.new_codes(signed_in.person.user.id);
        let change = FactorChange::NewCodes(&hashes);
        self.changed_factor(signed_in, form, code, ("factor.renewRecoveryCodes", &change), codes).await
    }

    /// How many recovery codes the person has left.
    ///
    /// # Errors
    /// An outage.
    pub async fn recovery_codes_left(&self, signed_in: &SignedIn) -> Result<i64, ManageError> {
        Ok(self.store.recovery_codes(signed_in.person.user.id).await?)
    }

    /// The second step of a sign-in: puts a new session in place of the pending one.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub async fn finish_sign_in(
        &self,
        pending: &SignedIn,
        attempt: &FactorAttempt<'_>,
    ) -> Result<SignInStep, ProofError> {
        let user = &pending.person.user;
        if !pending.session.pending {
            return Err(ManageError::Exists("You are signed in already".to_owned()).into());
        }
        let is_known = self.knows(attempt.device, user);
        let password = Trier { email: user.email.clone(), address: attempt.client.address, is_known };
        let trier = self.take_factor(user, &password)?;
        let proof = self.factor_proof(user, attempt.code).await?.ok_or(WRONG)?;
        let (session, cookie, hash) = self.new_session(user, attempt.client, false);
        let actor = Actor::Person(user.id);
        let doing = Doing { address: attempt.client.address, ..Doing::by(&actor) };
        let details = json!({ "session": session.id, "factor": proof.word() });
        let event = self.user_event(&doing, None, "session.create", user.id, &details);
        if !self.store.finish_sign_in(pending.session.id, &proof, (&session, &hash), &event).await? {
            return Err(WRONG);
        }
        self.delays.forgive(&password);
        self.delays.forgive(&trier);
        Ok(SignInStep::Done { cookie, device: self.device(user) })
    }

    async fn changed_factor(
        &self,
        signed_in: &SignedIn,
        form: Option<&str>,
        code: &str,
        (action, change): (&str, &FactorChange<'_>),
        codes: Vec<RecoveryCode>,
    ) -> Result<FactorChanged, ProofError> {
        let user = &signed_in.person.user;
        let trier = self.take_factor(user, &signed_in.trier())?;
        let proof = self.factor_proof(user, code).await?.ok_or(WRONG)?;
        let (renewal, cookie) = self.strict_renewal(&signed_in.session);
        let details = json!({ "factor": proof.word() });
        let event = self.user_event(&signed_in.doing(form), None, action, user.id, &details);
        match self.store.change_factor((user.id, &proof), change, &renewal, &event).await? {
            FactorDone::Done => {
                self.delays.forgive(&trier);
                Ok(FactorChanged { cookie, codes })
            }
            FactorDone::Wrong => Err(WRONG),
            FactorDone::Overtaken => Err(ProofError::overtaken()),
        }
    }

    /// Counts a try at a code, apart from tries at the password: no address holds a blank.
    fn take_factor(&self, user: &User, trier: &Trier) -> Result<Trier, ProofError> {
        let trier = Trier { email: format!("factor {}", user.email), ..trier.clone() };
        self.delays.take(&trier, self.now()).map_err(|seconds| ProofError::Wait(Wait(seconds)))?;
        Ok(trier)
    }

    /// What a code proves; `None` when it fits nothing. It is not used up yet.
    async fn factor_proof(&self, user: &User, code: &str) -> Result<Option<FactorProof>, StoreError> {
        let Some((sealed, master)) = self.store.user(user.id).await?.and_then(|(_, proofs)| proofs.factor) else {
            return Ok(None);
        };
        if let Some(code) = RecoveryCode::parse(code) {
            let hashes = self.master.all().map(|master| master.hash_recovery(user.id, &code)).collect();
            return Ok(Some(FactorProof::Recovery(hashes)));
        }
        let opened = self.master.by_fingerprint(&master).and_then(|master| master.open(&row(user.id), &sealed).ok());
        let secret =
            opened.ok_or(StoreError::Corrupt("a second factor was sealed under a master key that is not listed"))?;
        Ok(self.step(&secret, code).map(FactorProof::Step))
    }

    /// The step of time that a code belongs to: the present one, the one before, or the one after.
    fn step(&self, secret: &[u8], code: &str) -> Option<i64> {
        let digits: Zeroizing<String> = Zeroizing::new(code.chars().filter(|letter| !letter.is_whitespace()).collect());
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let now = u64::try_from(self.now().seconds()).ok()?;
        totp(secret)?.check(&digits, now).and_then(|step| i64::try_from(step).ok())
    }

    fn new_codes(&self, user: UserId) -> (Vec<RecoveryCode>, Vec<SecretHash>) {
        let codes: Vec<_> = (0..CODES).map(|_| RecoveryCode::generate(&*self.random)).collect();
        let hashes = codes.iter().map(|code| self.master.present().hash_recovery(user, code)).collect();
        (codes, hashes)
    }
}

impl FactorProof {
    /// For the audit trail.
    fn word(&self) -> &'static str {
        match self {
            Self::Step(_) => "code",
            Self::Recovery(_) => "recoveryCode",
        }
    }
}

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new().with_secret(secret.to_vec()).build().ok()
}

fn row(user: UserId) -> String {
    format!("users/{user}/factor")
}
