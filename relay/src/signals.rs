//! What the system's signals mean to a relay.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::drain::{Drain, Stage};
use crate::error::Error;
use crate::service;
use crate::upgrade::Upgrade;

/// The signals of this process, caught from the moment at which this is made.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    upgrade: Signal,
}

impl Signals {
    pub(crate) fn catch() -> Result<Self, Error> {
        let caught = |kind| signal(kind).map_err(|error| Error::System(error.to_string()));
        Ok(Self {
            terminate: caught(SignalKind::terminate())?,
            interrupt: caught(SignalKind::interrupt())?,
            upgrade: caught(SignalKind::user_defined2())?,
        })
    }

    /// Obeys them; ends when the relay must stop at once. SIGTERM makes it
    /// drain, and stops it the second time; SIGINT stops it; SIGUSR2 puts the
    /// program that is on the disk now in its place.
    pub(crate) async fn obey(mut self, drain: Drain, upgrade: Upgrade) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return service::stopping(),
                _ = self.upgrade.recv() => upgrade.ask(),
                _ = self.terminate.recv() => {
                    // One that has handed over is the service no more.
                    if drain.stage() == Stage::Serving {
                        service::stopping();
                    }
                    if !drain.begin() {
                        return;
                    }
                }
            }
        }
    }
}
