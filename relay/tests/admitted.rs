//! Who may open a tunnel. Joining needs nothing but its id.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar_relay::config::{Access, MayOpen};
use cablecar_relay::{Event, Why};
use support::{Running, Socket, hear, id, roomy, say, soon, start_with, upgrade};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const TOKEN: &str = "the-token-of-the-first-day";

fn relay(access: Access) -> Running {
    let mut config = roomy();
    config.access = access;
    start_with(config)
}

fn with_tokens(text: &str) -> (Running, NamedTempFile) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    let access = Access { open: MayOpen::Token, token_file: Some(file.path().into()), ..Access::default() };
    (relay(access), file)
}

async fn open_with(relay: &Running, number: u32, token: &str) -> Result<Socket, u16> {
    let mut request = relay.request(&format!("/cable/new/{}", id(number)));
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    upgrade(request, relay.tcp().await).await.map(|(socket, _)| socket)
}

/// The whole answer to a request for a tunnel with these headers beside.
async fn answer(relay: &Running, path: &str, headers: &str) -> String {
    relay.raw(&support::head(path, headers)).await
}

#[tokio::test]
async fn a_token_opens_and_joining_needs_none() {
    let (relay, _file) = with_tokens(&format!("# the first phone\n{TOKEN}\n"));
    assert_eq!(relay.dial(&format!("/cable/new/{}", id(1))).await.err(), Some(401));
    let mut phone = open_with(&relay, 1, TOKEN).await.unwrap();
    let mut computer = relay.join(&id(1)).await;
    say(&mut computer, b"hello").await;
    assert_eq!(hear(&mut phone).await, b"hello");
    // Whoever has no token does not learn that this one is in use.
    assert_eq!(relay.dial(&format!("/cable/new/{}", id(1))).await.err(), Some(401));
    assert_eq!(open_with(&relay, 1, TOKEN).await.err(), Some(409));
    let events = relay.stop().await;
    let refused = |why, status| Event::Refused { status: Some(status), why };
    assert!(events.contains(&refused(Why::Token, 401)), "{events:?}");
}

#[tokio::test]
async fn refusals_of_one_kind_are_the_same_bytes() {
    let (relay, _file) = with_tokens(TOKEN);
    let new = format!("/cable/new/{}", id(1));
    let none = answer(&relay, &new, "").await;
    assert!(none.starts_with("HTTP/1.1 401") && none.contains("www-authenticate: Bearer"), "{none}");
    for headers in [
        "Authorization: Bearer a-wrong-one\r\n",
        "Authorization: Bearer the-token-of-the-first-daz\r\n",
        "Authorization: Basic dXNlcjpwYXNz\r\n",
        "Authorization: Bearer\r\nAuthorization: Bearer\r\n",
    ] {
        assert_eq!(answer(&relay, &new, headers).await, none, "{headers}");
    }
    let unknown = answer(&relay, &format!("/cable/connect/{}/{}", support::ROUTING, id(1)), "").await;
    let _phone = open_with(&relay, 2, TOKEN).await.unwrap();
    let _computer = relay.join(&id(2)).await;
    for path in [
        format!("/cable/connect/{}/{}", support::ROUTING, id(2)),
        format!("/cable/connect/FFFFFF/{}", id(2)),
        "/cable/else".to_owned(),
    ] {
        assert_eq!(answer(&relay, &path, "").await, unknown, "{path}");
    }
}

#[tokio::test]
async fn tokens_change_without_a_restart_and_a_bad_file_changes_nothing() {
    let (relay, file) = with_tokens(TOKEN);
    let _first = open_with(&relay, 1, TOKEN).await.unwrap();
    std::fs::write(&file, "the-token-of-the-second-day-is-longer").unwrap();
    let changed = async {
        let mut number = 10;
        while open_with(&relay, number, TOKEN).await.is_ok() {
            number += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(changed).await;
    let _second = open_with(&relay, 2, "the-token-of-the-second-day-is-longer").await.unwrap();
    std::fs::write(&file, "# all of them revoked by mistake\n").unwrap();
    let refused = |event: &Event| matches!(event, Event::NotReloaded { error: "config.access-file", .. });
    relay.until(refused).await;
    let _third = open_with(&relay, 3, "the-token-of-the-second-day-is-longer").await.unwrap();
}

#[tokio::test]
async fn networks_open_others_only_join_and_blocked_ones_are_dropped_unread() {
    let other = vec!["192.0.2.0/24".parse().unwrap()];
    let strict = relay(Access { open: MayOpen::Networks, networks: other, ..Access::default() });
    assert_eq!(strict.dial(&format!("/cable/new/{}", id(1))).await.err(), Some(403));
    // unknown, but not forbidden
    let join = format!("/cable/connect/{}/{}", support::ROUTING, id(1));
    assert_eq!(strict.dial(&join).await.err(), Some(404));

    let loopback = vec!["127.0.0.0/8".parse().unwrap()];
    let open = relay(Access { open: MayOpen::Networks, networks: loopback.clone(), ..Access::default() });
    let _phone = open.open(&id(1)).await;

    let blocking = relay(Access { blocked: loopback, ..Access::default() });
    assert_eq!(blocking.dial(&join).await.err(), Some(0));
    let refused = blocking.until(|event| matches!(event, Event::Refused { .. })).await;
    assert_eq!(refused, Event::Refused { status: None, why: Why::Blocked });
}

/// A server that gives one answer to all, and remembers what it was asked.
async fn decider(answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"}") {
                    if tcp.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                heard.lock().unwrap().push(String::from_utf8(bytes).unwrap());
                if answer.is_empty() {
                    // Never: until the other side has enough.
                    let _ = tcp.read(&mut [0]).await;
                } else {
                    let _ = tcp.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    (addr, asked)
}

fn asking(addr: SocketAddr) -> Running {
    let callout_url = Some(format!("http://{addr}/may-open?x=1"));
    relay(Access { open: MayOpen::Callout, callout_url, ..Access::default() })
}

#[tokio::test]
async fn another_server_decides_and_learns_no_tunnel() {
    let (addr, asked) = decider("HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"allow\":true}").await;
    let relay = asking(addr);
    let mut phone = open_with(&relay, 0xFEED, "whose-phone-this-is").await.unwrap();
    let mut computer = relay.join(&id(0xFEED)).await;
    say(&mut phone, b"allowed").await;
    assert_eq!(hear(&mut computer).await, b"allowed");
    let _without = relay.open(&id(2)).await;
    let asked = asked.lock().unwrap().clone();
    let [with, without] = &asked[..] else { panic!("only who opens is asked about: {asked:?}") };
    assert!(with.starts_with("POST /may-open?x=1 HTTP/1.1\r\n"), "{with}");
    let body = |request: &str| {
        let body = request.split("\r\n\r\n").nth(1).unwrap().to_owned();
        serde_json::from_str::<serde_json::Value>(&body).unwrap()
    };
    let expected =
        serde_json::json!({"may": "open", "network": "127.0.0.0/24", "token": "whose-phone-this-is"});
    assert_eq!(body(with), expected);
    assert_eq!(body(without)["token"], serde_json::Value::Null);
    assert!(!with.to_uppercase().contains("FEED") && !with.contains("127.0.0.1\""), "{with}");
}

#[tokio::test]
async fn whoever_does_not_say_yes_means_no() {
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"allow\":false}", 403),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 403),
        ("HTTP/1.1 204 No Content\r\n\r\n", 503),
        ("HTTP/1.1 302 Found\r\nlocation: /yes\r\ncontent-length: 0\r\n\r\n", 503),
        ("HTTP/1.1 500 Oh\r\ncontent-length: 14\r\n\r\n{\"allow\":true}", 503),
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue", 503),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{\"allow\":true}", 503),
        ("SSH-2.0-something\r\n", 503),
        ("", 503),
    ] {
        let (addr, _) = decider(answer).await;
        let relay = asking(addr);
        let refused = relay.dial(&format!("/cable/new/{}", id(1))).await.err();
        assert_eq!(refused, Some(status), "{answer}");
        // and the id is as free as before
        assert_eq!(
            relay.dial(&format!("/cable/connect/{}/{}", support::ROUTING, id(1))).await.err(),
            Some(404)
        );
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(asking(closed).dial(&format!("/cable/new/{}", id(1))).await.err(), Some(503));
}

#[tokio::test]
async fn who_leaves_while_it_is_decided_leaves_nothing_behind() {
    let (addr, asked) = decider("").await;
    let relay = asking(addr);
    let request = support::head(&format!("/cable/new/{}", id(1)), "");
    let mut waiting = Vec::new();
    for _ in 0..40 {
        let mut tcp = relay.tcp().await;
        tcp.write_all(request.as_bytes()).await.unwrap();
        waiting.push(tcp);
    }
    // As many as are asked about at once; the others wait for their turn.
    let some = async {
        while asked.lock().unwrap().len() < 32 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(some).await;
    drop(waiting);
    let events = relay.stop().await;
    assert!(!events.iter().any(|event| matches!(event, Event::Opened { .. })), "{events:?}");
}
