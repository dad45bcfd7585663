//! The set of signing keys, and which of them signs, is published, or only still tells an expired token from a forged one.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::signing::SigningKey;

/// The times that decide over a key's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTimes {
    /// How long a token lives, in seconds.
    pub token_seconds: i64,
    /// For how long verifiers may keep a JWKS, in seconds.
    pub jwks_max_age_seconds: i64,
    /// How far clocks may be apart, in seconds.
    pub leeway_seconds: i64,
}

impl KeyTimes {
    /// For how long a retired key stays published: until its last token has ended everywhere.
    pub fn retention_seconds(self) -> i64 {
        self.token_seconds + self.jwks_max_age_seconds + self.leeway_seconds
    }
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published ahead, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Signs no more; its tokens are accepted and it is published.
    Retired,
    /// No longer published. Every token that it signed has expired, and is told so.
    Removed,
}

impl KeyState {
    /// The word for it in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

/// All signing keys of the installation, oldest first.
#[derive(Debug, Default, Clone)]
pub struct KeySet(Vec<Arc<SigningKey>>);

impl KeySet {
    /// Sorts the keys by the instant from which they sign, then by that of their publication.
    pub fn new(mut keys: Vec<Arc<SigningKey>>) -> Self {
        keys.sort_by_key(|key| (key.lifetime.active_from, key.lifetime.published_at));
        Self(keys)
    }

    /// The keys, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        self.0.iter()
    }

    /// The key that signs at `now`: the youngest that may.
    pub fn active(&self, now: Timestamp) -> Option<&Arc<SigningKey>> {
        // A clock set back before the first key must not stop the service: the first key signs then.
        self.0.iter().rev().find(|key| key.lifetime.active_from <= now).or(self.0.first())
    }

    /// Where a key stands at `now`.
    pub fn state(&self, key: &SigningKey, now: Timestamp, times: KeyTimes) -> KeyState {
        let is_active = self.active(now).is_some_and(|active| active.kid == key.kid);
        match key.lifetime.retired_at {
            _ if is_active => KeyState::Active,
            Some(end) if end.plus_seconds(times.retention_seconds()) <= now => KeyState::Removed,
            _ if key.lifetime.active_from > now => KeyState::Next,
            _ => KeyState::Retired,
        }
    }

    /// The key whose tokens begin with this header segment. Comparing the whole header leaves no room for `none`, for a
    /// key from the header, for another `typ`, or for a second spelling.
    pub(crate) fn by_header(&self, header: &str) -> Option<&Arc<SigningKey>> {
        self.0.iter().rev().find(|key| key.header == header)
    }

    /// The JWKS document (RFC 7517 §5) at `now`.
    pub fn jwks(&self, now: Timestamp, times: KeyTimes) -> String {
        let published = self.0.iter().filter(|key| self.state(key, now, times) != KeyState::Removed);
        let keys: Vec<&str> = published.map(|key| key.jwk()).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{Algorithm, Lifetime};

    const TIMES: KeyTimes = KeyTimes { token_seconds: 3_600, jwks_max_age_seconds: 300, leeway_seconds: 5 };

    fn key(active_from: i64, retired_at: Option<i64>) -> Arc<SigningKey> {
        let bytes = SigningKey::generate(Algorithm::EdDsa).expect("a key");
        let lifetime = Lifetime {
            published_at: Timestamp(0),
            active_from: Timestamp::from_seconds(active_from),
            retired_at: retired_at.map(Timestamp::from_seconds),
        };
        Arc::new(SigningKey::parse(Algorithm::EdDsa, &bytes, lifetime).expect("the same key"))
    }

    #[test]
    fn a_key_is_published_ahead_signs_retires_and_is_removed() {
        let (first, second) = (key(0, Some(1_000)), key(1_000, None));
        let set = KeySet::new(vec![second.clone(), first.clone()]);
        let states = |now| {
            let now = Timestamp::from_seconds(now);
            (set.state(&first, now, TIMES), set.state(&second, now, TIMES))
        };
        assert_eq!(states(999), (KeyState::Active, KeyState::Next));
        assert_eq!(states(1_000), (KeyState::Retired, KeyState::Active));
        assert_eq!(states(4_904), (KeyState::Retired, KeyState::Active));
        assert_eq!(states(4_905), (KeyState::Removed, KeyState::Active));
        assert!(set.jwks(Timestamp::from_seconds(4_904), TIMES).contains(&first.kid));
        assert!(!set.jwks(Timestamp::from_seconds(4_905), TIMES).contains(&first.kid));
        assert_eq!(set.active(Timestamp(-5)).map(|key| &key.kid), Some(&first.kid));
        assert_eq!(set.iter().map(|key| &key.kid).collect::<Vec<_>>(), [&first.kid, &second.kid]);
    }

    #[test]
    fn of_two_keys_that_could_sign_from_one_instant_on_one_signs_and_the_other_is_retired() {
        let set = KeySet::new(vec![key(1_000, None), key(1_000, None)]);
        let states =
            |now| set.iter().map(|key| set.state(key, Timestamp::from_seconds(now), TIMES)).collect::<Vec<_>>();
        assert_eq!(states(1_000), [KeyState::Retired, KeyState::Active]);
        assert_eq!(states(999), [KeyState::Active, KeyState::Next], "a clock set back: the first one signs");
    }

    #[test]
    fn lists_call_the_states_by_their_names() {
        let all = [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Removed];
        assert_eq!(all.map(KeyState::as_str), ["next", "active", "retired", "removed"]);
    }

    #[test]
    fn the_jwks_shows_no_private_member() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let bytes = SigningKey::generate(algorithm).expect("a key");
            let lifetime = Lifetime { published_at: Timestamp(0), active_from: Timestamp(0), retired_at: None };
            let key = SigningKey::parse(algorithm, &bytes, lifetime).expect("the same key");
            let jwk: serde_json::Value = serde_json::from_str(key.jwk()).expect("JSON");
            assert_eq!(jwk["use"], "sig");
            assert_eq!(jwk["alg"], algorithm.to_string());
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(jwk.get(private).is_none());
            }
            assert!(!key.jwk().contains('='));
        }
    }
}
