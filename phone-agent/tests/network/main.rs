//! The program and the network around it: proxies, certificates, relays that
//! are none, and the doctor who looks at all of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that cannot go on fails, also in its own functions"
)]

mod certificates;
mod doctor;
mod proxies;
mod radio;
mod stand_in;
#[cfg(unix)]
mod tokens;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::qr::Hint;
use rand_core::OsRng;
use tempfile::TempDir;

/// The host of domain id 0.
const HOST: &str = "cable.ua5v.com";

/// A phone with a vault, and nothing of this machine's around it: no bus, no
/// proxy, no certificates.
struct Phone {
    folder: TempDir,
}

impl Phone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pass"), "right\n").unwrap();
        let phone = Self { folder };
        let made =
            phone.command(&["init", "--passphrase-file", "pass", "--danger-weak-kdf"]).output().unwrap();
        assert!(made.status.success());
        phone
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn vault(&self) -> PathBuf {
        self.path(".local/share/cablecar/vault")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("cablecar-phone").unwrap();
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.path("no-bus").display()))
            .env("SSL_CERT_FILE", self.path("no-certificates"))
            .current_dir(self.folder.path())
            .args(arguments)
            .timeout(std::time::Duration::from_secs(60));
        command
    }

    /// Scans a fresh code, heard over the stand-in for the radio.
    fn scan(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["scan", "-", "--danger-air", "127.0.0.1:9"]);
        command.args(["--passphrase-file", "pass"]).args(arguments).write_stdin(fresh_code());
        command
    }
}

fn fresh_code() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    ExpectAdvert::invite(Hint::GetAssertion, now, &mut OsRng).unwrap().1.to_text().to_string()
}

/// What the program ended with: exit code, the id of its error, and all that
/// it said to people.
fn ended(output: &Output) -> (i32, String, String) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    let id = error.rsplit_once('(').map_or("", |(_, id)| id.trim_end_matches(')'));
    (output.status.code().unwrap(), id.to_owned(), said.clone())
}
