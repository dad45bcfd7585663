//! Growing delays after wrong passwords: per person and address, per address, and per person. Whoever has signed in from
//! a browser before is not held up by what others try from elsewhere.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use tollgate_core::Timestamp;

/// How many are remembered of each kind.
const REMEMBERED: usize = 100_000;
/// A delay never grows beyond this, in seconds.
const LONGEST: i64 = 900;
/// After so long without a try the count begins anew, in seconds.
const FORGOTTEN_AFTER: i64 = 3_600;

/// Tries that cost nothing: of one person from one address, from one address, for one person from everywhere.
const FREE_TOGETHER: u32 = 5;
const FREE_PER_ADDRESS: u32 = 30;
const FREE_PER_PERSON: u32 = 50;

type Tries<K> = Cache<K, Arc<Mutex<Count>>>;

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    tries: u32,
    last: i64,
    /// No try before this instant.
    until: i64,
}

/// Who tries to sign in as whom.
#[derive(Debug, Clone)]
pub(super) struct Trier {
    pub(super) email: String,
    pub(super) address: Option<IpAddr>,
    /// Whether the browser has shown that this person signed in with it before.
    pub(super) is_known: bool,
}

pub(crate) struct Delays {
    together: Tries<(String, Option<IpAddr>)>,
    addresses: Tries<Option<IpAddr>>,
    people: Tries<String>,
}

impl Default for Delays {
    fn default() -> Self {
        Self { together: Cache::new(REMEMBERED), addresses: Cache::new(REMEMBERED), people: Cache::new(REMEMBERED) }
    }
}

impl Delays {
    /// Counts a try before it is made, so that many at once are not free. The error is the wait in seconds.
    pub(super) fn take(&self, trier: &Trier, now: Timestamp) -> Result<(), i64> {
        take(&self.together, &(trier.email.clone(), trier.address), FREE_TOGETHER, now)?;
        if !trier.is_known {
            take(&self.addresses, &trier.address, FREE_PER_ADDRESS, now)?;
            take(&self.people, &trier.email, FREE_PER_PERSON, now)?;
        }
        Ok(())
    }

    /// The try was right.
    pub(super) fn forgive(&self, trier: &Trier) {
        self.together.remove(&(trier.email.clone(), trier.address));
        if !trier.is_known {
            give_back(&self.addresses, &trier.address);
            give_back(&self.people, &trier.email);
        }
    }
}

fn take<K: Eq + std::hash::Hash + Clone>(all: &Tries<K>, key: &K, free: u32, now: Timestamp) -> Result<(), i64> {
    let entry = all.get_or_insert_with(key, || Ok::<_, std::convert::Infallible>(Arc::default()));
    let Ok(entry) = entry;
    let mut count = entry.lock().unwrap_or_else(PoisonError::into_inner);
    // After a clock was set back nobody waits for longer than was said.
    let set_back = (count.last - now.0).max(0);
    count.last -= set_back;
    count.until -= set_back;
    if count.until > now.0 {
        return Err((count.until - now.0).div_euclid(1_000_000) + 1);
    }
    if now.0 - count.last > FORGOTTEN_AFTER * 1_000_000 {
        *count = Count::default();
    }
    count.tries = count.tries.saturating_add(1);
    count.last = now.0;
    if count.tries >= free {
        let delay = 1_i64.checked_shl((count.tries - free).min(20)).unwrap_or(LONGEST).min(LONGEST);
        count.until = now.plus_seconds(delay).0;
    }
    Ok(())
}

fn give_back<K: Eq + std::hash::Hash>(all: &Tries<K>, key: &K) {
    if let Some(entry) = all.get(key) {
        let mut count = entry.lock().unwrap_or_else(PoisonError::into_inner);
        count.tries = count.tries.saturating_sub(1);
        count.until = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trier(email: &str, last: u8) -> Trier {
        Trier { email: email.to_owned(), address: Some(IpAddr::from([192, 0, 2, last])), is_known: false }
    }

    #[test]
    fn the_delay_grows_after_five_tries_and_ends_with_a_right_one() {
        let delays = Delays::default();
        let one = trier("a@example.com", 1);
        let mut now = Timestamp::from_seconds(1_000_000);
        for _ in 0..5 {
            assert_eq!(delays.take(&one, now), Ok(()));
        }
        assert!(delays.take(&one, now).is_err());
        now = now.plus_seconds(2);
        assert_eq!(delays.take(&one, now), Ok(()));
        let wait = delays.take(&one, now).expect_err("held up");
        assert!((2..=3).contains(&wait), "{wait}");
        now = now.plus_seconds(wait);
        assert_eq!(delays.take(&one, now), Ok(()));
        delays.forgive(&one);
        assert_eq!(delays.take(&one, now), Ok(()));
    }

    #[test]
    fn a_clock_set_back_makes_no_wait_longer() {
        let delays = Delays::default();
        let one = trier("a@example.com", 1);
        let later = Timestamp::from_seconds(1_000_000);
        while delays.take(&one, later).is_ok() {}
        let earlier = later.plus_seconds(-3_600);
        assert_eq!(delays.take(&one, earlier), Err(2));
        assert_eq!(delays.take(&one, earlier.plus_seconds(2)), Ok(()));
        assert_eq!(delays.take(&one, earlier.plus_seconds(2)), Err(3), "the delay grows as before");
    }

    #[test]
    fn who_is_known_is_not_held_up_by_tries_from_elsewhere() {
        let delays = Delays::default();
        let now = Timestamp::from_seconds(1_000_000);
        for last in 0..60 {
            let _ = delays.take(&trier("a@example.com", last), now);
        }
        assert!(delays.take(&trier("a@example.com", 200), now).is_err());
        let owner = Trier { is_known: true, ..trier("a@example.com", 201) };
        assert_eq!(delays.take(&owner, now), Ok(()));
        assert_eq!(delays.take(&trier("b@example.com", 202), now), Ok(()));
    }
}
