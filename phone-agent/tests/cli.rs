//! The program as people and scripts meet it: arguments, exit codes, what it
//! says, and what is on the disk afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Algorithm, CredentialId, Passkey, Vault};
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::ctap::{RelyingParty, User};
use cablecar_protocol::qr::Hint;
use rand_core::OsRng;
use tempfile::TempDir;

/// A home of its own, with a passphrase file in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.path().join("pass"), "right\n").unwrap();
        fs::write(home.path().join("wrong"), "wrong\n").unwrap();
        home
    }

    fn with_vault() -> Self {
        let home = Self::new();
        let output = home.run(&["init", "--passphrase-file", "pass", "--danger-weak-kdf"]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn vault(&self) -> std::path::PathBuf {
        self.path().join(".local/share/cablecar/vault")
    }

    fn command(&self) -> Command {
        let mut command = Command::cargo_bin("cablecar-phone").unwrap();
        // A bus that is not there, whatever this machine has.
        let bus = format!("unix:path={}", self.path().join("no-bus").display());
        command.env_clear().env("DBUS_SYSTEM_BUS_ADDRESS", bus);
        command.env("HOME", self.path()).current_dir(self.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Writes a passkey through the library.
    fn add(&self, rp: &str, name: &str) {
        let vault = Vault::in_file(self.vault(), Some(self.path().join(".local/state/cablecar")));
        let mut unlocked = vault.unlock(&Passphrase::new(b"right".to_vec()).unwrap()).unwrap();
        let rp = RelyingParty { id: rp.into(), name: None };
        let user = User { id: b"1".to_vec(), name: Some(name.into()), display_name: None };
        let made = Passkey::random(Algorithm::Es256, rp, user, 1_795_219_200, &mut OsRng).unwrap();
        let passkey = Passkey { id: CredentialId::new(vec![0xff; 3]), ..made };
        unlocked.add(passkey, &mut OsRng).unwrap();
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Exit code and id; the last two lines are the error and its remedy, in
/// lower case and without a full stop.
fn assert_fails(output: &Output, exit: i32, id: &str) {
    let said = err(output);
    let lines: Vec<&str> = said.lines().collect();
    let [.., error, remedy] = lines[..] else { panic!("two lines in {said:?}") };
    assert_eq!(code(output), exit, "{said}");
    assert!(error.starts_with("error: ") && error.ends_with(&format!(" ({id})")), "{id} in {said}");
    assert!(remedy.starts_with("remedy: ") && !remedy.ends_with('.'), "{said}");
    assert!(!error["error: ".len()..].starts_with(|c: char| c.is_ascii_uppercase()), "{said}");
    assert_eq!(out(output), "");
}

fn fresh_code() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    code_made_at(now)
}

fn code_made_at(seconds: u64) -> String {
    let (_, invitation) = ExpectAdvert::invite(Hint::GetAssertion, seconds, &mut OsRng).unwrap();
    invitation.to_text().to_string()
}

/// A picture of these codes, side by side.
fn picture(path: &Path, codes: &[&str]) {
    const SCALE: usize = 4;
    let (mut rows, mut width) = (vec![Vec::new(); 100 * SCALE], 0);
    for code in codes {
        let qr = qrcode::QrCode::new(code).unwrap();
        for (y, row) in rows.iter_mut().enumerate() {
            row.resize(width, 255);
            for x in 0..100 * SCALE {
                let module = |at: usize| (at / SCALE).checked_sub(8).filter(|at| *at < qr.width());
                let dark = module(x).zip(module(y)).is_some_and(|at| qr[at] == qrcode::Color::Dark);
                row.push(if dark { 0 } else { 255 });
            }
        }
        width += 100 * SCALE;
    }
    let (width, height) = (rows[0].len().max(1), rows.len());
    rows.iter_mut().for_each(|row| row.resize(width, 255));
    let mut encoder = png::Encoder::new(
        fs::File::create(path).unwrap(),
        width.try_into().unwrap(),
        height.try_into().unwrap(),
    );
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&rows.concat()).unwrap();
}

#[test]
fn wrong_arguments_are_named_with_a_remedy() {
    let home = Home::with_vault();
    for (arguments, id) in [
        (&[][..], "usage.arguments"),
        (&["fly"], "usage.arguments"),
        (&["init", "--danger"], "usage.arguments"),
        (&["scan"], "usage.arguments"),
        (&["list", "--format", "xml"], "usage.arguments"),
        (&["list", "--events", "xml"], "usage.arguments"),
        (&["scan", "-", "--domain-id", "2"], "usage.arguments"),
        (&["scan", "-", "--domain-id", "65536"], "usage.arguments"),
        (&["scan", "-", "--connect-to", "here"], "usage.arguments"),
        (&["scan", "-", "--danger-relay", "https://example.com"], "usage.arguments"),
        (&["scan", "-", "--danger-relay", "nowhere"], "usage.arguments"),
        (&["scan", "-", "--danger-air", "192.0.2.1:4577"], "usage.arguments"),
        (&["scan", "-", "--danger-air", "localhost"], "usage.arguments"),
        (&["scan", "-", "--danger-consent", "maybe"], "usage.arguments"),
        (&["scan", "-", "--danger-consent", "after=soon"], "usage.arguments"),
        (&["scan", "-", "--ca-file", "missing.pem"], "usage.arguments"),
        (&["scan", "-", "--ca-file", "pass"], "usage.arguments"),
        (&["scan", "code.png", "--camera"], "usage.arguments"),
        (&["scan", "FIDO:/1"], "qr.handed-over"),
        (&["scan", "fido:/12x"], "qr.handed-over"),
        (&["scan", "FIDO:/1", "--accept-link"], "qr.malformed"),
        (&["scan", "fido:/12x", "--accept-link"], "qr.malformed"),
        (&["scan", "missing.png"], "qr.unreadable"),
        (&["scan", "pass"], "qr.unreadable"),
        (&["list", "--passphrase-file", "missing"], "passphrase.file"),
    ] {
        let output = home.run(arguments);
        assert_fails(&output, 2, id);
    }
}

#[test]
fn help_and_version_are_results() {
    let home = Home::new();
    for arguments in [&["--help"][..], &["scan", "--help"], &["--version"], &["completions", "fish"]] {
        let output = home.run(arguments);
        assert_eq!((code(&output), err(&output).as_str()), (0, ""));
    }
    let help = out(&home.run(&["scan", "--help"]));
    let danger = help.find("\nDanger:").unwrap();
    for flag in ["--danger-air", "--danger-relay", "--danger-consent"] {
        assert!(help.rfind(flag).unwrap() > danger, "{flag}");
    }
}

#[test]
fn init_makes_a_vault_for_its_owner_and_never_a_second_one() {
    let home = Home::new();
    let output = home.run(&["init", "--passphrase-file", "pass"]);
    let told = format!("the vault is made: {}\n", home.vault().display());
    assert_eq!((code(&output), out(&output), err(&output)), (0, String::new(), told));
    let before = fs::read(home.vault()).unwrap();
    // 64 MiB, 3 passes, 1 lane.
    assert_eq!(before[42..54], [0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]);
    assert_fails(&home.run(&["init", "--passphrase-file", "wrong"]), 1, "vault.exists");
    assert_eq!(fs::read(home.vault()).unwrap(), before);
    let output = home.run(&["list", "--passphrase-file", "pass", "--format", "json"]);
    assert_eq!((code(&output), out(&output).as_str()), (0, "[]\n"));
}

#[test]
fn init_does_not_overwrite_what_is_no_vault() {
    let home = Home::new();
    fs::write(home.path().join("precious"), "my only copy").unwrap();
    let output = home.run(&["init", "--vault", "precious", "--passphrase-file", "pass", "--danger-weak-kdf"]);
    assert_fails(&output, 1, "vault.exists");
    assert_eq!(fs::read(home.path().join("precious")).unwrap(), b"my only copy");
}

#[test]
fn an_empty_or_missing_passphrase_makes_no_vault() {
    let home = Home::new();
    fs::write(home.path().join("empty"), "\n").unwrap();
    assert_fails(&home.run(&["init", "--passphrase-file", "empty"]), 2, "passphrase.empty");
    assert_fails(&home.run(&["init", "--passphrase-file", "missing"]), 2, "passphrase.file");
    assert!(!home.vault().exists());
}

#[cfg(target_os = "linux")]
#[test]
fn without_room_on_the_disk_no_vault_is_left_half_written() {
    let home = Home::new();
    let program = assert_cmd::cargo::cargo_bin("cablecar-phone");
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" init --passphrase-file pass --danger-weak-kdf";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(program)
        .env("HOME", home.path())
        .current_dir(home.path())
        .output()
        .unwrap();
    assert_fails(&output, 1, "vault.disk-full");
    let folder = home.vault().parent().unwrap().to_owned();
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["vault.lock"]);
}

#[test]
fn a_wrong_passphrase_a_missing_and_a_damaged_vault_are_told_apart() {
    let home = Home::with_vault();
    assert_fails(&home.run(&["list", "--passphrase-file", "wrong"]), 1, "vault.wrong-passphrase");
    let good = fs::read(home.vault()).unwrap();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (bytes, id) in [
        (&damaged[..], "vault.damaged"),
        (&good[..good.len() - 1], "vault.truncated"),
        (b"", "vault.truncated"),
        (b"not a vault", "vault.not-a-vault"),
        (b"CABLECAR\0\x02", "vault.unknown-version"),
    ] {
        fs::write(home.vault(), bytes).unwrap();
        assert_fails(&home.run(&["list", "--passphrase-file", "pass"]), 1, id);
    }
    fs::remove_file(home.vault()).unwrap();
    for arguments in [&["list", "--passphrase-file", "pass"][..], &["scan", &fresh_code(), "--accept-link"]] {
        assert_fails(&home.run(arguments), 1, "vault.not-found");
    }
}

#[test]
fn an_older_copy_needs_a_word() {
    let home = Home::with_vault();
    let old = fs::read(home.vault()).unwrap();
    home.add("example.com", "alice");
    fs::write(home.vault(), old).unwrap();
    assert_fails(&home.run(&["list", "--passphrase-file", "pass"]), 1, "vault.rolled-back");
    let output = home.run(&["list", "--passphrase-file", "pass", "--accept-rollback"]);
    assert_eq!(code(&output), 0);
    assert!(err(&output).starts_with("warning: --accept-rollback: "));
    assert_eq!(code(&home.run(&["list", "--passphrase-file", "pass"])), 0);
}

#[test]
fn a_list_shows_accounts_and_no_secrets() {
    let home = Home::with_vault();
    assert_eq!(out(&home.run(&["list", "--passphrase-file", "pass"])), "");
    home.add("example.com", "ali\u{1b}[31mce");
    let output = home.run(&["list", "--passphrase-file", "pass"]);
    assert_eq!((code(&output), out(&output).as_str()), (0, "example.com  ali?[31mce  made 2026-11-21\n"));
    let listed = out(&home.run(&["list", "--passphrase-file", "pass", "--format", "json"]));
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let expected = serde_json::json!([{
        "credential_id": "____", "rp_id": "example.com", "rp_name": null, "user_id": "MQ",
        "user_name": "ali\u{1b}[31mce", "user_display_name": null, "created_at": 1_795_219_200,
        "discoverable": true, "backup_eligible": true, "backed_up": false,
    }]);
    assert_eq!(listed, expected);
}

#[test]
fn a_weak_vault_is_warned_of_each_time() {
    let home = Home::new();
    let made = home.run(&["init", "--passphrase-file", "pass", "--danger-weak-kdf"]);
    let listed = home.run(&["list", "--passphrase-file", "pass"]);
    for output in [made, listed] {
        assert!(err(&output).starts_with("warning: the vault is as good as open"), "{}", err(&output));
    }
}

#[test]
fn without_a_radio_it_says_so_after_the_code_was_read() {
    let home = Home::with_vault();
    assert_fails(&home.run(&["scan", &fresh_code(), "--accept-link"]), 6, "radio.no-service");
    assert_fails(&home.run(&["scan", &fresh_code().to_lowercase(), "--accept-link"]), 6, "radio.no-service");
    let piped =
        home.command().args(["scan", "-"]).write_stdin(format!("\n {} \n", fresh_code())).output().unwrap();
    assert_fails(&piped, 6, "radio.no-service");
    let piped = home.command().args(["scan", "-"]).write_stdin("").output().unwrap();
    assert_fails(&piped, 2, "qr.malformed");
}

#[test]
fn a_picture_holds_one_code_or_is_refused() {
    let home = Home::with_vault();
    let at = |name: &str| home.path().join(name);
    let (first, second) = (fresh_code(), fresh_code());
    picture(&at("one.png"), &[&first]);
    picture(&at("beside.png"), &[&first, "https://example.com"]);
    picture(&at("twice.png"), &[&first, &first]);
    picture(&at("several.png"), &[&first, &second]);
    picture(&at("other.png"), &["https://example.com"]);
    picture(&at("none.png"), &[]);
    for name in ["one.png", "beside.png", "twice.png"] {
        assert_fails(&home.run(&["scan", name]), 6, "radio.no-service");
    }
    assert_fails(&home.run(&["scan", "several.png"]), 2, "qr.several");
    assert_fails(&home.run(&["scan", "other.png"]), 2, "qr.none");
    assert_fails(&home.run(&["scan", "none.png"]), 2, "qr.none");
    // What a file is, its content says.
    let bytes = fs::read(at("one.png")).unwrap();
    let grey = image::load_from_memory(&bytes).unwrap().into_luma8();
    grey.save_with_format(at("jpeg.png"), image::ImageFormat::Jpeg).unwrap();
    assert_fails(&home.run(&["scan", "jpeg.png"]), 6, "radio.no-service");
    fs::copy(at("one.png"), at("without-a-name")).unwrap();
    assert_fails(&home.run(&["scan", "without-a-name"]), 6, "radio.no-service");
    fs::write(at("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    assert_fails(&home.run(&["scan", "cut.png"]), 2, "qr.unreadable");
}

/// As a desktop does it that was told to open such links with this program.
#[test]
fn a_link_that_is_handed_over_is_refused_unless_the_person_says_otherwise() {
    let home = Home::with_vault();
    let code = fresh_code();
    let before = fs::read(home.vault()).unwrap();
    for link in [&code, &code.to_lowercase()] {
        let refused = home.run(&["scan", link]);
        assert_fails(&refused, 2, "qr.handed-over");
        assert!(err(&refused).contains("--accept-link"), "{}", err(&refused));
        assert!(!err(&refused).contains(&code[10..40]), "{}", err(&refused));
    }
    assert_eq!(fs::read(home.vault()).unwrap(), before);
    let accepted = home.run(&["scan", &code, "--accept-link"]);
    assert_fails(&accepted, 6, "radio.no-service");
    assert!(err(&accepted).starts_with("warning: --accept-link: "), "{}", err(&accepted));
    let help = out(&home.run(&["scan", "--help"]));
    assert!(help.contains("CVE-2024-9956"), "{help}");
}

#[test]
fn a_camera_that_is_not_there_is_said_to_be_none() {
    let home = Home::with_vault();
    assert_fails(&home.run(&["scan", "--camera", "missing"]), 2, "camera.none");
    let refused = home.run(&["scan", "--camera", "pass"]);
    assert_fails(&refused, 2, "camera.none");
    if !cfg!(feature = "camera") {
        assert!(err(&refused).contains("--features camera"), "{}", err(&refused));
    }
}

/// A relay that gives one answer to the first request.
fn relay(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("GET /cable/new/"), "{head}");
        stream.write_all(answer.as_bytes()).unwrap();
    });
    url
}

#[test]
fn what_a_relay_answers_is_told_apart() {
    let home = Home::with_vault();
    let scan = |url: &str, code: &str| {
        home.run(&[
            "scan",
            code,
            "--accept-link",
            "--danger-relay",
            url,
            "--danger-air",
            "127.0.0.1:9",
            "--passphrase-file",
            "pass",
        ])
    };
    for (answer, exit, id) in [
        ("HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n", 7, "relay.code-in-use"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 7, "relay.not-found"),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 7, "relay.not-allowed"),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", 7, "relay.not-allowed"),
        ("SSH-2.0-something\r\n\r\n", 7, "relay.answer"),
    ] {
        let output = scan(&relay(answer), &fresh_code());
        assert_fails(&output, exit, id);
        let warnings: Vec<String> =
            err(&output).lines().filter(|l| l.starts_with("warning: ")).map(str::to_owned).collect();
        assert!(warnings.iter().any(|warning| warning.contains("no proximity")), "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.contains("--danger-relay")), "{warnings:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_fails(&scan(&format!("ws://{closed}"), &fresh_code()), 7, "relay.unreachable");
    assert_fails(&scan("ws://name.invalid", &fresh_code()), 7, "relay.name");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls = format!("wss://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"this is no TLS at all"));
    assert_fails(&scan(&no_tls, &fresh_code()), 7, "relay.tls");
    assert_fails(&scan("ws://127.0.0.1:9", &code_made_at(1_700_000_000)), 1, "qr.too-old");
}

#[test]
fn events_are_json_lines_and_nothing_else() {
    let home = Home::with_vault();
    let url = relay("HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n");
    let output = home.run(&[
        "scan",
        &fresh_code(),
        "--accept-link",
        "--danger-relay",
        &url,
        "--danger-air",
        "127.0.0.1:9",
        "--danger-consent",
        "allow",
        "--events",
        "json",
    ]);
    let said = err(&output);
    let events: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let field =
        |name: &str| -> Vec<&str> { events.iter().filter_map(|event| event[name].as_str()).collect() };
    assert_eq!(field("event"), ["warning", "warning", "warning", "warning", "warning", "stage", "error"]);
    assert_eq!(
        field("id"),
        [
            "qr.link-accepted",
            "danger.no-proximity",
            "danger.consent",
            "danger.relay",
            "danger.weak-kdf",
            "relay.code-in-use"
        ]
    );
    assert_eq!(field("stage"), ["connecting"]);
    assert_eq!((events.last().unwrap()["exit"].as_u64(), code(&output)), (Some(7), 7));
}
