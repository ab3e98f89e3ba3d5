//! TLS handshakes, a few at a time.
//!
//! One costs as much as a hundred messages. If all that have come were ready
//! to run at once, every tunnel would wait behind them; so they wait for each
//! other, and whoever has had a turn lets everybody else go first.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::server::Acceptor;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::yield_now;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::defaults;
use crate::socket::Socket;

/// Turns to do a handshake.
#[derive(Debug)]
pub(crate) struct Handshakes {
    turns: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Why there is no TLS.
#[derive(Debug)]
pub(crate) enum NoTls {
    /// It could not be agreed on.
    Failed,
    /// Too many wait for their turn.
    Crowded,
}

impl From<io::Error> for NoTls {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

impl Handshakes {
    /// So many at once.
    pub(crate) fn new(at_once: Option<u32>) -> Self {
        Self::bounded(at_once.unwrap_or(defaults::HANDSHAKES), defaults::HANDSHAKES_WAITING)
    }

    fn bounded(at_once: u32, most_waiting: usize) -> Self {
        let turns = usize::try_from(at_once).unwrap_or(Semaphore::MAX_PERMITS);
        let turns = Semaphore::new(turns.min(Semaphore::MAX_PERMITS));
        Self { turns, waiting: AtomicUsize::new(0), most_waiting }
    }

    /// Makes a connection one of TLS. The caller limits how long.
    pub(crate) async fn accept(&self, tls: &TlsAcceptor, socket: Socket) -> Result<TlsStream<Socket>, NoTls> {
        // Whoever says nothing, or says it slowly, takes nobody's turn.
        let hello = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
        let turn = self.turn().await.ok_or(NoTls::Crowded)?;
        // All that is dear happens here and in the first poll.
        let mut accept = hello.into_stream(tls.config().clone());
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(Pin::new(&mut accept).poll(cx))).await;
        yield_now().await;
        drop(turn);
        match first {
            std::task::Poll::Ready(done) => Ok(done?),
            std::task::Poll::Pending => Ok(accept.await?),
        }
    }

    /// Waits for a turn; `None` if too many do.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Some(turn);
        }
        let _place = Place::take(self)?;
        self.turns.acquire().await.ok()
    }
}

/// A place in the queue, given back however the waiting ends.
struct Place<'a>(&'a Handshakes);

impl<'a> Place<'a> {
    fn take(of: &'a Handshakes) -> Option<Self> {
        let place = Self(of);
        let before = of.waiting.fetch_add(1, Ordering::Relaxed);
        (before < of.most_waiting).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::task::Poll;

    #[tokio::test]
    async fn turns_are_taken_in_order_and_the_queue_has_an_end() {
        let handshakes = Handshakes::bounded(1, 2);
        let first = handshakes.turn().await.unwrap();
        let (mut second, mut third) = (Box::pin(handshakes.turn()), Box::pin(handshakes.turn()));
        poll_fn(|cx| {
            assert!(second.as_mut().poll(cx).is_pending() && third.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(handshakes.turn().await.is_none(), "two wait already");
        // Whoever goes away makes room.
        drop(third);
        let mut fourth = Box::pin(handshakes.turn());
        assert!(poll_fn(|cx| Poll::Ready(fourth.as_mut().poll(cx).is_pending())).await);
        drop(first);
        let second = second.await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(fourth.as_mut().poll(cx).is_pending())).await);
        drop(second);
        assert!(fourth.await.is_some());
        assert_eq!(handshakes.waiting.load(Ordering::Relaxed), 0);
    }
}
