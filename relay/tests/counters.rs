//! What is counted, compared exactly with what was done.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use cablecar_relay::{Control, Why};
use futures_util::SinkExt;
use support::{ROUTING, close_code, hear, id, roomy, say, soon, start, start_with};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

/// Every sample of a metrics page, without the prefix.
fn samples(control: &Control) -> BTreeMap<String, f64> {
    let text = control.metrics();
    let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.strip_prefix("cablecar_relay_").expect(line).to_owned(), value.parse().unwrap())
    });
    samples.collect()
}

/// Waits until nobody is there, and every state is back at 0.
async fn quiet(control: &Control) {
    let gone = async {
        loop {
            let now = control.snapshot();
            let states = [now.waiting, now.paired, now.closing, now.connections, now.held_bytes];
            if states == [0; 5] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
}

/// The counters of a family that are not 0, by their label.
fn counted(samples: &BTreeMap<String, f64>, family: &str) -> Vec<(String, f64)> {
    let prefix = format!("{family}{{");
    let of_family = samples.iter().filter_map(|(name, value)| {
        let label = name.strip_prefix(&prefix)?.split('"').nth(1)?;
        (*value != 0.0).then(|| (label.to_owned(), *value))
    });
    of_family.collect()
}

fn named(pairs: &[(&str, f64)]) -> Vec<(String, f64)> {
    let mut named: Vec<(String, f64)> =
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

#[tokio::test]
async fn every_ending_is_counted_once() {
    let relay = start(|limits| {
        (limits.bytes, limits.messages) = (1 << 30, 1 << 20);
        limits.stall = Duration::from_millis(500);
    });
    let control = relay.control.clone();

    // closed, by either side, with two messages one way and one the other
    for closer in 0..2 {
        let (mut phone, mut computer) = relay.pair(&id(1)).await;
        say(&mut computer, &[1; 81]).await;
        assert_eq!(hear(&mut phone).await.len(), 81);
        say(&mut phone, &[2; 200]).await;
        say(&mut phone, &[3; 300]).await;
        assert_eq!((hear(&mut computer).await.len(), hear(&mut computer).await.len()), (200, 300));
        let (first, other) =
            if closer == 0 { (&mut phone, &mut computer) } else { (&mut computer, &mut phone) };
        soon(first.close(None)).await.unwrap();
        assert_eq!(close_code(other).await, 1000);
    }
    // vanished
    for _ in 0..3 {
        let (mut phone, computer) = relay.pair(&id(2)).await;
        drop(computer);
        assert_eq!(close_code(&mut phone).await, 1001);
    }
    // abandoned, with a word and without
    let mut phone = relay.open(&id(3)).await;
    soon(phone.close(None)).await.unwrap();
    drop((phone, relay.open(&id(4)).await));
    // a fault, alone and paired
    let mut phone = relay.open(&id(5)).await;
    soon(phone.send(Message::text("text"))).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1003);
    let (mut phone, mut computer) = relay.pair(&id(6)).await;
    soon(phone.send(Message::binary(Vec::new()))).await.unwrap();
    assert_eq!((close_code(&mut phone).await, close_code(&mut computer).await), (1002, 1001));
    drop((phone, computer));
    quiet(&control).await;
    let before = samples(&control);
    assert_eq!(counted(&before, "frames_total"), named(&[("first", 4.0), ("second", 2.0)]));
    assert_eq!(counted(&before, "bytes_total"), named(&[("first", 1000.0), ("second", 162.0)]));

    // stuck: what is held is counted as long as it is
    let (mut sender, stuck) = relay.pair(&id(7)).await;
    while soon(sender.send(Message::binary(vec![0; 64 * 1024]))).await.is_ok() {}
    drop((sender, stuck));
    quiet(&control).await;

    let samples = samples(&control);
    let outcomes = [("closed", 2.0), ("vanished", 3.0), ("abandoned", 2.0), ("fault", 2.0), ("stuck", 1.0)];
    assert_eq!(counted(&samples, "tunnels_total"), named(&outcomes));
    assert_eq!(counted(&samples, "refusals_total"), []);
    // each pair once in each histogram, each party once in the first
    assert_eq!(samples["pairing_wait_seconds_count"], 7.0);
    assert_eq!(samples["tunnel_seconds_count"], 7.0);
    assert_eq!(samples["opening_seconds_count"], 7.0 * 2.0 + 3.0);
    assert_eq!(samples["accepts_total"], 7.0 * 2.0 + 3.0);
    assert_eq!(samples["accept_failures_total"], 0.0);
    relay.stop().await;
}

#[tokio::test]
async fn the_endings_that_the_clock_and_the_operator_make_are_counted() {
    let moment = Duration::from_millis(200);
    let relay = start(|limits| (limits.waiting, limits.life) = (moment, moment));
    let control = relay.control.clone();
    let mut phone = relay.open(&id(1)).await;
    assert_eq!(close_code(&mut phone).await, 1008);
    let (mut phone, mut computer) = loop {
        // on a slow machine nobody may be in time
        let phone = relay.open(&id(2)).await;
        match relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(2))).await {
            Ok(computer) => break (phone, computer),
            Err(_) => quiet(&control).await,
        }
    };
    assert_eq!((close_code(&mut phone).await, close_code(&mut computer).await), (1008, 1008));
    drop((phone, computer));
    quiet(&control).await;
    let found = samples(&control);
    assert_eq!(found["tunnels_total{outcome=\"life-over\"}"], 1.0);
    assert!(found["tunnels_total{outcome=\"nobody-came\"}"] >= 1.0);
    relay.stop().await;

    let relay = start(|_| {});
    let control = relay.control.clone();
    let waiting = relay.open(&id(1)).await;
    let (phone, computer) = relay.pair(&id(2)).await;
    let both_there = async {
        while (control.snapshot().waiting, control.snapshot().paired) != (1, 1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(both_there).await;
    assert_eq!(control.snapshot().connections, 3);
    assert!(control.ready());
    drop((waiting, phone, computer, relay.stop().await));
    assert!(!control.ready());
    // It is gone, and what it counted is not.
    let tunnels = samples(&control);
    assert_eq!(tunnels["tunnels{state=\"paired\"}"], 0.0);
    assert_eq!(tunnels["tunnels_total{outcome=\"stopping\"}"], 2.0);
}

#[tokio::test]
async fn every_refusal_is_counted_by_its_reason() {
    let mut config = roomy();
    config.limits.opening = Duration::from_millis(500);
    let relay = start_with(config);
    let control = relay.control.clone();
    let get = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let new = format!("/cable/new/{}", id(9));
    let large = format!("X-Padding: {}\r\n", "x".repeat(9000));
    for (request, status, times) in [
        (get("/", ""), "404", 3),
        (get("/healthz", "").replace("GET", "POST"), "405", 1),
        (get(&new, "Origin: https://other.example\r\n"), "403", 2),
        (get(&new, ""), "400", 1),
        (get(&new, websocket), "400", 2),
        (get("/healthz", &large), "431", 1),
        ("no HTTP at all\r\n\r\n".to_owned(), "400", 1),
    ] {
        for _ in 0..times {
            let answer = relay.raw(&request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        }
    }
    let phone = relay.open(&id(1)).await;
    assert_eq!(relay.dial(&format!("/cable/new/{}", id(1))).await.err(), Some(409));
    let mut slow = relay.tcp().await;
    slow.write_all(b"GET /cable/new/").await.unwrap();
    drop(phone);
    quiet(&control).await;
    let expected = [
        ("not-found", 3.0),
        ("method", 1.0),
        ("origin", 2.0),
        ("websocket", 1.0),
        ("subprotocol", 2.0),
        ("head-too-large", 1.0),
        ("malformed", 1.0),
        ("taken", 1.0),
        ("too-slow", 1.0),
    ];
    let found = samples(&control);
    assert_eq!(counted(&found, "refusals_total"), named(&expected));
    assert_eq!(found["accepts_total"], 14.0);
    // Every reason is there from the start, at 0.
    for why in Why::ALL {
        assert!(found.contains_key(&format!("refusals_total{{why=\"{}\"}}", why.name())), "{why:?}");
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_source_that_asks_too_much_and_a_full_relay_are_counted() {
    let mut config = roomy();
    config.limits.exempt.clear();
    (config.limits.per_source.burst, config.limits.per_source.rate) = (2, 1);
    let relay = start_with(config);
    let control = relay.control.clone();
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut throttled = 0.0;
    for _ in 0..10 {
        throttled += f64::from(u8::from(relay.raw(request).await.starts_with("HTTP/1.1 429")));
    }
    assert!(throttled > 0.0);
    quiet(&control).await;
    assert_eq!(counted(&samples(&control), "refusals_total"), named(&[("throttled", throttled)]));
    relay.stop().await;

    let mut config = roomy();
    config.limits.connections = Some(2);
    let relay = start_with(config);
    let control = relay.control.clone();
    let pair = relay.pair(&id(1)).await;
    for _ in 0..4 {
        assert_eq!(relay.dial(&format!("/cable/new/{}", id(2))).await.err(), Some(503));
    }
    drop(pair);
    quiet(&control).await;
    let found = samples(&control);
    assert_eq!(counted(&found, "refusals_total"), named(&[("full", 4.0)]));
    assert_eq!((found["connections"], found["connections_limit"]), (0.0, 2.0));
    relay.stop().await;
}

#[tokio::test]
async fn what_is_held_is_seen_while_it_is_held() {
    let relay = start(|limits| {
        (limits.bytes, limits.messages) = (1 << 30, 1 << 20);
        limits.stall = Duration::from_secs(3600);
    });
    let control = relay.control.clone();
    let (mut sender, stuck) = relay.pair(&id(1)).await;
    let sending =
        tokio::spawn(async move { while sender.send(Message::binary(vec![0; 64 * 1024])).await.is_ok() {} });
    let held = async {
        // One message and more than 64 KiB beside it, and then no more.
        while control.snapshot().held_bytes <= 64 * 1024 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(held).await;
    assert!(control.snapshot().held_bytes <= 3 * 64 * 1024, "{:?}", control.snapshot());
    drop(stuck);
    quiet(&control).await;
    soon(sending).await.unwrap();
    relay.stop().await;
}
