//! The program as people and scripts meet it: arguments, exit codes, what it
//! says, and what it leaves behind.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const ORIGIN: [&str; 2] = ["--origin", "https://login.example.com"];
const AIR: [&str; 2] = ["--danger-air", "127.0.0.1:0"];

/// Longer than anything here takes; only a program that hangs takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of its own, which the program may fill and must leave empty.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn start(&self, arguments: &[&str], options: &str) -> Child {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cablecar"));
        command.args(arguments).env_clear().env("HOME", self.path()).current_dir(self.path());
        // Not the radio of this machine.
        command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.path().join("no-bus").display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended over its arguments, without reading a byte.
        let _ = child.stdin.take().unwrap().write_all(options.as_bytes());
        child
    }

    fn run(&self, arguments: &[&str], options: &str) -> Output {
        finish(self.start(arguments, options))
    }

    /// What is in it; a program that remembers nothing leaves nothing.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Waits for the end of a program, which must come.
fn finish(mut child: Child) -> Output {
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let stdout = thread::spawn(move || io::read_to_string(&mut out).unwrap());
    let stderr = thread::spawn(move || io::read_to_string(&mut err).unwrap());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it hangs after: {}", stderr.join().unwrap());
        }
        thread::sleep(Duration::from_millis(2));
    };
    let [stdout, stderr] = [stdout, stderr].map(|all| all.join().unwrap().into_bytes());
    Output { status, stdout, stderr }
}

/// Options of a page for `cablecar get`, good for this long.
fn request(milliseconds: u64) -> Value {
    json!({"challenge": "Y2hhbGxlbmdl", "rpId": "example.com", "timeout": milliseconds})
}

/// Options of a page for `cablecar create`.
fn creation() -> Value {
    json!({
        "rp": {"id": "example.com", "name": "Example"},
        "user": {"id": "AQID", "name": "alice", "displayName": "Alice"},
        "challenge": "Y2hhbGxlbmdl",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "timeout": 300,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Exit code and id. The last two lines are the error and its remedy, in lower
/// case and without a full stop; there is nothing on standard output, and
/// before them nothing but warnings, the code and stages.
fn assert_fails(output: &Output, exit: i32, id: &str) -> Vec<String> {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert_eq!(text(&output.stdout), "");
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    let (remedy, error) = (lines.pop().unwrap(), lines.pop().unwrap_or_default());
    assert!(error.starts_with("error: ") && error.ends_with(&format!(" ({id})")), "{id} in {said}");
    assert!(remedy.starts_with("remedy: ") && !remedy.ends_with('.'), "{said}");
    assert!(!error["error: ".len()..].starts_with(|c: char| c.is_ascii_uppercase()), "{said}");
    assert!(!lines.iter().any(|line| line.starts_with("error: ")), "more than one error in {said}");
    lines
}

/// An error that is told in two lines and nothing else.
fn assert_refused(output: &Output, exit: i32, id: &str) {
    let before = assert_fails(output, exit, id);
    assert!(before.iter().all(|line| line.starts_with("warning: ")), "{before:?}");
}

#[test]
fn wrong_arguments_are_named_with_a_remedy() {
    let desk = Desk::new();
    fs::write(desk.path().join("empty.pem"), "no certificate in here").unwrap();
    for arguments in [
        &[][..],
        &["fly"],
        &["get"],
        &["get", "--origin"],
        &["get", "--danger"],
        &["get", "--events", "xml"],
        &["get", "--connect-to", "here"],
        &["get", "--connect-to", "a:443:b"],
        &["get", "--connect-to", "a:443:b:0x50"],
        &["get", "--qr", "gif:code.gif"],
        &["get", "--qr", "png:"],
        &["get", "--qr", "png"],
        &["get", "--danger-air", "localhost:4577"],
        &["get", "--danger-air", "192.0.2.1:4577"],
        &["get", "--danger-air", "0.0.0.0:4577"],
        &["get", "--danger-relay", "https://example.com"],
        &["get", "--danger-relay", "ws:"],
        &["get", "--danger-relay", "nowhere"],
        &["get", "--ca-file", "missing.pem"],
        &["get", "--ca-file", "empty.pem"],
        &["get", "--ca-file", "."],
        &["create", "--allow", "everything"],
        &["get", "--adapter", "hci0", "--danger-air", "127.0.0.1:0"],
        &["doctor", "--domain-id", "2"],
        &["doctor", "--domain-id", "cable.ua5v.com"],
        &["doctor", "--format", "xml"],
        &["doctor", "--ca-file", "missing.pem"],
    ] {
        let mut all = arguments.to_vec();
        if arguments.len() > 2 && arguments[0] != "doctor" {
            all.extend(ORIGIN);
        }
        assert_refused(&desk.run(&all, &request(300).to_string()), 2, "usage.arguments");
    }
    assert_eq!(desk.left(), ["empty.pem"]);
}

#[test]
fn only_an_origin_that_may_use_passkeys_is_one() {
    let desk = Desk::new();
    for origin in [
        "",
        "example.com",
        "http://example.com",
        "ftp://example.com",
        "https://",
        "https://192.0.2.1",
        "https://example.com/login",
        "https://user@example.com",
    ] {
        let arguments = [&["get", "--origin", origin][..], &AIR].concat();
        assert_refused(&desk.run(&arguments, &request(300).to_string()), 2, "usage.arguments");
    }
}

#[test]
fn options_that_cannot_be_used_are_named_before_a_code_is_shown() {
    let desk = Desk::new();
    let with = |pointer: &str, value: Value| {
        let mut options = creation();
        *options.pointer_mut(pointer).unwrap() = value;
        options.to_string()
    };
    let mut platform = creation();
    platform["authenticatorSelection"] = json!({"authenticatorAttachment": "platform"});
    let huge = format!("{{\"challenge\": \"{}\"}}", "A".repeat(1 << 20));
    for (options, id) in [
        ("", "options.invalid"),
        ("{", "options.invalid"),
        ("null", "options.invalid"),
        ("{}", "options.invalid"),
        ("{\"publicKey\": {}}", "options.invalid"),
        (&huge, "options.invalid"),
        (&platform.to_string(), "options.invalid"),
        (&format!("{} {{}}", creation()), "options.invalid"),
        (&with("/challenge", json!("not base64url!")), "options.invalid"),
        (&with("/user/id", json!("")), "options.invalid"),
        (&with("/pubKeyCredParams/0/alg", json!("ES256")), "options.invalid"),
        (&with("/rp/id", json!("com")), "options.rp-id"),
        (&with("/rp/id", json!("example.org")), "options.rp-id"),
        (&with("/rp/id", json!("www.login.example.com")), "options.rp-id"),
        (&with("/rp/id", json!("EXAMPLE.com")), "options.rp-id"),
        (&with("/rp/id", json!("")), "options.rp-id"),
    ] {
        let output = desk.run(&[&["create"][..], &ORIGIN, &AIR].concat(), options);
        assert_refused(&output, 2, id);
    }
    for (options, id) in [
        (json!({"rpId": "example.com"}), "options.invalid"),
        (json!({"challenge": 7}), "options.invalid"),
        (json!({"challenge": "AA", "timeout": -1}), "options.invalid"),
        (json!({"challenge": "AA", "allowCredentials": [{"type": "secret", "id": "AA"}]}), "options.invalid"),
        (json!({"challenge": "AA", "rpId": "co.uk"}), "options.rp-id"),
    ] {
        let output = desk.run(&[&["get"][..], &ORIGIN, &AIR].concat(), &options.to_string());
        assert_refused(&output, 2, id);
    }
}

#[test]
fn without_a_radio_it_says_so() {
    let desk = Desk::new();
    let output = desk.run(&[&["get"][..], &ORIGIN].concat(), &request(300).to_string());
    assert_refused(&output, 6, "radio.no-service");
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = [&["get", "--danger-air", &address][..], &ORIGIN].concat();
    let output = desk.run(&arguments, &request(300).to_string());
    assert_refused(&output, 6, "radio.air");
    assert!(text(&output.stderr).contains(&address));
}

#[test]
fn what_weakens_security_is_warned_of_each_time() {
    let desk = Desk::new();
    let arguments =
        [&["get", "--qr", "text", "--danger-relay", "ws://127.0.0.1:9"][..], &ORIGIN, &AIR].concat();
    for _ in 0..2 {
        let said = assert_fails(&desk.run(&arguments, &request(100).to_string()), 3, "phone.nobody-came");
        let warnings: Vec<_> = said.iter().filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warnings.len(), 2, "{said:?}");
        assert!(warnings.iter().any(|warning| warning.contains("no proximity")), "{said:?}");
        assert!(warnings.iter().any(|warning| warning.contains("without TLS")), "{said:?}");
    }
}

#[test]
fn nobody_comes_within_the_pages_own_timeout() {
    let desk = Desk::new();
    for (command, options) in [("get", request(300)), ("create", creation())] {
        let arguments = [&[command, "--qr", "text"][..], &ORIGIN, &AIR].concat();
        let output = desk.run(&arguments, &options.to_string());
        let said = assert_fails(&output, 3, "phone.nobody-came");
        let codes = said.iter().filter(|line| line.starts_with("FIDO:/")).count();
        assert_eq!(codes, 1, "{said:?}");
        assert!(said.iter().any(|line| line.ends_with("scan the code with the phone that has your passkey")));
    }
    assert_eq!(desk.left(), [""; 0]);
}

#[test]
fn a_phone_that_scanned_another_code_is_told_from_nobody() {
    let desk = Desk::new();
    let air = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = air.to_string();
    let arguments = [&["get", "--danger-air", &address][..], &ORIGIN].concat();
    let child = desk.start(&arguments, &request(1_000).to_string());
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    let advert = [&[0xff, 0xf9][..], &[7; 20]].concat();
    // Often enough that some of it comes while somebody listens.
    let speaking = thread::spawn(move || {
        for _ in 0..40 {
            let _ = phone.send_to(&advert, air);
            thread::sleep(Duration::from_millis(20));
        }
    });
    let said = assert_fails(&finish(child), 3, "phone.not-ours");
    assert!(said.iter().any(|line| line.ends_with("heard a phone that scanned another code")), "{said:?}");
    speaking.join().unwrap();
}

#[test]
fn two_requests_never_show_the_same_code() {
    let desk = Desk::new();
    let arguments = [&["get", "--qr", "text"][..], &ORIGIN, &AIR].concat();
    let code = || {
        let said = assert_fails(&desk.run(&arguments, &request(50).to_string()), 3, "phone.nobody-came");
        said.into_iter().find(|line| line.starts_with("FIDO:/")).unwrap()
    };
    assert_ne!(code(), code());
}

#[test]
fn events_are_json_lines_and_the_last_is_the_error() {
    let desk = Desk::new();
    let arguments = [&["get", "--qr", "png:code.png", "--events", "json"][..], &ORIGIN, &AIR].concat();
    let output = desk.run(&arguments, &request(300).to_string());
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), ""));
    let said = text(&output.stderr);
    let events: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line} in {said}")))
        .collect();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["warning", "code-shown", "stage", "error"]);
    assert_eq!(events[0]["id"], "danger.no-proximity");
    assert_eq!(events[2]["stage"], "waiting-for-phone");
    assert!(events[2]["elapsed_ms"].is_u64() && events[2]["if_stuck"].is_string());
    let error = events[3].as_object().unwrap();
    let members: Vec<_> = error.keys().map(String::as_str).collect();
    assert_eq!(members, ["event", "exit", "id", "message", "remedy"]);
    assert_eq!((&error["id"], &error["exit"]), (&json!("phone.nobody-came"), &json!(3)));
    assert!(!said.contains("FIDO:"), "the code is a secret: {said}");
}

#[test]
fn an_error_before_the_first_stage_is_an_event_too() {
    let desk = Desk::new();
    let arguments = [&["get", "--events", "json"][..], &ORIGIN].concat();
    for (options, exit, id) in [("", 2, "options.invalid"), (&*request(9).to_string(), 6, "radio.no-service")]
    {
        let output = desk.run(&arguments, options);
        let event: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!((&event["event"], &event["id"]), (&json!("error"), &json!(id)));
        assert_eq!((event["exit"].as_i64(), output.status.code()), (Some(exit.into()), Some(exit)));
    }
}

/// Waits for the picture of a code: there, whole, and for its owner only.
fn picture(path: &Path) -> Vec<u8> {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < PATIENCE, "no picture was written");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::read(path).unwrap()
}

#[test]
fn a_picture_of_the_code_is_private_and_goes_with_the_request() {
    for (form, magic) in [("png", &b"\x89PNG\r\n"[..]), ("svg", b"<?xml")] {
        let desk = Desk::new();
        let form_argument = format!("{form}:code.{form}");
        let arguments = [&["get", "--qr", &form_argument][..], &ORIGIN, &AIR].concat();
        let child = desk.start(&arguments, &request(2000).to_string());
        let bytes = picture(&desk.path().join(format!("code.{form}")));
        assert!(bytes.starts_with(magic), "{form}: {:?}", bytes.get(..8));
        let output = finish(child);
        let said = assert_fails(&output, 3, "phone.nobody-came");
        assert!(!said.iter().any(|line| line.contains("FIDO:") || line.contains('█')), "{said:?}");
        assert_eq!(desk.left(), [""; 0]);
    }
}

#[test]
fn a_file_that_is_there_already_is_left_alone() {
    let desk = Desk::new();
    fs::write(desk.path().join("mine.png"), "a photograph").unwrap();
    fs::create_dir(desk.path().join("folder")).unwrap();
    for form in ["png:mine.png", "svg:mine.png", "png:folder"] {
        let output =
            desk.run(&[&["get", "--qr", form][..], &ORIGIN, &AIR].concat(), &request(300).to_string());
        assert_fails(&output, 2, "usage.arguments");
    }
    assert_eq!(fs::read(desk.path().join("mine.png")).unwrap(), b"a photograph");
}

#[test]
fn a_picture_goes_when_the_program_is_stopped() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let desk = Desk::new();
        let arguments = [&["get", "--qr", "png:code.png"][..], &ORIGIN, &AIR].concat();
        let child = desk.start(&arguments, &request(60_000).to_string());
        picture(&desk.path().join("code.png"));
        let pid = child.id().to_string();
        // The shell's own: not every machine has the program.
        let killed = Command::new("sh").args(["-c", "kill \"$1\" \"$2\"", "sh", signal, &pid]).status();
        assert!(killed.unwrap().success());
        let output = finish(child);
        assert_eq!(desk.left(), [""; 0], "after {signal}");
        assert_fails(&output, 1, "interrupted");
    }
}

#[test]
fn a_picture_that_cannot_be_written_ends_the_request() {
    let desk = Desk::new();
    let arguments = [&["get", "--qr", "png:missing/code.png"][..], &ORIGIN, &AIR].concat();
    let said = assert_fails(&desk.run(&arguments, &request(300).to_string()), 1, "system.io");
    assert!(!said.iter().any(|line| line.contains("scan the code")), "{said:?}");
}

#[test]
fn completions_are_results_that_a_shell_can_read() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = desk.run(&["completions", shell], "");
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
        let said = text(&output.stdout);
        assert!(said.contains("danger-air") && said.contains("doctor"), "{shell}: {said}");
    }
    assert_refused(&desk.run(&["completions", "cmd"], ""), 2, "usage.arguments");
}

#[test]
fn a_page_and_a_code_in_the_terminal_do_not_go_together() {
    let desk = Desk::new();
    let arguments = [&["get", "--show", "page", "--qr", "text"][..], &ORIGIN, &AIR].concat();
    assert_refused(&desk.run(&arguments, &request(300).to_string()), 2, "usage.arguments");
}

/// Nobody looks, and no browser is there: the request goes on as without.
#[test]
fn a_page_that_nobody_can_open_is_named_where_the_person_is() {
    let desk = Desk::new();
    let arguments = [&["get", "--show", "page"][..], &ORIGIN, &AIR].concat();
    let said = assert_fails(&desk.run(&arguments, &request(500).to_string()), 3, "phone.nobody-came");
    let pages: Vec<_> = said.iter().filter(|line| line.contains("http://127.0.0.1:")).collect();
    assert_eq!(pages.len(), 1, "{said:?}");
    assert!(!said.iter().any(|line| line.contains("FIDO:") || line.contains('█')), "{said:?}");
    assert_eq!(desk.left(), [""; 0]);
}

#[test]
fn help_and_version_are_results() {
    let desk = Desk::new();
    for arguments in
        [&["--help"][..], &["get", "--help"], &["create", "--help"], &["doctor", "--help"], &["--version"]]
    {
        let output = desk.run(arguments, "");
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    }
    let about = text(&desk.run(&["--help"], "").stdout);
    for code in ["0 done", "2 usage", "3 nobody came", "4 declined", "6 radio", "7 relay", "8 the phone"] {
        assert!(about.contains(code), "{code} in {about}");
    }
    for command in ["get", "create"] {
        let help = text(&desk.run(&[command, "--help"], "").stdout);
        let danger = help.find("\nDanger:").unwrap();
        for flag in ["--origin", "--qr", "--events", "--adapter", "--connect-to", "--ca-file"] {
            assert!(help.find(&format!("{flag} ")).is_some_and(|at| at < danger), "{flag} in {help}");
        }
        for flag in ["--danger-air", "--danger-relay"] {
            assert!(help.find(&format!("{flag} ")).is_some_and(|at| at > danger), "{flag} in {help}");
        }
    }
}
