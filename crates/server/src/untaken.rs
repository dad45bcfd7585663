//! Answers over HTTP/2 that their client does not take. A client may open no window for an answer (RFC 9113 §5.2), and say yes
//! to every PING: its connection is alive, and without a limit the server would keep its answers for ever.
//!
//! Parts of answers wait in one of two counts: that of the present period, and that of the one before. Whenever some of a part
//! leaves, it comes into the present count. When a period ends and the other count is not empty, something has not moved for a
//! whole period.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use hyper::body::{Body as HttpBody, Buf, Bytes, Frame, SizeHint};
use tokio::sync::Notify;

/// What of one connection's answers waits to be taken.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    waiting: Mutex<Waiting>,
    /// Rings when something begins to wait.
    begun: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// How many parts moved last in each of two periods.
    counts: [usize; 2],
    /// Which of them is the present one.
    present: usize,
}

impl Untaken {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a period. Whether something has not moved in it.
    fn is_stuck(&self) -> bool {
        let mut waiting = self.lock();
        waiting.present = 1 - waiting.present;
        waiting.counts[waiting.present] > 0
    }

    /// Waits until something has not moved for `patience`, and for twice as long at most.
    pub(crate) async fn stuck(&self, patience: Duration) {
        self.begun.notified().await;
        loop {
            tokio::time::sleep(patience).await;
            if self.is_stuck() {
                return;
            }
        }
    }
}

/// A place among what waits.
struct Place {
    untaken: Arc<Untaken>,
    period: usize,
}

impl Place {
    fn new(untaken: &Arc<Untaken>) -> Self {
        let mut waiting = untaken.lock();
        let period = waiting.present;
        waiting.counts[period] += 1;
        drop(waiting);
        untaken.begun.notify_one();
        Self { untaken: Arc::clone(untaken), period }
    }

    fn moved(&mut self) {
        let mut waiting = self.untaken.lock();
        waiting.counts[self.period] -= 1;
        self.period = waiting.present;
        waiting.counts[self.period] += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.untaken.lock().counts[self.period] -= 1;
    }
}

/// The body of an answer. Over HTTP/1 nothing is counted: there, what is not taken keeps the connection from being written to.
pub(crate) struct Answer {
    body: Body,
    untaken: Option<Arc<Untaken>>,
}

impl Answer {
    pub(crate) fn new(body: Body, untaken: Option<Arc<Untaken>>) -> Self {
        Self { body, untaken }
    }
}

impl HttpBody for Answer {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let part = |bytes| Part { bytes, place: self.untaken.as_ref().map(Place::new) };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of an answer on its way.
pub(crate) struct Part {
    bytes: Bytes,
    place: Option<Place>,
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some(place) = &mut self.place {
            place.moved();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(untaken: &Arc<Untaken>) -> Part {
        Part { bytes: Bytes::from_static(b"an answer"), place: Some(Place::new(untaken)) }
    }

    #[test]
    fn what_moves_is_not_stuck_and_what_does_not_is_after_a_whole_period() {
        let untaken = Arc::new(Untaken::default());
        let mut moving = place(&untaken);
        for _ in 0..5 {
            assert!(!untaken.is_stuck());
            moving.advance(1);
        }
        let still = place(&untaken);
        assert!(!untaken.is_stuck(), "it came in this period");
        moving.advance(1);
        assert!(untaken.is_stuck(), "whatever else moves");
        drop(still);
        moving.advance(1);
        untaken.is_stuck();
        drop(moving);
        assert!(!untaken.is_stuck() && !untaken.is_stuck(), "nothing waits");
    }
}
