//! A home with a vault, and the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Algorithm, Backup, CredentialId, Passkey, Unlocked, Vault};
use cablecar_protocol::ctap::{RelyingParty, User};
use rand_core::OsRng;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Home(TempDir);

impl Home {
    /// With passphrase files and no vault.
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for word in ["right", "wrong", "other"] {
            fs::write(home.at(word), format!("{word}\n")).unwrap();
        }
        home
    }

    /// With an empty vault as well.
    pub(crate) fn with_vault() -> Self {
        let home = Self::new();
        home.done(&["init", "--danger-weak-kdf"]);
        home
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.at(".local/share/cablecar/vault")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.vault()).unwrap()
    }

    /// Runs the program with a passphrase file, and without a terminal.
    pub(crate) fn with_passphrase(&self, word: &str, arguments: &[&str]) -> Output {
        let program = assert_cmd::cargo::cargo_bin("cablecar-phone");
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(program).args(arguments).args(["--passphrase-file", word]);
        command.env_clear().env("HOME", self.path()).current_dir(self.path()).output().unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.with_passphrase("right", arguments)
    }

    /// Runs it to a good end and gives its result.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, with the result as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.done(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Runs it to a bad end: exit code, and id with a remedy.
    pub(crate) fn fails(&self, arguments: &[&str], exit: i32, id: &str) -> String {
        assert_fails(&self.run(arguments), exit, id)
    }

    pub(crate) fn open(&self) -> Unlocked {
        let vault = Vault::in_file(self.vault(), Some(self.at(".local/state/cablecar")));
        vault.unlock(&Passphrase::new(b"right".to_vec()).unwrap()).unwrap()
    }

    pub(crate) fn add(&self, passkey: Passkey) {
        self.open().add(passkey, &mut OsRng).unwrap();
    }

    /// Two passkeys that may be synced, and one that may not.
    pub(crate) fn with_three() -> Self {
        let home = Self::with_vault();
        home.add(passkey("one.example", "alice", 0x11));
        home.add(passkey("two.example", "bob", 0x22));
        home.add(Passkey { backup: Backup::DEVICE_BOUND, ..passkey("bound.example", "carol", 0x33) });
        home
    }
}

/// A passkey whose id is 32 times this byte.
pub(crate) fn passkey(rp: &str, name: &str, id: u8) -> Passkey {
    let rp = RelyingParty { id: rp.into(), name: None };
    let user = User { id: name.into(), name: Some(name.into()), display_name: None };
    let made = Passkey::random(Algorithm::Es256, rp, user, 1_795_219_200, &mut OsRng).unwrap();
    Passkey { id: CredentialId::new(vec![id; 32]), ..made }
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Exit code, id and remedy, and no result; gives what was said.
pub(crate) fn assert_fails(output: &Output, exit: i32, id: &str) -> String {
    let said = err(output);
    let lines: Vec<&str> = said.lines().collect();
    let [.., error, remedy] = lines[..] else { panic!("two lines in {said:?}") };
    assert_eq!(code(output), exit, "{said}");
    assert!(error.starts_with("error: ") && error.ends_with(&format!(" ({id})")), "{id} in {said}");
    assert!(remedy.starts_with("remedy: ") && !remedy.ends_with('.'), "{said}");
    assert_eq!(output.stdout, b"", "{said}");
    said
}
