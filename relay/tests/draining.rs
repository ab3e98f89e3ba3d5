//! Draining: nobody new, and everybody else to the end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::time::Duration;

use cablecar_relay::{Ending, Event, Why};
use support::{ROUTING, close_code, hear, id, say, soon, start};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn pairs_and_those_who_wait_come_to_their_end_and_nobody_new_comes() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    let mut waiting = relay.open(&id(2)).await;
    assert!(relay.drain.begin());
    relay.until(|event| *event == Event::Draining { tunnels: 2 }).await;

    let answer = relay.raw(&support::head(&format!("/cable/new/{}", id(3)), "")).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
    let refused = relay.until(|event| matches!(event, Event::Refused { .. })).await;
    assert_eq!(refused, Event::Refused { status: Some(503), why: Why::Draining });

    // One that waited is joined, and both pairs talk.
    let mut late = relay.join(&id(2)).await;
    say(&mut late, b"in time").await;
    assert_eq!(hear(&mut waiting).await, b"in time");
    say(&mut phone, b"undisturbed").await;
    assert_eq!(hear(&mut computer).await, b"undisturbed");

    soon(phone.close(None)).await.unwrap();
    assert_eq!(close_code(&mut computer).await, 1000);
    assert!(!relay.ended(), "one pair is left");
    soon(late.close(None)).await.unwrap();
    assert_eq!(close_code(&mut waiting).await, 1000);
    drop((phone, computer, late, waiting));
    let events = relay.ends_by_itself().await;
    assert!(events.ends_with(&[Event::Stopping]), "{events:?}");
    let given_up =
        |event: &Event| matches!(event, Event::Closed { reason: Ending::Overdue | Ending::Stopping, .. });
    assert!(!events.iter().any(given_up), "{events:?}");
}

#[tokio::test]
async fn who_asks_whether_it_takes_phones_is_told() {
    let relay = start(|_| {});
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let _waiting = relay.open(&id(1)).await;
    assert!(relay.raw(&ask("/readyz")).await.starts_with("HTTP/1.1 200 "));
    relay.drain.begin();
    let answer = relay.raw(&ask("/readyz")).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\ndraining\n"), "{answer}");
    // It lives, and a question is no refusal.
    assert!(relay.raw(&ask("/healthz")).await.starts_with("HTTP/1.1 200 "));
    let events = relay.stop().await;
    assert!(!events.iter().any(|event| matches!(event, Event::Refused { .. })), "{events:?}");
}

#[tokio::test]
async fn without_tunnels_it_ends_at_once() {
    let relay = start(|_| {});
    // Somebody who says nothing does not hold it up.
    let _silent = relay.tcp().await;
    relay.drain.begin();
    relay.ends_by_itself().await;
}

#[tokio::test]
async fn what_outlives_the_drain_is_told_that_the_service_restarts() {
    let relay = start(|limits| limits.drain = Some(SHORT));
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    let mut waiting = relay.open(&id(2)).await;
    relay.drain.begin();
    for socket in [&mut phone, &mut computer, &mut waiting] {
        assert_eq!(close_code(socket).await, 1012);
    }
    drop((phone, computer, waiting));
    let events = relay.ends_by_itself().await;
    let overdue =
        events.iter().filter(|event| matches!(event, Event::Closed { reason: Ending::Overdue, .. }));
    assert_eq!(overdue.count(), 2, "{events:?}");
}

#[tokio::test]
async fn a_waiting_tunnel_that_nobody_joins_ends_the_drain_with_its_time() {
    let relay = start(|limits| limits.waiting = SHORT);
    let mut waiting = relay.open(&id(1)).await;
    relay.drain.begin();
    assert_eq!(close_code(&mut waiting).await, 1008);
    drop(waiting);
    relay.ends_by_itself().await;
}

#[tokio::test]
async fn who_stops_a_draining_relay_waits_for_nobody() {
    let relay = start(|_| {});
    let (mut phone, computer) = relay.pair(&id(1)).await;
    relay.drain.begin();
    let refused = relay.dial(&format!("/cable/new/{}", id(2))).await.err();
    assert_eq!(refused, Some(503));
    assert_eq!(relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(2))).await.err(), Some(404));
    let stopped = tokio::spawn(relay.stop());
    assert_eq!(close_code(&mut phone).await, 1001);
    drop((phone, computer));
    soon(stopped).await.unwrap();
}
