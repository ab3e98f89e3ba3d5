//! TLS: both versions that peers speak, and nothing older.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::sync::Arc;

use cablecar_relay::{Config, Event, Why};
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use support::{ROUTING, Running, id, roomy, soon, start_with, trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

struct Encrypted {
    relay: Running,
    root: CertificateDer<'static>,
}

fn start() -> Encrypted {
    let (security, root) = trust::encrypted();
    let config = Config { security, ..roomy() };
    Encrypted { relay: start_with(config), root }
}

impl Encrypted {
    async fn tls(&self, version: &'static SupportedProtocolVersion) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("relay.example").unwrap();
        let tcp = self.relay.tcp().await;
        soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
    }

    async fn dial(
        &self,
        version: &'static SupportedProtocolVersion,
        path: &str,
    ) -> WebSocketStream<TlsStream<TcpStream>> {
        let tls = self.tls(version).await;
        soon(tokio_tungstenite::client_async(self.relay.request(path), tls)).await.unwrap().0
    }
}

#[tokio::test]
async fn each_version_alone_is_enough() {
    let encrypted = start();
    let versions = [&rustls::version::TLS12, &rustls::version::TLS13];
    let mut n = 0;
    for phones in versions {
        for computers in versions {
            n += 1;
            let mut phone = encrypted.dial(phones, &format!("/cable/new/{}", id(n))).await;
            let connect = format!("/cable/connect/{ROUTING}/{}", id(n));
            let mut computer = encrypted.dial(computers, &connect).await;
            assert_eq!(phone.get_ref().get_ref().1.protocol_version(), Some(phones.version));
            for length in [81, 100_000] {
                let message = Message::binary(vec![7; length]);
                soon(computer.send(message.clone())).await.unwrap();
                assert_eq!(soon(phone.next()).await.unwrap().unwrap(), message);
                soon(phone.send(message.clone())).await.unwrap();
                assert_eq!(soon(computer.next()).await.unwrap().unwrap(), message);
            }
            soon(phone.close(None)).await.unwrap();
            assert!(matches!(soon(computer.next()).await, Some(Ok(Message::Close(_)))));
        }
    }
}

#[tokio::test]
async fn http_is_answered_within_tls() {
    let encrypted = start();
    let mut tls = encrypted.tls(&rustls::version::TLS13).await;
    tls.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    // ends in order, with TLS's own word for it
    soon(tls.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn who_speaks_no_tls_is_sent_away() {
    let encrypted = start();
    let answer = encrypted.relay.tcp().await;
    let mut answer = answer;
    answer.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = soon(answer.read_to_end(&mut bytes)).await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
    let refused = encrypted.relay.until(|event| matches!(event, Event::Refused { .. })).await;
    assert_eq!(refused, Event::Refused { status: None, why: Why::Tls });
}

#[tokio::test]
async fn a_phone_that_closes_within_tls_ends_the_pair() {
    let encrypted = start();
    let mut phone = encrypted.dial(&rustls::version::TLS13, &format!("/cable/new/{}", id(1))).await;
    let connect = format!("/cable/connect/{ROUTING}/{}", id(1));
    let mut computer = encrypted.dial(&rustls::version::TLS12, &connect).await;
    phone.get_mut().shutdown().await.unwrap();
    match soon(computer.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("no close frame but {other:?}"),
    }
}
