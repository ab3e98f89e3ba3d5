//! Resident memory of a relay per tunnel: the slope between two numbers of
//! tunnels, so that what every process has anyway does not count.
//!
//! `cargo bench -p cablecar-relay --bench memory [-- --quick]`. Fails if a
//! target is missed. kanidm's relay takes part if it is there, as in the bench
//! `relay`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a bench stops where it fails")]
#![allow(clippy::print_stdout, reason = "this is what a bench is for")]

#[path = "support/figures.rs"]
mod figures;
#[path = "support/floor.rs"]
mod floor;
#[path = "support/kanidm.rs"]
mod kanidm;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use figures::Figures;

/// Clients that open tunnels at the same time.
const THREADS: u32 = 4;

/// Below the 60 connections at once and 64 waiting that a source may have.
const PER_SOURCE: u32 = 50;

/// Raised for the four figures: opening eight thousand tunnels on a busy
/// machine takes longer than a tunnel may wait, and nobody here answers pings.
const RAISED: &[&str] = &["--exempt", "127.0.0.0/8", "--waiting", "900", "--life", "900", "--ping", "900"];

/// Of kanidm's relay fewer are enough: each is dozens of times as large.
const THEIRS: Range<u32> = 200..1_000;

/// What a tunnel may take over kanidm's, where the least legal relay leaves
/// room for that; and over that one.
const OVER_KANIDM: f64 = 1.0 / 12.0;
const OVER_FLOOR: f64 = 1.25;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--floor") {
        floor::serve(None);
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    // `cargo test --all-targets` starts benches too, and means no measurement.
    if !quick && !args.iter().any(|arg| arg == "--bench") {
        println!("skipped: measured by cargo bench only");
        return ExitCode::SUCCESS;
    }
    raise_descriptor_limit();
    let ours = if quick { 500..2_000 } else { 1_000..8_000 };
    let pki = Pki::make();
    let mut figures = Figures::new(if quick { "short" } else { "long" });
    println!("{}", figures::machine());
    println!("resident memory per tunnel: slope between {} and {} tunnels", ours.start, ours.end);
    println!("paired: after one message of 200 bytes each way");
    println!("raised: {}", RAISED.join(" "));
    let kanidm = kanidm::program();
    for (state, paired, plain, tls) in [("waiting", false, 6.0, 14.0), ("paired", true, 16.0, 32.0)] {
        let name = format!("memory per tunnel, {state}");
        let each = Relay::ours(None, RAISED).slope(&ours, paired, None);
        figures.add(&format!("{name}, plain"), each, "KiB", Some(plain));
        if let Some(program) = &kanidm {
            let theirs = Relay::kanidm(program).slope(&THEIRS, paired, None);
            let least = Relay::floor().slope(&ours, paired, None);
            println!("  kanidm's: {theirs:.1} KiB; the least legal relay's: {least:.1} KiB");
            // Where that leaves no room, a little more than it; see docs/decisions/0023.
            let target = f64::max(OVER_KANIDM, OVER_FLOOR * least / theirs);
            figures.add(&format!("{name}, plain, over kanidm's"), each / theirs, "×", Some(target));
        }
        let each = Relay::ours(Some(&pki), RAISED).slope(&ours, paired, Some(&pki));
        figures.add(&format!("{name}, TLS"), each, "KiB", Some(tls));
    }
    println!("raised: nothing; {PER_SOURCE} connections from each of many loopback addresses");
    let each = Relay::ours(None, &[]).slope(&ours, false, None);
    figures.add("memory per tunnel, waiting, plain, no limit raised", each, "KiB", Some(6.0));
    if figures.missed() {
        println!("a target was missed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Relay {
    child: Child,
    addr: SocketAddr,
    _log: TempDir,
}

impl Relay {
    fn ours(pki: Option<&Pki>, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cablecar-relay"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--routing-id", "000000"]).args(flags);
        match pki {
            Some(pki) => {
                command.arg("--tls-cert").arg(pki.path("cert")).arg("--tls-key").arg(pki.path("key"))
            }
            None => command.arg("--plain"),
        };
        Self::listening(&mut command)
    }

    /// This very program.
    fn floor() -> Self {
        Self::listening(Command::new(std::env::current_exe().unwrap()).arg("--floor"))
    }

    fn listening(command: &mut Command) -> Self {
        let log = TempDir::new().unwrap();
        let file = File::create(log.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
        Self { child, addr, _log: log }
    }

    /// It takes no free port by itself.
    fn kanidm(program: &Path) -> Self {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = TempDir::new().unwrap();
        let file = File::create(log.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command.args(["--bind-address", &addr.to_string(), "--insecure-http-server"]);
        let child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        for _ in 0..1_000 {
            if TcpStream::connect(addr).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, addr, _log: log }
    }

    /// KiB that each tunnel takes between these numbers of them.
    fn slope(&self, tunnels: &Range<u32>, paired: bool, pki: Option<&Pki>) -> f64 {
        let mut clients = self.open(0..tunnels.start, paired, pki);
        let before = self.resident_kib();
        clients.extend(self.open(tunnels.clone(), paired, pki));
        let after = self.resident_kib();
        drop(clients);
        (after - before) / f64::from(tunnels.end - tunnels.start)
    }

    /// Opens the tunnels of these numbers, some at the same time.
    fn open(&self, numbers: Range<u32>, paired: bool, pki: Option<&Pki>) -> Vec<Client> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let numbers = numbers.clone().filter(move |n| n % THREADS == thread);
                    scope.spawn(move || numbers.flat_map(|n| self.tunnel(n, paired, pki)).collect())
                })
                .collect();
            threads.into_iter().flat_map(|thread| -> Vec<Client> { thread.join().unwrap() }).collect()
        })
    }

    fn tunnel(&self, number: u32, paired: bool, pki: Option<&Pki>) -> Vec<Client> {
        let mut phone = Client::dial(self.addr, number, &format!("/cable/new/{number:032X}"), pki);
        if !paired {
            return vec![phone];
        }
        let path = format!("/cable/connect/000000/{number:032X}");
        let mut computer = Client::dial(self.addr, number + (1 << 20), &path, pki);
        computer.say();
        phone.hear();
        phone.say();
        computer.hear();
        vec![phone, computer]
    }

    /// Once it no longer changes.
    fn resident_kib(&self) -> f64 {
        let mut last = 0.0;
        loop {
            thread::sleep(Duration::from_millis(500));
            let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
            let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
            let kib = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            if kib == last {
                return kib;
            }
            last = kib;
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The least that a client is: one request, then masked frames.
enum Client {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

const MESSAGE: usize = 200;

impl Client {
    fn dial(relay: SocketAddr, number: u32, path: &str, pki: Option<&Pki>) -> Self {
        let source = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + number / PER_SOURCE);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
        socket.connect(&relay.into()).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        let tcp = TcpStream::from(socket);
        let mut client = match pki {
            None => Client::Plain(tcp),
            Some(pki) => {
                let name = ServerName::try_from("relay.example").unwrap();
                let tls = ClientConnection::new(Arc::clone(&pki.client), name).unwrap();
                Client::Tls(Box::new(StreamOwned::new(tls, tcp)))
            }
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: relay.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: fido.cable\r\n\r\n"
        );
        client.write(request.as_bytes());
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(client.read::<1>());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        client
    }

    fn say(&mut self) {
        let head = [0x82, 0x80 | 126, 0, 200, 0, 0, 0, 0];
        self.write(&[&head[..], &[7; MESSAGE]].concat());
    }

    fn hear(&mut self) {
        let frame = self.read::<{ 4 + MESSAGE }>();
        assert!(frame.starts_with(&[0x82, 126, 0, 200, 7]));
    }

    fn write(&mut self, bytes: &[u8]) {
        match self {
            Client::Plain(tcp) => tcp.write_all(bytes).unwrap(),
            Client::Tls(tls) => tls.write_all(bytes).unwrap(),
        }
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Client::Plain(tcp) => tcp.read_exact(&mut bytes).unwrap(),
            Client::Tls(tls) => tls.read_exact(&mut bytes).unwrap(),
        }
        bytes
    }
}

/// A certificate for the relay and clients that trust it.
struct Pki {
    folder: TempDir,
    client: Arc<ClientConfig>,
}

impl Pki {
    fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["relay.example".into()]).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("cert"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("key"), made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(made.cert)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { folder, client: Arc::new(client) }
    }

    fn path(&self, name: &str) -> impl AsRef<Path> + AsRef<std::ffi::OsStr> {
        self.folder.path().join(name)
    }
}

fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
