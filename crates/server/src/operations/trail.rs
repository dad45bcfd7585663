//! The audit trail of an account as people read it: filtered, with names.

use tollgate_core::{AccountId, KeyId, Timestamp};

use super::App;
use super::manage::{ManageError, Page};
use crate::store::audit::{TrailEntry, Wanted};

/// After all ids, which are made of hexadecimal digits.
const AFTER_ALL: &str = "g";
/// What no actor is called.
const NOBODY: &str = "-";

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrailActor {
    /// Anybody.
    Anybody,
    /// People who were signed in.
    People,
    /// Access keys.
    Keys,
    /// The operator at the socket.
    Operator,
    /// The server by itself.
    Server,
    /// The person with this e-mail address, or the key with this KEY ID.
    Named(String),
}

/// Which events of an account's trail are wanted.
#[derive(Debug, Clone)]
pub struct TrailFilter {
    /// What stands before the dot of the action; empty means all.
    pub group: &'static str,
    /// Who acted.
    pub actor: TrailActor,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl App {
    /// An account's events, newest first.
    ///
    /// # Errors
    /// A bad page, or an outage.
    pub async fn trail(
        &self,
        account: AccountId,
        filter: &TrailFilter,
        page: &Page,
    ) -> Result<(Vec<TrailEntry>, String), ManageError> {
        let limit = page.limit()?;
        let list = format!("trail/{account}/{filter:?}");
        let until = filter.until.map_or(AFTER_ALL.to_owned(), first_id);
        let before = page.cursor(self, &list, &until)?;
        let actors = match &filter.actor {
            TrailActor::Anybody => "%".to_owned(),
            TrailActor::People => "user:%".to_owned(),
            TrailActor::Keys => "key:%".to_owned(),
            TrailActor::Operator => "operator".to_owned(),
            TrailActor::Server => "tollgate".to_owned(),
            TrailActor::Named(name) => self.actor_called(name).await?,
        };
        let wanted = Wanted {
            account,
            before: &before,
            from: &filter.from.map(first_id).unwrap_or_default(),
            actions: &if filter.group.is_empty() { "%".to_owned() } else { format!("{}.%", filter.group) },
            actors: &actors,
            limit: limit + 1,
        };
        let entries = self.store.trail(&wanted).await?;
        Ok(Page::cut(self, &list, limit, entries, |entry| entry.event.id.to_string()))
    }

    /// How the trail calls somebody. Whether there is such a person outside the account is not told: it has no events here.
    async fn actor_called(&self, name: &str) -> Result<String, ManageError> {
        if let Ok(key) = name.parse::<KeyId>() {
            return Ok(format!("key:{key}"));
        }
        let user = self.store.user_by_email(&name.to_lowercase()).await?;
        Ok(user.map_or(NOBODY.to_owned(), |(user, _)| format!("user:{}", user.id)))
    }
}

/// How the ids of that instant begin: they sort by time, so that no index but theirs is needed.
fn first_id(at: Timestamp) -> String {
    let millis = at.0.div_euclid(1_000).clamp(0, (1 << 48) - 1);
    format!("{:08x}-{:04x}", millis >> 16, millis & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::id::EventId;
    use tollgate_core::random::SystemRandom;

    #[test]
    fn ids_of_an_instant_are_not_before_its_first_and_before_the_first_of_the_next() {
        let at = Timestamp(1_790_000_000_123_000);
        let id = EventId::new(at, &SystemRandom::default()).to_string();
        assert!(first_id(at) < id && id < first_id(Timestamp(at.0 + 1_000)));
        assert_eq!(first_id(Timestamp(-5)), "00000000-0000");
        assert_eq!(first_id(Timestamp(i64::MAX)).len(), 13);
    }
}
