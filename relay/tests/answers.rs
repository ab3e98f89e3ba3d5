//! What a request is answered, before any tunnel exists.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use support::{ROUTING, id, roomy, soon, start, start_with, upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn request(path: &str, headers: &[(&str, &str)]) -> String {
    let mut lines = vec![format!("GET {path} HTTP/1.1")];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.join("\r\n") + "\r\n\r\n"
}

const GOOD: [(&str, &str); 6] = [
    ("Host", "relay.example:8443"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Protocol", "fido.cable"),
];

fn new() -> String {
    format!("/cable/new/{}", id(1))
}

/// The good headers, with one replaced, added or (without a value) left out.
fn but<'a>(name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let rest = GOOD.into_iter().filter(|(other, _)| *other != name);
    rest.chain(value.map(|value| (name, value))).collect()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn health_is_plain_text_for_anybody() {
    let relay = start(|_| {});
    let answer = relay.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(status(&answer), "200");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    let answer = relay.raw("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(status(&answer), "200");
    assert!(answer.ends_with("\r\n\r\nready\n"), "{answer}");
}

#[tokio::test]
async fn the_upgrade_names_the_subprotocol_and_the_routing_id() {
    let relay = start(|_| {});
    let mut tcp = relay.tcp().await;
    tcp.write_all(request(&new(), &GOOD).as_bytes()).await.unwrap();
    let mut head = vec![0; 1024];
    let length = soon(tcp.read(&mut head)).await.unwrap();
    let said = String::from_utf8_lossy(&head[..length]);
    let head = said.to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    for line in [
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
        "sec-websocket-protocol: fido.cable",
        "x-cable-routing-id: 0a0b0c",
    ] {
        assert_eq!(head.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line} in {head}");
    }
    assert!(!head.contains("extensions"), "{head}");
    let date = said.split("\r\ndate: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
    let date = httpdate::parse_http_date(date).unwrap();
    assert!(SystemTime::now().duration_since(date).unwrap() < Duration::from_secs(60), "{date:?}");
}

#[tokio::test]
async fn the_routing_id_is_upper_case_and_only_for_the_first_party() {
    let relay = start(|_| {});
    let (_first, headers) = upgrade(relay.request(&new()), relay.tcp().await).await.unwrap();
    assert_eq!(headers["x-cable-routing-id"], ROUTING);
    let connect = relay.request(&format!("/cable/connect/{ROUTING}/{}", id(1)));
    let (_second, headers) = upgrade(connect, relay.tcp().await).await.unwrap();
    assert!(!headers.contains_key("x-cable-routing-id"));
    assert_eq!(headers["sec-websocket-protocol"], "fido.cable");
}

#[tokio::test]
async fn a_request_that_is_no_websocket_is_400() {
    let relay = start(|_| {});
    let wrong = [
        but("Connection", None),
        but("Connection", Some("close")),
        but("Upgrade", None),
        but("Upgrade", Some("h2c")),
        but("Sec-WebSocket-Version", None),
        but("Sec-WebSocket-Version", Some("8")),
        but("Sec-WebSocket-Key", None),
        but("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZQ==")),
        but("Host", None),
        but("Content-Length", Some("1")),
        but("Sec-WebSocket-Protocol", None),
        but("Sec-WebSocket-Protocol", Some("fido.cabl")),
        but("Sec-WebSocket-Protocol", Some("FIDO.CABLE")),
    ];
    for headers in wrong {
        let answer = relay.raw(&request(&new(), &headers)).await;
        assert_eq!(status(&answer), "400", "{headers:?}\n{answer}");
    }
    let old = request(&new(), &GOOD).replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(status(&relay.raw(&old).await), "400");
    assert_eq!(status(&relay.raw("hello\r\n\r\n").await), "400");
    // and none of them has taken the id
    assert!(relay.dial(&new()).await.is_ok());
}

#[tokio::test]
async fn fido_cable_may_be_one_offer_of_several() {
    let relay = start(|_| {});
    let mut offer = relay.request(&new());
    offer.headers_mut().insert("sec-websocket-protocol", "chat, fido.cable".parse().unwrap());
    let (_, headers) = upgrade(offer, relay.tcp().await).await.unwrap();
    assert_eq!(headers["sec-websocket-protocol"], "fido.cable");
}

#[tokio::test]
async fn compression_is_not_agreed_on() {
    let relay = start(|_| {});
    let mut offer = relay.request(&new());
    offer.headers_mut().insert("sec-websocket-extensions", "permessage-deflate".parse().unwrap());
    let (_, headers) = upgrade(offer, relay.tcp().await).await.unwrap();
    assert!(!headers.contains_key("sec-websocket-extensions"));
}

#[tokio::test]
async fn another_method_is_405() {
    let relay = start(|_| {});
    for method in ["POST", "HEAD", "PUT", "OPTIONS", "CONNECT"] {
        for path in [new(), "/healthz".into(), "/readyz".into(), "/elsewhere".into()] {
            let path = if method == "CONNECT" { "relay.example:443".into() } else { path };
            let answer = relay.raw(&request(&path, &GOOD).replacen("GET", method, 1)).await;
            assert_eq!(status(&answer), "405", "{method} {path}");
            assert!(answer.to_lowercase().contains("allow: get"), "{answer}");
        }
    }
}

#[tokio::test]
async fn every_404_is_the_same_bytes() {
    let relay = start(|_| {});
    let _waiting = relay.open(&id(1)).await;
    let _paired = relay.pair(&id(2)).await;
    let (waiting, paired, unknown) = (id(1), id(2), id(3));
    let paths = [
        "/".to_owned(),
        "/cable/new/".into(),
        format!("/cable/new/{}", &unknown[1..]),
        format!("/cable/new/{unknown}/"),
        format!("/cable/new/{unknown}?x=1"),
        format!("/cable/connect/{ROUTING}/{unknown}"),
        format!("/cable/connect/{ROUTING}/{paired}"),
        format!("/cable/connect/0A0B0D/{waiting}"),
        format!("/cable/connect/{ROUTING}/{}G", &waiting[1..]),
        format!("/cable/connect/{ROUTING}0/{waiting}"),
        "/cable/contact/AAAA".into(),
        "/cable/contact/".into(),
        "/healthz/".into(),
        "/healthz?".into(),
        "/readyz/".into(),
        "/readyz?".into(),
    ];
    let mut answers = HashSet::new();
    for path in &paths {
        answers.insert(relay.raw(&request(path, &GOOD)).await);
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| status(answer) == "404"), "{answers:?}");
}

#[tokio::test]
async fn a_page_of_somebody_else_is_403() {
    let mut config = roomy();
    config.domain = Some(cablecar_protocol::tunnel::TunnelServiceDomain::new(266).unwrap());
    config.allow_origins = vec!["pages.example".into()];
    let relay = start_with(config);
    let refused = [
        "https://evil.example",
        "https://relay.example.evil.example",
        "https://evil.example/relay.example",
        "null",
        "",
        "relay.example",
        "file://",
    ];
    for origin in refused {
        let answer = relay.raw(&request(&new(), &but("Origin", Some(origin)))).await;
        assert_eq!(status(&answer), "403", "{origin}: {answer}");
    }
    let twice = [&GOOD[..], &[("Origin", "wss://relay.example"), ("Origin", "wss://relay.example")]].concat();
    assert_eq!(status(&relay.raw(&request(&new(), &twice)).await), "403");
    let accepted = [
        "https://relay.example:8443",
        "wss://RELAY.example",
        "wss://cable.wufkweyy3uaxb.com",
        "https://pages.example",
    ];
    for (n, origin) in (10..).zip(accepted) {
        let path = format!("/cable/new/{}", id(n));
        let mut tcp = relay.tcp().await;
        tcp.write_all(request(&path, &but("Origin", Some(origin))).as_bytes()).await.unwrap();
        let mut head = [0; 12];
        soon(tcp.read_exact(&mut head)).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 101", "{origin}");
    }
}

#[tokio::test]
async fn one_connection_asks_one_question() {
    let relay = start(|_| {});
    let twice = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2);
    assert_eq!(relay.raw(&twice).await.matches("HTTP/1.1").count(), 1);
}
