//! The three relays that are compared, each a process, and what they use of
//! the processor.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tempfile::TempDir;

/// Which relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours, as it is shipped, with its log.
    Ours,
    /// The least legal one.
    Floor,
    /// `cable-tunnel-server-backend`, with its default log.
    Kanidm,
}

/// A certificate for all of them.
pub(crate) struct Pki {
    folder: TempDir,
}

impl Pki {
    pub(crate) fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("cert"), made.cert.pem()).unwrap();
        // PKCS #8, which is all that kanidm's relay reads.
        fs::write(folder.path().join("key"), made.signing_key.serialize_pem()).unwrap();
        Self { folder }
    }

    pub(crate) fn cert(&self) -> PathBuf {
        self.folder.path().join("cert")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}

/// The floor's TLS: set up as ours is.
pub(crate) fn tls(cert: &str, key: &str) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(cert).unwrap().map(Result::unwrap).collect();
    cablecar_relay::tls::server(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
}

/// One of them, running.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    child: Child,
    url: String,
}

impl Server {
    /// Starts ours. The limits per source and per tunnel are out of the way.
    pub(crate) fn ours(pki: Option<&Pki>, log: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cablecar-relay"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--exempt", "127.0.0.0/8"]);
        command.args(["--max-messages", "4000000000", "--max-bytes", "100000000MiB", "--life", "3600"]);
        match pki {
            Some(pki) => command.arg("--tls-cert").arg(pki.cert()).arg("--tls-key").arg(pki.key()),
            None => command.arg("--plain"),
        };
        Self::listening(Kind::Ours, &mut command, pki, log)
    }

    /// Starts the floor: this very program.
    pub(crate) fn floor(pki: Option<&Pki>, log: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--floor");
        if let Some(pki) = pki {
            command.arg(pki.cert()).arg(pki.key());
        }
        Self::listening(Kind::Floor, &mut command, pki, log)
    }

    /// Starts kanidm's, if it is there. It takes no free port by itself.
    pub(crate) fn kanidm(program: &Path, pki: Option<&Pki>, log: &Path) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        let mut command = Command::new(program);
        command.args(["--bind-address", &addr.to_string(), "--max-messages", "255"]);
        match pki {
            Some(pki) => {
                command.arg("--tls-public-key").arg(pki.cert()).arg("--tls-private-key").arg(pki.key())
            }
            None => command.arg("--insecure-http-server"),
        };
        let log = fs::File::create(log).unwrap();
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(addr).is_err() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { kind: Kind::Kanidm, child, url: url(pki, addr.port()) }
    }

    fn listening(kind: Kind, command: &mut Command, pki: Option<&Pki>, log: &Path) -> Self {
        let log = fs::File::create(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        Self { kind, child, url: url(pki, port) }
    }

    /// What it has used of the processor so far, all threads together.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = tasks.map(|task| {
            let text = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Loads it like this: what the generator reports, and the processor time
    /// that each success has cost the relay, in microseconds.
    pub(crate) fn load(&self, args: &[&str]) -> (Value, f64) {
        let before = self.cpu();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cablecar-relay"));
        command.args(["bench", &self.url, "--seed", "1"]).args(args);
        if self.url.starts_with("wss") {
            command.arg("--insecure-loopback");
        }
        let done = command.output().unwrap();
        let used = self.cpu() - before;
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{:?}: {said}", self.kind);
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let succeeded = report["succeeded"].as_f64().unwrap();
        assert_eq!(report["failed"], 0, "{:?} {args:?}: {report} {said}", self.kind);
        (report, used.as_secs_f64() * 1e6 / succeeded)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn url(pki: Option<&Pki>, port: u16) -> String {
    format!("{}://localhost:{port}", if pki.is_some() { "wss" } else { "ws" })
}
