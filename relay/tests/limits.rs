//! Too slow, too long, too many: what time and sources are allowed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::time::Duration;

use cablecar_relay::{Ending, Event, Side, Why};
use futures_util::{SinkExt, StreamExt};
use support::{ROUTING, close_code, hear, id, roomy, say, soon, start, start_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

const MOMENT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn nobody_comes_in_time() {
    let relay = start(|limits| limits.waiting = MOMENT);
    let mut phone = relay.open(&id(1)).await;
    assert_eq!(close_code(&mut phone).await, 1008);
    assert_eq!(relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(1))).await.err(), Some(404));
    let events = relay.stop().await;
    assert!(
        events.iter().any(|e| matches!(e, Event::Closed { reason: Ending::NobodyCame, .. })),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_pair_that_talks_for_ever_is_ended() {
    let relay = start(|limits| limits.life = MOMENT * 3);
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    say(&mut phone, b"so").await;
    assert_eq!(hear(&mut computer).await, b"so");
    assert_eq!((close_code(&mut phone).await, close_code(&mut computer).await), (1008, 1008));
}

#[tokio::test]
async fn life_begins_anew_with_the_second_party() {
    let relay = start(|limits| (limits.waiting, limits.life) = (MOMENT * 5, MOMENT * 600));
    let mut phone = relay.open(&id(1)).await;
    let mut computer = relay.join(&id(1)).await;
    tokio::time::sleep(MOMENT * 7).await;
    say(&mut phone, b"still here").await;
    assert_eq!(hear(&mut computer).await, b"still here");
}

#[tokio::test]
async fn a_side_that_answers_no_ping_has_vanished() {
    let relay = start(|limits| limits.ping = MOMENT);
    // A client that is not read from answers nothing.
    let silent = relay.open(&id(1)).await;
    let closed = relay.until(|event| matches!(event, Event::Closed { .. })).await;
    let vanished = Ending::Vanished { side: Side::First };
    assert!(matches!(closed, Event::Closed { reason, .. } if reason == vanished), "{closed:?}");
    drop(silent);
}

#[tokio::test]
async fn sides_that_answer_pings_stay_waiting_and_paired() {
    let relay = start(|limits| limits.ping = MOMENT / 2);
    let mut phone = relay.open(&id(1)).await;
    for _ in 0..6 {
        assert!(matches!(soon(phone.next()).await, Some(Ok(Message::Ping(_)))));
        soon(phone.flush()).await.unwrap();
    }
    let mut computer = relay.join(&id(1)).await;
    for _ in 0..6 {
        for socket in [&mut phone, &mut computer] {
            assert!(matches!(soon(socket.next()).await, Some(Ok(Message::Ping(_)))));
            soon(socket.flush()).await.unwrap();
        }
    }
    say(&mut computer, b"both here").await;
    let heard = async {
        loop {
            if let Some(Ok(Message::Binary(bytes))) = phone.next().await {
                return bytes;
            }
        }
    };
    assert_eq!(soon(heard).await.as_ref(), b"both here");
}

#[tokio::test]
async fn a_stuck_reader_stops_its_sender_and_is_closed() {
    let relay = start(|limits| {
        (limits.bytes, limits.messages, limits.stall) = (1 << 30, 1 << 20, MOMENT * 5);
    });
    let (mut sender, stuck) = relay.pair(&id(1)).await;
    let (length, mut sent) = (64 * 1024, 0);
    while sent < 1 << 30 {
        let message = Message::binary(vec![0; length]);
        if soon(sender.send(message)).await.is_err() {
            break;
        }
        sent += length;
    }
    // One message and 64 KiB are held, the rest is the kernel's and the
    // client's own buffers; a relay that went on reading would have taken all.
    assert!(sent < 16 << 20, "{sent} bytes were taken for a reader that takes none");
    let closed = relay.until(|event| matches!(event, Event::Closed { .. })).await;
    let reason = Ending::Stuck { side: Side::Second };
    assert!(matches!(closed, Event::Closed { reason: found, .. } if found == reason), "{closed:?}");
    drop(stuck);
}

#[tokio::test]
async fn the_sender_to_a_stuck_reader_is_told_1008() {
    let relay = start(|limits| {
        (limits.bytes, limits.messages, limits.stall) = (1 << 30, 1 << 20, MOMENT * 2);
    });
    let (sender, stuck) = relay.pair(&id(1)).await;
    let (mut talk, mut listen) = sender.split();
    let talking =
        tokio::spawn(async move { while talk.send(Message::binary(vec![0; 64 * 1024])).await.is_ok() {} });
    match soon(listen.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1008),
        other => panic!("no close frame but {other:?}"),
    }
    soon(talking).await.unwrap();
    drop(stuck);
}

#[tokio::test]
async fn a_burst_reaches_a_slow_reader_whole() {
    let relay = start(|limits| limits.stall = MOMENT * 10);
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    let sending = tokio::spawn(async move {
        for n in 0..64 {
            say(&mut phone, &[n; 16 * 1024]).await;
        }
        soon(phone.close(None)).await.unwrap();
        phone
    });
    // slower in all than the patience that each byte renews
    for n in 0..64 {
        tokio::time::sleep(MOMENT / 4).await;
        assert_eq!(hear(&mut computer).await, [n; 16 * 1024]);
    }
    assert_eq!(close_code(&mut computer).await, 1000);
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_slow_opening_is_dropped() {
    let relay = start(|limits| limits.opening = MOMENT * 2);
    let mut silent = relay.tcp().await;
    let mut half = relay.tcp().await;
    half.write_all(b"GET /cable/new/").await.unwrap();
    let mut dripping = relay.tcp().await;
    let drip = async {
        for byte in b"GET /cable/new/00000000000000000000000000000001 HTTP/1.1\r\n".iter().cycle() {
            tokio::time::sleep(MOMENT / 10).await;
            if dripping.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    };
    soon(drip).await;
    for tcp in [&mut silent, &mut half] {
        let ended = soon(tcp.read(&mut [0; 16])).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }
    let slow = Event::Refused { status: None, why: Why::TooSlow };
    assert_eq!(relay.stop().await.into_iter().filter(|event| *event == slow).count(), 3);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let relay = start(|_| {});
    let padding = format!("X-Padding: {}\r\n", "x".repeat(9000));
    let answer = relay.raw(&format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{padding}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let fits = format!("X-Padding: {}\r\n", "x".repeat(7000));
    let answer = relay.raw(&format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{fits}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let events = relay.stop().await;
    assert!(events.contains(&Event::Refused { status: Some(431), why: Why::HeadTooLarge }), "{events:?}");
}

#[tokio::test]
async fn one_source_may_only_have_so_many_waiting() {
    let mut config = roomy();
    config.limits.exempt.clear();
    config.limits.per_source.waiting = 2;
    let relay = start_with(config);
    let first = relay.open(&id(1)).await;
    let _second = relay.open(&id(2)).await;
    assert_eq!(relay.dial(&format!("/cable/new/{}", id(3))).await.err(), Some(429));
    // a tunnel that is joined waits no longer
    let _computer = relay.join(&id(1)).await;
    relay.until(|event| matches!(event, Event::Joined { .. })).await;
    let _third = relay.open(&id(3)).await;
    drop(first);
}

#[tokio::test]
async fn loopback_is_a_source_like_any_other() {
    let mut config = roomy();
    config.limits.exempt.clear();
    config.limits.per_source.burst = 3;
    config.limits.per_source.rate = 1;
    let relay = start_with(config);
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..3 {
        assert!(relay.raw(request).await.starts_with("HTTP/1.1 200"));
    }
    let answer = relay.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
}

#[tokio::test]
async fn a_full_relay_says_503_and_serves_whom_it_has() {
    let mut config = roomy();
    config.limits.connections = Some(2);
    let relay = start_with(config);
    let (mut phone, mut computer) = relay.pair(&id(1)).await;
    assert_eq!(relay.dial(&format!("/cable/new/{}", id(2))).await.err(), Some(503));
    say(&mut phone, b"undisturbed").await;
    assert_eq!(hear(&mut computer).await, b"undisturbed");
    drop((phone, computer));
    let free = async {
        while relay.dial(&format!("/cable/new/{}", id(2))).await.is_err() {
            tokio::time::sleep(MOMENT / 10).await;
        }
    };
    soon(free).await;
}

#[tokio::test]
async fn ten_thousand_guesses_hit_nothing_and_are_throttled() {
    let mut config = roomy();
    config.limits.exempt.clear();
    let relay = start_with(config);
    let mut phone = relay.open(&id(0xFFFF_FFFF)).await;
    let (mut throttled, mut unknown) = (0, 0);
    for n in 0..10_000 {
        match relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(n))).await {
            Err(404) => unknown += 1,
            Err(429) => throttled += 1,
            Ok(_) => panic!("guess {n} hit"),
            Err(other) => panic!("guess {n} was answered {other}"),
        }
    }
    assert!(throttled > 5_000 && unknown > 0, "{throttled} of 10,000 were throttled, {unknown} unknown");
    // the tunnel that was guessed at is whole, for whoever knows it
    let join = async {
        loop {
            match relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(0xFFFF_FFFF))).await {
                Ok(socket) => return socket,
                Err(_) => tokio::time::sleep(MOMENT).await,
            }
        }
    };
    let mut computer = soon(join).await;
    say(&mut computer, b"found").await;
    assert_eq!(hear(&mut phone).await, b"found");
}

#[tokio::test]
async fn a_message_that_never_becomes_whole_ends_the_tunnel() {
    let relay = start(|limits| limits.stall = MOMENT * 2);
    let mut phone = relay.tcp().await;
    let request = support::head(&format!("/cable/new/{}", id(1)), "");
    phone.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let head = [0x82, 0x80 | 126, 0x10, 0, 0, 0, 0, 0];
    let mut drip = head.into_iter().chain(std::iter::repeat(7));
    // Until the last bytes are a close with 1008.
    while !heard.ends_with(&[0x88, 0x02, 0x03, 0xF0]) {
        let byte = drip.next().unwrap();
        let _ = phone.write_all(&[byte]).await;
        let mut bytes = [0; 512];
        if let Ok(read) = tokio::time::timeout(MOMENT / 4, phone.read(&mut bytes)).await {
            let read = read.unwrap();
            assert!(read > 0, "{heard:?}");
            heard.extend_from_slice(&bytes[..read]);
        }
    }
    let closed =
        |event: &Event| matches!(event, Event::Closed { reason: Ending::Stuck { side: Side::First }, .. });
    relay.until(closed).await;
}
