//! Who meets whom: opening, joining, being too late, and coming back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use cablecar_relay::{Ending, Event, Side};
use futures_util::StreamExt;
use support::{ROUTING, close_code, hear, id, say, soon, start};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn two_parties_talk_both_ways() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    for n in 1..5 {
        say(&mut computer, &[n; 81]).await;
        assert_eq!(hear(&mut phone).await, [n; 81]);
        say(&mut phone, &[n; 200]).await;
        assert_eq!(hear(&mut computer).await, [n; 200]);
    }
}

#[tokio::test]
async fn hexadecimal_is_read_in_both_cases() {
    let relay = start(|_| {});
    let (upper, lower) = ("ABCDEF0123456789ABCDEF0123456789", "abcdef0123456789abcdef0123456789");
    for (new, connect) in [(upper, lower), (lower, upper), ("aBcDeF0123456789ABCDEF0123456789", lower)] {
        let mut phone = relay.open(new).await;
        let path = format!("/cable/connect/{}/{connect}", ROUTING.to_lowercase());
        let mut computer = relay.dial(&path).await.unwrap();
        say(&mut computer, b"hello").await;
        assert_eq!(hear(&mut phone).await, b"hello");
        soon(phone.close(None)).await.unwrap();
        assert_eq!(close_code(&mut computer).await, 1000);
    }
}

#[tokio::test]
async fn nobody_who_connects_right_after_the_101_is_refused() {
    let relay = start(|_| {});
    for n in 0..3_000 {
        let (phone, computer) = relay.pair(&id(n)).await;
        drop((phone, computer));
    }
    let events = relay.stop().await;
    assert!(!events.iter().any(|event| matches!(event, Event::Refused { .. })), "somebody was refused");
}

#[tokio::test]
async fn the_first_to_connect_wins_and_is_not_disturbed() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    for _ in 0..3 {
        assert_eq!(relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(1))).await.err(), Some(404));
    }
    say(&mut computer, b"still here").await;
    assert_eq!(hear(&mut phone).await, b"still here");
    say(&mut phone, b"so am I").await;
    assert_eq!(hear(&mut computer).await, b"so am I");
}

#[tokio::test]
async fn of_many_who_connect_at_once_one_gets_in() {
    let relay = start(|_| {});
    for round in 0..20 {
        let mut phone = relay.open(&id(round)).await;
        let path = format!("/cable/connect/{ROUTING}/{}", id(round));
        let (a, b, c) = tokio::join!(relay.dial(&path), relay.dial(&path), relay.dial(&path));
        let mut joined: Vec<_> = [a, b, c].into_iter().filter_map(Result::ok).collect();
        assert_eq!(joined.len(), 1);
        say(&mut joined[0], b"me").await;
        assert_eq!(hear(&mut phone).await, b"me");
    }
}

#[tokio::test]
async fn a_squatted_id_is_409_and_the_squatter_stays_alone() {
    let relay = start(|_| {});
    let path = format!("/cable/new/{}", id(1));
    let squatter = relay.open(&id(1)).await;
    assert_eq!(relay.dial(&path).await.err(), Some(409));
    // paired, it is taken all the same
    let computer = relay.join(&id(1)).await;
    assert_eq!(relay.dial(&path).await.err(), Some(409));
    drop((squatter, computer));
}

#[tokio::test]
async fn a_tunnel_is_forgotten_at_the_first_close_of_either_side() {
    let relay = start(|_| {});
    for n in 0..2 {
        let (mut phone, mut computer) = relay.pair(&id(1)).await;
        let (closer, other) = if n == 0 { (&mut phone, &mut computer) } else { (&mut computer, &mut phone) };
        soon(closer.close(None)).await.unwrap();
        // the other has not answered yet, and the id is free
        let path = format!("/cable/connect/{ROUTING}/{}", id(1));
        assert_eq!(close_code(other).await, 1000);
        assert_eq!(relay.dial(&path).await.err(), Some(404));
    }
    // opened again as soon as it is free
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    say(&mut phone, b"again").await;
    assert_eq!(hear(&mut computer).await, b"again");
}

#[tokio::test]
async fn a_phone_that_vanishes_while_it_waits_frees_its_id() {
    let relay = start(|_| {});
    drop(relay.open(&id(1)).await);
    let closed = relay.until(|event| matches!(event, Event::Closed { .. })).await;
    let vanished = Ending::Vanished { side: Side::First };
    assert!(matches!(closed, Event::Closed { reason, .. } if reason == vanished), "{closed:?}");
    relay.open(&id(1)).await;
}

#[tokio::test]
async fn the_end_of_an_old_tunnel_leaves_the_newer_one_alone() {
    let relay = start(|_| {});
    let (mut old_phone, old_computer) = relay.pair(&id(1)).await;
    soon(old_phone.close(None)).await.unwrap();
    // forgotten at the close; its other side has not said a word and lingers
    while soon(old_phone.next()).await.is_some_and(|message| message.is_ok()) {}
    let mut phone = relay.open(&id(1)).await;
    drop(old_computer);
    let mut computer = relay.join(&id(1)).await;
    say(&mut computer, b"new").await;
    assert_eq!(hear(&mut phone).await, b"new");
    assert_eq!(relay.dial(&format!("/cable/new/{}", id(1))).await.err(), Some(409));
}

#[tokio::test]
async fn closing_one_side_closes_the_other_and_is_answered() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    say(&mut phone, b"last words").await;
    soon(phone.close(None)).await.unwrap();
    assert_eq!(hear(&mut computer).await, b"last words");
    assert_eq!(close_code(&mut computer).await, 1000);
    // the closing handshake is finished and the connection ended in order
    while let Some(message) = soon(phone.next()).await {
        assert!(matches!(message, Ok(Message::Close(_))), "{message:?}");
    }
}

#[tokio::test]
async fn a_side_that_vanishes_is_1001_to_the_other_after_its_last_words() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    say(&mut computer, b"last words").await;
    drop(computer);
    assert_eq!(hear(&mut phone).await, b"last words");
    assert_eq!(close_code(&mut phone).await, 1001);
}

#[tokio::test]
async fn stopping_closes_everybody_with_1001() {
    let relay = start(|_| {});
    let mut waiting = relay.open(&id(1)).await;
    let (mut phone, mut computer) = relay.pair(&id(2)).await;
    let (events, ..) = tokio::join!(relay.stop(), async {
        assert_eq!(close_code(&mut waiting).await, 1001);
        assert_eq!(close_code(&mut phone).await, 1001);
        assert_eq!(close_code(&mut computer).await, 1001);
        for socket in [&mut waiting, &mut phone, &mut computer] {
            while soon(socket.next()).await.is_some() {}
        }
    });
    let endings = events.iter().filter(|e| matches!(e, Event::Closed { reason: Ending::Stopping, .. }));
    assert_eq!(endings.count(), 2);
}

#[tokio::test]
async fn no_tunnel_outlives_a_relay_that_is_dropped() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    relay.drop_it();
    assert_eq!((close_code(&mut phone).await, close_code(&mut computer).await), (1001, 1001));
}

#[tokio::test]
async fn what_is_observed_is_sizes_and_a_number() {
    let relay = start(|_| {});
    let (mut phone, mut computer) = relay.pair(&id(0xC0FFEE)).await;
    say(&mut computer, &[1; 81]).await;
    hear(&mut phone).await;
    say(&mut phone, &[2; 81]).await;
    hear(&mut computer).await;
    soon(computer.close(None)).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1000);
    let addr = relay.addr.to_string();
    let events: Vec<String> = relay.stop().await.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    assert_eq!(
        events,
        [
            format!(r#"{{"event":"listening","addr":"{addr}"}}"#).as_str(),
            r#"{"event":"opened","tunnel":1}"#,
            r#"{"event":"joined","tunnel":1}"#,
            r#"{"event":"forwarded","tunnel":1,"from":"second","bytes":81}"#,
            r#"{"event":"forwarded","tunnel":1,"from":"first","bytes":81}"#,
            r#"{"event":"closed","tunnel":1,"reason":{"kind":"closed","by":"second"}}"#,
            r#"{"event":"stopping"}"#,
        ]
    );
}
