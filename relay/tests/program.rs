//! The program: arguments, output, exit codes, signals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

fn relay(args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cablecar-relay"));
    command.args(args).env_clear();
    command
}

fn run(args: &[&str]) -> Output {
    relay(args).output().unwrap()
}

/// A relay that runs until it is told, or dropped.
struct Serving {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    first_line: String,
}

impl Serving {
    fn start(args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut child = relay(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first_line = String::new();
        stdout.read_line(&mut first_line).unwrap();
        Self { child, stdout, first_line }
    }

    fn addr(&self) -> SocketAddr {
        self.first_line.trim().strip_prefix("listening on ").unwrap().parse().unwrap()
    }

    /// Sends a signal; gives exit code and the rest of both outputs.
    fn signal(mut self, signal: &str) -> (Option<i32>, String, String) {
        let pid = self.child.id().to_string();
        kill(signal, &pid);
        let code = self.child.wait().unwrap().code();
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, out, err)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Asserts an error of this form: two lines, with id and remedy.
fn fails(args: &[&str], code: i32, id: &str) -> String {
    let (found, stdout, stderr) = lines(&run(args));
    assert_eq!(found, Some(code), "{args:?}: {stderr}");
    assert_eq!(stdout, "", "{args:?}");
    let [error, remedy] = stderr.lines().collect::<Vec<_>>()[..] else { panic!("{args:?}: {stderr}") };
    assert!(error.starts_with("error: ") && error.ends_with(&format!("({id})")), "{args:?}: {error}");
    let first = error.trim_start_matches("error: ").chars().next().unwrap();
    assert!(!first.is_uppercase(), "{error}");
    assert!(remedy.starts_with("remedy: ") && remedy.len() > 15, "{args:?}: {remedy}");
    stderr
}

/// The shell's own kill: not every machine has the program.
fn kill(signal: &str, pid: &str) {
    let killed = Command::new("sh").args(["-c", "kill \"$1\" \"$2\"", "sh", signal, pid]).status();
    assert!(killed.unwrap().success());
}

#[test]
fn serve_prints_the_bound_address_and_ends_with_0() {
    for signal in ["-TERM", "-INT"] {
        let serving = Serving::start(&["--plain"]);
        let addr = serving.addr();
        assert_ne!(addr.port(), 0);
        // somebody who says nothing must not hold it up
        let _silent = TcpStream::connect(addr).unwrap();
        let (code, out, err) = serving.signal(signal);
        assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
        assert!(err.contains("stopping"), "{err}");
    }
}

#[test]
fn the_first_sigterm_drains_and_the_second_stops() {
    let serving = Serving::start(&["--plain"]);
    let open = "GET /cable/new/00000000000000000000000000000001 HTTP/1.1\r\nHost: x\r\n\
        Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: fido.cable\r\n\r\n";
    let mut phone = TcpStream::connect(serving.addr()).unwrap();
    std::io::Write::write_all(&mut phone, open.as_bytes()).unwrap();
    let mut answer = [0; 12];
    phone.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    kill("-TERM", &serving.child.id().to_string());
    // The signal arrives when it likes, so the relay is asked until it says no.
    loop {
        let mut second = TcpStream::connect(serving.addr()).unwrap();
        std::io::Write::write_all(&mut second, open.replace("01 HTTP", "02 HTTP").as_bytes()).unwrap();
        second.read_exact(&mut answer).unwrap();
        match &answer {
            b"HTTP/1.1 503" => break,
            other => assert_eq!(other, b"HTTP/1.1 101"),
        }
    }
    let (code, _, err) = serving.signal("-TERM");
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("draining") && err.contains("stopping"), "{err}");
}

#[test]
fn events_are_json_lines() {
    let serving = Serving::start(&["--plain", "--events", "json", "--domain-id", "266"]);
    let listening: serde_json::Value = serde_json::from_str(&serving.first_line).unwrap();
    assert_eq!(listening["event"], "listening");
    let addr: SocketAddr = listening["addr"].as_str().unwrap().parse().unwrap();
    drop(TcpStream::connect(addr).unwrap());
    let (code, out, err) = serving.signal("-TERM");
    assert_eq!(code, Some(0));
    assert!(err.contains("cable.wufkweyy3uaxb.com"), "{err}");
    let events: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.last().unwrap()["event"], "stopping");
}

#[test]
fn a_reader_of_events_who_does_not_read_stops_nothing() {
    let mut serving = Serving::start(&["--plain", "--events", "json", "--exempt", "127.0.0.0/8"]);
    let listening: serde_json::Value = serde_json::from_str(&serving.first_line).unwrap();
    let addr: SocketAddr = listening["addr"].as_str().unwrap().parse().unwrap();
    // far more lines than a pipe and the queue hold
    for _ in 0..8_000 {
        let mut tcp = TcpStream::connect(addr).unwrap();
        std::io::Write::write_all(&mut tcp, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    kill("-TERM", &serving.child.id().to_string());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_in_use_is_7() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let stderr = fails(&["serve", "--listen", &addr, "--plain"], 7, "relay.listen");
    assert!(stderr.contains(&addr) && stderr.contains("choose another --listen"), "{stderr}");
    fails(&["serve", "--listen", "192.0.2.1:443", "--plain"], 7, "relay.listen");
}

fn pem_files() -> (TempDir, [String; 3]) {
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["relay.example".into()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["relay.example".into()]).unwrap();
    let write = |name: &str, text: String| {
        let path: PathBuf = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let paths = [
        write("cert.pem", made.cert.pem()),
        write("key.pem", made.signing_key.serialize_pem()),
        write("other.pem", other.signing_key.serialize_pem()),
    ];
    (folder, paths)
}

#[test]
fn certificate_and_key_are_read_from_files() {
    let (_folder, [cert, key, _]) = pem_files();
    let serving = Serving::start(&["--tls-cert", &cert, "--tls-key", &key]);
    assert_ne!(serving.addr().port(), 0);
    assert_eq!(serving.signal("-TERM").0, Some(0));
}

#[test]
fn a_certificate_that_cannot_be_used_is_2() {
    let (folder, [cert, key, other]) = pem_files();
    let serve = |cert: &str, key: &str, id: &str| {
        fails(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key], 2, id)
    };
    let missing = folder.path().join("missing.pem").to_str().unwrap().to_owned();
    assert!(serve(&missing, &key, "config.tls-cert").contains("missing.pem"));
    serve(&cert, &missing, "config.tls-key");
    serve(&key, &key, "config.tls-cert");
    serve(&cert, &cert, "config.tls-key");
    serve(&cert, &other, "config.tls");
}

#[test]
fn what_is_typed_wrong_is_2() {
    let plain = ["serve", "--listen", "127.0.0.1:0", "--plain"];
    let usage: [&[&str]; 10] = [
        &[],
        &["serv"],
        &["serve"],
        &["serve", "--plain"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["serve", "--listen", "localhost", "--plain"],
        &["serve", "--listen", "127.0.0.1:0", "--tls-cert", "x"],
        &["serve", "--listen", "127.0.0.1:0", "--tls-cert", "x", "--tls-key", "x", "--plain"],
        &["domain"],
        &["domain", "65536"],
    ];
    for args in usage {
        fails(args, 2, "usage.arguments");
    }
    for wrong in [
        ["--routing-id", "12345"],
        ["--exempt", "10.0.0.1/8"],
        ["--waiting", "soon"],
        ["--max-message", "1GB"],
        ["--events", "xml"],
    ] {
        fails(&[&plain[..], &wrong].concat(), 2, "usage.arguments");
    }
    for wrong in [["--max-message", "2MiB"], ["--max-bytes", "1"], ["--life", "0"]] {
        let stderr = fails(&[&plain[..], &wrong].concat(), 2, "config.setting");
        assert!(stderr.contains(wrong[0]), "{stderr}");
    }
    fails(&[&plain[..], &["--domain-id", "77"]].concat(), 2, "domain.unassigned");
}

#[test]
fn help_says_where_a_relay_can_be() {
    let (code, out, _) = lines(&run(&["domain", "--help"]));
    assert_eq!(code, Some(0));
    assert!(out.contains("65,280"), "{out}");
}

#[test]
fn domain_names_the_host_of_an_id() {
    let text = |args: &[&str]| {
        let (code, out, err) = lines(&run(args));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{args:?}");
        out
    };
    assert_eq!(text(&["domain", "266"]), "cable.wufkweyy3uaxb.com\n");
    assert_eq!(text(&["domain", "0"]), "cable.ua5v.com\n");
    let json = "{\"id\":266,\"host\":\"cable.wufkweyy3uaxb.com\"}\n";
    assert_eq!(text(&["domain", "266", "--format", "json"]), json);
    assert_eq!(text(&["domain", "find", "Cable.wufkweyy3uaxb.COM"]), "266\n");
    assert_eq!(text(&["domain", "find", "cable.wufkweyy3uaxb.com", "--format", "json"]), json);
    fails(&["domain", "2"], 2, "domain.unassigned");
    fails(&["domain", "255"], 2, "domain.unassigned");
    fails(&["domain", "find", "cable.example.com"], 2, "domain.unknown");
}

#[test]
fn domain_find_searches() {
    let found = |args: &[&str]| {
        let (code, out, err) = lines(&run(&[&["domain", "find"], args].concat()));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{args:?}");
        out
    };
    assert_eq!(found(&[]).lines().count(), 65_280);
    assert_eq!(found(&["--limit", "1"]), "  256 cable.qz2ekwmnd332c.info\n");
    let contained = found(&["--contains", "EYY", "--tld", "com"]);
    assert!(contained.contains("  266 cable.wufkweyy3uaxb.com\n"), "{contained}");
    assert!(contained.lines().all(|line| line.contains("eyy") && line.ends_with(".com")), "{contained}");
    let json: Vec<serde_json::Value> =
        serde_json::from_str(&found(&["--shortest", "--limit", "50", "--format", "json"])).unwrap();
    let lengths: Vec<usize> = json.iter().map(|named| named["host"].as_str().unwrap().len()).collect();
    assert_eq!(lengths.len(), 50);
    assert!(lengths.is_sorted() && lengths[0] < "cable.qz2ekwmnd332c.info".len(), "{lengths:?}");
    assert_eq!(found(&["--contains", "0189"]), "");
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_it_waits_quietly_and_recovers() {
    let program = assert_cmd::cargo::cargo_bin!("cablecar-relay").to_str().unwrap().to_owned();
    let serve = format!(
        "ulimit -n 40; exec {program} serve --listen 127.0.0.1:0 --plain --events json \
         --exempt 127.0.0.0/8 --max-connections 10000 --opening 60"
    );
    let mut child = Command::new("sh").args(["-c", &serve]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first_line = String::new();
    stdout.read_line(&mut first_line).unwrap();
    let listening: serde_json::Value = serde_json::from_str(&first_line).unwrap();
    let addr: SocketAddr = listening["addr"].as_str().unwrap().parse().unwrap();
    let serving = Serving { child, stdout, first_line };

    let crowd: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(addr).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let (before, time) = (cpu_ticks(serving.child.id()), Duration::from_secs(2));
    std::thread::sleep(time);
    // A hot loop would take 200 of them.
    let spent = cpu_ticks(serving.child.id()) - before;
    assert!(spent < 20, "{spent} ticks of 10 ms in {time:?}");

    drop(crowd);
    // While there are none it closes the door to some; soon it does not.
    let asked = || {
        let mut tcp = TcpStream::connect(addr).unwrap();
        std::io::Write::write_all(&mut tcp, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    };
    assert!((0..1000).any(|_| asked().is_some()), "it accepts nobody");

    let pid = serving.child.id().to_string();
    kill("-TERM", &pid);
    let mut serving = serving;
    let mut out = String::new();
    serving.stdout.read_to_string(&mut out).unwrap();
    let complaints = out.matches("\"struggling\"").count();
    assert!((1..10).contains(&complaints), "{complaints} complaints: {out}");
    assert!(out.contains(r#""why":"exhausted""#), "{out}");
}

/// User and system time of a process, in hundredths of a second.
#[cfg(target_os = "linux")]
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
