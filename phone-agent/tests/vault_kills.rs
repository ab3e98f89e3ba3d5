//! A vault whose writer is killed, and one with two writers. The writer is
//! this very program, told on standard input what to write: a kill needs a
//! process.
//!
//! `CABLECAR_KILLS` says how often to kill, 25 times if it does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, also in its own functions")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{
    Algorithm, Backup, CredentialId, Kdf, Passkey, PrfSecrets, PrivateKey, Protection, Vault,
};
use cablecar_protocol::ctap::{RelyingParty, User};
use rand_core::OsRng;

fn passphrase() -> Passphrase {
    Passphrase::new(b"right".to_vec()).unwrap()
}

fn vault(folder: &Path) -> Vault {
    Vault::in_file(folder.join("vault"), Some(folder.join("state")))
}

fn passkey(user: &str) -> Passkey {
    Passkey {
        id: CredentialId::random(&mut OsRng).unwrap(),
        rp: RelyingParty { id: "example.com".into(), name: None },
        user: User { id: user.into(), name: None, display_name: None },
        key: PrivateKey::random(Algorithm::Es256, &mut OsRng).unwrap(),
        created_at: 0,
        backup: Backup::SYNCED,
        prf: PrfSecrets::random(&mut OsRng).unwrap(),
        discoverable: true,
        protection: Protection::Optional,
        counter: 0,
        blob: None,
        large_blob_key: None,
    }
}

fn users(vault: &Vault) -> Vec<String> {
    let unlocked = vault.unlock(&passphrase()).unwrap();
    unlocked.passkeys().map(|passkey| String::from_utf8(passkey.user.id.clone()).unwrap()).collect()
}

/// Not a test: the part of the writer. Reads a folder, a name and a number;
/// adds that many passkeys and says so after each.
#[test]
#[ignore = "the part that the other tests start as a process of its own"]
fn part_of_the_writer() {
    let lines: Vec<String> = std::io::stdin().lines().map_while(Result::ok).collect();
    let [folder, name, number] = &lines[..] else { return };
    let vault = vault(Path::new(folder));
    let mut out = std::io::stdout();
    writeln!(out, "ready").unwrap();
    for index in 0..number.parse().unwrap() {
        let user = format!("{name}-{index}");
        // As the program does: opened for each request.
        vault.unlock(&passphrase()).unwrap().add(passkey(&user), &mut OsRng).unwrap();
        writeln!(out, "stored {user}").unwrap();
        out.flush().unwrap();
    }
}

fn start_writer(folder: &Path, name: &str, number: usize) -> Child {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "part_of_the_writer", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = writer.stdin.take().unwrap();
    write!(stdin, "{}\n{name}\n{number}\n", folder.display()).unwrap();
    writer
}

/// Numbers that look random and are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn a_killed_writer_leaves_the_old_vault_or_the_new_one() {
    let kills: usize = std::env::var("CABLECAR_KILLS").map_or(25, |text| text.parse().unwrap());
    let mut seeded = Seeded(0x5eed_cab1e);
    let (mut stored_in_all, mut killed_at_work) = (0, 0);
    let mut folder = tempfile::tempdir().unwrap();
    let mut expected: Vec<String> = Vec::new();
    for kill in 0..kills {
        if kill % 25 == 0 {
            // A vault that grows for ever would make the later kills rare.
            folder = tempfile::tempdir().unwrap();
            expected.clear();
            vault(folder.path()).create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
        }
        let name = format!("kill{kill}");
        let mut writer = start_writer(folder.path(), &name, 10_000);
        let mut out = BufReader::new(writer.stdout.take().unwrap());
        // Every second one is killed early, perhaps before it wrote at all.
        let awaited = if kill % 2 == 0 { "ready" } else { "stored" };
        let mut said = String::new();
        while !said.contains(awaited) {
            assert_ne!(out.read_line(&mut said).unwrap(), 0, "the writer did not start: {said}");
        }
        std::thread::sleep(Duration::from_micros(seeded.below(30_000)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        out.read_to_string(&mut said).unwrap();
        let said: Vec<String> =
            said.lines().filter_map(|line| line.strip_prefix("stored ")).map(str::to_owned).collect();

        let found = users(&vault(folder.path()));
        expected.extend(said.iter().cloned());
        stored_in_all += said.len();
        // The one under way may have got there without a word.
        if found.len() == expected.len() + 1 {
            killed_at_work += 1;
            expected.push(format!("{name}-{}", said.len()));
        }
        killed_at_work += usize::from(folder.path().join(".vault.new").exists());
        assert_eq!(found, expected, "kill {kill}");
    }
    // A writer that never got to write would prove nothing.
    assert!(stored_in_all >= kills / 2, "{stored_in_all} stored in {kills} runs");
    let _ = writeln!(
        std::io::stderr(),
        "{kills} kills, {stored_in_all} passkeys stored, {killed_at_work} kills between write and word"
    );
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    vault(folder.path()).create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let writers = ["a", "b"].map(|name| start_writer(folder.path(), name, 20));
    for mut writer in writers {
        let mut out = String::new();
        writer.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert!(writer.wait().unwrap().success(), "{out}");
    }
    let found = users(&vault(folder.path()));
    let of = |name: &str| found.iter().filter(|user| user.starts_with(name)).cloned().collect::<Vec<_>>();
    for name in ["a-", "b-"] {
        let expected: Vec<String> = (0..20).map(|index| format!("{name}{index}")).collect();
        assert_eq!(of(name), expected);
    }
    assert_eq!(found.len(), 40);
}
