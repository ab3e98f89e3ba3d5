//! Figures, what they should be, and the file from which the paper takes them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

/// What was measured in one run.
pub(crate) struct Figures {
    form: &'static str,
    missed: bool,
}

impl Figures {
    pub(crate) fn new(form: &'static str) -> Self {
        Self { form, missed: false }
    }

    /// One figure, which should be at most `target`. It goes to the file at once.
    pub(crate) fn add(&mut self, name: &str, value: f64, unit: &str, target: Option<f64>) {
        let missed = target.is_some_and(|target| value > target);
        let (said, verdict) =
            (target.map(|target| format!(", target {target}")), if missed { "  MISSED" } else { "" });
        println!("  {name}: {value:.3} {unit}{}{verdict}", said.unwrap_or_default());
        self.missed |= missed;
        let row =
            json!({"value": value, "unit": unit, "target": target, "form": self.form, "machine": machine()});
        write(name, row);
    }

    /// Whether any figure so far was above its target.
    pub(crate) fn missed(&self) -> bool {
        self.missed
    }
}

/// Puts a figure into the file, beside those of other judges.
fn write(name: &str, row: Value) {
    let path = target().join("judges/relay-figures.json");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut all: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    all.insert(name.to_owned(), row);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")))
}

/// Processor, cores and load.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    // Of the machine, not of this process, which keeps to one.
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?");
    format!("{}, {cores} cores, load {load}", model.unwrap_or("unknown processor"))
}
