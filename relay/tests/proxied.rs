//! Behind a proxy: whom a connection is counted against, and who may say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::time::Duration;

use cablecar_relay::config::ProxyProtocol;
use cablecar_relay::{Config, Event, Why};
use support::{Running, Socket, id, roomy, soon, start_with, trust, upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A relay where each source may have one connection, and 127.0.0.1 is a
/// proxy if `trusted` says so.
fn narrow(trusted: &str, protocol: ProxyProtocol) -> Config {
    let mut config = roomy();
    config.limits.exempt = Vec::new();
    config.limits.per_source.total = 1;
    config.limits.per_source.burst = 10_000;
    config.proxy.trusted = vec![trusted.parse().unwrap()];
    config.proxy.protocol = protocol;
    config
}

async fn open_for(relay: &Running, n: u32, forwarded_for: &str) -> Result<Socket, u16> {
    let mut request = relay.request(&format!("/cable/new/{}", id(n)));
    request.headers_mut().insert("x-forwarded-for", forwarded_for.parse().unwrap());
    upgrade(request, relay.tcp().await).await.map(|(socket, _)| socket)
}

#[tokio::test]
async fn a_header_of_a_trusted_proxy_names_who_is_counted() {
    let relay = start_with(narrow("127.0.0.0/8", ProxyProtocol::ForwardedFor));
    let first = open_for(&relay, 1, "192.0.2.1").await.unwrap();
    assert_eq!(open_for(&relay, 2, "192.0.2.1").await.unwrap_err(), 429);
    // what the client wrote itself changes nothing
    assert_eq!(open_for(&relay, 2, "192.0.2.99, 192.0.2.1").await.unwrap_err(), 429);
    assert_eq!(open_for(&relay, 2, "192.0.2.99, 192.0.2.1, 127.0.0.9").await.unwrap_err(), 429);
    let _second = open_for(&relay, 2, "192.0.2.2").await.unwrap();
    let _v6 = open_for(&relay, 3, "2001:db8::1").await.unwrap();
    assert_eq!(open_for(&relay, 4, "2001:db8::2").await.unwrap_err(), 429, "the same /64");

    // whoever leaves may come again
    drop(first);
    relay.until(|event| matches!(event, Event::Closed { .. })).await;
    let again = async {
        loop {
            match open_for(&relay, 1, "192.0.2.1").await {
                Ok(socket) => return socket,
                Err(status) => assert_eq!(status, 429),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(again).await;
}

#[tokio::test]
async fn a_header_of_anybody_else_is_ignored() {
    let relay = start_with(narrow("10.0.0.0/8", ProxyProtocol::ForwardedFor));
    let _first = open_for(&relay, 1, "192.0.2.1").await.unwrap();
    assert_eq!(open_for(&relay, 2, "192.0.2.2").await.unwrap_err(), 429);
}

#[tokio::test]
async fn waiting_tunnels_are_counted_against_the_client_too() {
    let mut config = narrow("127.0.0.0/8", ProxyProtocol::ForwardedFor);
    config.limits.per_source.total = 10;
    config.limits.per_source.waiting = 1;
    let relay = start_with(config);
    let _first = open_for(&relay, 1, "192.0.2.1").await.unwrap();
    assert_eq!(open_for(&relay, 2, "192.0.2.1").await.unwrap_err(), 429);
    let _second = open_for(&relay, 2, "192.0.2.2").await.unwrap();
}

fn v1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 198.51.100.1 4711 443\r\n").into_bytes()
}

fn v2(command: u8, client: [u8; 4]) -> Vec<u8> {
    let rest = [198, 51, 100, 1, 0x12, 0x34, 1, 187];
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, 0x11, 0, 12], &client, &rest].concat()
}

async fn open_behind(relay: &Running, n: u32, header: &[u8]) -> Result<Socket, u16> {
    let mut tcp = relay.tcp().await;
    tcp.write_all(header).await.unwrap();
    upgrade(relay.request(&format!("/cable/new/{}", id(n))), tcp).await.map(|(socket, _)| socket)
}

#[tokio::test]
async fn a_proxy_header_names_who_is_counted() {
    let relay = start_with(narrow("127.0.0.0/8", ProxyProtocol::ProxyHeader));
    let _first = open_behind(&relay, 1, &v1("192.0.2.1")).await.unwrap();
    assert_eq!(open_behind(&relay, 2, &v2(0x21, [192, 0, 2, 1])).await.unwrap_err(), 429);
    let _second = open_behind(&relay, 2, &v2(0x21, [192, 0, 2, 2])).await.unwrap();
    // the proxy itself is a source like any other
    let _proxy = open_behind(&relay, 3, &v2(0x20, [192, 0, 2, 3])).await.unwrap();
    assert_eq!(open_behind(&relay, 4, b"PROXY UNKNOWN\r\n").await.unwrap_err(), 429);
    let _third = open_behind(&relay, 4, &v2(0x21, [192, 0, 2, 3])).await.unwrap();
    // the other way of saying it says nothing here
    let mut request = relay.request(&format!("/cable/new/{}", id(5)));
    request.headers_mut().insert("x-forwarded-for", "192.0.2.77".parse().unwrap());
    let mut tcp = relay.tcp().await;
    tcp.write_all(&v1("192.0.2.1")).await.unwrap();
    assert_eq!(upgrade(request, tcp).await.unwrap_err(), 429);
}

/// What comes back for these bytes until the relay closes.
async fn answer_to(relay: &Running, bytes: &[u8]) -> String {
    let mut tcp = relay.tcp().await;
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(tcp.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

const HEALTHZ: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn a_proxy_header_of_anybody_else_closes() {
    let relay = start_with(narrow("10.0.0.0/8", ProxyProtocol::ProxyHeader));
    for header in [v1("192.0.2.1"), v2(0x21, [192, 0, 2, 1])] {
        let answer = answer_to(&relay, &[&header, HEALTHZ].concat()).await;
        assert!(!answer.contains("200"), "{answer}");
        relay.until(|event| matches!(event, Event::Refused { why: Why::Malformed, .. })).await;
    }
    // who comes without one is served as who it is
    assert!(answer_to(&relay, HEALTHZ).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_sent_away() {
    let mut config = narrow("127.0.0.0/8", ProxyProtocol::ProxyHeader);
    config.limits.opening = Duration::from_millis(200);
    let relay = start_with(config);
    assert_eq!(answer_to(&relay, HEALTHZ).await, "");
    relay.until(|event| *event == Event::Refused { status: None, why: Why::Proxy }).await;
    // half a header, and then silence
    assert_eq!(answer_to(&relay, b"PROXY TCP4 192.0").await, "");
    relay.until(|event| *event == Event::Refused { status: None, why: Why::TooSlow }).await;
}

#[tokio::test]
async fn a_proxy_header_stands_before_tls() {
    let (security, root) = trust::encrypted();
    let mut config = narrow("127.0.0.0/8", ProxyProtocol::ProxyHeader);
    config.security = security;
    let relay = start_with(config);
    let connector = trust::trusting(root);
    let name = rustls::pki_types::ServerName::try_from("relay.example").unwrap();
    for header in [v1("192.0.2.1"), v2(0x21, [192, 0, 2, 2])] {
        let mut tcp = relay.tcp().await;
        tcp.write_all(&header).await.unwrap();
        let mut tls = soon(connector.connect(name.clone(), tcp)).await.unwrap();
        tls.write_all(HEALTHZ).await.unwrap();
        let mut answer = String::new();
        soon(tls.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
