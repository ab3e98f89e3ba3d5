//! Certificates that are renewed while the relay runs.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cablecar_relay::{Event, Security, tls::Certificates};
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use support::serving::{Serving, run};
use support::{ROUTING, Running, id, roomy, soon, start_with};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;

/// A certificate and its key, as text.
struct Pair {
    certificate: String,
    key: String,
    der: CertificateDer<'static>,
}

fn pair(not_after: i32) -> Pair {
    let mut params = rcgen::CertificateParams::new(vec!["relay.example".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(not_after, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    Pair { certificate: made.pem(), key: key.serialize_pem(), der: made.der().clone() }
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn with(pair: &Pair) -> Self {
        let files = Self { folder: TempDir::new().unwrap() };
        files.write(pair);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn write(&self, pair: &Pair) {
        fs::write(self.certificate(), &pair.certificate).unwrap();
        fs::write(self.key(), &pair.key).unwrap();
    }

    fn start(&self) -> Running {
        let mut config = roomy();
        let certificates = Certificates::read(&self.certificate(), &self.key()).unwrap();
        config.security = Security::Files(Arc::new(certificates));
        start_with(config)
    }
}

/// A connection to a relay that may show any of these.
async fn dial(addr: SocketAddr, trusted: &[&Pair]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.der.clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("relay.example").unwrap();
    let tcp = TcpStream::connect(addr).await.unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
}

/// Whether new connections are shown this one.
async fn shows(addr: SocketAddr, wanted: &Pair, other: &Pair) -> bool {
    let tls = dial(addr, &[wanted, other]).await;
    tls.get_ref().1.peer_certificates().unwrap()[0] == wanted.der
}

fn is_reload(event: &Event) -> bool {
    matches!(event, Event::Reloaded | Event::NotReloaded { .. })
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let (old, new) = (pair(2100), pair(2101));
    let files = Files::with(&old);
    let relay = files.start();
    let tls = dial(relay.addr, &[&old]).await;
    let request = relay.request(&format!("/cable/new/{}", id(1)));
    let (mut phone, _) = soon(tokio_tungstenite::client_async(request, tls)).await.unwrap();

    files.write(&new);
    assert_eq!(relay.until(is_reload).await, Event::Reloaded);
    assert!(shows(relay.addr, &new, &old).await);

    let request = relay.request(&format!("/cable/connect/{ROUTING}/{}", id(1)));
    let tls = dial(relay.addr, &[&new]).await;
    let (mut computer, _) = soon(tokio_tungstenite::client_async(request, tls)).await.unwrap();
    soon(computer.send(Message::binary(&b"hello"[..]))).await.unwrap();
    assert_eq!(soon(phone.next()).await.unwrap().unwrap(), Message::binary(&b"hello"[..]));
    soon(phone.send(Message::binary(&b"and back"[..]))).await.unwrap();
    assert_eq!(soon(computer.next()).await.unwrap().unwrap(), Message::binary(&b"and back"[..]));
}

#[tokio::test]
async fn half_a_pair_keeps_the_old_one_and_says_why_and_the_other_half_mends_it() {
    let (old, new) = (pair(2100), pair(2101));
    let files = Files::with(&old);
    let relay = files.start();
    fs::write(files.certificate(), &new.certificate).unwrap();
    match relay.until(is_reload).await {
        Event::NotReloaded { error, reason } => {
            assert_eq!(error, "config.tls");
            assert!(reason.contains("certificate and key"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(shows(relay.addr, &old, &new).await);
    fs::write(files.key(), &new.key).unwrap();
    assert_eq!(relay.until(is_reload).await, Event::Reloaded);
    assert!(shows(relay.addr, &new, &old).await);
}

#[tokio::test]
async fn files_that_are_moved_into_place_are_noticed_even_if_they_look_alike() {
    let (old, new) = (pair(2100), pair(2101));
    let files = Files::with(&old);
    let relay = files.start();
    let beside = Files::with(&new);
    for (from, to) in [(beside.certificate(), files.certificate()), (beside.key(), files.key())] {
        let time = fs::metadata(&to).unwrap().modified().unwrap();
        fs::File::options().write(true).open(&from).unwrap().set_modified(time).unwrap();
        fs::rename(from, to).unwrap();
    }
    assert_eq!(relay.until(is_reload).await, Event::Reloaded);
    assert!(shows(relay.addr, &new, &old).await);
}

#[tokio::test]
async fn what_is_missing_broken_or_expired_changes_nothing() {
    let (old, expired) = (pair(2100), pair(2001));
    let files = Files::with(&old);
    let mut config = roomy();
    let certificates = Certificates::read(&files.certificate(), &files.key()).unwrap();
    config.security = Security::Files(Arc::new(certificates));
    let relay = cablecar_relay::Relay::bind(config).unwrap();
    let (reloader, addr) = (relay.reloader(), relay.local_addr());
    let _running = tokio::spawn(relay.run(std::future::pending(), cablecar_relay::Silent));
    let id = |result: Result<(), cablecar_relay::Error>| result.unwrap_err().id();
    files.write(&expired);
    assert_eq!(id(reloader.reload()), "config.tls-expired");
    fs::write(files.certificate(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert_eq!(id(reloader.reload()), "config.tls-cert");
    fs::remove_file(files.certificate()).unwrap();
    assert_eq!(id(reloader.reload()), "config.tls-cert");
    assert!(shows(addr, &old, &expired).await);
    files.write(&old);
    assert!(reloader.reload().is_ok());
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn sighup_reads_again_at_once() {
    let (old, new) = (pair(2100), pair(2101));
    let files = Files::with(&old);
    let (certificate, key) = (files.certificate(), files.key());
    let relay =
        Serving::start(&["--events", "json", "--tls-cert", path(&certificate), "--tls-key", path(&key)]);
    let addr = relay.addr();
    assert!(shows(addr, &old, &new).await);
    fs::write(&key, &new.key).unwrap();
    relay.kill("-HUP");
    let refused = relay.told(|line| line.contains("\"not-reloaded\""));
    let refused: serde_json::Value = serde_json::from_str(&refused).unwrap();
    assert_eq!(refused["error"], "config.tls");
    assert!(shows(addr, &old, &new).await);
    fs::write(&certificate, &new.certificate).unwrap();
    relay.kill("-HUP");
    relay.told(|line| line.contains("\"reloaded\""));
    assert!(shows(addr, &new, &old).await);
}

#[test]
fn config_check_looks_at_the_certificate() {
    let check = |certificate: &Path, key: &Path| {
        let check = [
            "config",
            "check",
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            path(certificate),
            "--tls-key",
            path(key),
        ];
        let output = run(&check);
        (output.code, output.err)
    };
    let good = Files::with(&pair(2100));
    assert_eq!(check(&good.certificate(), &good.key()), (Some(0), String::new()));
    let other = Files::with(&pair(2100));
    let (code, err) = check(&good.certificate(), &other.key());
    assert!(code == Some(2) && err.contains("(config.tls)"), "{err}");
    let expired = Files::with(&pair(2001));
    let (code, err) = check(&expired.certificate(), &expired.key());
    assert!(code == Some(2) && err.contains("(config.tls-expired)"), "{err}");

    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (code, err) = check(&data.join("rsa-cert.pem"), &data.join("rsa-key.pem"));
    assert!(code == Some(0) && err.contains("32 times") && err.contains("(tls.rsa)"), "{err}");
}

#[test]
fn a_relay_with_an_expired_certificate_starts_and_warns_in_its_log() {
    let files = Files::with(&pair(2001));
    let (certificate, key) = (files.certificate(), files.key());
    let relay = Serving::of(
        Command::new(assert_cmd::cargo::cargo_bin!("cablecar-relay"))
            .args(["serve", "--listen", "127.0.0.1:0", "--domain-id", "0", "--log-format", "json"])
            .args(["--tls-cert", path(&certificate), "--tls-key", path(&key)])
            .env("CABLECAR_RELAY_HELT", "1"),
    );
    relay.line(|line| line.contains("\"message\":\"listening\""));
    // A program may read it: there is nothing else on standard error.
    let (_, err) = relay.said();
    let said: Vec<serde_json::Value> =
        err.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let warned: Vec<_> = said.iter().filter(|line| line["level"] == "WARN").map(|line| &line["id"]).collect();
    assert_eq!(warned, ["config.unknown-variable", "tls.expired"], "{err}");
    assert!(said.iter().any(|line| line["host"] == "cable.ua5v.com"), "{err}");
}
