//! The program and the network around it: proxies, certificates, relays that
//! are none, no radio, and the doctor who looks at all of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

mod certificates;
mod doctor;
mod proxies;
mod radio;
mod stand_in;

use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The host of domain id 0.
const HOST: &str = "cable.ua5v.com";

/// A computer with nothing of this machine's around it: no bus, no proxy, no
/// certificates.
struct Computer {
    folder: TempDir,
}

impl Computer {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cablecar"));
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

    /// The doctor, who hears over the stand-in for the radio.
    fn doctor(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["doctor", "--format", "json", "--danger-air", "127.0.0.1:0"]);
        command.args(arguments);
        command
    }
}

/// What the program ended with: exit code, the id of its error, and all that
/// it said to people.
fn ended(output: &Output) -> (i32, String, String) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    let id = error.rsplit_once('(').map_or("", |(_, id)| id.trim_end_matches(')'));
    (output.status.code().unwrap(), id.to_owned(), said.clone())
}

/// The first thing that a doctor found: its id and sentence; nothing where
/// all is well.
fn first_finding(mut doctor: Command) -> (String, String) {
    let output = doctor.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no report, but {}", String::from_utf8_lossy(&output.stderr)));
    let checks = report["checks"].as_array().unwrap();
    let finding = checks.iter().find(|check| check["result"] == "finding");
    let text = |name: &str| finding.map_or("", |finding| finding[name].as_str().unwrap()).to_owned();
    (text("id"), text("detail"))
}
