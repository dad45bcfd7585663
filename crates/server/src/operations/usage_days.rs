//! Calls per day of the last 30 days, today included: for the drawings in lists.

use std::collections::HashMap;

use tollgate_core::{AccountId, KeyId, ProjectId, Timestamp};

use super::App;
use super::manage::ManageError;

/// How many days are drawn.
pub const DRAWN_DAYS: usize = 30;

/// Whose calls are asked for.
#[derive(Debug, Clone, Copy)]
pub enum CallsOf {
    /// The keys of one project from the first to the last KEY ID, both included; twice the same for one key.
    Keys(AccountId, ProjectId, KeyId, KeyId),
    /// An account's projects and subprojects from the first to the last Project ID, each by itself, without what is below it.
    Projects(AccountId, ProjectId, ProjectId),
}

/// Calls on each of the last 30 days in UTC, the oldest first; the last is today.
pub type CallsByDay = [i64; DRAWN_DAYS];

impl App {
    /// The calls of each key or project that had any, by its id, in one read.
    ///
    /// # Errors
    /// An outage.
    pub async fn calls_by_day(&self, of: CallsOf) -> Result<HashMap<String, CallsByDay>, ManageError> {
        self.ledger.flush().await?;
        let today = self.now().day();
        let first = Timestamp(today.0 - (DRAWN_DAYS as i64 - 1) * Timestamp::DAY);
        let days = (first, Timestamp(today.0 + Timestamp::DAY));
        let found = match of {
            CallsOf::Keys(account, project, from, to) => {
                self.store.keys_by_day(account, project, (from, to), days).await?
            }
            CallsOf::Projects(account, from, to) => self.store.projects_by_day(account, (from, to), days).await?,
        };
        let filled = found.into_iter().map(|(id, some)| {
            let mut all = [0; DRAWN_DAYS];
            for (day, calls) in some {
                let place = usize::try_from((day.0 - first.0) / Timestamp::DAY).ok();
                if let Some(place) = place.and_then(|place| all.get_mut(place)) {
                    *place += calls;
                }
            }
            (id, all)
        });
        Ok(filled.collect())
    }
}
