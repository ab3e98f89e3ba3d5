//! What people look at, compared with a live page of metrics: the document,
//! the dashboard and the alerts name nothing that is not there, and the
//! document names everything that is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cablecar_relay::tls::Certificates;
use cablecar_relay::{Relay, Security, Silent};
use support::{roomy, trust};
use tempfile::TempDir;

const PREFIX: &str = "cablecar_relay_";

/// A live page, of a relay that has a certificate.
async fn page() -> String {
    let folder = TempDir::new().unwrap();
    let (cert, key, _) = trust::files(folder.path());
    let mut config = roomy();
    config.security =
        Security::Files(Arc::new(Certificates::read(Path::new(&cert), Path::new(&key)).unwrap()));
    let relay = Relay::bind(config).unwrap();
    let control = relay.control();
    relay.run(std::future::ready(()), Silent).await;
    control.metrics()
}

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// Everything that looks like a name of ours.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with(PREFIX)).map(str::to_owned).collect()
}

/// The names before `{` and space, and all pairs `label="value"`.
fn samples(page: &str) -> (BTreeSet<String>, BTreeSet<(String, String)>) {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let (mut names, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for line in lines {
        names.insert(line.split(['{', ' ']).next().unwrap().to_owned());
        labels.extend(pairs(line));
    }
    (names, labels)
}

/// All `label="value"`, and of `label=~"one|other"` each.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let text = text.replace("\\\"", "\"").replace("=~\"", "=\"");
    for (at, _) in text.match_indices("=\"") {
        let label = text[..at].rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap();
        let values = text[at + 2..].split('"').next().unwrap();
        pairs.extend(values.split('|').map(|value| (label.to_owned(), value.to_owned())));
    }
    pairs
}

/// The kind of each metric, as the page says.
fn kinds(page: &str) -> BTreeMap<String, String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

#[tokio::test]
async fn the_document_names_each_metric_with_its_kind_and_labels_and_no_other() {
    let (page, document) = (page().await, file("../docs/relay-metrics.md"));
    let mut documented = BTreeMap::new();
    for row in document.lines().filter(|line| line.starts_with(&format!("| `{PREFIX}"))) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        assert!(cells[3].len() > 1 && cells[5].len() > 8, "{name} has no unit or no meaning");
        // Its labels are those of its samples.
        let of_metric = |line: &&str| {
            let rest = line.strip_prefix(&name).unwrap_or_default();
            rest.starts_with('{') || rest.starts_with("_bucket{")
        };
        let found: BTreeSet<String> =
            page.lines().filter(of_metric).flat_map(pairs).map(|(label, _)| label).collect();
        let said: BTreeSet<String> = cells[4]
            .split(',')
            .map(|label| label.trim().trim_matches('`').to_owned())
            .filter(|label| !label.is_empty())
            .collect();
        assert_eq!(said, found, "labels of {name}");
        documented.insert(name, cells[2].to_owned());
    }
    assert_eq!(documented, kinds(&page));
    // Each outcome and each state is explained.
    for (label, value) in samples(&page).1.iter().filter(|(label, _)| label == "outcome" || label == "state")
    {
        assert!(document.contains(&format!("`{value}`")), "{label} {value}");
    }
}

fn deployed(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|is| is == ending)).collect();
    assert!(!files.is_empty());
    files
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_there_is() {
    let (metrics, labels) = samples(&page().await);
    let values: BTreeSet<&String> = labels.iter().map(|(_, value)| value).collect();
    let ours: BTreeSet<&String> = labels.iter().map(|(label, _)| label).collect();
    for path in [deployed("grafana", "json"), deployed("prometheus", "yml")].concat() {
        let text = fs::read_to_string(&path).unwrap();
        let asked = names(&text);
        assert!(asked.len() > 8, "{}: {asked:?}", path.display());
        let unknown: Vec<_> = asked.difference(&metrics).collect();
        assert!(unknown.is_empty(), "{} asks for {unknown:?}", path.display());
        for (label, value) in pairs(&text).iter().filter(|(label, _)| ours.contains(label)) {
            assert!(values.contains(value), "{} asks for {label}=\"{value}\"", path.display());
        }
    }
}

#[tokio::test]
async fn every_metric_is_shown_on_the_dashboard() {
    let shown: String =
        deployed("grafana", "json").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let (metrics, _) = samples(&page().await);
    let shown = names(&shown);
    for name in metrics.iter().filter(|name| !name.ends_with("_sum") && !name.ends_with("_count")) {
        assert!(shown.contains(name), "{name}");
    }
}

#[test]
fn a_dashboard_is_what_grafana_reads() {
    for path in deployed("grafana", "json") {
        let dashboard: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.len(), panels.len(), "panels share an id");
        let mut taken = BTreeSet::new();
        for panel in panels {
            let title = panel["title"].as_str().unwrap();
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("x") + at("w") <= 24, "{title} is too wide");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((x, y)), "{title} covers another");
                }
            }
            if panel["type"] != "row" {
                let targets = panel["targets"].as_array().unwrap();
                assert!(
                    !targets.is_empty() && !panel["fieldConfig"]["defaults"]["unit"].is_null(),
                    "{title}"
                );
            }
        }
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        assert!(["datasource", "instance"].iter().all(|name| variables.iter().any(|v| v["name"] == *name)));
    }
}
