//! What a service manager is told and may ask: ready, reloading, stopping,
//! alive. Without one, nothing of it happens.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::error::Error;
use crate::reload::Reloader;
use crate::roll_call::RollCall;
use sd_notify::NotifyState;

/// This program as a service.
#[derive(Debug)]
pub(crate) struct Service {
    hangups: Signal,
}

impl Service {
    /// Catches SIGHUP from now on.
    ///
    /// # Errors
    /// [`Error::System`]
    pub(crate) fn new() -> Result<Self, Error> {
        let hangups = signal(SignalKind::hangup()).map_err(|error| Error::System(error.to_string()))?;
        Ok(Self { hangups })
    }

    /// Says that it is ready, and attends to it until this is dropped:
    /// reloads at SIGHUP, and says that it is alive as long as every loop
    /// that accepts answers.
    pub(crate) async fn attend(mut self, reloader: Arc<Reloader>, roll_call: RollCall) {
        say(&[NotifyState::Ready]);
        tokio::select! {
            () = self.reload_when_told(reloader) => {}
            () = keep_alive(roll_call) => {}
        }
    }

    async fn reload_when_told(&mut self, reloader: Arc<Reloader>) {
        while self.hangups.recv().await.is_some() {
            match NotifyState::monotonic_usec_now() {
                Ok(now) => say(&[NotifyState::Reloading, now]),
                Err(_) => say(&[NotifyState::Reloading]),
            }
            let reloader = Arc::clone(&reloader);
            // Whoever watches the relay hears how it went.
            let _ = tokio::task::spawn_blocking(move || reloader.reload()).await;
            say(&[NotifyState::Ready]);
        }
        std::future::pending().await
    }
}

/// Says that it stops.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// Four times as often as is asked for, so that one late answer is no death.
async fn keep_alive(roll_call: RollCall) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    roll_call.call();
    loop {
        sleep(patience / 4).await;
        if roll_call.call() {
            say(&[NotifyState::Watchdog]);
        }
    }
}

/// A manager that does not listen is its own trouble.
fn say(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
