use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::finding::Finding;
use crate::caller::Fault;

/// A step of a sign-in through a relay, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Leg {
    Name,
    Tcp,
    Tls,
    Open,
    Join,
    Greeting,
    Hello,
    RoundTrip,
    Close,
}

impl Leg {
    /// As it is printed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Leg::Name => "name",
            Leg::Tcp => "tcp",
            Leg::Tls => "tls",
            Leg::Open => "open",
            Leg::Join => "join",
            Leg::Greeting => "greeting",
            Leg::Hello => "hello",
            Leg::RoundTrip => "round-trip",
            Leg::Close => "close",
        }
    }

    /// What it is.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Leg::Name => "the host name resolves",
            Leg::Tcp => "a connection",
            Leg::Tls => "its TLS handshake",
            Leg::Open => "the phone opens a tunnel and learns its routing id",
            Leg::Join => "the computer joins it: connection, TLS, upgrade",
            Leg::Greeting => "greeting and reply, with the key agreement of both devices",
            Leg::Hello => "the phone's first sealed message",
            Leg::RoundTrip => "a CTAP request and its answer",
            Leg::Close => "the computer closes, and both are let go",
        }
    }
}

/// A leg that went well, and how long it took.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Walked {
    pub(crate) leg: Leg,
    pub(crate) ms: f64,
}

/// The clock beside the walk.
#[derive(Debug)]
pub(crate) struct Legs {
    patience: Duration,
    times: Vec<Walked>,
}

impl Legs {
    /// No leg may take longer than this.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, times: Vec::new() }
    }

    /// Walks one leg.
    pub(crate) async fn walk<T>(
        &mut self,
        leg: Leg,
        walk: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Finding> {
        let began = Instant::now();
        let result = timeout(self.patience, walk).await.unwrap_or(Err(Fault::Silent));
        match result {
            Ok(value) => {
                self.times.push(Walked { leg, ms: began.elapsed().as_secs_f64() * 1000.0 });
                Ok(value)
            }
            Err(fault) => Err(Finding::new(leg, fault)),
        }
    }

    /// The legs that went well.
    pub(crate) fn times(&self) -> &[Walked] {
        &self.times
    }
}
