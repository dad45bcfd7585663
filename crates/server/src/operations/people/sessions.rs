//! Sessions: begun at sign-in, renewed when what the person may changes, ended by hand or by time.

use std::net::IpAddr;

use serde_json::json;
use tollgate_core::id::SessionId;
use tollgate_core::secret::SecretKind;
use tollgate_core::{Secret, Timestamp};

use super::delays::Trier;
use super::{DAY, Person};
use crate::operations::{Actor, App, Client, Doing, ManageError};
use crate::store::StoreError;
use crate::store::sessions::{Renewal, Session};
use crate::store::users::User;

/// A session ends at the latest after this, in seconds.
const LIFETIME: i64 = 14 * DAY;
/// A session that was not used for this long is over.
const IDLE: i64 = 3 * DAY;
/// How often the last use is written, in seconds.
const SEEN_PERIOD: i64 = 300;
/// For how long the old cookie is taken after a renewal, in seconds: for requests under way.
const OVERLAP: i64 = 30;
/// What needs the password again is allowed this long after it was given, in seconds.
const CONFIRMED_FOR: i64 = 900;
/// Characters that are kept of what a browser calls itself.
const AGENT: usize = 200;

/// The secret of a session, for the cookie, and how long the browser shall keep it.
pub struct Cookie {
    /// What stands in the cookie.
    pub secret: Secret,
    /// Seconds.
    pub max_age: i64,
}

/// A request's person and session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// In which session.
    pub session: Session,
    /// From where this request comes.
    pub address: Option<IpAddr>,
    /// The person, as the audit trail names it.
    pub actor: Actor,
}

impl SignedIn {
    /// What this person does from here, asked for by this form.
    pub fn doing<'a>(&'a self, form: Option<&'a str>) -> Doing<'a> {
        Doing { actor: &self.actor, address: self.address, form }
    }

    /// This person, when it proves itself again.
    pub(super) fn trier(&self) -> Trier {
        Trier { email: self.person.user.email.clone(), address: self.address, is_known: true }
    }
}

impl App {
    /// The session of a cookie. The second value replaces the cookie.
    ///
    /// # Errors
    /// An outage.
    pub async fn signed_in(
        &self,
        cookie: &str,
        client: Client<'_>,
    ) -> Result<Option<(SignedIn, Option<Cookie>)>, ManageError> {
        let Some(secret) = Secret::parse(&self.config.brand, SecretKind::Session, cookie) else { return Ok(None) };
        let now = self.now();
        let hash = self.master.present().hash(&secret);
        let found = self.store.session(hash.as_bytes(), now, self.unseen_before()).await?;
        let Some((mut session, user)) = found else { return Ok(None) };
        let mut renewed = None;
        if !session.pending && user.rights_at > session.renewed_at {
            let (renewal, cookie) = self.renewal(&session, session.confirmed_at, OVERLAP);
            if self.store.renew_session(&renewal).await? {
                session.renewed_at = renewal.now;
                renewed = Some(cookie);
            }
        } else if session.seen_at.plus_seconds(SEEN_PERIOD) < now {
            // What is only remembered must not refuse a request.
            if let Err(cause) = self.store.see_session(session.id, now).await {
                tracing::warn!(error = %cause, "a session's last use was not kept");
            }
        }
        let actor = Actor::Person(user.id);
        let person = self.person(user).await?;
        Ok(Some((SignedIn { person, session, address: client.address, actor }, renewed)))
    }

    /// Whether the password was given in this session a short time ago.
    pub fn is_confirmed(&self, signed_in: &SignedIn) -> bool {
        // Not either when the clock was set back far behind that instant.
        let (now, confirmed_at) = (self.now(), signed_in.session.confirmed_at);
        now < confirmed_at.plus_seconds(CONFIRMED_FOR) && confirmed_at < now.plus_seconds(CONFIRMED_FOR)
    }

    /// A person's live sessions, the last used first.
    ///
    /// # Errors
    /// An outage.
    pub async fn sessions(&self, signed_in: &SignedIn) -> Result<Vec<Session>, ManageError> {
        Ok(self.store.sessions(signed_in.person.user.id, self.now(), self.unseen_before()).await?)
    }

    /// Ends one of the person's sessions, also the present one.
    ///
    /// # Errors
    /// There is none such, or an outage.
    pub async fn end_session(&self, signed_in: &SignedIn, id: SessionId) -> Result<(), ManageError> {
        let user = signed_in.person.user.id;
        let event = self.user_event(&signed_in.doing(None), None, "session.end", user, &json!({ "session": id }));
        if self.store.end_session(user, id, &event).await? { Ok(()) } else { Err(ManageError::NotFound("session")) }
    }

    /// Ends all other sessions of the person.
    ///
    /// # Errors
    /// An outage.
    pub async fn end_other_sessions(&self, signed_in: &SignedIn) -> Result<(), ManageError> {
        let user = signed_in.person.user.id;
        let event = self.user_event(&signed_in.doing(None), None, "session.endOthers", user, &json!({}));
        Ok(self.store.end_sessions(user, Some(signed_in.session.id), &event).await?)
    }

    /// Gives a session a new cookie; `None` when another request has just done so.
    pub(super) async fn renewed(
        &self,
        session: &Session,
        confirmed_at: Timestamp,
    ) -> Result<Option<Cookie>, StoreError> {
        let (renewal, cookie) = self.renewal(session, confirmed_at, OVERLAP);
        Ok(self.store.renew_session(&renewal).await?.then_some(cookie))
    }

    /// A new cookie for a session whose person has just proven itself. The old cookie ends at once.
    pub(super) fn strict_renewal(&self, session: &Session) -> (Renewal, Cookie) {
        self.renewal(session, self.now(), 0)
    }

    /// `overlap`: for how many seconds the old cookie is taken.
    fn renewal(&self, session: &Session, confirmed_at: Timestamp, overlap: i64) -> (Renewal, Cookie) {
        let now = self.now();
        let (cookie, hash) = self.new_cookie(session.ends_at);
        let renewal = Renewal {
            session: session.id,
            seen: session.renewed_at,
            hash,
            old_ends_at: now.plus_seconds(overlap),
            now: now.after(session.renewed_at),
            confirmed_at,
        };
        (renewal, cookie)
    }

    /// A new session with its cookie and the hash to store.
    pub(super) fn new_session(&self, user: &User, client: Client<'_>, pending: bool) -> (Session, Cookie, Vec<u8>) {
        let now = self.now();
        let session = Session {
            id: SessionId::new(now, &*self.random),
            user: user.id,
            pending,
            address: client.address.map(|address| address.to_string()).unwrap_or_default(),
            agent: client.agent.chars().filter(|letter| !letter.is_control()).take(AGENT).collect(),
            created_at: now,
            renewed_at: now,
            confirmed_at: now,
            seen_at: now,
            ends_at: now.plus_seconds(if pending { CONFIRMED_FOR } else { LIFETIME }),
        };
        let (cookie, hash) = self.new_cookie(session.ends_at);
        (session, cookie, hash)
    }

    fn new_cookie(&self, ends_at: Timestamp) -> (Cookie, Vec<u8>) {
        let secret = Secret::generate(&self.config.brand, SecretKind::Session, &*self.random);
        let hash = self.master.present().hash(&secret).as_bytes().to_vec();
        let max_age = (ends_at.0 - self.now().0).div_euclid(1_000_000);
        (Cookie { secret, max_age }, hash)
    }

    pub(super) fn unseen_before(&self) -> Timestamp {
        self.now().plus_seconds(-IDLE)
    }
}
