//! Too much of everything: who is refused, and who must not notice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use cablecar_relay::config::{Access, MayOpen, ProxyProtocol};
use cablecar_relay::{Config, Event, Why};
use rustls::pki_types::ServerName;
use support::{ROUTING, Running, hear, id, roomy, say, soon, start_with, trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

const SHORT: Duration = Duration::from_millis(300);

/// A configuration with TLS, and whoever trusts it.
fn encrypted() -> (Config, TlsConnector) {
    let (security, root) = trust::encrypted();
    let config = Config { security, ..roomy() };
    (config, trust::trusting(root))
}

/// A well-formed first message of a TLS client, recorded from one.
async fn client_hello(tls: &TlsConnector) -> Vec<u8> {
    let (client, mut server) = tokio::io::duplex(16 * 1024);
    let name = ServerName::try_from("relay.example").unwrap();
    let connecting = tokio::spawn(tls.connect(name, client));
    let mut hello = vec![0; 5];
    server.read_exact(&mut hello).await.unwrap();
    let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
    hello.resize(5 + length, 0);
    server.read_exact(&mut hello[5..]).await.unwrap();
    connecting.abort();
    hello
}

/// Both parties of a pair under TLS say and hear something.
async fn sign_in(relay: &Running, tls: &TlsConnector, number: u32) {
    let dial = |path: String| {
        let name = ServerName::try_from("relay.example").unwrap();
        async move {
            let stream = soon(tls.connect(name, relay.tcp().await)).await.unwrap();
            soon(tokio_tungstenite::client_async(relay.request(&path), stream)).await.unwrap().0
        }
    };
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let mut phone = dial(format!("/cable/new/{}", id(number))).await;
    let mut computer = dial(format!("/cable/connect/{ROUTING}/{}", id(number))).await;
    let message = Message::binary(vec![7; 300]);
    soon(computer.send(message.clone())).await.unwrap();
    assert_eq!(soon(phone.next()).await.unwrap().unwrap(), message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_and_abandoned_handshakes_hold_up_nobody() {
    let (mut config, tls) = encrypted();
    // One turn: whoever kept it would keep everybody out.
    config.limits.handshakes = Some(1);
    config.limits.opening = Duration::from_secs(600);
    let relay = start_with(config);
    let hello = client_hello(&tls).await;
    let mut crowd = Vec::new();
    for n in 0..200 {
        let mut tcp = relay.tcp().await;
        // Nothing, half of it, or all of it and then nothing.
        let said = [0, hello.len() / 2, hello.len()][n % 3];
        tcp.write_all(&hello[..said]).await.unwrap();
        crowd.push(tcp);
    }
    for n in 0..10 {
        sign_in(&relay, &tls, n).await;
    }
    let events = relay.stop().await;
    assert!(!events.iter().any(|event| matches!(event, Event::Refused { .. })), "{events:?}");
    drop(crowd);
}

#[tokio::test]
async fn each_slow_opening_ends_with_its_time() {
    // nothing answers here
    let never = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (encrypted, tls) = encrypted();
    let hello = client_hello(&tls).await;
    let mut behind_proxy = roomy();
    behind_proxy.proxy.trusted = vec!["127.0.0.0/8".parse().unwrap()];
    behind_proxy.proxy.protocol = ProxyProtocol::ProxyHeader;
    let mut asking = roomy();
    asking.access = Access {
        open: MayOpen::Callout,
        callout_url: Some(format!("http://{}/", never.local_addr().unwrap())),
        ..Access::default()
    };
    let open = support::head(&format!("/cable/new/{}", id(1)), "");
    let phases: [(&str, Config, &[u8]); 5] = [
        ("a PROXY header", behind_proxy, b"PROXY TCP4 192.0.2.1 "),
        ("half of a ClientHello", encrypted.clone(), &hello[..100]),
        ("a ClientHello and no more", encrypted, &hello),
        ("half of a head", roomy(), &open.as_bytes()[..60]),
        ("while somebody else decides", asking, open.as_bytes()),
    ];
    for (what, mut config, said) in phases {
        config.limits.opening = SHORT;
        let relay = start_with(config);
        let mut tcp = relay.tcp().await;
        tcp.write_all(said).await.unwrap();
        let mut rest = Vec::new();
        let _ = soon(tcp.read_to_end(&mut rest)).await;
        assert!(!rest.starts_with(b"HTTP/1.1 101"), "{what}");
        let refused = relay.until(|event| matches!(event, Event::Refused { .. })).await;
        assert_eq!(refused, Event::Refused { status: None, why: Why::TooSlow }, "{what}");
    }
}

#[tokio::test]
async fn without_memory_nobody_opens_and_everybody_else_goes_on() {
    let mut config = roomy();
    // This process has more than that.
    config.limits.memory = Some(1 << 20);
    let relay = start_with(config);
    let request = support::head(&format!("/cable/new/{}", id(1)), "");
    let answer = relay.raw(&request).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
    assert_eq!(
        relay.until(|event| matches!(event, Event::Refused { .. })).await,
        Event::Refused { status: Some(503), why: Why::Memory }
    );
    // Whoever joins is not asked about memory, and told what is so.
    assert_eq!(relay.dial(&format!("/cable/connect/{ROUTING}/{}", id(1))).await.err(), Some(404));
    assert!(relay.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_hundred_stuck_readers_are_closed_and_another_pair_talks() {
    let mut config = roomy();
    (config.limits.bytes, config.limits.messages) = (1 << 30, 1 << 20);
    config.limits.stall = Duration::from_secs(1);
    let relay = Arc::new(start_with(config));
    let (mut phone, mut computer) = relay.pair(&id(0)).await;
    let mut flooding = Vec::new();
    for n in 1..=100 {
        let (sender, stuck) = relay.pair(&id(n)).await;
        flooding.push(tokio::spawn(async move {
            use futures_util::SinkExt;
            let mut sender = sender;
            let message = tokio_tungstenite::tungstenite::Message::binary(vec![0; 32 * 1024]);
            while sender.send(message.clone()).await.is_ok() {}
            stuck
        }));
    }
    for round in 0..50_u8 {
        say(&mut phone, &[round; 100]).await;
        assert_eq!(hear(&mut computer).await, [round; 100]);
    }
    for flood in flooding {
        drop(soon(flood).await.unwrap());
    }
    say(&mut computer, b"still here").await;
    assert_eq!(hear(&mut phone).await, b"still here");
}

/// Reads what a relay says to somebody it sheds: nothing.
async fn unread(mut tcp: TcpStream) -> usize {
    soon(tcp.read(&mut [0; 16])).await.unwrap_or(0)
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_unread() {
    let mut config = roomy();
    config.limits.connections = Some(1);
    let relay = start_with(config);
    let _phone = relay.open(&id(1)).await;
    // Sixty-four are told, each as long as it is served; the others are not.
    let silent: Vec<TcpStream> = {
        let mut all = Vec::new();
        for _ in 0..80 {
            all.push(relay.tcp().await);
        }
        all
    };
    relay.until(|event| *event == Event::Refused { status: None, why: Why::Crowded }).await;
    let last = silent.into_iter().next_back().unwrap();
    assert_eq!(unread(last).await, 0);
}
