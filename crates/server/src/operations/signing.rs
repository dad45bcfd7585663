//! Signing keys: next, active, retired, removed; rotated on a schedule and by command without one refused token.

use std::sync::Arc;

use serde_json::json;
use tollgate_core::Timestamp;
use tollgate_core::keyset::{KeySet, KeyState, KeyTimes};
use tollgate_core::master::MasterKeys;
use tollgate_core::signing::{Lifetime, SigningKey};

use super::manage::{Actor, Doing, ManageError};
use super::revocations::REMEMBERED_SECONDS;
use super::start::StartError;
use super::{App, units};
use crate::store::signing::{SigningChange, SigningRow};
use crate::store::{Store, StoreError};

const DAY: i64 = 86_400;

/// A signing key, for lists.
#[derive(Debug, Clone)]
pub struct SigningFacts {
    /// Its id.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: String,
    /// Where it stands.
    pub state: KeyState,
    /// Its times.
    pub lifetime: Lifetime,
}

/// Reads and decrypts all signing keys.
pub(super) async fn load(store: &Store, master: &MasterKeys) -> Result<KeySet, StartError> {
    let rows = store.signing_keys().await.map_err(crate::store::OpenError::from)?;
    let keys = rows.iter().map(|row| parse(row, master).ok_or_else(|| StartError::SigningKey(row.kid.clone())));
    Ok(KeySet::new(keys.collect::<Result<_, _>>()?))
}

fn parse(row: &SigningRow, master: &MasterKeys) -> Option<Arc<SigningKey>> {
    let pkcs8 = master.by_fingerprint(&row.master)?.open(&row.kid, &row.sealed).ok()?;
    let lifetime =
        Lifetime { published_at: row.published_at, active_from: row.active_from, retired_at: row.retired_at };
    SigningKey::parse(row.algorithm.parse().ok()?, &pkcs8, lifetime).ok().map(Arc::new)
}

impl App {
    /// The JWKS document with its strong validator.
    pub fn jwks(&self) -> String {
        self.signing.load().jwks(self.now(), self.times)
    }

    /// The times that decide over the life of a signing key.
    pub fn key_times(&self) -> KeyTimes {
        self.times
    }

    /// All signing keys, oldest first.
    pub fn signing_keys(&self) -> Vec<SigningFacts> {
        let now = self.now();
        let keys = self.signing.load();
        let facts = keys.iter().map(|key| SigningFacts {
            kid: key.kid.clone(),
            algorithm: key.algorithm.to_string(),
            state: keys.state(key, now, self.times),
            lifetime: key.lifetime,
        });
        facts.collect()
    }

    /// Lets the next key take over as soon as every verifier can know it, and publishes another next one.
    ///
    /// # Errors
    /// A form that was sent before, or an outage.
    pub async fn rotate_signing_key(&self, doing: &Doing<'_>) -> Result<Vec<SigningFacts>, ManageError> {
        let _turn = self.changing_keys.lock().await;
        self.rotate(doing).await?;
        Ok(self.signing_keys())
    }

    /// Makes the first keys at first start, rotates on schedule, and forgets revocations that are over.
    pub(super) async fn maintain(&self) -> Result<(), StoreError> {
        let now = self.now();
        {
            let _turn = self.changing_keys.lock().await;
            let keys = self.signing.load_full();
            match keys.active(now) {
                None => self.make_first_keys().await?,
                Some(active) => {
                    let days = self.config.tokens.rotation_days;
                    let is_old = days > 0 && active.lifetime.active_from.plus_seconds(days * DAY) <= now;
                    let waiting = |from: i64| from > now.0 && from < i64::MAX;
                    let is_taking_over = keys.iter().any(|key| waiting(key.lifetime.active_from.0));
                    let is_last = keys.iter().all(|key| key.lifetime.active_from <= now);
                    if is_last || (is_old && !is_taking_over) {
                        self.rotate(&Doing::by(&Actor::Operator)).await?;
                    }
                }
            }
        }
        let long_ended = now.plus_seconds(-REMEMBERED_SECONDS);
        self.store.forget_revoked_tokens(long_ended).await?;
        self.revocations.forget_ended(long_ended);
        self.store.forget_usage_events(now.plus_seconds(-units::REMEMBERED_SECONDS)).await?;
        self.forget_people(now).await
    }

    async fn make_first_keys(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut active = self.new_signing_row()?;
        active.active_from = now;
        let next = self.new_signing_row()?;
        let details = json!({ "active": active.kid, "next": next.kid });
        let change = SigningChange { insert: vec![active, next], ..SigningChange::default() };
        self.apply(&Doing::by(&Actor::Operator), change, "signingKey.create", &details).await
    }

    /// The next key signs from the instant at which its publication is as old as a JWKS may be; a key that waits already
    /// for that instant is left alone.
    async fn rotate(&self, doing: &Doing<'_>) -> Result<(), StoreError> {
        let now = self.now();
        let keys = self.signing.load_full();
        let change =
            match keys.iter().find(|key| key.lifetime.active_from > now && key.lifetime.active_from.0 == i64::MAX) {
                Some(next) => {
                    let known_everywhere = next.lifetime.published_at.plus_seconds(self.times.jwks_max_age_seconds);
                    let retire = keys.iter().filter(|key| key.lifetime.active_from.0 < i64::MAX).last();
                    // Two keys never take over at one instant: nobody could tell which of them signs.
                    let taken = retire.map_or(Timestamp(0), |key| key.lifetime.active_from);
                    let from = known_everywhere.max(now).after(taken);
                    SigningChange {
                        insert: vec![self.new_signing_row()?],
                        activate: Some((next.kid.clone(), from)),
                        retire: retire.map(|key| (key.kid.clone(), from)),
                    }
                }
                None => SigningChange { insert: vec![self.new_signing_row()?], ..SigningChange::default() },
            };
        let details = json!({ "active": change.activate.as_ref().map(|(kid, from)| json!({ "kid": kid, "from": from.to_string() })) });
        self.apply(doing, change, "signingKey.rotate", &details).await
    }

    async fn apply(
        &self,
        doing: &Doing<'_>,
        change: SigningChange,
        action: &str,
        details: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let event = doing.event(self, None, None, action, "signing keys", details);
        self.store.change_signing_keys(&change, &event).await?;
        let rows = self.store.signing_keys().await?;
        let keys = rows.iter().filter_map(|row| parse(row, &self.master)).collect();
        self.signing.store(Arc::new(KeySet::new(keys)));
        Ok(())
    }

    /// A key that waits without a date: `active_from` lies beyond all time.
    fn new_signing_row(&self) -> Result<SigningRow, StoreError> {
        let unusable = |_| StoreError::Corrupt("the machine cannot make a signing key");
        let pkcs8 = SigningKey::generate(self.algorithm).map_err(unusable)?;
        let now = self.now();
        let lifetime = Lifetime { published_at: now, active_from: Timestamp(i64::MAX), retired_at: None };
        let key = SigningKey::parse(self.algorithm, &pkcs8, lifetime).map_err(unusable)?;
        let master = self.master.present();
        Ok(SigningRow {
            sealed: master.seal(&key.kid, &pkcs8),
            kid: key.kid,
            algorithm: self.algorithm.to_string(),
            master: master.fingerprint().to_owned(),
            published_at: now,
            active_from: lifetime.active_from,
            retired_at: None,
        })
    }
}
