//! The way from `cablecar install browser` to a program that a browser
//! starts, and back.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

use super::{Browser, program};

/// What a command says on standard output, with its exit code and the id of
/// its error.
fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(program());
    command.args(arguments).env_clear().env("HOME", home).timeout(super::PATIENCE);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", home.join("no-bus").display()));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let id = said.lines().find_map(|line| line.strip_suffix(')')?.rsplit_once('(')).map_or("", |(_, id)| id);
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), id.to_owned())
}

/// The checks of browsers in the doctor's report: the program's own words.
fn doctor(home: &Path) -> Vec<(String, String)> {
    let arguments =
        ["doctor", "--format", "json", "--danger-air", "127.0.0.1:0", "--danger-relay", "ws://127.0.0.1:9"];
    let report: Value = serde_json::from_str(&run(home, &arguments).1).unwrap();
    let checks = report["checks"].as_array().unwrap().clone();
    let browsers = checks.into_iter().filter(|check| check["check"] == "browser");
    browsers
        .map(|check| {
            let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            (text("result"), text("id"))
        })
        .collect()
}

fn pair(result: &str, id: &str) -> (String, String) {
    (result.to_owned(), id.to_owned())
}

#[test]
fn a_browser_starts_what_its_manifest_names() {
    let home = tempfile::tempdir().unwrap();
    for folder in [".config/chromium", ".mozilla"] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
    }
    // Where a program lies that somebody has brought along.
    let brought = home.path().join("with a space");
    fs::create_dir(&brought).unwrap();
    let brought = brought.join("cablecar");
    fs::copy(program(), &brought).unwrap();
    let with_program = ["install", "browser", "--program", brought.to_str().unwrap()];
    let (exit, said, _) = run(home.path(), &with_program);
    assert_eq!((exit, said.lines().count()), (0, 2), "{said}");
    assert!(said.lines().all(|line| line.starts_with("wrote     /")), "{said}");
    assert!(run(home.path(), &with_program).1.lines().all(|line| line.starts_with("kept      /")));
    assert_eq!(doctor(home.path()), [pair("ok", ""), pair("ok", "")]);

    let chromium = home.path().join(".config/chromium/NativeMessagingHosts/org.cablecar.browser_host.json");
    let firefox = home.path().join(".mozilla/native-messaging-hosts/org.cablecar.browser_host.json");
    for manifest in [&chromium, &firefox] {
        let about: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
        // As each browser does: the path, who may start it, and its arguments.
        let admitted = |member: &str| about[member][0].as_str().map(str::to_owned);
        let arguments = match admitted("allowed_origins") {
            Some(origin) => vec![origin],
            None => vec![manifest.to_str().unwrap().to_owned(), admitted("allowed_extensions").unwrap()],
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let path = Path::new(about["path"].as_str().unwrap());
        let mut browser = Browser::starts(path, &arguments, home.path(), &[]);
        browser.say(&json!({"id": 1, "ask": "status"}));
        assert_eq!(browser.hear()["status"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(browser.close(), (0, String::new()));
    }

    fs::remove_file(&brought).unwrap();
    fs::write(&firefox, "{").unwrap();
    assert_eq!(
        doctor(home.path()),
        [pair("finding", "install.program"), pair("finding", "install.manifest")]
    );

    let (exit, said, _) = run(home.path(), &["install", "browser", "--remove"]);
    assert_eq!(exit, 0);
    let words: Vec<_> = said.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["removed", "left"]);
    assert!(!chromium.exists() && firefox.exists());
}

#[test]
fn the_extension_comes_out_of_the_program() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("extension");
    let arguments =
        ["install", "browser", "--browser", "firefox", "--extension-to", folder.to_str().unwrap()];
    let (exit, said, _) = run(home.path(), &arguments);
    assert_eq!(exit, 0);
    assert!(said.starts_with(&format!("unpacked  {}", folder.display())), "{said}");
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    // All that it names is there.
    let worker = manifest["background"]["service_worker"].as_str().unwrap();
    assert!(folder.join(worker).is_file());
    assert!(folder.join(manifest["action"]["default_popup"].as_str().unwrap()).is_file());
    fs::write(folder.join("manifest.json"), "{}").unwrap();
    assert_eq!(run(home.path(), &arguments).2, "install.extension-folder");
}

#[test]
fn what_cannot_be_installed_is_said() {
    let home = tempfile::tempdir().unwrap();
    let fails = |arguments: &[&str]| {
        let (exit, _, id) = run(home.path(), &[&["install", "browser"][..], arguments].concat());
        (exit, id)
    };
    assert_eq!(fails(&[]), (1, "install.no-browser".into()));
    assert_eq!(fails(&["--program", "missing", "--browser", "zen"]), (2, "install.program".into()));
    assert_eq!(fails(&["--folder", "x"]), (2, "usage.arguments".into()));
    assert_eq!(fails(&["--browser", "netscape"]), (2, "usage.arguments".into()));
    assert_eq!(fails(&["--remove", "--program", "/bin/true"]), (2, "usage.arguments".into()));
    fs::create_dir_all(home.path().join(".config/mozilla/firefox")).unwrap();
    assert_eq!(fails(&["--browser", "firefox"]), (1, "install.profile-would-move".into()));
    assert_eq!(run(home.path(), &["install", "browser", "--remove"]).1, "there was nothing to remove\n");
    assert!(!home.path().join(".mozilla").exists());
}
