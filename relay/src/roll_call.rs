//! Whether the loops that accept still turn: they are called, and answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Calls all loops of one relay. Costs nothing between two calls.
#[derive(Debug, Clone)]
pub struct RollCall(Arc<Roll>);

#[derive(Debug)]
struct Roll {
    call: watch::Sender<u64>,
    loops: AtomicUsize,
    answers: AtomicUsize,
}

/// The answer of one loop.
#[derive(Debug)]
pub(crate) struct Called {
    roll: Arc<Roll>,
    call: watch::Receiver<u64>,
}

impl RollCall {
    pub(crate) fn new() -> Self {
        let (loops, answers) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Roll { call: watch::Sender::new(0), loops, answers }))
    }

    /// Enrols one more loop.
    pub(crate) fn enrol(&self) -> Called {
        self.0.loops.fetch_add(1, Ordering::Relaxed);
        Called { roll: Arc::clone(&self.0), call: self.0.call.subscribe() }
    }

    /// Sends them all home: they end, and nobody waits for them any more.
    pub(crate) fn dismiss(&self) {
        self.0.loops.store(0, Ordering::Relaxed);
    }

    /// Calls them all anew. True if all have answered the call before.
    pub fn call(&self) -> bool {
        let (loops, answers) = (&self.0.loops, &self.0.answers);
        let all = answers.swap(0, Ordering::Relaxed) >= loops.load(Ordering::Relaxed);
        self.0.call.send_modify(|round| *round += 1);
        all
    }
}

impl Called {
    /// Ends at the next call; answers it.
    pub(crate) async fn answer(&mut self) {
        match self.call.changed().await {
            Ok(()) => {
                self.roll.answers.fetch_add(1, Ordering::Relaxed);
            }
            // Nobody can call any more; but `roll` holds the caller.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_must_answer_and_each_time_anew() {
        let roll_call = RollCall::new();
        let (mut first, mut second) = (roll_call.enrol(), roll_call.enrol());
        assert!(!roll_call.call());
        first.answer().await;
        assert!(!roll_call.call(), "one is stuck");
        first.answer().await;
        second.answer().await;
        assert!(roll_call.call());
        assert!(!roll_call.call(), "nobody has answered this one");
        drop(second);
        first.answer().await;
        assert!(!roll_call.call(), "one has ended that should not");
        roll_call.dismiss();
        assert!(roll_call.call(), "nobody is waited for");
    }
}
