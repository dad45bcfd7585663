//! Waiting for a condition with an end: a test polls what it waits for, and never sleeps instead.

use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

#[expect(clippy::disallowed_methods, reason = "another process is waited for: its time is the system's")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Asks until there is an answer. Panics with `what` after so many seconds.
pub(crate) fn until<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        std::thread::sleep(POLL);
    }
}
