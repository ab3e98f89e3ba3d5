//! The engine, on a thread of its own while it does what may write: it may
//! wait for another program that writes the vault, or for a slow disk, and the
//! client wants to be heard meanwhile.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Waker, Poll, ready};

use rand_core::CryptoRngCore;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::consent::Answer;
use crate::ctap2::{Context, Device, DeviceReady as Ready, Moment, Step, Unverified};
use crate::vault::Withdrawal;
use crate::verification::Verified;

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
    ///
    /// What may write, and so wait, gets the thread. The rest is done at once:
    /// waking a thread and being woken by it costs as much as a signature.
    pub(super) fn start(&self, now: Moment, task: Task) -> Work {
        let withdrawal = Withdrawal::default();
        match self.0.try_lock() {
            Ok(mut held) if !task.may_write(&held.device) => {
                Work { going: Going::Done(Some(held.run(task, now, withdrawal.clone()))), withdrawal }
            }
            _ => {
                let (held, heeded) = (self.0.clone(), withdrawal.clone());
                let thread = spawn_blocking(move || {
                    held.lock().unwrap_or_else(PoisonError::into_inner).run(task, now, heeded)
                });
                Work { going: Going::On(thread), withdrawal }
            }
        }
    }
}

impl Held {
    fn run(&mut self, task: Task, now: Moment, withdrawal: Withdrawal) -> Step {
        let Self { device, rng } = self;
        device.heed(withdrawal);
        let context = &mut Context { rng: &mut **rng, now };
        match task {
            Task::Request { request, is_first } => {
                if is_first {
                    device.disconnected();
                }
                device.take(&request, context)
            }
            Task::Verified(unverified, verified) => device.verified(unverified, verified, context),
            Task::Answered(ready, answer) => Step::Answer(device.act(ready, answer, context)),
        }
    }
}

/// What the engine is to do.
pub(super) enum Task {
    /// Take a request, perhaps the first of its client.
    Request { request: Vec<u8>, is_first: bool },
    /// Go on after a verification.
    Verified(Unverified, Verified),
    /// Go on after a question.
    Answered(Ready, Answer),
}

impl Task {
    fn may_write(&self, device: &Device) -> bool {
        match self {
            Self::Request { request, .. } => device.may_write(request),
            Self::Verified(..) => true,
            Self::Answered(ready, _) => device.may_write_for(ready),
        }
    }
}

/// Work of the engine. Ready when it is done; withdrawn on drop.
pub(super) struct Work {
    going: Going,
    withdrawal: Withdrawal,
}

enum Going {
    /// It is done, and what came of it was not fetched yet.
    Done(Option<Step>),
    /// On its thread.
    On(JoinHandle<Step>),
}

impl Work {
    /// Ends a wait, unless something was written already. The work still says
    /// how it ended.
    pub(super) fn withdraw(&self) {
        self.withdrawal.withdraw();
    }
}

impl Future for Work {
    type Output = Step;

    fn poll(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<Step> {
        let thread = match &mut self.going {
            Going::Done(step) => return step.take().map_or(Poll::Pending, Poll::Ready),
            Going::On(thread) => thread,
        };
        match ready!(Pin::new(thread).poll(waker)) {
            Ok(done) => Poll::Ready(done),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that ends aborts work, and polls nobody then.
                Err(_) => Poll::Pending,
            },
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine(..)")
    }
}
