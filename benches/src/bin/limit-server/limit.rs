//! What the limit server knows: one access key, its pepper, and one token that it has seen before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use aws_lc_rs::{constant_time, digest, hmac, rand};
use hyper::header::HeaderValue;
use tollgate_bench::Algorithm;

use crate::jwt::{Issuer, LIFETIME_SECONDS};

/// Everything a request needs, in memory from the start.
pub(crate) struct Limit {
    /// Signs the tokens.
    pub(crate) issuer: Issuer,
    pepper: hmac::Key,
    keys: HashMap<String, AccessKey>,
    remembered: HashMap<[u8; 32], Identity>,
    process: u64,
    requests: AtomicU64,
}

/// An access key as the token endpoint needs it.
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) account: String,
    pub(crate) scope: &'static str,
    hash: hmac::Tag,
}

/// What a remembered token stands for, as ready-made header values.
pub(crate) struct Identity {
    pub(crate) account: HeaderValue,
    pub(crate) project: HeaderValue,
    pub(crate) credential: HeaderValue,
    pub(crate) scope: HeaderValue,
    expires: u64,
}

/// What a client needs to call this server.
pub(crate) struct Seed {
    pub(crate) project: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

impl Limit {
    /// A server at `url` with one fresh key and one token of it.
    pub(crate) fn seeded(url: &str, algorithm: Algorithm) -> anyhow::Result<(Self, Seed)> {
        let pepper = hmac::Key::new(hmac::HMAC_SHA256, &random::<32>());
        let secret = secret();
        let key = AccessKey {
            id: uuid(),
            project: uuid(),
            account: uuid(),
            scope: "demo",
            hash: hmac::sign(&pepper, secret.as_bytes()),
        };
        let issuer = Issuer::new(url, algorithm)?;
        let token = issuer.token(&key, unix_seconds()).ok_or_else(|| anyhow!("cannot sign a token"))?;
        let seed = Seed { project: key.project.clone(), key: key.id.clone(), secret, token };
        let remembered = HashMap::from([(sha256(seed.token.as_bytes()), Identity::of(&key)?)]);
        let keys = HashMap::from([(key.id.clone(), key)]);
        let process = u64::from_ne_bytes(random());
        Ok((Self { issuer, pepper, keys, remembered, process, requests: AtomicU64::new(0) }, seed))
    }

    /// The key that `id` and `secret` prove, compared in constant time.
    pub(crate) fn authenticate(&self, id: &str, secret: &str) -> Option<&AccessKey> {
        let key = self.keys.get(id)?;
        let hash = hmac::sign(&self.pepper, secret.as_bytes());
        constant_time::verify_slices_are_equal(hash.as_ref(), key.hash.as_ref()).ok()?;
        Some(key)
    }

    /// Who presented `token`, if it was seen before and still lives.
    pub(crate) fn remembered(&self, token: &[u8]) -> Option<&Identity> {
        self.remembered.get(&sha256(token)).filter(|identity| unix_seconds() < identity.expires)
    }

    /// Whom the key with this id stands for.
    pub(crate) fn identity(&self, key: &str) -> Option<&Identity> {
        self.remembered.values().find(|identity| identity.credential == key)
    }

    /// A UUID of this request. It need not be a secret, so a counter behind a random start is enough; random bytes for
    /// each would cost 0.4 µs.
    pub(crate) fn request_id(&self) -> String {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        uuid::Uuid::from_u64_pair(self.process, request).to_string()
    }
}

impl Identity {
    /// The identity that a new token of `key` carries.
    fn of(key: &AccessKey) -> anyhow::Result<Self> {
        Ok(Self {
            account: HeaderValue::from_str(&key.account)?,
            project: HeaderValue::from_str(&key.project)?,
            credential: HeaderValue::from_str(&key.id)?,
            scope: HeaderValue::from_static(key.scope),
            expires: unix_seconds() + LIFETIME_SECONDS,
        })
    }
}

/// Seconds since 1970 of the system clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures what the real clock costs")]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A fresh random UUID as text.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(random()).into_uuid().to_string()
}

/// A secret of the length and alphabet of Tollgate's; its check digits are not, since nobody checks them here.
fn secret() -> String {
    const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digits = random::<49>().map(|byte| char::from(BASE62[usize::from(byte) % BASE62.len()]));
    format!("tgs_{}", String::from_iter(digits))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures what real randomness costs")]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
