//! `cablecar-relay probe` as a program: what it says of a relay that is well,
//! and of several that are not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::fs;
use std::net::TcpListener;

use serde_json::Value;
use support::serving::{Output, Serving, run};
use support::trust;
use tempfile::TempDir;

/// What it says as JSON, on one line; its exit code.
fn probe(args: &[&str]) -> (Value, Option<i32>) {
    let Output { code, out, err } = run(&[&["probe", "--format", "json"], args].concat());
    assert_eq!(out.lines().count(), 1, "{out} {err}");
    (serde_json::from_str(&out).unwrap(), code)
}

/// The one finding of a probe that failed, and the leg that it names.
fn finding(args: &[&str]) -> (String, String) {
    let (report, code) = probe(args);
    assert_eq!((code, &report["well"]), (Some(1), &Value::Bool(false)), "{report}");
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report}");
    assert!(!findings[0]["remedy"].as_str().unwrap().is_empty(), "{report}");
    (findings[0]["id"].as_str().unwrap().into(), findings[0]["leg"].as_str().unwrap().into())
}

fn url(scheme: &str, serving: &Serving) -> String {
    format!("{scheme}://{}", serving.addr())
}

#[test]
fn a_relay_that_is_well_is_said_to_be_with_the_time_of_each_leg() {
    let serving = Serving::start(&["--plain"]);
    let (report, code) = probe(&[&url("ws", &serving)]);
    assert_eq!((code, &report["well"]), (Some(0), &Value::Bool(true)), "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    assert!(report.get("domain_id").is_none(), "an address is nobody's number: {report}");
    let legs = report["legs"].as_array().unwrap();
    assert!(legs.len() >= 6, "{report}");
    assert!(legs.iter().all(|leg| leg["leg"].is_string() && leg["ms"].as_f64().unwrap() >= 0.0), "{report}");
    // A sign-in it was, and the relay saw one.
    let text = run(&["probe", &url("ws", &serving)]);
    assert_eq!(text.code, Some(0), "{}", text.err);
    assert!(text.out.ends_with("well: a sign-in went through\n"), "{}", text.out);
    let (code, _, log) = serving.signal("-TERM");
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn with_tls_it_wants_to_know_whom_it_speaks_to() {
    let folder = TempDir::new().unwrap();
    let (cert, key, _) = trust::files(folder.path());
    let serving = Serving::start(&["--tls-cert", &cert, "--tls-key", &key]);
    let port = serving.addr().port();
    let there = format!("wss://relay.example:{port}");
    let way = format!("relay.example:{port}:127.0.0.1:{port}");
    let (report, code) = probe(&[&there, "--connect-to", &way, "--ca-file", &cert]);
    assert_eq!(code, Some(0), "{report}");
    assert!(report["legs"].as_array().unwrap().iter().any(|leg| leg["leg"] == "tls"), "{report}");
    assert_eq!(finding(&[&there, "--connect-to", &way]), ("probe.tls".into(), "tls".into()));
}

#[test]
fn where_nobody_listens_that_is_the_finding() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(finding(&[&format!("ws://{free}")]).0, "probe.unreachable");
}

#[test]
fn a_relay_that_wants_a_token_is_probed_with_one() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token").to_str().unwrap().to_owned();
    fs::write(&file, "an-example-of-a-token-that-is-long-enough\n").unwrap();
    let serving = Serving::start(&["--plain", "--access-open", "token", "--access-token-file", &file]);
    let there = url("ws", &serving);
    assert_eq!(finding(&[&there]).0, "probe.refused");
    assert_eq!(probe(&[&there, "--token-file", &file]).1, Some(0));
}

#[test]
fn what_is_no_relay_is_told_from_one() {
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = format!("ws://{}", silent.local_addr().unwrap());
    assert_eq!(finding(&[&there, "--patience", "1"]).0, "probe.silent");
}

#[test]
fn what_is_no_url_of_a_relay_is_a_usage_error() {
    for wrong in ["ftp://relay.example", "relay.example", "wss://relay.example/cable/new", "wss://"] {
        let Output { code, out, err } = run(&["probe", wrong]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong}: {err}");
        assert!(err.contains("error: "), "{wrong}: {err}");
    }
}
