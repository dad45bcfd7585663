//! A limit of time for writing: a client that takes nothing of its answers for that long is let go. Without it a client that
//! asks and never reads, or is gone without a word, would hold its connection, and the answers on it, for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// A stream whose writes fail when they make no progress for a while.
pub(crate) struct WriteLimit<I> {
    stream: I,
    patience: Duration,
    /// Runs while a write waits. Where the client keeps up there is none, and nothing is paid for.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<I> WriteLimit<I> {
    pub(crate) fn new(stream: I, patience: Duration) -> Self {
        Self { stream, patience, waiting: None }
    }

    /// What the stream said of a write; when it said to wait, for how long that may be.
    fn limited<T>(&mut self, context: &mut Context<'_>, said: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if said.is_ready() {
            self.waiting = None;
            return said;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of what it is sent")))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for WriteLimit<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WriteLimit<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limited(context, said)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.limited(context, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.stream).poll_flush(context);
        self.limited(context, said)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.stream).poll_shutdown(context);
        self.limited(context, said)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_write_that_nobody_takes_fails() {
        let (stream, _client) = duplex(10);
        let mut limited = WriteLimit::new(stream, PATIENCE);
        limited.write_all(&[1; 10]).await.expect("there is room");
        let failed = limited.write_all(&[1; 10]).await.expect_err("there is none");
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_takes_little_by_little_is_waited_for() {
        let (stream, mut client) = duplex(10);
        let writing = tokio::spawn(async move {
            let mut limited = WriteLimit::new(stream, PATIENCE);
            limited.write_all(&[1; 80]).await
        });
        for _ in 0..8 {
            tokio::time::sleep(PATIENCE / 4).await;
            client.read_exact(&mut [0; 10]).await.expect("what was written");
        }
        writing.await.expect("no panic").expect("all was taken, in twice the time");
    }

    #[test]
    fn a_stream_that_writes_vectors_is_one_still() {
        assert!(WriteLimit::new(duplex(10).0, PATIENCE).is_write_vectored());
    }
}
