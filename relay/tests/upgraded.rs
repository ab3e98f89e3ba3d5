//! A new program in place of the running one: nobody is refused, and nobody
//! loses a tunnel.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

#[path = "support/program.rs"]
mod program;
mod support;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use program::{Program, runs};
use rustls::pki_types::ServerName;
use support::serving::kill;
use support::{PATIENCE, id, soon, trust};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Socket = WebSocketStream<Box<dyn Stream>>;

/// How to reach a relay, by whatever process serves there.
#[derive(Clone)]
struct Way {
    addr: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Way {
    /// The websocket and the routing id of the answer, or what went wrong.
    async fn dial(&self, path: &str) -> Result<(Socket, String), String> {
        let tcp = TcpStream::connect(self.addr).await.map_err(|error| format!("connect: {error}"))?;
        tcp.set_nodelay(true).unwrap();
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(tls) => {
                let name = ServerName::try_from("relay.example").unwrap();
                Box::new(tls.connect(name, tcp).await.map_err(|error| format!("tls: {error}"))?)
            }
        };
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "fido.cable".parse().unwrap());
        let answered = tokio_tungstenite::client_async(request, stream).await;
        let (socket, answer) = answered.map_err(|error| format!("{path}: {error}"))?;
        let routing = answer.headers().get("x-cable-routing-id");
        Ok((socket, routing.map(|id| id.to_str().unwrap().to_owned()).unwrap_or_default()))
    }

    async fn open(&self, number: u32) -> Result<(Socket, String), String> {
        self.dial(&format!("/cable/new/{}", id(number))).await
    }

    async fn join(&self, routing: &str, number: u32) -> Result<Socket, String> {
        self.dial(&format!("/cable/connect/{routing}/{}", id(number))).await.map(|(socket, _)| socket)
    }

    /// A whole sign-in.
    async fn sign_in(&self, number: u32) -> Result<(), String> {
        let (mut phone, routing) = self.open(number).await?;
        let mut computer = self.join(&routing, number).await?;
        talk(&mut phone, &mut computer).await
    }
}

/// Messages of the usual sizes both ways, and the end.
async fn talk(phone: &mut Socket, computer: &mut Socket) -> Result<(), String> {
    for length in [81, 300, 2000] {
        carry(computer, phone, length).await?;
        carry(phone, computer, length).await?;
    }
    phone.close(None).await.map_err(|error| format!("closing: {error}"))?;
    match computer.next().await {
        Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 1000 => Ok(()),
        other => Err(format!("at the end: {other:?}")),
    }
}

async fn carry(from: &mut Socket, to: &mut Socket, length: usize) -> Result<(), String> {
    let message = Message::binary(vec![7; length]);
    from.send(message.clone()).await.map_err(|error| format!("sending: {error}"))?;
    loop {
        match to.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(heard)) if heard == message => return Ok(()),
            other => return Err(format!("instead of a message: {other:?}")),
        }
    }
}

fn relay() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("cablecar-relay").into()
}

/// A relay with TLS and a folder for its state.
fn encrypted(folder: &Path) -> (Program, Way) {
    let (cert, key, root) = trust::files(folder);
    let state = folder.join("state");
    let args = ["--tls-cert", &cert, "--tls-key", &key, "--state-dir", state.to_str().unwrap()];
    let program = Program::start(&relay(), &args);
    let way = Way { addr: program.addr(), tls: Some(trust::trusting(root)) };
    (program, way)
}

fn plain(program: &Path, folder: &Path) -> (Program, Way) {
    let state = folder.join("state");
    let program = Program::start(program, &["--plain", "--state-dir", state.to_str().unwrap()]);
    let way = Way { addr: program.addr(), tls: None };
    (program, way)
}

/// The program in a blocking part of its own.
async fn blocking(mut program: Program, work: impl FnOnce(&mut Program) + Send + 'static) -> Program {
    let work = move || {
        work(&mut program);
        program
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_that_was_opened_before_is_joined_after_and_a_pair_goes_on() {
    for tls in [false, true] {
        let folder = TempDir::new().unwrap();
        let (program, way) = if tls { encrypted(folder.path()) } else { plain(&relay(), folder.path()) };
        let (mut phone, before) = soon(way.open(1)).await.unwrap();
        let (mut other, _) = soon(way.open(2)).await.unwrap();
        let mut paired = soon(way.join(&before, 2)).await.unwrap();

        let program = blocking(program, Program::upgrade).await;
        let (mut new, after) = soon(way.open(3)).await.unwrap();
        let generation = |id: &str| u32::from_str_radix(id, 16).unwrap() % 64;
        let node = |id: &str| u32::from_str_radix(id, 16).unwrap() / 64;
        assert_eq!((node(&after), generation(&after)), (node(&before), generation(&before) + 1));
        // nobody has this one, here or there
        let unknown = soon(way.join(&before, 9)).await.err().unwrap();
        assert!(unknown.contains("404"), "{unknown}");

        // a second upgrade: the eldest is reached past the one in between
        let program = blocking(program, Program::upgrade).await;
        let mut computer = soon(way.join(&before, 1)).await.unwrap();
        soon(talk(&mut phone, &mut computer)).await.unwrap();
        let mut second = soon(way.join(&after, 3)).await.unwrap();
        soon(talk(&mut new, &mut second)).await.unwrap();
        soon(talk(&mut other, &mut paired)).await.unwrap();
        drop((phone, computer, new, second, other, paired));
        let program = blocking(program, |program| {
            assert_eq!(program.first_ends().code(), Some(0));
            program.others_end();
        })
        .await;
        assert!(runs(program.process()));
        soon(way.sign_in(4)).await.unwrap();
        // Each has taken its socket with it.
        let files = std::fs::read_dir(folder.path().join("state")).unwrap();
        let sockets =
            files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "sock"));
        assert_eq!(sockets.count(), 1);
    }
}

/// Sign-ins under way at once, at most.
const AT_ONCE: usize = 64;

/// Sign-ins that begin when they begin, whatever became of the others.
async fn sign_ins_through_upgrades(rate: u32, upgrades: u32, between: Duration) {
    let folder = TempDir::new().unwrap();
    let (program, way) = encrypted(folder.path());
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let through = way.clone();
    let load = tokio::spawn(async move {
        let mut clock = interval(Duration::from_secs(1) / rate);
        let (mut number, mut all, mut done) = (100, JoinSet::new(), Vec::new());
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                // A machine that cannot keep up begins fewer, and not none at all.
                _ = clock.tick(), if all.len() < AT_ONCE => {
                    number += 1;
                    let way = through.clone();
                    all.spawn(async move {
                        tokio::time::timeout(PATIENCE, way.sign_in(number)).await.unwrap_or_else(|_| Err("hung".into()))
                    });
                }
                Some(ended) = all.join_next() => done.push(ended.unwrap()),
            }
        }
        done.extend(all.join_all().await);
        done
    });
    let mut program = program;
    for n in 0..upgrades {
        tokio::time::sleep(between).await;
        let (mut phone, routing) = soon(way.open(n)).await.unwrap();
        program = blocking(program, Program::upgrade).await;
        let mut computer = soon(way.join(&routing, n)).await.unwrap();
        soon(talk(&mut phone, &mut computer)).await.unwrap();
    }
    tokio::time::sleep(between).await;
    drop(stop);
    let done = load.await.unwrap();
    let failed: Vec<_> = done.iter().filter_map(|done| done.as_ref().err()).collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed: {:?}",
        failed.len(),
        done.len(),
        &failed[..failed.len().min(5)]
    );
    assert!(done.len() > usize::try_from(upgrades).unwrap(), "{} sign-ins are none", done.len());
    blocking(program, |program| {
        assert_eq!(program.first_ends().code(), Some(0));
        program.others_end();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sign_in_fails_through_three_upgrades() {
    sign_ins_through_upgrades(40, 3, Duration::from_millis(700)).await;
}

/// G9, with `CABLECAR_LONG` alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sign_in_fails_through_twenty_upgrades_at_200_a_second() {
    if std::env::var_os("CABLECAR_LONG").is_some_and(|long| !long.is_empty()) {
        sign_ins_through_upgrades(200, 20, Duration::from_secs(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_start_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let installed = folder.path().join("cablecar-relay");
    std::fs::copy(relay(), &installed).unwrap();
    let (program, way) = plain(&installed, folder.path());
    let (mut phone, routing) = soon(way.open(1)).await.unwrap();
    let replace = |text: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        let new = folder.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(mode)).unwrap();
        std::fs::rename(&new, &installed).unwrap();
    };
    let first = program.process();
    replace("#!/bin/sh\nexit 3\n", 0o755);
    let program = blocking(program, move |program| {
        kill("-USR2", first);
        assert_eq!(program.event("not-upgraded", 0)["why"], "ended");
    })
    .await;
    soon(way.sign_in(2)).await.unwrap();
    replace("no program", 0o644);
    let program = blocking(program, move |program| {
        kill("-USR2", first);
        assert_eq!(program.event("not-upgraded", 1)["why"], "not-started");
    })
    .await;
    soon(way.sign_in(3)).await.unwrap();
    // Once a good one is there, it is taken.
    std::fs::remove_file(&installed).unwrap();
    std::fs::copy(relay(), &installed).unwrap();
    let program = blocking(program, Program::upgrade).await;
    let mut computer = soon(way.join(&routing, 1)).await.unwrap();
    soon(talk(&mut phone, &mut computer)).await.unwrap();
    drop((phone, computer));
    blocking(program, |program| assert_eq!(program.first_ends().code(), Some(0))).await;
}

#[test]
fn without_a_folder_or_with_a_fixed_id_there_is_no_upgrade() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().to_str().unwrap();
    for (args, why) in [
        (&["--plain"][..], "no-state-dir"),
        (&["--plain", "--state-dir", state, "--routing-id", "0A0B0C"], "fixed-routing-id"),
    ] {
        let program = Program::start(&relay(), args);
        program.addr();
        kill("-USR2", program.process());
        assert_eq!(program.event("not-upgraded", 0)["why"], why);
        assert!(runs(program.process()));
    }
}
