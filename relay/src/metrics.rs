//! Counters and durations for Prometheus, as an [`Observer`].
//!
//! Nothing here has a name, an address or an id in it, and no figure belongs
//! to one tunnel. What happens for every message is an addition to a number
//! that is there from the start: no lock, no hash, no memory. What is a state,
//! such as how many tunnels wait, is not counted up and down here but read
//! from where it is kept when somebody asks ([`Snapshot`]), so it cannot drift.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::control::Snapshot;
use crate::exposition::{Exposition, Kind};
use crate::observer::{Ending, Event, Observer, Side};
use crate::process::Process;
use crate::refusal::Why;

/// From 1 ms, a handshake on the spot, to the 10 s that an opening may take.
const OPENING: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A person scans a code: seconds, and 90 at most.
const WAIT: &[f64] = &[0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0, 90.0];

/// A person consents: seconds, and 180 at most.
const LIFE: &[f64] = &[0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0, 90.0, 180.0];

/// How tunnels end; see [`outcome`].
const OUTCOMES: &[&str] =
    &["closed", "vanished", "abandoned", "fault", "stuck", "nobody-came", "life-over", "stopping"];

/// Everything that is counted about one relay.
#[derive(Debug)]
pub struct Metrics {
    accepts: AtomicU64,
    accept_failures: AtomicU64,
    /// In the order of [`Why::ALL`].
    refusals: Vec<AtomicU64>,
    /// In the order of [`OUTCOMES`].
    outcomes: Vec<AtomicU64>,
    opening: Durations,
    wait: Durations,
    life: Durations,
    first: Traffic,
    second: Traffic,
}

#[derive(Debug, Default)]
struct Traffic {
    frames: AtomicU64,
    bytes: AtomicU64,
}

/// How many durations were at most so long, and their sum.
#[derive(Debug)]
struct Durations {
    bounds: &'static [f64],
    /// One for each bound, and one for what is longer than all.
    counts: Vec<AtomicU64>,
    nanoseconds: AtomicU64,
}

impl Metrics {
    /// Counts nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            accepts: AtomicU64::new(0),
            accept_failures: AtomicU64::new(0),
            refusals: zeros(Why::ALL.len()),
            outcomes: zeros(OUTCOMES.len()),
            opening: Durations::new(OPENING),
            wait: Durations::new(WAIT),
            life: Durations::new(LIFE),
            first: Traffic::default(),
            second: Traffic::default(),
        }
    }

    /// A connection was accepted.
    pub(crate) fn accepted(&self) {
        add(&self.accepts, 1);
    }

    /// A try to accept one failed.
    pub(crate) fn accept_failed(&self) {
        add(&self.accept_failures, 1);
    }

    /// A connection became a party, this long after it was accepted.
    pub(crate) fn upgraded(&self, after: Duration) {
        self.opening.observe(after);
    }

    /// All of it in Prometheus' text format 0.0.4.
    pub(crate) fn text(&self, now: &Snapshot, process: Process) -> String {
        let mut out = Exposition::new("cablecar_relay");
        out.family("tunnels", Kind::Gauge, "Tunnels there are, by state.");
        for (state, count) in [("waiting", now.waiting), ("paired", now.paired), ("closing", now.closing)] {
            out.labelled("state", state, count);
        }
        out.gauge("connections", "Connections there are.", now.connections);
        out.gauge("connections_limit", "Connections there may be.", now.connections_limit);
        out.counter("accepts_total", "Connections accepted.", read(&self.accepts));
        let failures = read(&self.accept_failures);
        out.counter("accept_failures_total", "Tries to accept a connection that failed.", failures);
        out.family("refusals_total", Kind::Counter, "Connections sent away, by reason.");
        for (why, count) in Why::ALL.iter().zip(&self.refusals) {
            out.labelled("why", why.name(), read(count));
        }
        out.family("tunnels_total", Kind::Counter, "Tunnels that ended, by outcome.");
        for (outcome, count) in OUTCOMES.iter().zip(&self.outcomes) {
            out.labelled("outcome", outcome, read(count));
        }
        out.family("frames_total", Kind::Counter, "Messages carried, by the party that sent them.");
        out.labelled("from", "first", read(&self.first.frames));
        out.labelled("from", "second", read(&self.second.frames));
        out.family("bytes_total", Kind::Counter, "Bytes of messages carried, by the party that sent them.");
        out.labelled("from", "first", read(&self.first.bytes));
        out.labelled("from", "second", read(&self.second.bytes));
        self.opening.tell(&mut out, "opening_seconds", "From accepting a connection to its upgrade.");
        self.wait.tell(&mut out, "pairing_wait_seconds", "From opening a tunnel to its second party.");
        self.life.tell(&mut out, "tunnel_seconds", "From a tunnel's second party to its end.");
        out.gauge("held_bytes", "Bytes of messages that their receiver has not taken yet.", now.held_bytes);
        if let Some(descriptors) = process.open_descriptors {
            out.gauge("open_descriptors", "File descriptors of this process.", descriptors);
        }
        if let Some(bytes) = process.resident_bytes {
            out.gauge("resident_bytes", "Resident memory of this process.", bytes);
        }
        out.gauge("draining", "1 once no tunnel may be opened any more.", u64::from(now.draining));
        if let Some(expiry) = now.certificate_expiry {
            let help = "When the certificate expires, in seconds since 1970.";
            out.gauge("certificate_expiry_timestamp_seconds", help, expiry);
        }
        out.family("build_info", Kind::Gauge, "The program; always 1.");
        out.labelled("version", env!("CARGO_PKG_VERSION"), 1);
        out.finish()
    }
}

impl Observer for Metrics {
    fn notice(&self, event: Event) {
        self.count(&event);
    }
}

impl Metrics {
    /// Counts what happened.
    pub(crate) fn count(&self, event: &Event) {
        match *event {
            Event::Forwarded { from, bytes, .. } => {
                let traffic = if from == Side::First { &self.first } else { &self.second };
                add(&traffic.frames, 1);
                add(&traffic.bytes, u64::try_from(bytes).unwrap_or(u64::MAX));
            }
            Event::Joined { waited, .. } => self.wait.observe(waited),
            Event::Closed { reason, lived, .. } => {
                if let Some(lived) = lived {
                    self.life.observe(lived);
                }
                let outcome = outcome(reason, lived.is_some());
                count(&self.outcomes, OUTCOMES.iter().position(|known| *known == outcome));
            }
            Event::Refused { why, .. } => {
                count(&self.refusals, Why::ALL.iter().position(|known| *known == why));
            }
            _ => {}
        }
    }
}

/// What an operator tells apart: whether two met at all, and whether they
/// parted because they were done.
fn outcome(ending: Ending, paired: bool) -> &'static str {
    match ending {
        Ending::Closed { .. } if paired => "closed",
        Ending::Vanished { .. } if paired => "vanished",
        Ending::Closed { .. } | Ending::Vanished { .. } => "abandoned",
        Ending::Fault { .. } => "fault",
        Ending::Stuck { .. } => "stuck",
        Ending::NobodyCame => "nobody-came",
        Ending::LifeOver => "life-over",
        Ending::Overdue => "overdue",
        Ending::Stopping => "stopping",
    }
}

impl Durations {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: zeros(bounds.len() + 1), nanoseconds: AtomicU64::new(0) }
    }

    fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        count(&self.counts, Some(self.bounds.partition_point(|bound| *bound < seconds)));
        add(&self.nanoseconds, u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    fn tell(&self, out: &mut Exposition, name: &str, help: &str) {
        let counts: Vec<u64> = self.counts.iter().map(read).collect();
        out.histogram(name, help, self.bounds, &counts, Duration::from_nanos(read(&self.nanoseconds)));
    }
}

fn zeros(length: usize) -> Vec<AtomicU64> {
    std::iter::repeat_with(|| AtomicU64::new(0)).take(length).collect()
}

fn count(counts: &[AtomicU64], at: Option<usize>) {
    if let Some(number) = at.and_then(|at| counts.get(at)) {
        add(number, 1);
    }
}

// Nobody concludes anything from the order of two counters.

fn add(number: &AtomicU64, more: u64) {
    number.fetch_add(more, Ordering::Relaxed);
}

fn read(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observer::{Fault, Serial};

    #[test]
    fn every_ending_has_an_outcome_that_is_told() {
        let side = Side::First;
        for (ending, alone, paired) in [
            (Ending::Closed { by: side }, "abandoned", "closed"),
            (Ending::Vanished { side }, "abandoned", "vanished"),
            (Ending::Fault { side, fault: Fault::Empty }, "fault", "fault"),
            (Ending::Stuck { side }, "stuck", "stuck"),
            (Ending::NobodyCame, "nobody-came", "nobody-came"),
            (Ending::LifeOver, "life-over", "life-over"),
            (Ending::Stopping, "stopping", "stopping"),
        ] {
            assert_eq!((outcome(ending, false), outcome(ending, true)), (alone, paired));
            assert!(OUTCOMES.contains(&alone) && OUTCOMES.contains(&paired));
        }
    }

    #[test]
    fn durations_are_counted_up_to_their_bound() {
        let metrics = Metrics::new();
        for milliseconds in [10, 11, 500, 90_001] {
            let waited = Duration::from_millis(milliseconds);
            metrics.notice(Event::Joined { tunnel: Serial(1), waited });
        }
        let text = metrics.text(&Snapshot::default(), Process::default());
        let has = |line: &str| assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        has(r#"cablecar_relay_pairing_wait_seconds_bucket{le="0.01"} 1"#);
        has(r#"cablecar_relay_pairing_wait_seconds_bucket{le="0.1"} 2"#);
        has(r#"cablecar_relay_pairing_wait_seconds_bucket{le="0.5"} 3"#);
        has(r#"cablecar_relay_pairing_wait_seconds_bucket{le="90"} 3"#);
        has(r#"cablecar_relay_pairing_wait_seconds_bucket{le="+Inf"} 4"#);
        has("cablecar_relay_pairing_wait_seconds_count 4");
        has("cablecar_relay_pairing_wait_seconds_sum 90.522");
        assert!(!text.contains("certificate_expiry"), "{text}");
    }
}
