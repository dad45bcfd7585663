//! Single tokens that were revoked before their end, by `jti`.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tollgate_core::Timestamp;

/// For how many seconds after its end a revoked token is remembered: a clock that was ahead, and is set right, brings tokens
/// back to life that had ended.
pub(super) const REMEMBERED_SECONDS: i64 = 86_400;

#[derive(Default)]
pub(super) struct Revocations(RwLock<HashMap<u128, Timestamp>>);

impl Revocations {
    pub(super) fn new(known: Vec<(u128, Timestamp)>) -> Self {
        Self(RwLock::new(known.into_iter().collect()))
    }

    pub(super) fn contains(&self, id: u128) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        !known.is_empty() && known.contains_key(&id)
    }

    pub(super) fn add(&self, id: u128, ends_at: Timestamp) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, ends_at);
    }

    pub(super) fn forget_ended(&self, before: Timestamp) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|_, ends_at| *ends_at > before);
    }
}
