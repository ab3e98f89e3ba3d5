//! Passkeys of other programs, brought in and taken out by the real program.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use cablecar_phone::exchange::{Cost, Foreign, bitwarden, cxf, kdbx};
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Algorithm, Backup, CredentialId, Policy, PrivateKey, State, Unlocked, Vault};
use rand_core::OsRng;
use serde_json::{Value, json};
use tempfile::TempDir;

const CHEAP: Cost = Cost { memory_kib: 1024, passes: 1, lanes: 1 };

/// Id, RP ID, account, and a signature that its key alone makes.
type Signing = (Vec<u8>, String, Vec<u8>, Vec<u8>);

/// A home of its own, with a vault and two passphrases in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.path().join("pass"), "right\n").unwrap();
        fs::write(home.path().join("file-pass"), "of the file\n").unwrap();
        let made = home.run(&["init", "--danger-weak-kdf"]);
        assert_eq!(code(&made), 0, "{}", err(&made));
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("cablecar-phone").unwrap();
        command.env_clear().env("HOME", self.path()).current_dir(self.path());
        command.args(["--passphrase-file", "pass"]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn import(&self, file: &str, more: &[&str]) -> Output {
        self.run(&[&["import", file, "--file-passphrase-file", "file-pass"], more].concat())
    }

    fn export(&self, to: &str, file: &str, more: &[&str]) -> Output {
        self.run(&[&["export", "--to", to, file, "--file-passphrase-file", "file-pass"], more].concat())
    }

    fn vault_bytes(&self) -> Vec<u8> {
        fs::read(self.path().join(".local/share/cablecar/vault")).unwrap()
    }

    fn unlocked(&self) -> Unlocked {
        let state = Some(self.path().join(".local/state/cablecar"));
        let vault = Vault::in_file(self.path().join(".local/share/cablecar/vault"), state);
        vault.unlock(&Passphrase::new(b"right".to_vec()).unwrap()).unwrap()
    }

    /// What signs in, in the order of the ids.
    fn keys(&self) -> Vec<Signing> {
        let unlocked = self.unlocked();
        let mut keys: Vec<_> = unlocked
            .passkeys()
            .map(|one| {
                let signature = one.key.sign(b"a challenge").unwrap();
                (one.id.as_bytes().to_vec(), one.rp.id.clone(), one.user.id.clone(), signature)
            })
            .collect();
        keys.sort();
        keys
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

/// Warnings, but for the one that all of these vaults get.
fn cautions(output: &Output) -> usize {
    err(output)
        .lines()
        .filter(|line| line.starts_with("warning: ") && !line.contains("--danger-weak-kdf"))
        .count()
}

fn report(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", err(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_fails(output: &Output, exit: i32, id: &str) {
    let said = err(output);
    assert_eq!(code(output), exit, "{said}");
    assert!(said.contains(&format!(" ({id})\nremedy: ")), "{id} in {said}");
}

fn passkey(id: &[u8], rp_id: &str, algorithm: Algorithm) -> Foreign {
    let key = PrivateKey::random(algorithm, &mut OsRng).unwrap();
    let name = Some(format!("alice at {rp_id}"));
    Foreign { user_name: name, ..Foreign::new(id.to_vec(), rp_id.into(), b"alice".to_vec(), key) }
}

fn two() -> Vec<Foreign> {
    vec![
        passkey(&[7; 16], "one.example", Algorithm::Es256),
        passkey(&[8; 20], "two.example", Algorithm::Es256),
    ]
}

fn file_passphrase() -> Passphrase {
    Passphrase::new(b"of the file".to_vec()).unwrap()
}

#[test]
fn a_dry_run_shows_all_and_writes_nothing() {
    let home = Home::new();
    let mut export: Value = serde_json::from_slice(&bitwarden::write(&two(), 5).unwrap()).unwrap();
    export["items"][1]["login"]["fido2Credentials"][0]["keyAlgorithm"] = "RSASSA-PKCS1-v1_5".into();
    export["items"][0]["login"]["fido2Credentials"][0]["counter"] = "3".into();
    home.file("export.json", export.to_string().as_bytes());
    let before = home.vault_bytes();
    let shown = home.import("export.json", &["--dry-run"]);
    assert_eq!(code(&shown), 0, "{}", err(&shown));
    let lines: Vec<String> = out(&shown).lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "comes in  one.example  alice at one.example");
    assert_eq!(
        lines[1],
        "left out  two.example  alice at two.example  it signs with RS256, which cannot be served here (algorithm)"
    );
    assert!(
        lines[2].starts_with("note: one.example alice at one.example: its signature counter"),
        "{lines:?}"
    );
    assert_eq!(lines[3], "1 comes in, 1 left out; nothing was written");
    assert_eq!(home.vault_bytes(), before);

    let told = report(&home.import("export.json", &["--dry-run", "--format", "json"]));
    assert_eq!(
        (&told["verb"], &told["format"], &told["written"]),
        (&json!("import"), &json!("bitwarden"), &json!(false))
    );
    assert_eq!((&told["taken"], &told["left_out"]), (&json!(1), &json!(1)));
    assert_eq!(told["passkeys"][0]["notes"], json!(["counter-zeroed"]));
    assert_eq!(told["passkeys"][1]["reason"], "algorithm");
    assert_eq!(home.vault_bytes(), before);

    let told = report(&home.import("export.json", &["--format", "json"]));
    assert_eq!((&told["written"], &told["taken"]), (&json!(true), &json!(1)));
    let listed = home.run(&["list", "--format", "json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["rp_id"], "one.example");
    assert_eq!((&listed[0]["backup_eligible"], &listed[0]["backed_up"]), (&json!(true), &json!(true)));
    let again = report(&home.import("export.json", &["--format", "json"]));
    assert_eq!(again["passkeys"][0]["reason"], "already-here");
    assert_eq!(home.keys().len(), 1);
}

#[test]
fn what_goes_out_in_each_format_comes_into_another_vault_and_signs() {
    let home = Home::new();
    let mut all = two();
    all.push(passkey(b"ed", "three.example", Algorithm::EdDsa));
    home.file("start.json", &cxf::write(&all, 5).unwrap());
    assert_eq!(report(&home.import("start.json", &["--format", "json"]))["taken"], 3);
    let all = home.keys();
    for (to, left) in [("cxf", 0), ("kdbx", 0), ("bitwarden", 1), ("bitwarden-encrypted", 1)] {
        let told = report(&home.export(to, to, &["--format", "json"]));
        assert_eq!((&told["left_out"], &told["format"]), (&json!(left), &json!(to)));
        let other = Home::new();
        fs::copy(home.path().join(to), other.path().join("file")).unwrap();
        let told = report(&other.import("file", &["--format", "json"]));
        assert_eq!(told["taken"], 3 - left, "{to}");
        let expected: Vec<_> =
            all.iter().filter(|one| left == 0 || one.1 != "three.example").cloned().collect();
        assert_eq!(other.keys(), expected, "{to}");
        // What prf gives is the same, where the format carries it.
        let prf = |home: &Home| home.unlocked().passkeys().next().unwrap().prf.expose()[..32].to_vec();
        assert_eq!(prf(&other) == prf(&home), left == 0, "{to}");
    }
    let one =
        home.export("cxf", "one", &["--rp", "two.example", "--rp", "three.example", "--format", "json"]);
    assert_eq!(report(&one)["taken"], 2);
}

#[test]
fn a_file_in_the_way_stays_and_a_file_that_is_written_is_its_owners() {
    let home = Home::new();
    home.file("start.json", &cxf::write(&two(), 5).unwrap());
    assert_eq!(code(&home.import("start.json", &[])), 0);
    home.file("there", b"mine");
    assert_fails(&home.export("kdbx", "there", &[]), 2, "export.exists");
    assert_eq!(fs::read(home.path().join("there")).unwrap(), b"mine");
    let done = home.export("kdbx", "there", &["--force"]);
    assert_eq!((code(&done), cautions(&done)), (0, 0), "{}", err(&done));
    assert!(kdbx::is_kdbx(&fs::read(home.path().join("there")).unwrap()));
    let plain = home.export("cxf", "plain", &[]);
    assert_eq!((code(&plain), cautions(&plain)), (0, 1), "{}", err(&plain));
    assert_fails(&home.export("cxf", "no such folder/file", &[]), 1, "system.io");
    #[cfg(unix)]
    for name in ["there", "plain"] {
        let metadata = fs::metadata(home.path().join(name)).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600, "{name}");
    }
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{left:?}");
}

#[test]
fn an_export_is_remembered_and_what_is_bound_to_the_device_stays() {
    let home = Home::new();
    home.file("start.json", &cxf::write(&two(), 5).unwrap());
    assert_eq!(code(&home.import("start.json", &[])), 0);
    home.unlocked()
        .change(&mut OsRng, |contents| {
            contents.update(&CredentialId::new(vec![7; 16]), |one| one.backup = Backup::SYNCED);
            contents.update(&CredentialId::new(vec![8; 20]), |one| one.backup = Backup::DEVICE_BOUND);
            Ok(())
        })
        .unwrap();
    let done = home.export("cxf", "out", &[]);
    assert_eq!(code(&done), 0, "{}", err(&done));
    assert!(
        out(&done).contains(
            "left out  two.example  alice at two.example  it is bound to this device (device-bound)"
        ),
        "{}",
        out(&done)
    );
    let flags: Vec<_> =
        home.unlocked().passkeys().map(|one| (one.backup.eligible(), one.backup.done())).collect();
    assert_eq!(flags, [(true, true), (false, false)]);
    let text = fs::read_to_string(home.path().join("out")).unwrap();
    assert!(text.contains("one.example") && !text.contains("two.example"));
    let none = home.export("cxf", "none", &["--rp", "two.example"]);
    assert_fails(&none, 5, "export.nothing");
    assert!(out(&none).contains("(device-bound)") && !home.path().join("none").exists());
}

#[test]
fn a_vault_for_this_device_alone_takes_nothing_in() {
    let home = Home::new();
    let forbid = |contents: &mut cablecar_phone::vault::Contents| {
        contents.set_state(State { policy: Policy::DeviceBound, ..contents.state().clone() });
        Ok(())
    };
    home.unlocked().change(&mut OsRng, forbid).unwrap();
    home.file("start.json", &cxf::write(&two(), 5).unwrap());
    assert_fails(&home.import("start.json", &[]), 2, "import.policy");
    assert_eq!(home.keys().len(), 0);
}

#[test]
fn files_that_cannot_be_read_have_an_error_each_and_change_nothing() {
    let home = Home::new();
    let before = home.vault_bytes();
    let database =
        kdbx::write(&two(), 5, &Passphrase::new(b"another".to_vec()).unwrap(), CHEAP, &mut OsRng).unwrap();
    let mut flipped = kdbx::write(&two(), 5, &file_passphrase(), CHEAP, &mut OsRng).unwrap();
    let middle = flipped.len() - 200;
    flipped[middle] ^= 1;
    let sealed = bitwarden::write_sealed(&two(), 5, &file_passphrase(), CHEAP, &mut OsRng).unwrap();
    let sealed = String::from_utf8(sealed.to_vec()).unwrap();
    for (name, file, exit, id) in [
        ("empty", vec![], 2, "import.truncated"),
        ("text", b"hello".to_vec(), 2, "import.unknown-format"),
        ("zip", b"PK\x03\x04...".to_vec(), 2, "import.zip"),
        ("jwe", b"eyJhbGciOiJkaXIifQ.e30".to_vec(), 2, "import.sealed"),
        ("half.json", b"{\"items\":[".to_vec(), 2, "import.truncated"),
        ("no.json", b"{\"items\":[,]}".to_vec(), 2, "import.not-json"),
        ("deep.json", [b"{\"items\":".to_vec(), b"[".repeat(1_000_000)].concat(), 2, "import.too-deep"),
        ("shape.json", b"{\"encrypted\":false,\"items\":{}}".to_vec(), 2, "import.shape"),
        ("none.json", b"{\"encrypted\":false,\"items\":[]}".to_vec(), 5, "import.no-passkeys"),
        ("account.json", b"{\"encrypted\":true,\"items\":[]}".to_vec(), 2, "import.account-encrypted"),
        (
            "dear.json",
            sealed.replace("\"kdfMemory\": 1", "\"kdfMemory\": 4096").into_bytes(),
            2,
            "import.kdf-too-dear",
        ),
        (
            "scheme.json",
            sealed.replace("\"data\": \"2.", "\"data\": \"7.").into_bytes(),
            2,
            "import.encryption",
        ),
        ("other.kdbx", database.to_vec(), 2, "import.wrong-passphrase"),
        ("flipped.kdbx", flipped.to_vec(), 2, "import.damaged"),
        ("cut.kdbx", flipped[..300].to_vec(), 2, "import.truncated"),
        ("old.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\0\x03\0".to_vec(), 2, "import.kdbx-version"),
    ] {
        home.file(name, &file);
        let began = Instant::now();
        let output = home.import(name, &[]);
        assert_fails(&output, exit, id);
        assert_eq!(out(&output), "");
        assert!(began.elapsed() < Duration::from_secs(20), "{name}");
    }
    let large = fs::File::create(home.path().join("large")).unwrap();
    large.set_len(65 << 20).unwrap();
    assert_fails(&home.import("large", &[]), 2, "import.too-large");
    assert_fails(&home.import("not there", &[]), 1, "system.io");
    // Without a file for it, the passphrase is asked for; here is no terminal.
    let asked = home.command(&["import", "other.kdbx"]).output().unwrap();
    assert_fails(&asked, 1, "passphrase.cannot-ask");
    home.file("right.json", &cxf::write(&two(), 5).unwrap());
    assert_fails(&home.import("right.json", &["--from", "bitwarden"]), 2, "import.shape");
    assert_eq!(home.vault_bytes(), before);
}

#[test]
fn what_a_stranger_wrote_does_not_reach_the_terminal() {
    let home = Home::new();
    let mut one = passkey(&[7; 16], "xn--pple-43d.example", Algorithm::Es256);
    one.user_name = Some("a\u{1b}[2Jb\u{202e}c".into());
    home.file("start.json", &cxf::write(&[one], 5).unwrap());
    let shown = out(&home.import("start.json", &["--dry-run"]));
    assert!(
        shown.contains("a?[2Jb?c") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
        "{shown:?}"
    );
}

#[test]
fn five_thousand_come_in_and_go_out() {
    let home = Home::new();
    // Keys of P-256 take their time to be drawn; any scalar is one.
    let many: Vec<Foreign> = (0..5_000_u32)
        .map(|number| {
            let mut secret = [1; 32];
            secret[..4].copy_from_slice(&number.to_be_bytes());
            let key = PrivateKey::from_secret(Algorithm::Es256, &secret).unwrap();
            let rp_id = format!("site-{number}.example");
            Foreign::new([&secret[..4], &[5; 12]].concat(), rp_id, number.to_be_bytes().to_vec(), key)
        })
        .collect();
    home.file("many.json", &bitwarden::write(&many, 5).unwrap());
    let told = report(&home.import("many.json", &["--format", "json"]));
    assert_eq!((&told["taken"], &told["left_out"]), (&json!(5_000), &json!(0)));
    let told = report(&home.import("many.json", &["--format", "json"]));
    assert_eq!((&told["taken"], &told["left_out"]), (&json!(0), &json!(5_000)));
    assert_eq!(report(&home.export("kdbx", "many.kdbx", &["--format", "json"]))["taken"], 5_000);
    let other = Home::new();
    fs::copy(home.path().join("many.kdbx"), other.path().join("many.kdbx")).unwrap();
    assert_eq!(report(&other.import("many.kdbx", &["--format", "json"]))["taken"], 5_000);
    assert_eq!(other.unlocked().passkeys().count(), 5_000);
}

/// All of an import or none of it, whenever it is killed.
#[test]
fn an_import_that_is_killed_leaves_all_or_nothing() {
    let home = Home::new();
    let many: Vec<Foreign> = (0..400_u32)
        .map(|number| passkey(&number.to_be_bytes(), &format!("site-{number}.example"), Algorithm::EdDsa))
        .collect();
    home.file("many.json", &cxf::write(&many, 5).unwrap());
    let program = assert_cmd::cargo::cargo_bin("cablecar-phone");
    let start = || {
        let mut command = std::process::Command::new(&program);
        command.env_clear().env("HOME", home.path()).current_dir(home.path());
        command.args(["--passphrase-file", "pass", "import", "many.json"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let empty = home.vault_bytes();
    let vault = home.path().join(".local/share/cablecar/vault");
    let anchors = home.path().join(".local/state/cablecar");
    let began = Instant::now();
    assert!(start().wait().unwrap().success());
    let whole = began.elapsed();
    let (mut none, mut all) = (0, 0);
    let kills = 25;
    for kill in 0..kills {
        fs::write(&vault, &empty).unwrap();
        fs::remove_dir_all(&anchors).unwrap();
        let mut running = start();
        std::thread::sleep(whole * kill / (kills - 1));
        let _ = running.kill();
        running.wait().unwrap();
        match home.unlocked().passkeys().count() {
            0 => none += 1,
            400 => all += 1,
            some => panic!("{some} of 400 came in"),
        }
        // Whatever it left behind is in nobody's way.
        if kill % 8 == 0 {
            assert!(start().wait().unwrap().success());
            assert_eq!(home.unlocked().passkeys().count(), 400);
        }
    }
    assert!(none > 0, "no kill came early enough: {none} without, {all} with");
}
