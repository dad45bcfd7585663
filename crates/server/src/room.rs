//! How many connections there is room for. Of the descriptors that the system gives, clients get all but a few: the database,
//! the operator's socket and the admin listener need some too. Who comes when there is no room waits, in the system's queue,
//! until another has gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Descriptors that are not for clients.
const KEPT: usize = 64;
/// How often the log says that there is no room.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The places of one listener.
pub(crate) struct Room {
    places: Arc<Semaphore>,
    told: Option<Instant>,
}

/// The place of one connection, free again when it is dropped.
pub(crate) type Place = Option<OwnedSemaphorePermit>;

impl Room {
    /// For a listener whose clients are few.
    pub(crate) fn endless() -> Self {
        Self::of(Semaphore::MAX_PERMITS)
    }

    /// As many places as the system's limit allows. Where it tells none, there is no end of them.
    pub(crate) fn of_descriptors() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self::of(places(&limits).unwrap_or(Semaphore::MAX_PERMITS))
    }

    fn of(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), told: None }
    }

    /// Waits for a place.
    pub(crate) async fn take(&mut self) -> Place {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!("there is no room for another connection: raise the limit of open files (ulimit -n)");
        }
        Arc::clone(&self.places).acquire_owned().await.ok()
    }
}

/// Places for clients, from the text of `/proc/self/limits`: the soft limit comes first.
fn places(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let descriptors: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(descriptors.saturating_sub(KEPT).max(descriptors / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_not_for_clients() {
        let limits =
            |soft: &str| format!("Max processes  9  9  processes\nMax open files            {soft}  20000  files\n");
        assert_eq!(places(&limits("1024")), Some(960));
        assert_eq!(places(&limits("100")), Some(50));
        assert_eq!(places(&limits("unlimited")), None);
        assert_eq!(places(""), None);
    }

    #[tokio::test]
    async fn who_comes_when_there_is_no_room_waits_until_another_has_gone() {
        let mut room = Room::of(1);
        let first = room.take().await;
        let patience = Duration::from_millis(20);
        assert!(tokio::time::timeout(patience, room.take()).await.is_err());
        drop(first);
        assert!(room.take().await.is_some());
    }
}
