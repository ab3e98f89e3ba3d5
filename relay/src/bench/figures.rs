//! What was measured, of the relay and of the generator itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::caller::Fault;

/// Above this share of its core the generator measures itself.
const BUSY: f64 = 0.9;

/// Later than this, at the 99th percentile, and the load is not what it says.
const LATE_MS: f64 = 10.0;

/// Counts what happens, from any task.
#[derive(Debug)]
pub(crate) struct Figures {
    tally: Mutex<Tally>,
    began: Instant,
    cpu: Duration,
}

#[derive(Debug)]
struct Tally {
    latency: Histogram<u64>,
    late: Histogram<u64>,
    failures: BTreeMap<String, u64>,
    failed: u64,
}

impl Figures {
    pub(crate) fn new() -> Self {
        // Up to ten minutes in microseconds, to three digits; the bounds are
        // constants that are known to be good, so the fallback is never taken.
        let new = || {
            let bounded = Histogram::new_with_max(600_000_000, 3).or_else(|_| Histogram::new(3));
            bounded.ok()
        };
        let empty = || new().unwrap_or_else(|| unreachable!("the bounds of the histogram are good"));
        let tally = Tally { latency: empty(), late: empty(), failures: BTreeMap::new(), failed: 0 };
        Self { tally: Mutex::new(tally), began: Instant::now(), cpu: own_cpu() }
    }

    /// One more that came to this, after this long.
    pub(crate) fn done(&self, result: &Result<(), Fault>, took: Duration) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => tally.latency.saturating_record(micros(took)),
            Err(fault) => {
                tally.failed += 1;
                *tally.failures.entry(fault.kind()).or_default() += 1;
            }
        }
    }

    /// One began this much after its moment.
    pub(crate) fn late(&self, by: Duration) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.late.saturating_record(micros(by));
    }

    /// Everything so far.
    pub(crate) fn report(&self, mode: &'static str) -> Report {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = self.began.elapsed().as_secs_f64().max(1e-9);
        let cpu = own_cpu().saturating_sub(self.cpu).as_secs_f64();
        let succeeded = tally.latency.len();
        Report {
            mode,
            seconds,
            succeeded,
            failed: tally.failed,
            failures: tally.failures.clone(),
            rate: float(succeeded) / seconds,
            latency_ms: Percentiles::of(&tally.latency),
            generator: Generator {
                late_ms: Percentiles::of(&tally.late),
                cpu_seconds: cpu,
                cpu_share: cpu / seconds,
            },
            extra: BTreeMap::new(),
        }
    }
}

/// What `bench` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    mode: &'static str,
    seconds: f64,
    succeeded: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    rate: f64,
    latency_ms: Percentiles,
    generator: Generator,
    /// Counts that only this mode has.
    #[serde(flatten)]
    extra: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct Generator {
    /// How much after its moment each began.
    late_ms: Percentiles,
    cpu_seconds: f64,
    cpu_share: f64,
}

#[derive(Debug, Serialize)]
struct Percentiles {
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| float(histogram.value_at_quantile(quantile)) / 1000.0;
        Self {
            mean: histogram.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: if histogram.is_empty() { 0.0 } else { float(histogram.max()) / 1000.0 },
        }
    }
}

impl Report {
    /// With one more count.
    pub(crate) fn with(mut self, name: &'static str, count: u64) -> Self {
        self.extra.insert(name, count);
        self
    }

    /// Why these figures may be those of the generator and not of the relay.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let (generator, mut warnings) = (&self.generator, Vec::new());
        if generator.cpu_share > BUSY {
            let share = generator.cpu_share * 100.0;
            warnings
                .push(format!("the generator itself took {share:.0} % of its core: it is the bottleneck"));
        }
        if generator.late_ms.p99 > LATE_MS {
            let late = generator.late_ms.p99;
            warnings
                .push(format!("one in a hundred began {late:.1} ms late or later, through the generator"));
        }
        if self.failures.contains_key("own-machine") {
            warnings.push("this machine ran out of descriptors or ports: see ulimit -n and --sources".into());
        }
        warnings
    }

    /// On one line.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What this process has used of a processor.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Exact up to 2^32 in each half, which no count here reaches.
fn float(count: u64) -> f64 {
    let (high, low) = (u32::try_from(count >> 32), u32::try_from(count & 0xFFFF_FFFF));
    f64::from(high.unwrap_or(0)) * 4_294_967_296.0 + f64::from(low.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_by_kind_and_warns_of_a_late_generator() {
        let figures = Figures::new();
        for ms in 1..=100 {
            figures.done(&Ok(()), Duration::from_millis(ms));
        }
        figures.done(&Err(Fault::Status(429)), Duration::ZERO);
        figures.done(&Err(Fault::Silent), Duration::ZERO);
        let report = figures.report("sign-ins");
        assert_eq!((report.succeeded, report.failed), (100, 2));
        assert_eq!(report.failures.get("status-429"), Some(&1));
        assert!((report.latency_ms.p50 - 50.0).abs() < 0.1, "{:?}", report.latency_ms);
        assert!((report.latency_ms.p99 - 99.0).abs() < 0.1);
        assert!(report.generator.late_ms.max < 0.1);
        let early: Vec<String> = report.warnings();
        assert!(!early.iter().any(|warning| warning.contains("late")), "{early:?}");
        figures.late(Duration::from_millis(50));
        assert!(figures.report("sign-ins").warnings().iter().any(|warning| warning.contains("late")));
        let json: serde_json::Value = serde_json::from_str(&report.with("held", 3).json()).unwrap();
        assert_eq!(json["held"], 3);
        assert_eq!(json["failures"]["silent"], 1);
    }

    #[test]
    fn large_counts_stay_what_they_are() {
        assert!((float((1 << 40) + 1) - 1_099_511_627_777.0).abs() < 0.5);
    }
}
