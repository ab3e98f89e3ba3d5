//! The engine, on a thread of its own while it works: it may wait for another
//! program that writes the vault, or for a slow disk, and the client wants to
//! be heard meanwhile.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Waker, Poll, ready};

use rand_core::CryptoRngCore;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::ctap2::{Context, Device, Moment};
use crate::vault::Withdrawal;

/// An authenticator with power, and its randomness.
pub struct Engine(Arc<Mutex<Held>>);

struct Held {
    device: Device,
    rng: Box<dyn CryptoRngCore + Send>,
}

impl Engine {
    /// This device, with this source of randomness.
    pub fn new(device: Device, rng: impl CryptoRngCore + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Held { device, rng: Box::new(rng) })))
    }

    /// Starts some work, at this moment. One after the other: what was dropped
    /// before it was done ends first.
    pub(super) fn start<T: Send + 'static>(
        &self,
        now: Moment,
        work: impl FnOnce(&mut Device, &mut Context<'_>) -> T + Send + 'static,
    ) -> Work<T> {
        let (held, withdrawal) = (self.0.clone(), Withdrawal::default());
        let heeded = withdrawal.clone();
        let thread = spawn_blocking(move || {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            let Held { device, rng } = &mut *held;
            device.heed(heeded);
            work(device, &mut Context { rng: &mut **rng, now })
        });
        Work { thread, withdrawal }
    }
}

/// Work of the engine. Ready when it is done; withdrawn on drop.
pub(super) struct Work<T> {
    thread: JoinHandle<T>,
    withdrawal: Withdrawal,
}

impl<T> Work<T> {
    /// Ends a wait, unless something was written already. The work still says
    /// how it ended.
    pub(super) fn withdraw(&self) {
        self.withdrawal.withdraw();
    }
}

impl<T> Future for Work<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.thread).poll(waker)) {
            Ok(done) => Poll::Ready(done),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that ends aborts work, and polls nobody then.
                Err(_) => Poll::Pending,
            },
        }
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine(..)")
    }
}
