//! Seeing and steering a relay from outside of it: what the admin listener
//! and the program's signals use.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use crate::config::{Config, Limits, LogLevel, Security};
use crate::desk::Desk;
use crate::drain::Drain;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::process::Process;
use crate::reload::Reloader;
use crate::tls::Certificates;

/// A hand on one relay. Clones are of the same relay; all of them outlive it.
#[derive(Clone)]
pub struct Control {
    board: Arc<Board>,
}

/// What a relay shows and what it can be told, from before it runs.
pub(crate) struct Board {
    pub(crate) metrics: Metrics,
    limits: Limits,
    started: Instant,
    desk: OnceLock<Weak<Desk>>,
    accepting: AtomicBool,
    pub(crate) drain: Drain,
    certificates: Option<Arc<Certificates>>,
    reloader: Arc<Reloader>,
    level: OnceLock<Box<dyn LevelSwitch>>,
}

/// Changes what is logged.
pub trait LevelSwitch: Send + Sync {
    /// The level at present.
    fn level(&self) -> LogLevel;
    /// From now on this one.
    fn set(&self, level: LogLevel);
}

/// How a relay stands at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Tunnels that wait for their second party.
    pub waiting: u64,
    /// Tunnels with both.
    pub paired: u64,
    /// Tunnels that are over, and whose parties are being seen off.
    pub closing: u64,
    /// Connections, whatever they are for.
    pub connections: u64,
    /// How many there may be.
    pub connections_limit: u64,
    /// Bytes of messages that their receiver has not taken.
    pub held_bytes: u64,
    /// Whether no tunnel may be opened any more.
    pub draining: bool,
    /// When the certificate expires, in seconds since 1970, if that is known.
    pub certificate_expiry: Option<u64>,
}

/// Everything there is to say about a relay, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    version: &'static str,
    uptime_seconds: u64,
    ready: bool,
    draining: bool,
    tunnels: Tunnels,
    connections: Connections,
    held_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_descriptors: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_bytes: Option<u64>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_expiry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_level: Option<&'static str>,
    limits: LimitsInUse,
}

#[derive(Debug, Clone, Serialize)]
struct Tunnels {
    waiting: u64,
    paired: u64,
    closing: u64,
}

#[derive(Debug, Clone, Serialize)]
struct Connections {
    now: u64,
    limit: u64,
}

/// Under the names of their flags; times in seconds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
struct LimitsInUse {
    max_message: usize,
    max_messages: u32,
    max_bytes: u64,
    held: usize,
    waiting: f64,
    life: f64,
    stall: f64,
    opening: f64,
    max_head: usize,
    ping: f64,
    missed_pings: u32,
    per_source_waiting: u32,
    per_source_total: u32,
    per_source_rate: u32,
    per_source_burst: u32,
}

impl Board {
    pub(crate) fn new(config: &Config, reloader: &Arc<Reloader>) -> Self {
        let certificates = match &config.security {
            Security::Files(certificates) => Some(Arc::clone(certificates)),
            Security::Tls(_) | Security::Acme(_) | Security::Plain => None,
        };
        Self {
            metrics: Metrics::new(),
            limits: config.limits.clone(),
            started: Instant::now(),
            desk: OnceLock::new(),
            accepting: AtomicBool::new(false),
            drain: Drain::default(),
            certificates,
            reloader: Arc::clone(reloader),
            level: OnceLock::new(),
        }
    }

    /// The relay runs from now on.
    pub(crate) fn attach(&self, desk: &Arc<Desk>) {
        // There is one desk for each board.
        let _ = self.desk.set(Arc::downgrade(desk));
    }

    pub(crate) fn accepting(&self, accepting: bool) {
        self.accepting.store(accepting, Ordering::Relaxed);
    }

    pub(crate) fn draining(&self) -> bool {
        self.drain.draining()
    }

    /// Of the certificate that new connections are shown at present.
    pub(crate) fn certificate_expiry(&self) -> Option<u64> {
        let expiry = self.certificates.as_ref()?.expiry();
        Some(expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}

impl Control {
    pub(crate) fn new(board: Arc<Board>) -> Self {
        Self { board }
    }

    /// How it stands. Nobody is there before it runs and after it has ended.
    pub fn snapshot(&self) -> Snapshot {
        let desk = self.board.desk.get().and_then(Weak::upgrade);
        Snapshot {
            draining: self.board.draining(),
            certificate_expiry: self.board.certificate_expiry(),
            ..desk.map(|desk| desk.snapshot()).unwrap_or_default()
        }
    }

    /// Whether new tunnels are welcome.
    pub fn ready(&self) -> bool {
        self.board.accepting.load(Ordering::Relaxed) && !self.board.draining()
    }

    /// Everything counted, in Prometheus' text format 0.0.4. Asks the system
    /// about this process, which can take milliseconds.
    pub fn metrics(&self) -> String {
        self.board.metrics.text(&self.snapshot(), Process::now())
    }

    /// Everything there is to say. As slow as [`Control::metrics`].
    pub fn status(&self) -> Status {
        let (now, process) = (self.snapshot(), Process::now());
        Status {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: self.board.started.elapsed().as_secs(),
            ready: self.ready(),
            draining: now.draining,
            tunnels: Tunnels { waiting: now.waiting, paired: now.paired, closing: now.closing },
            connections: Connections { now: now.connections, limit: now.connections_limit },
            held_bytes: now.held_bytes,
            open_descriptors: process.open_descriptors,
            resident_bytes: process.resident_bytes,
            certificate_expiry: now.certificate_expiry,
            log_level: self.board.level.get().map(|switch| switch.level().name()),
            limits: LimitsInUse::of(&self.board.limits),
        }
    }

    /// From now on no tunnel is opened, and the relay ends with the last. `false` if that had been said before.
    pub fn drain(&self) -> bool {
        self.board.drain.begin()
    }

    /// Reads its files again. Blocks as files do.
    ///
    /// # Errors
    /// Of the first file that is wrong; then everything stays as it was.
    pub fn reload(&self) -> Result<(), Error> {
        self.board.reloader.reload()
    }

    /// Logs at this level from now on. `false` if this relay has no log.
    pub fn set_level(&self, level: LogLevel) -> bool {
        self.board.level.get().is_some_and(|switch| {
            switch.set(level);
            true
        })
    }

    /// What [`Control::set_level`] changes. The first one stays.
    pub fn on_level(&self, switch: impl LevelSwitch + 'static) {
        let _ = self.board.level.set(Box::new(switch));
    }
}

impl LimitsInUse {
    fn of(limits: &Limits) -> Self {
        let seconds = |time: Duration| time.as_secs_f64();
        Self {
            max_message: limits.message,
            max_messages: limits.messages,
            max_bytes: limits.bytes,
            held: limits.held,
            waiting: seconds(limits.waiting),
            life: seconds(limits.life),
            stall: seconds(limits.stall),
            opening: seconds(limits.opening),
            max_head: limits.head,
            ping: seconds(limits.ping),
            missed_pings: limits.missed_pings,
            per_source_waiting: limits.per_source.waiting,
            per_source_total: limits.per_source.total,
            per_source_rate: limits.per_source.rate,
            per_source_burst: limits.per_source.burst,
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.board.fmt(f)
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
