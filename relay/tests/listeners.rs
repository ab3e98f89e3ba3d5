//! Where a relay listens, and what it tells a service manager.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cablecar_relay::{Address, Error, Event, Relay};
use futures_util::{SinkExt, StreamExt};
use support::serving::Serving;
use support::{PATIENCE, ROUTING, Running, hear, id, roomy, say, soon, start_with};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

fn in_folder(name: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

fn listening_at(addresses: Vec<Address>) -> Running {
    let mut config = roomy();
    config.listen = addresses;
    start_with(config)
}

fn any_port() -> Address {
    "127.0.0.1:0".parse().unwrap()
}

#[tokio::test]
async fn parties_meet_through_different_listeners() {
    let (_folder, path) = in_folder("relay.sock");
    let relay = listening_at(vec![any_port(), any_port(), Address::Unix(path.clone())]);
    let mut addresses = Vec::new();
    for _ in 0..3 {
        match relay.until(|event| matches!(event, Event::Listening { .. })).await {
            Event::Listening { addr } => addresses.push(addr),
            other => panic!("{other:?}"),
        }
    }
    let [Address::Tcp(first), Address::Tcp(second), Address::Unix(third)] = &addresses[..] else {
        panic!("{addresses:?}")
    };
    assert!(*first == relay.addr && first != second && *third == path);

    let mut phone = relay.open(&id(1)).await;
    let unix = tokio::net::UnixStream::connect(&path).await.unwrap();
    let request = relay.request(&format!("/cable/connect/{ROUTING}/{}", id(1)));
    let (mut computer, _) = soon(tokio_tungstenite::client_async(request, unix)).await.unwrap();
    say(&mut phone, b"up").await;
    assert_eq!(soon(computer.next()).await.unwrap().unwrap(), Message::binary(&b"up"[..]));
    soon(computer.send(Message::binary(vec![7; 100_000]))).await.unwrap();
    assert_eq!(hear(&mut phone).await, vec![7; 100_000]);

    let tcp = tokio::net::TcpStream::connect(second).await.unwrap();
    let request = relay.request(&format!("/cable/new/{}", id(1)));
    assert_eq!(support::upgrade(request, tcp).await.unwrap_err(), 409, "one switchboard behind all of them");
    relay.stop().await;
    assert!(!path.exists(), "the socket's file goes with it");
}

#[tokio::test]
async fn an_ipv6_socket_is_ipv4_as_well_unless_that_has_its_own() {
    let relay = listening_at(vec!["[::]:0".parse().unwrap()]);
    for peer in ["127.0.0.1", "::1"] {
        let peer = SocketAddr::new(peer.parse::<IpAddr>().unwrap(), relay.addr.port());
        healthy(TcpStream::connect(peer).unwrap()).await;
    }
    relay.stop().await;

    // An ephemeral port can be taken between the two binds; then again.
    let both = (0..20).find_map(|_| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut config = roomy();
        config.listen = ["[::]", "0.0.0.0"].map(|host| format!("{host}:{port}").parse().unwrap()).to_vec();
        Relay::bind(config).ok()
    });
    both.expect("both at one port");
}

/// Asks at a relay of the same process, off its threads.
async fn healthy(mut stream: TcpStream) {
    let asked = tokio::task::spawn_blocking(move || {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = asked.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn bind_unix(path: &Path) -> Result<Relay, Error> {
    let mut config = roomy();
    config.listen = vec![Address::Unix(path.into())];
    Relay::bind(config)
}

#[tokio::test]
async fn only_a_socket_that_nobody_listens_on_is_replaced() {
    let (_folder, path) = in_folder("relay.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind");
    let relay = bind_unix(&path).unwrap();
    assert!(UnixStream::connect(&path).is_ok());

    let refused = bind_unix(&path).unwrap_err();
    assert!(
        matches!(refused, Error::Listen { .. }) && refused.remedy().contains("stop the program"),
        "{refused}"
    );
    assert!(UnixStream::connect(&path).is_ok(), "who was there is not disturbed");
    drop(relay);
    assert!(!path.exists());

    fs::write(&path, "precious").unwrap();
    assert!(bind_unix(&path).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert!(bind_unix(&path.join("no-folder")).is_err());
}

#[tokio::test]
async fn a_socket_of_somebody_else_by_then_stays() {
    let (folder, path) = in_folder("relay.sock");
    let relay = bind_unix(&path).unwrap();
    let other = folder.path().join("other.sock");
    let _other = UnixListener::bind(&other).unwrap();
    fs::rename(&other, &path).unwrap();
    drop(relay);
    assert!(UnixStream::connect(&path).is_ok());
}

/// The program, with the variables of a service manager. `stdin` becomes
/// descriptor 3, the first that one gives.
fn program(script: &str, stdin: Stdio, variables: &[(&str, String)]) -> Command {
    let program = assert_cmd::cargo::cargo_bin!("cablecar-relay");
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(program).env_clear().envs(variables.iter().cloned()).stdin(stdin);
    command
}

fn first_line(relay: &Serving) -> String {
    relay.told(|_| true)
}

const ACTIVATED: &str =
    "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$1\" serve --listen systemd --plain";

#[test]
fn sockets_of_the_service_manager_are_taken_over() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = tcp.local_addr().unwrap();
    // Comes before the relay does, and is served all the same.
    let mut early = TcpStream::connect(addr).unwrap();
    let relay = Serving::of(&mut program(ACTIVATED, OwnedFd::from(tcp).into(), &[]));
    assert_eq!(first_line(&relay), format!("listening on {addr}"));
    early.set_read_timeout(Some(PATIENCE)).unwrap();
    early.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    early.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let (_folder, path) = in_folder("relay.sock");
    let unix = UnixListener::bind(&path).unwrap();
    let relay = Serving::of(&mut program(ACTIVATED, OwnedFd::from(unix).into(), &[]));
    assert_eq!(first_line(&relay), format!("listening on unix:{}", path.display()));
    assert_eq!(relay.signal("-TERM").0, Some(0));
    assert!(path.exists(), "it is the manager's file");
}

#[test]
fn without_such_sockets_it_says_so() {
    let script = "exec \"$1\" serve --listen systemd --plain";
    let output = program(script, Stdio::null(), &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("LISTEN_FDS") && err.contains("socket unit"), "{err}");
}

#[test]
fn a_service_manager_hears_ready_alive_reloading_and_stopping() {
    let (_folder, path) = in_folder("notify.sock");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let hear_but_alive = || loop {
        let said = hear();
        if said.trim() != "WATCHDOG=1" {
            return said;
        }
    };
    let variables =
        [("NOTIFY_SOCKET", path.to_str().unwrap().to_owned()), ("WATCHDOG_USEC", "200000".to_owned())];
    let script = "exec \"$1\" serve --listen 127.0.0.1:0 --plain";
    let relay = Serving::of(&mut program(script, Stdio::null(), &variables));
    assert_eq!(hear().trim(), "READY=1");
    for _ in 0..5 {
        assert_eq!(hear().trim(), "WATCHDOG=1");
    }
    relay.kill("-HUP");
    let reloading = hear_but_alive();
    assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert_eq!(hear_but_alive().trim(), "READY=1");
    relay.kill("-TERM");
    assert_eq!(hear_but_alive().trim(), "STOPPING=1");
    assert_eq!(relay.ends(), Some(0));
}
