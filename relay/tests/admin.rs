//! The operator's own door: what it answers, what it refuses, and the
//! commands that use it.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use support::serving::{Output, Serving, run};
use tempfile::TempDir;

const ADMIN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

/// Status, head and body of what it answers to this.
fn ask(addr: SocketAddr, request: &str) -> (u16, String, String) {
    exchange(TcpStream::connect(addr).unwrap(), request)
}

fn exchange(mut stream: impl Read + Write, request: &str) -> (u16, String, String) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_lowercase(), body.to_owned())
}

fn get(addr: SocketAddr, path: &str) -> (u16, String, String) {
    ask(addr, &format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n"))
}

fn post(addr: SocketAddr, path: &str, body: &str) -> (u16, String, String) {
    let length = body.len();
    ask(addr, &format!("POST {path} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {length}\r\n\r\n{body}"))
}

#[test]
fn it_answers_what_monitors_ask() {
    let serving = Serving::start(&[&["--plain"], &ADMIN[..]].concat());
    let admin = serving.admin();
    assert_eq!(get(admin, "/healthz").0, 200);
    assert_eq!(get(admin, "/readyz").2, "ready\n");
    let (status, head, text) = get(admin, "/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(text.contains("\ncablecar_relay_tunnels{state=\"waiting\"} 0\n"), "{text}");
    let version: serde_json::Value = serde_json::from_str(&get(admin, "/version").2).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    let status: serde_json::Value = serde_json::from_str(&get(admin, "/status").2).unwrap();
    assert_eq!((&status["ready"], &status["draining"]), (&true.into(), &false.into()));
    assert_eq!((&status["limits"]["waiting"], &status["log_level"]), (&90.0.into(), &"info".into()));
    // Probes of other kinds ask for the head alone.
    let (status, _, body) = ask(admin, "HEAD /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((status, body.as_str()), (200, ""));
    // None of this is at the door for everybody, but whether phones are taken.
    for path in ["/metrics", "/status", "/version"] {
        assert_eq!(get(serving.addr(), path).0, 404, "{path}");
    }
    assert_eq!(post(serving.addr(), "/drain", "").0, 405);
    assert_eq!(serving.signal("-TERM").0, Some(0));
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let serving = Serving::start(&[&["--plain"], &ADMIN[..]].concat());
    let admin = serving.admin();
    assert_eq!(get(admin, "/").0, 404);
    assert_eq!(get(admin, "/metrics/").0, 404);
    assert_eq!(post(admin, "/metrics", "").0, 405);
    let (status, head, _) = get(admin, "/drain");
    assert!(status == 405 && head.contains("allow: post"), "{head}");
    for wrong in ["", "loud", "INFO", &"x".repeat(10_000)] {
        let (status, _, body) = post(admin, "/loglevel", wrong);
        assert!(status == 400 && body.contains("trace"), "{wrong}: {status} {body}");
    }
    // A page of a browser on this machine, by its origin or by a name that was
    // given to this address behind the browser's back.
    for header in ["Host: localhost\r\nOrigin: http://127.0.0.1", "Host: attacker.example"] {
        for line in ["POST /drain", "GET /status"] {
            assert_eq!(ask(admin, &format!("{line} HTTP/1.1\r\n{header}\r\n\r\n")).0, 403, "{header}");
        }
    }
    let large = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let mut tcp = TcpStream::connect(admin).unwrap();
    // It may hang up before all of it is written.
    let _ = tcp.write_all(large.as_bytes());
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(get(admin, "/readyz").0, 200);
}

#[test]
fn whoever_says_nothing_keeps_nobody_out_for_long() {
    let serving = Serving::start(&[&["--plain"], &ADMIN[..]].concat());
    let admin = serving.admin();
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(admin).unwrap()).collect();
    // The ninth and all after it are dropped unread.
    let dropped = silent.iter().filter(|tcp| {
        tcp.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut tcp: &TcpStream = tcp;
        matches!(tcp.read(&mut [0; 1]), Ok(0))
    });
    assert_eq!(dropped.count(), 12);
    // And the eight are not waited for either.
    for mut tcp in silent.into_iter().take(8) {
        tcp.set_read_timeout(Some(support::PATIENCE)).unwrap();
        assert!(matches!(tcp.read(&mut [0; 64]), Ok(0) | Err(_)));
    }
    assert_eq!(get(admin, "/healthz").0, 200);
}

#[test]
fn only_this_machine_can_reach_it() {
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464", "systemd"] {
        let Output { code, err, .. } =
            run(&["serve", "--listen", "127.0.0.1:0", "--plain", "--admin-listen", addr]);
        assert_eq!(code, Some(2), "{addr}: {err}");
        assert!(err.contains("--admin-listen") && err.contains("(config.setting)"), "{addr}: {err}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let Output { code, err, .. } =
        run(&["serve", "--listen", "127.0.0.1:0", "--plain", "--admin-listen", &addr]);
    assert!(code == Some(7) && err.contains(&addr) && err.contains("(relay.listen)"), "{err}");
}

#[test]
fn a_unix_socket_is_its_owners_and_goes_with_the_relay() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("admin.sock");
    let unix = format!("unix:{}", path.display());
    let args = ["--plain", "--admin-listen", unix.as_str()];
    // One was killed here before, and left its socket.
    drop(UnixListener::bind(&path).unwrap());
    let serving = Serving::start(&args);
    serving.line(|line| line.contains("admin listener"));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(exchange(UnixStream::connect(&path).unwrap(), request).0, 200);
    let Output { code, out, .. } = run(&["admin", "status", "--admin-listen", &unix]);
    assert!(code == Some(0) && out.contains("ready"), "{out}");
    // Another does not take it away.
    let second = run(&[&["serve", "--listen", "127.0.0.1:0"], &args[..]].concat());
    assert!(second.code == Some(7) && second.err.contains("(relay.listen)"), "{}", second.err);
    assert_eq!(exchange(UnixStream::connect(&path).unwrap(), request).0, 200);
    assert_eq!(serving.signal("-TERM").0, Some(0));
    assert!(!path.exists());
    // A file of somebody is no socket that was left behind.
    std::fs::write(&path, "dear diary").unwrap();
    assert_eq!(run(&[&["serve", "--listen", "127.0.0.1:0"], &args[..]].concat()).code, Some(7));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "dear diary");
}

#[test]
fn commands_ask_and_tell() {
    let serving = Serving::start(&[&["--plain"], &ADMIN[..]].concat());
    let admin = serving.admin().to_string();
    let command = |args: &[&str]| run(&[&["admin"], args, &["--admin-listen", &admin]].concat());
    let status = command(&["status"]);
    assert_eq!((status.code, status.err.as_str()), (Some(0), ""));
    assert!(status.out.contains("tunnels      0 waiting, 0 paired, 0 closing\n"), "{}", status.out);
    let status = command(&["status", "--format", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&status.out).unwrap()["ready"], true);

    assert_eq!(command(&["loglevel", "debug"]).out, "it logs at level debug\n");
    get(serving.addr(), "/nothing-here");
    serving.line(|line| line.contains("not-found"));
    assert!(command(&["status"]).out.contains("log level    debug\n"));
    assert_eq!(command(&["reload"]).code, Some(0));

    // With a tunnel it does not end, and says that it is not ready.
    let mut phone = TcpStream::connect(serving.addr()).unwrap();
    let open = support::head(&format!("/cable/new/{}", support::id(1)), "");
    phone.write_all(open.as_bytes()).unwrap();
    phone.read_exact(&mut [0; 12]).unwrap();
    let drained = command(&["drain", "--format", "json"]);
    assert_eq!(drained.out, "{\"changed\":true,\"draining\":true}\n");
    assert_eq!(command(&["drain"]).out, "it was draining already\n");
    let (status, _, body) = get(serving.admin(), "/readyz");
    assert_eq!((status, body.as_str()), (503, "draining\n"));
    assert!(get(serving.admin(), "/metrics").2.contains("\ncablecar_relay_draining 1\n"));
    assert_eq!(get(serving.admin(), "/healthz").0, 200);
    drop(phone);
    assert_eq!(serving.ends(), Some(0));
}

#[test]
fn commands_find_the_listener_in_the_relays_own_settings() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("relay.toml");
    let name = file.to_str().unwrap();
    let serving = Serving::start(&[&["--plain"], &ADMIN[..]].concat());
    // The key need not be readable, nor even there.
    let settings =
        format!("[tls]\ncert = \"gone\"\nkey = \"gone\"\n[admin]\nlisten = \"{}\"\n", serving.admin());
    std::fs::write(&file, settings).unwrap();
    let status = run(&["admin", "status", "--config", name]);
    assert_eq!((status.code, status.err.as_str()), (Some(0), ""), "{}", status.out);
    // What is typed outranks it.
    let other = run(&["admin", "status", "--config", name, "--admin-listen", "127.0.0.1:1"]);
    assert_eq!(other.code, Some(7), "{}", other.err);
    std::fs::write(&file, "plain = true\n").unwrap();
    let none = run(&["admin", "status", "--config", name]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("has no admin.listen"), "{}", none.err);
    assert_eq!(run(&["admin", "status"]).code, Some(2));
}

/// Nobody who watches notices that it is another process.
#[cfg(target_os = "linux")]
#[test]
fn the_door_is_handed_over_in_an_upgrade() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().to_str().unwrap();
    let unix = format!("unix:{}/admin.sock", folder.path().display());
    for admin in ["127.0.0.1:0", &unix] {
        let serving = Serving::start(&["--plain", "--state-dir", state, "--admin-listen", admin]);
        let line = serving.line(|line| line.contains("admin listener is open"));
        let address = line.rsplit("addr=").next().unwrap().to_owned();
        let status = || run(&["admin", "status", "--format", "json", "--admin-listen", &address]);
        assert_eq!(status().code, Some(0));
        serving.kill("-USR2");
        let line = serving.line(|line| line.contains("handed over"));
        let successor = line.rsplit("process=").next().unwrap().to_owned();
        let status = status();
        assert_eq!(status.code, Some(0), "{}", status.err);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&status.out).unwrap()["ready"], true);
        support::serving::kill("-INT", &successor);
        assert_eq!(serving.ends(), Some(0));
    }
    // The last one takes its socket away, a little later.
    let until = std::time::Instant::now() + support::PATIENCE;
    while folder.path().join("admin.sock").exists() {
        assert!(std::time::Instant::now() < until, "the socket stays");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn commands_say_what_is_wrong() {
    let nobody = {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        port.local_addr().unwrap().to_string()
    };
    let serving = Serving::start(&[&["--plain"], &ADMIN[..]].concat());
    let clients_door = serving.addr().to_string();
    for (args, code, id) in [
        (vec!["admin", "status"], 2, "usage.arguments"),
        (vec!["admin", "loglevel", "loud", "--admin-listen", &nobody], 2, "usage.arguments"),
        (vec!["admin", "status", "--admin-listen", &nobody], 7, "admin.unreachable"),
        (vec!["admin", "drain", "--admin-listen", "unix:/nowhere/admin.sock"], 7, "admin.unreachable"),
        (vec!["admin", "status", "--admin-listen", &clients_door], 1, "admin.stranger"),
    ] {
        let found = run(&args);
        assert_eq!(found.code, Some(code), "{args:?}: {}", found.err);
        assert!(found.err.contains(&format!("({id})\nremedy: ")), "{args:?}: {}", found.err);
        assert_eq!(found.out, "", "{args:?}");
    }
}

/// A certificate of this folder, valid until the end of that year.
fn write_certificate(folder: &TempDir, until: i32) -> [String; 2] {
    let mut params = rcgen::CertificateParams::new(vec!["relay.example".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(until, 12, 31);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    [("cert.pem", made.pem()), ("key.pem", key.serialize_pem())].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

#[test]
fn a_reload_is_seen_in_the_certificates_expiry() {
    let folder = TempDir::new().unwrap();
    let [cert, key] = write_certificate(&folder, 2040);
    let serving = Serving::start(&[&["--tls-cert", &cert, "--tls-key", &key], &ADMIN[..]].concat());
    let admin = serving.admin();
    let expiry = |seconds: u64| format!("\ncablecar_relay_certificate_expiry_timestamp_seconds {seconds}\n");
    let metrics = get(admin, "/metrics").2;
    assert!(metrics.contains(&expiry(2_240_524_800)), "{metrics}");
    let command = |what: &str| run(&["admin", what, "--admin-listen", &admin.to_string()]);
    assert!(command("status").out.contains("valid until Mon, 31 Dec 2040"), "{}", command("status").out);
    write_certificate(&folder, 2041);
    assert_eq!(command("reload").out, "it has read its files again\n");
    assert!(get(admin, "/metrics").2.contains(&expiry(2_272_060_800)));
    // What is wrong is named, and everything stays.
    std::fs::write(&cert, "no certificate").unwrap();
    let refused = command("reload");
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("[config.tls-cert] (admin.refused)\nremedy: "), "{}", refused.err);
    assert!(get(admin, "/metrics").2.contains(&expiry(2_272_060_800)));
    serving.line(|line| line.contains("WARN") && line.contains("config.tls-cert"));
}
