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
use cablecar_phone::vault::{Algorithm, Kdf, Passkey, Vault};
use cablecar_protocol::ctap::{RelyingParty, User};
use rand_core::OsRng;

fn passphrase() -> Passphrase {
    Passphrase::new(b"right".to_vec()).unwrap()
}

fn vault(folder: &Path) -> Vault {
    Vault::in_file(folder.join("vault"), Some(folder.join("state")))
}

fn passkey(user: &str) -> Passkey {
    let rp = RelyingParty { id: "example.com".into(), name: None };
    let user = User { id: user.into(), name: None, display_name: None };
    Passkey::random(Algorithm::Es256, rp, user, 0, &mut OsRng).unwrap()
}

fn users(vault: &Vault) -> Vec<String> {
    let unlocked = vault.unlock(&passphrase()).unwrap();
    unlocked.passkeys().map(|passkey| String::from_utf8(passkey.user.id.clone()).unwrap()).collect()
}

/// What a writer does, again and again, until it is killed.
#[derive(Clone, Copy)]
enum Work {
    /// Adds a passkey.
    Passkeys,
    /// Spends a guess of the PIN before it would compare, and after the last
    /// one sets another PIN. The number of guesses goes into the large blobs
    /// too, in the same change.
    Guesses,
    /// Changes the passphrase, from "right" to "left" and back.
    Passphrases,
    /// Adds a passkey, and writes a backup that has its name.
    Backups,
}

/// Not a test: the part of the writer. Reads a folder, a name, a number and a
/// work; does it that many times and says so after each.
#[test]
#[ignore = "the part that the other tests start as a process of its own"]
fn part_of_the_writer() {
    let lines: Vec<String> = std::io::stdin().lines().map_while(Result::ok).collect();
    let [folder, name, number, work] = &lines[..] else { return };
    let vault = vault(Path::new(folder));
    let mut out = std::io::stdout();
    writeln!(out, "ready").unwrap();
    for index in 0..number.parse().unwrap() {
        // As the program does: opened for each request.
        let said = match work.as_str() {
            "passkeys" => {
                let user = format!("{name}-{index}");
                vault.unlock(&passphrase()).unwrap().add(passkey(&user), &mut OsRng).unwrap();
                user
            }
            "guesses" => spend_a_guess(&vault).to_string(),
            "backups" => {
                let user = format!("{name}-{index}");
                vault.unlock(&passphrase()).unwrap().add(passkey(&user), &mut OsRng).unwrap();
                let backup = Path::new(folder).join(format!("backup-{user}"));
                vault.back_up(&passphrase(), &backup, &mut OsRng).unwrap();
                user
            }
            _ => change_passphrase(&vault),
        };
        writeln!(out, "stored {said}").unwrap();
        out.flush().unwrap();
    }
}

fn spend_a_guess(vault: &Vault) -> u8 {
    let mut unlocked = vault.unlock(&passphrase()).unwrap();
    let spent = unlocked.change(&mut OsRng, |contents| {
        let mut state = contents.state().clone();
        state.pin_retries = state.pin_retries.checked_sub(1).unwrap_or(8);
        state.large_blobs = vec![state.pin_retries];
        let left = state.pin_retries;
        contents.set_state(state);
        Ok(left)
    });
    spent.unwrap()
}

fn change_passphrase(vault: &Vault) -> String {
    let [right, left] = ["right", "left"].map(|word| Passphrase::new(word.into()).unwrap());
    let (mut unlocked, new, word) = match vault.unlock(&right) {
        Ok(unlocked) => (unlocked, left, "left"),
        Err(_) => (vault.unlock(&left).unwrap(), right, "right"),
    };
    unlocked.change_passphrase(&new, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    word.to_owned()
}

fn start_writer(folder: &Path, name: &str, number: usize, work: Work) -> Child {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "part_of_the_writer", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let work = match work {
        Work::Passkeys => "passkeys",
        Work::Guesses => "guesses",
        Work::Passphrases => "passphrases",
        Work::Backups => "backups",
    };
    let mut stdin = writer.stdin.take().unwrap();
    write!(stdin, "{}\n{name}\n{number}\n{work}\n", folder.display()).unwrap();
    writer
}

/// Starts a writer and kills it at some moment; gives what it said it stored.
fn kill_one(folder: &Path, name: &str, work: Work, early: bool, seeded: &mut Seeded) -> Vec<String> {
    let mut writer = start_writer(folder, name, 10_000, work);
    let mut out = BufReader::new(writer.stdout.take().unwrap());
    let awaited = if early { "ready" } else { "stored" };
    let mut said = String::new();
    while !said.contains(awaited) {
        assert_ne!(out.read_line(&mut said).unwrap(), 0, "the writer did not start: {said}");
    }
    std::thread::sleep(Duration::from_micros(seeded.below(30_000)));
    writer.kill().unwrap();
    writer.wait().unwrap();
    out.read_to_string(&mut said).unwrap();
    // The last line may be cut.
    let whole = said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    whole.filter_map(|line| line.strip_prefix("stored ")).map(str::to_owned).collect()
}

fn kills() -> usize {
    std::env::var("CABLECAR_KILLS").map_or(25, |text| text.parse().unwrap())
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
    let kills = kills();
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
        // Every second one is killed early, perhaps before it wrote at all.
        let said = kill_one(folder.path(), &name, Work::Passkeys, kill % 2 == 0, &mut seeded);

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

/// What a thief of the running phone would like: that pulling the plug gives a
/// guess back.
#[test]
fn a_guess_that_was_spent_stays_spent_whoever_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let (mut left, mut spent) = (8, 0);
    let mut seeded = Seeded(0x9_0e55);
    for kill in 0..kills() {
        let said = kill_one(folder.path(), "", Work::Guesses, kill % 2 == 0, &mut seeded);
        for now in &said {
            assert_eq!(now.parse(), Ok(if left == 0 { 8 } else { left - 1 }), "kill {kill}");
            left = now.parse().unwrap();
        }
        spent += said.len();
        let state = vault.unlock(&passphrase()).unwrap().state().clone();
        // The one under way may have been spent without a word, never given back.
        let under_way = if left == 0 { 8 } else { left - 1 };
        assert!([left, under_way].contains(&state.pin_retries), "kill {kill}: {left}, {}", state.pin_retries);
        left = state.pin_retries;
        // All of a change or none of it.
        assert!(state.large_blobs == [left] || (spent == 0 && left == 8), "kill {kill}");
    }
    assert!(spent >= kills() / 2, "{spent} guesses spent");
}

#[test]
fn a_change_of_the_passphrase_is_whole_or_did_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let mut first = vault.unlock(&passphrase()).unwrap();
    for user in ["alice", "bob", "carol"] {
        first.add(passkey(user), &mut OsRng).unwrap();
    }
    let mut seeded = Seeded(0xc4a_93ed);
    let mut changes = 0;
    for kill in 0..kills() {
        changes += kill_one(folder.path(), "", Work::Passphrases, kill % 2 == 0, &mut seeded).len();
        let opened: Vec<usize> = ["right", "left"]
            .iter()
            .filter_map(|word| vault.unlock(&Passphrase::new((*word).into()).unwrap()).ok())
            .map(|unlocked| unlocked.passkeys().count())
            .collect();
        assert_eq!(opened, [3], "kill {kill}: one passphrase opens it, and all is there");
    }
    assert!(changes >= kills() / 2, "{changes} changes");
}

#[test]
fn there_is_no_backup_that_the_vault_does_not_know_of() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let mut seeded = Seeded(0xbac_cab1e);
    let mut backups = 0;
    for kill in 0..kills() {
        let said = kill_one(folder.path(), &format!("kill{kill}"), Work::Backups, kill % 2 == 0, &mut seeded);
        backups += said.len();
        for passkey in vault.unlock(&passphrase()).unwrap().passkeys() {
            let user = String::from_utf8(passkey.user.id.clone()).unwrap();
            let backup = folder.path().join(format!("backup-{user}"));
            // It may be marked though its backup has no name yet.
            assert!(passkey.backup.done() || !backup.exists(), "kill {kill}: {user}");
        }
    }
    assert!(backups >= kills() / 2, "{backups} backups");
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    vault(folder.path()).create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let writers = ["a", "b"].map(|name| start_writer(folder.path(), name, 20, Work::Passkeys));
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
