//! Budgets per access key: token requests, Basic at the gate, and wrong guesses. Guesses never use up the budget of the
//! honest holder, because a right secret is not asked for one.

use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::Cache;
use tollgate_core::rate::{Budget, Rate};
use tollgate_core::{CredentialId, KeyId, Timestamp};

use crate::config;

/// How many keys' budgets are held, known and guessed ones apart.
const BUDGETS: usize = 100_000;

pub(super) struct Limits {
    token: Rate,
    basic: Rate,
    guess: Rate,
    token_budgets: Cache<KeyId, Arc<Budget>>,
    basic_budgets: Cache<KeyId, Arc<Budget>>,
    guess_budgets: Cache<CredentialId, Arc<Budget>>,
}

impl Limits {
    pub(super) fn new(limits: &config::Limits) -> Self {
        Self {
            token: Rate { burst: limits.token_burst, per_second: limits.token_per_second },
            basic: Rate { burst: limits.basic_burst, per_second: limits.basic_per_second },
            guess: Rate { burst: limits.guess_burst, per_second: limits.guess_per_second },
            token_budgets: Cache::new(BUDGETS),
            basic_budgets: Cache::new(BUDGETS),
            guess_budgets: Cache::new(BUDGETS),
        }
    }

    /// Takes a token request; `own` is the key's own rate, if it has one. The error is the wait in seconds.
    pub(super) fn take_token(&self, key: KeyId, own: Option<Rate>, now: Timestamp) -> Result<(), u32> {
        take(&self.token_budgets, key, own.unwrap_or(self.token), now)
    }

    /// Takes a call with Basic at the gate.
    pub(super) fn take_basic(&self, key: KeyId, now: Timestamp) -> Result<(), u32> {
        take(&self.basic_budgets, key, self.basic, now)
    }

    /// Takes a wrong guess at a KEY ID or a SERVICE PLAN ID, whether there is such a thing or not.
    pub(super) fn take_guess(&self, at: CredentialId, now: Timestamp) -> Result<(), u32> {
        take(&self.guess_budgets, at, self.guess, now)
    }
}

fn take<I: Hash + Eq + Copy>(budgets: &Cache<I, Arc<Budget>>, id: I, rate: Rate, now: Timestamp) -> Result<(), u32> {
    if rate.per_second == 0 {
        return Ok(());
    }
    let budget = budgets.get_or_insert_with(&id, || Ok::<_, std::convert::Infallible>(Arc::default()));
    match budget {
        Ok(budget) => budget.take(rate, now),
        Err(never) => match never {},
    }
}
