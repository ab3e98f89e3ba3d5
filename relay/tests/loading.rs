//! `cablecar-relay bench` as a program: each load, what it reports, and when
//! it says that the report is its own fault.

#![cfg(feature = "bench")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::net::TcpListener;

use serde_json::Value;
use support::serving::{Output, Serving, run};
use support::trust;
use tempfile::TempDir;

/// A relay that holds nobody of this machine back.
fn relay(args: &[&str]) -> Serving {
    Serving::start(&[&["--plain", "--exempt", "127.0.0.0/8"], args].concat())
}

/// The report of a load, and what was said beside it.
fn load(serving: &Serving, args: &[&str]) -> (Value, String) {
    report(&[&[format!("ws://{}", serving.addr()).as_str()], args].concat())
}

fn report(args: &[&str]) -> (Value, String) {
    let Output { code, out, err } = run(&[&["bench"], args].concat());
    // What a relay does wrong is a figure, and no failure of this program.
    assert_eq!((code, out.lines().count()), (Some(0), 1), "{args:?}: {out} {err}");
    (serde_json::from_str(&out).unwrap(), err)
}

/// That so many went well, and nothing failed; gives the report.
fn clean(load: (Value, String), count: u64) -> Value {
    let (report, said) = load;
    assert_eq!((&report["succeeded"], &report["failed"]), (&count.into(), &0.into()), "{report} {said}");
    report
}

#[test]
fn sign_ins_are_counted_and_timed() {
    let serving = relay(&[]);
    let found = clean(load(&serving, &["--count", "20", "--concurrency", "4"]), 20);
    assert_eq!(found["mode"], "sign-ins");
    let latency = &found["latency_ms"];
    let at = |which: &str| latency[which].as_f64().unwrap();
    assert!(0.0 < at("p50") && at("p50") <= at("p99") && at("p99") <= at("max"), "{latency}");
    assert!(
        found["rate"].as_f64().unwrap() > 0.0 && found["generator"]["cpu_seconds"].is_number(),
        "{found}"
    );
    // By a schedule, and both connections ready before.
    clean(load(&serving, &["--rate", "50", "--count", "10", "--schedule", "fixed", "--seed", "7"]), 10);
    clean(load(&serving, &["--eager", "--count", "10", "--sources", "3"]), 10);
}

#[test]
fn idle_tunnels_are_held_and_joined() {
    let serving = relay(&[]);
    let idle = ["--mode", "idle", "--tunnels", "40", "--seconds", "1", "--pair", "50"];
    let (found, said) = load(&serving, &idle);
    assert_eq!(
        (&found["held"], &found["lost"], &found["failed"]),
        (&40.into(), &0.into(), &0.into()),
        "{found}"
    );
    assert_eq!(found["succeeded"], 20, "half of them");
    assert!(said.lines().any(|line| line.starts_with("holding")), "{said}");
}

#[test]
fn messages_are_carried_and_come_back() {
    let serving = relay(&[]);
    let echo = ["--mode", "echo", "--tunnels", "3", "--size", "512", "--count", "120"];
    clean(load(&serving, &echo), 120);
}

#[test]
fn who_drips_is_evicted_at_every_stage() {
    let serving = relay(&["--opening", "1", "--stall", "1"]);
    for stage in ["tcp", "hello", "head", "frame"] {
        let drip = ["--mode", "drip", "--stage", stage, "--tunnels", "5"];
        clean(load(&serving, &drip), 5);
    }
    // A relay that bears with it is found out.
    let patient = relay(&["--opening", "60"]);
    let (found, _) = load(&patient, &["--mode", "drip", "--tunnels", "3", "--patience", "1"]);
    assert_eq!(found["failures"]["silent"], 3, "{found}");
}

#[test]
fn a_flood_of_hellos_is_answered() {
    let folder = TempDir::new().unwrap();
    let (cert, key, _) = trust::files(folder.path());
    let serving = Serving::start(&["--tls-cert", &cert, "--tls-key", &key, "--exempt", "127.0.0.0/8"]);
    let there = format!("wss://{}", serving.addr());
    let flood =
        [there.as_str(), "--insecure-loopback", "--mode", "flood", "--count", "10", "--concurrency", "2"];
    clean(report(&flood), 10);
    clean(report(&[&there, "--insecure-loopback", "--count", "3"]), 3);
}

#[test]
fn what_fails_is_told_by_kind() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (found, _) = report(&[&format!("ws://{free}"), "--count", "4"]);
    assert_eq!((&found["succeeded"], &found["failures"]["unreachable"]), (&0.into(), &4.into()), "{found}");
    let serving =
        Serving::start(&["--plain", "--access-open", "networks", "--access-networks", "192.0.2.0/24"]);
    let (found, _) = load(&serving, &["--count", "4", "--concurrency", "1"]);
    assert_eq!(found["failures"]["status-403"], 4, "{found}");
}

#[test]
fn a_generator_that_cannot_keep_up_says_so() {
    let serving = relay(&[]);
    // A hundred thousand at once, which they are not.
    let (found, said) = load(&serving, &["--rate", "1000000000", "--count", "100000", "--concurrency", "8"]);
    assert!(found["generator"]["late_ms"]["p99"].as_f64().unwrap() > 10.0, "{found}");
    assert!(said.contains("warning: ") && said.contains("through the generator"), "{said}");
    assert!(found["failures"]["own-machine"].as_u64().unwrap() > 0, "{found}");
    // A closed loop has no moments to be late for.
    let (_, said) = load(&serving, &["--count", "10", "--concurrency", "1"]);
    assert!(!said.contains("late"), "{said}");
}

#[test]
fn what_cannot_be_done_is_a_usage_error() {
    for wrong in [
        &["ftp://127.0.0.1", "--count", "1"][..],
        &["ws://127.0.0.1/path", "--count", "1"],
        &["ws://127.0.0.1", "--count", "0"],
        &["ws://127.0.0.1", "--rate", "0"],
        &["ws://127.0.0.1", "--mode", "nonsense"],
        &["wss://192.0.2.1", "--insecure-loopback", "--count", "1"],
    ] {
        let Output { code, out, err } = run(&[&["bench"], wrong].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong:?}: {err}");
        assert!(err.contains("error: "), "{wrong:?}: {err}");
    }
}
