//! Prometheus' text format, version 0.0.4: what every scraper reads.

use std::fmt::{Display, Write};
use std::time::Duration;

/// What the format is called in an answer.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics that is being written.
#[derive(Debug)]
pub(crate) struct Exposition {
    prefix: &'static str,
    /// What the next samples belong to, with the prefix.
    name: String,
    text: String,
}

/// What a reader may do with the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

// Writing to a string cannot fail.

impl Exposition {
    /// A page on which every name begins with this and an underscore.
    pub(crate) fn new(prefix: &'static str) -> Self {
        Self { prefix, name: String::new(), text: String::with_capacity(8 * 1024) }
    }

    /// Begins a metric. `help` needs no escaping, labels do not either: all of
    /// them are words of this program.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.name = format!("{}_{name}", self.prefix);
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let name = &self.name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help);
        let _ = writeln!(self.text, "{} {value}", self.name);
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, Kind::Gauge, help);
        let _ = writeln!(self.text, "{} {value}", self.name);
    }

    /// One of the numbers of a metric that has several.
    pub(crate) fn labelled(&mut self, label: &str, is: &str, value: u64) {
        let _ = writeln!(self.text, "{}{{{label}=\"{is}\"}} {value}", self.name);
    }

    /// `counts` has one number more than there are bounds, for what is beyond
    /// the last; each counts what is in its bucket alone.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        bounds: &[f64],
        counts: &[u64],
        sum: Duration,
    ) {
        self.family(name, Kind::Histogram, help);
        let bounds = bounds.iter().map(|bound| bound.to_string()).chain(["+Inf".to_owned()]);
        let mut so_far = 0;
        for (bound, count) in bounds.zip(counts) {
            so_far += count;
            let _ = writeln!(self.text, "{}_bucket{{le=\"{bound}\"}} {so_far}", self.name);
        }
        let (name, sum) = (&self.name, sum.as_secs_f64());
        let _ = writeln!(self.text, "{name}_sum {sum}\n{name}_count {so_far}");
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}
