//! How a relay ends: at once, or after what it has begun.
//!
//! ```text
//!   serving ----> handed over ----> draining ----> overdue, or stopped
//!      |   upgrade       begin() or SIGTERM  time is up
//!      +-------------------------------^
//! ```
//!
//! While it drains, nobody may open a tunnel; who waits may still be joined,
//! and who is joined talks to the end. A relay that has handed over accepts
//! nothing more, and serves whom it has accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

/// How far a relay is on its way out. Only ever goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Everybody is welcome.
    #[default]
    Serving,
    /// Another process accepts in its place.
    HandedOver,
    /// No new tunnels.
    Draining,
    /// What is left has had its time, and is closed.
    Overdue,
    /// Everything is closed.
    Stopped,
}

/// Makes a relay drain. Clones are of the same relay.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    stage: Arc<watch::Sender<Stage>>,
}

impl Drain {
    /// From now on no tunnel is opened; the relay ends as soon as none is
    /// left. `false` if that, or more, had been asked before.
    pub fn begin(&self) -> bool {
        self.advance(Stage::Draining)
    }

    /// Whether new tunnels are refused.
    pub fn draining(&self) -> bool {
        *self.stage.borrow() >= Stage::Draining
    }

    pub(crate) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    pub(crate) fn advance(&self, to: Stage) -> bool {
        self.stage.send_if_modified(|stage| {
            let forward = to > *stage;
            *stage = to.max(*stage);
            forward
        })
    }

    /// Ends when it is at least there.
    pub(crate) async fn reached(&self, wanted: Stage) {
        // The sender is ours, so it cannot be gone.
        let _ = self.stage.subscribe().wait_for(|stage| *stage >= wanted).await;
    }
}

/// Counts who is there, and knows when nobody is.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    count: AtomicU64,
    left: Notify,
}

impl Presence {
    pub(crate) fn enter(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        if self.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Kept for a single waiter that looks the other way just now.
            self.left.notify_one();
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Ends when nobody is there. For one waiter.
    pub(crate) async fn nobody(&self) {
        while self.count() > 0 {
            self.left.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_never_goes_back() {
        let drain = Drain::default();
        assert!(!drain.draining());
        assert!(drain.advance(Stage::HandedOver) && !drain.draining());
        assert!(drain.clone().begin() && drain.draining());
        assert!(!drain.begin() && !drain.advance(Stage::HandedOver));
        assert!(drain.advance(Stage::Stopped) && !drain.begin());
        assert_eq!(drain.stage(), Stage::Stopped);
    }

    #[tokio::test]
    async fn nobody_is_there_once_the_last_has_left() {
        let presence = Presence::default();
        presence.nobody().await;
        presence.enter();
        presence.enter();
        presence.leave();
        assert_eq!(presence.count(), 1);
        let (mut waiting, mut later) = (Box::pin(presence.nobody()), Box::pin(tokio::task::yield_now()));
        tokio::select! {
            biased;
            () = &mut waiting => panic!("one is there"),
            () = &mut later => {}
        }
        presence.leave();
        waiting.await;
    }
}
