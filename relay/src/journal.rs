//! The log: what happens, as lines on standard error for people or programs.
//!
//! ```text
//!   where bytes flow          a thread of its own
//!   notice() --> a line ----> bounded queue ----> standard error
//!            \-> a number --> at most one line a second for each reason
//! ```
//!
//! Whoever notices something never waits: what does not fit in the queue is
//! counted, and the count is told. Only this crate's own events are written,
//! whatever the libraries below it have to say; and among them there are no
//! ids and no sizes of messages. A tunnel is named by a [tag](Tags), a client
//! not at all, or by the network around it if the operator wants that.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level as Shown;
use tracing::{debug, enabled, info, trace, warn};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, fmt, registry, reload};

use crate::config::{Log, LogAddresses, LogFormat, LogLevel};
use crate::control::LevelSwitch;
use crate::error::Error;
use crate::journal::queue::Queue;
use crate::journal::tags::Tags;
use crate::observer::{Event, Observer};
use crate::refusal::Why;
use crate::source::Source;

mod queue;
mod tags;
mod trouble;

/// What begins the names of everything that may be written.
const OURS: &str = "cablecar_relay";

impl LogLevel {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Its name in settings and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Writes what a relay does into the log.
#[derive(Debug)]
pub(crate) struct Journal {
    queue: Arc<Queue>,
    tags: Tags,
    addresses: bool,
}

/// Changes the level of the log while it is being written.
#[derive(Debug)]
pub(crate) struct Switch(reload::Handle<Targets, Registry>);

/// Waits for the last line.
#[derive(Debug)]
pub(crate) struct Written(Arc<Queue>);

impl Journal {
    /// Starts the log of this process. Once only.
    ///
    /// # Errors
    /// [`Error::System`] if there is one already, or without threads or
    /// randomness.
    pub(crate) fn start(log: &Log) -> Result<(Self, Switch, Written), Error> {
        let queue = Queue::start()?;
        let (filter, handle) = reload::Layer::new(only_ours(log.level));
        let lines = fmt::layer().with_writer(Writer(Arc::clone(&queue))).with_target(false);
        let set = match log.format {
            LogFormat::Text => {
                let lines = lines.with_ansi(false);
                tracing::subscriber::set_global_default(registry().with(filter).with(lines))
            }
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
                tracing::subscriber::set_global_default(registry().with(filter).with(lines))
            }
        };
        set.map_err(|error| Error::System(error.to_string()))?;
        let addresses = log.addresses == LogAddresses::Truncated;
        let journal = Self { queue: Arc::clone(&queue), tags: Tags::random()?, addresses };
        Ok((journal, Switch(handle), Written(queue)))
    }
}

impl Observer for Journal {
    fn notice(&self, event: Event) {
        self.notice_from(event, None);
    }

    fn notice_from(&self, event: Event, from: Option<Source>) {
        let from = from.filter(|_| self.addresses);
        let network = || from.map(|source| tracing::field::display(source.network()));
        match event {
            Event::Listening { addr } => info!(%addr, "listening"),
            Event::Draining { tunnels } => info!(tunnels, "draining: no new tunnels are opened"),
            #[cfg(unix)]
            Event::HandedOver { process } => info!(process, "handed over: another process accepts"),
            #[cfg(unix)]
            Event::NotUpgraded { why } => warn!(%why, "not upgraded: everything goes on as before"),
            Event::Stopping => info!("stopping: closing what is open"),
            Event::Struggling { failures } => warn!(failures, "cannot accept connections at present"),
            Event::Reloaded => info!("certificate and other files are read again"),
            Event::NotReloaded { error, reason } => {
                warn!(reason, id = error, "everything stays as it was: the files are wrong");
            }
            Event::Refused { why, .. } => {
                // One look at a number while nobody wants to know.
                if if grave(why) { enabled!(Shown::WARN) } else { enabled!(Shown::DEBUG) } {
                    self.queue.raise(why, from);
                }
            }
            Event::Opened { tunnel } if enabled!(Shown::DEBUG) => {
                debug!(tunnel = %self.tags.of(tunnel), from = network(), "opened");
            }
            Event::Joined { tunnel, .. } if enabled!(Shown::DEBUG) => {
                debug!(tunnel = %self.tags.of(tunnel), "joined");
            }
            Event::Closed { tunnel, reason, .. } if enabled!(Shown::DEBUG) => {
                debug!(tunnel = %self.tags.of(tunnel), reason = %reason, "closed");
            }
            Event::Forwarded { tunnel, from, .. } if enabled!(Shown::TRACE) => {
                trace!(tunnel = %self.tags.of(tunnel), side = from.name(), "forwarded");
            }
            Event::Opened { .. } | Event::Joined { .. } | Event::Closed { .. } | Event::Forwarded { .. } => {}
        }
    }
}

/// Two that watch one relay.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn notice(&self, event: Event) {
        self.notice_from(event, None);
    }

    fn notice_from(&self, event: Event, from: Option<Source>) {
        self.0.notice_from(event.clone(), from);
        self.1.notice_from(event, from);
    }
}

impl LevelSwitch for Switch {
    fn level(&self) -> LogLevel {
        let shown = self.0.with_current(|targets| {
            let levels = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn];
            levels.into_iter().find(|level| targets.would_enable(OURS, &shown(*level)))
        });
        shown.ok().flatten().unwrap_or(LogLevel::Error)
    }

    fn set(&self, level: LogLevel) {
        // Fails only when the log is gone, and then there is nothing to change.
        let _ = self.0.reload(only_ours(level));
        info!(level = level.name(), "the log has another level");
    }
}

impl Written {
    /// Waits, but not for a reader who does not read.
    pub(crate) fn wait(self) {
        self.0.flush(Duration::from_millis(250));
    }
}

/// Whether an operator should look at it: the relay turned people away who
/// may have done nothing wrong.
fn grave(why: Why) -> bool {
    matches!(
        why,
        Why::Throttled
            | Why::Full
            | Why::Crowded
            | Why::Proxy
            | Why::Undecided
            | Why::Memory
            | Why::Flooded
            | Why::Exhausted
    )
}

/// The one place that tells one refusal, or many of a kind.
fn refused(why: Why, count: u64, from: Option<Source>) {
    let from = from.map(|source| tracing::field::display(source.network()));
    if grave(why) {
        warn!(why = why.name(), count, from, "refused");
    } else {
        debug!(why = why.name(), count, from, "refused");
    }
}

fn lost(lines: u64) {
    warn!(lines, "lines of this log were lost: they came faster than they were read");
}

fn only_ours(level: LogLevel) -> Targets {
    Targets::new().with_target(OURS, LevelFilter::from_level(shown(level)))
}

fn shown(level: LogLevel) -> Shown {
    match level {
        LogLevel::Error => Shown::ERROR,
        LogLevel::Warn => Shown::WARN,
        LogLevel::Info => Shown::INFO,
        LogLevel::Debug => Shown::DEBUG,
        LogLevel::Trace => Shown::TRACE,
    }
}

/// Where the lines go: each comes in one piece.
#[derive(Debug)]
struct Writer(Arc<Queue>);

impl<'a> MakeWriter<'a> for Writer {
    type Writer = &'a Queue;

    fn make_writer(&'a self) -> &'a Queue {
        &self.0
    }
}

impl io::Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
