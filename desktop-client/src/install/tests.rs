//! Every path, in a home that a test makes.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::doors::browser_host::caller::{CHROMIUM_ID, FIREFOX_ID};

/// A person with a program, and with folders of browsers.
struct Person(TempDir);

impl Person {
    fn with(folders: &[&str]) -> Self {
        let person = Self(tempfile::tempdir().unwrap());
        fs::write(person.program(), "#!/bin/sh\n").unwrap();
        make_runnable(&person.program());
        for folder in folders {
            fs::create_dir_all(person.path(folder)).unwrap();
        }
        person
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn program(&self) -> PathBuf {
        self.path("cablecar")
    }

    fn home(&self) -> Home {
        Home::linux(self.path(""), None)
    }

    fn install(&self, browsers: &[Browser]) -> Result<Account, Fault> {
        plan(browsers).install(&self.home(), &self.program())
    }

    fn remove(&self, browsers: &[Browser]) -> Account {
        plan(browsers).remove(&self.home()).unwrap()
    }

    /// Every manifest below the home, without it.
    fn manifests(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut left = vec![self.path("")];
        while let Some(folder) = left.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    left.push(path);
                } else if path.extension().is_some() {
                    let path = path.strip_prefix(self.path("")).unwrap();
                    found.insert(path.to_str().unwrap().to_owned());
                }
            }
        }
        found
    }
}

fn plan(browsers: &[Browser]) -> Plan {
    Plan { browsers: browsers.to_vec(), folder: None }
}

fn make_runnable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn deeds(account: &Account) -> Vec<&Deed> {
    account.0.iter().map(|line| &line.deed).collect()
}

/// Folder that tells that a browser is there, browser, folder of manifests.
const LINUX: &[(&str, Browser, &str)] = &[
    (".config/chromium", Browser::Chromium, ".config/chromium/NativeMessagingHosts"),
    ("snap/chromium", Browser::Chromium, "snap/chromium/common/chromium/NativeMessagingHosts"),
    (
        ".var/app/org.chromium.Chromium",
        Browser::Chromium,
        ".var/app/org.chromium.Chromium/config/chromium/NativeMessagingHosts",
    ),
    (".config/google-chrome", Browser::Chrome, ".config/google-chrome/NativeMessagingHosts"),
    (
        ".var/app/com.google.Chrome",
        Browser::Chrome,
        ".var/app/com.google.Chrome/config/google-chrome/NativeMessagingHosts",
    ),
    (".config/microsoft-edge", Browser::Edge, ".config/microsoft-edge/NativeMessagingHosts"),
    (
        ".var/app/com.microsoft.Edge",
        Browser::Edge,
        ".var/app/com.microsoft.Edge/config/microsoft-edge/NativeMessagingHosts",
    ),
    (
        ".config/BraveSoftware/Brave-Browser",
        Browser::Brave,
        ".config/BraveSoftware/Brave-Browser/NativeMessagingHosts",
    ),
    (
        ".var/app/com.brave.Browser",
        Browser::Brave,
        ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser/NativeMessagingHosts",
    ),
    (".config/vivaldi", Browser::Vivaldi, ".config/vivaldi/NativeMessagingHosts"),
    (
        ".var/app/com.vivaldi.Vivaldi",
        Browser::Vivaldi,
        ".var/app/com.vivaldi.Vivaldi/config/vivaldi/NativeMessagingHosts",
    ),
    (".mozilla", Browser::Firefox, ".mozilla/native-messaging-hosts"),
    (
        ".var/app/org.mozilla.firefox",
        Browser::Firefox,
        ".var/app/org.mozilla.firefox/.mozilla/native-messaging-hosts",
    ),
    (".librewolf", Browser::LibreWolf, ".librewolf/native-messaging-hosts"),
    (
        ".var/app/io.gitlab.librewolf-community",
        Browser::LibreWolf,
        ".var/app/io.gitlab.librewolf-community/.librewolf/native-messaging-hosts",
    ),
    (".zen", Browser::Zen, ".mozilla/native-messaging-hosts"),
    (".config/zen", Browser::Zen, ".mozilla/native-messaging-hosts"),
    (".var/app/app.zen_browser.zen", Browser::Zen, ".mozilla/native-messaging-hosts"),
];

#[test]
fn each_browser_is_told_where_it_looks_and_nobody_else() {
    for (sign, browser, folder) in LINUX {
        let person = Person::with(&[sign]);
        let account = person.install(&[]).unwrap();
        let manifest = format!("{folder}/org.cablecar.browser_host.json");
        assert_eq!(deeds(&account), [&Deed::Wrote], "{sign}");
        assert_eq!(person.manifests(), BTreeSet::from([manifest.clone()]), "{sign}");
        let written: Value = serde_json::from_slice(&fs::read(person.path(&manifest)).unwrap()).unwrap();
        let (member, id) = match browser.engine() {
            Engine::Chromium => ("allowed_origins", format!("chrome-extension://{CHROMIUM_ID}/")),
            Engine::Gecko => ("allowed_extensions", FIREFOX_ID.to_owned()),
        };
        let expected = json!({
            "name": "org.cablecar.browser_host", "description": "Cablecar: passkeys from the phone",
            "path": person.program(), "type": "stdio", member: [id],
        });
        assert_eq!(written, expected, "{sign}");
        assert_eq!(deeds(&person.install(&[]).unwrap()), [&Deed::Kept], "{sign}");
        assert_eq!(deeds(&person.remove(&[])), [&Deed::Removed], "{sign}");
        assert_eq!(person.manifests(), BTreeSet::new(), "{sign}");
        assert!(person.remove(&[]).0.is_empty());
    }
}

#[test]
fn the_snap_of_firefox_is_told_at_both_places() {
    let person = Person::with(&["snap/firefox"]);
    let account = person.install(&[]).unwrap();
    assert_eq!(deeds(&account), [&Deed::Wrote, &Deed::Wrote]);
    let paths = ["", "snap/firefox/common/"]
        .map(|at| format!("{at}.mozilla/native-messaging-hosts/org.cablecar.browser_host.json"));
    assert_eq!(person.manifests(), BTreeSet::from(paths));
    let said = account.to_string();
    assert!(said.contains("flatpak permission-set webextensions org.cablecar.browser_host snap.firefox yes"));
}

#[test]
fn a_browser_in_a_sandbox_needs_a_word_from_a_person() {
    for (sign, app) in [
        (".var/app/org.mozilla.firefox", "org.mozilla.firefox"),
        (".var/app/com.brave.Browser", "com.brave.Browser"),
        (".var/app/app.zen_browser.zen", "app.zen_browser.zen"),
    ] {
        let person = Person::with(&[sign]);
        let said = person.install(&[]).unwrap().to_string();
        let permission =
            format!("--filesystem={}:ro --system-talk-name=org.bluez {app}", person.program().display());
        assert!(said.contains(&permission), "{said}");
    }
    let plain = Person::with(&[".config/chromium"]).install(&[]).unwrap().to_string();
    assert_eq!(plain.lines().count(), 1, "{plain}");
}

#[test]
fn on_macos_all_are_told_in_the_folder_of_applications() {
    let at = "Library/Application Support";
    for (sign, folder) in [
        ("Chromium", "Chromium"),
        ("Google/Chrome", "Google/Chrome"),
        ("Microsoft Edge", "Microsoft Edge"),
        ("BraveSoftware/Brave-Browser", "BraveSoftware/Brave-Browser"),
        ("Vivaldi", "Vivaldi"),
        ("Firefox", "Mozilla"),
        ("LibreWolf", "LibreWolf"),
        ("zen", "Mozilla"),
    ] {
        let person = Person::with(&[&format!("{at}/{sign}")]);
        plan(&[]).install(&Home::macos(person.path("")), &person.program()).unwrap();
        let manifest = format!("{at}/{folder}/NativeMessagingHosts/org.cablecar.browser_host.json");
        assert_eq!(person.manifests(), BTreeSet::from([manifest]), "{sign}");
    }
}

#[test]
fn the_configuration_may_be_elsewhere() {
    let person = Person::with(&["settings/chromium"]);
    let home = Home::linux(person.path(""), Some(person.path("settings")));
    plan(&[]).install(&home, &person.program()).unwrap();
    let manifest = "settings/chromium/NativeMessagingHosts/org.cablecar.browser_host.json";
    assert_eq!(person.manifests(), BTreeSet::from([manifest.to_owned()]));
}

#[test]
fn a_browser_that_is_named_is_meant_also_before_its_first_start() {
    let person = Person::with(&[]);
    assert_eq!(person.install(&[]), Err(Fault::NoBrowser));
    assert_eq!(deeds(&person.install(&[Browser::Vivaldi]).unwrap()), [&Deed::Wrote]);
    assert_eq!(deeds(&person.remove(&[Browser::Brave])), [&Deed::Absent]);
    assert_eq!(deeds(&person.remove(&[Browser::Vivaldi])), [&Deed::Removed]);
    assert!(!person.path(".config/vivaldi").exists(), "what was made for it alone goes with it");
}

#[test]
fn a_folder_that_would_hide_a_profile_is_not_made() {
    let person = Person::with(&[".config/mozilla/firefox"]);
    let account = person.install(&[]).unwrap();
    let profile = person.path(".config/mozilla/firefox");
    assert_eq!(account.fault(), Some(&Fault::ProfileWouldMove(profile)));
    assert!(!person.path(".mozilla").exists());
    // The other browsers are served all the same.
    let person = Person::with(&[".config/mozilla/firefox", ".config/chromium"]);
    assert_eq!(*deeds(&person.install(&[]).unwrap())[0], Deed::Wrote);
    // With the folder there, there is no harm to be done.
    fs::create_dir(person.path(".mozilla")).unwrap();
    assert_eq!(person.install(&[]).unwrap().fault(), None);
}

#[test]
fn what_is_replaced_or_left_is_said() {
    let person = Person::with(&[".config/chromium"]);
    let manifest = person.path(".config/chromium/NativeMessagingHosts/org.cablecar.browser_host.json");
    person.install(&[]).unwrap();
    let other = person.path("moved");
    fs::copy(person.program(), &other).unwrap();
    let account = plan(&[]).install(&person.home(), &other).unwrap();
    assert_eq!(deeds(&account), [&Deed::Replaced(format!("named {}", person.program().display()))]);
    for (theirs, says) in [
        ("", "is no manifest"),
        ("{}", "is no manifest"),
        (r#"{"name": "com.example.other", "path": "/bin/true", "type": "stdio"}"#, "com.example.other"),
        (
            r#"{"name": "org.cablecar.browser_host", "path": "/bin/true", "type": "stdio", "allowed_origins":
                ["chrome-extension://abcdefghijklmnopabcdefghijklmnop/"]}"#,
            "admits other extensions",
        ),
    ] {
        fs::write(&manifest, theirs).unwrap();
        let left = person.remove(&[]);
        assert!(matches!(deeds(&left)[..], [Deed::Left(what)] if what.contains(says)), "{left:?}");
        assert_eq!(fs::read_to_string(&manifest).unwrap(), theirs);
        let replaced = person.install(&[]).unwrap();
        assert!(
            matches!(deeds(&replaced)[..], [Deed::Replaced(what)] if what.contains(says)),
            "{replaced:?}"
        );
        assert!(replaced.to_string().contains(says));
    }
}

#[test]
fn a_link_in_its_place_is_not_followed() {
    let person = Person::with(&[".config/chromium/NativeMessagingHosts"]);
    let manifest = person.path(".config/chromium/NativeMessagingHosts/org.cablecar.browser_host.json");
    let precious = person.path("precious");
    fs::write(&precious, "do not touch").unwrap();
    for link in [&manifest, &manifest.with_extension("json.new")] {
        std::os::unix::fs::symlink(&precious, link).unwrap();
    }
    let account = person.install(&[]).unwrap();
    assert!(matches!(deeds(&account)[..], [Deed::Replaced(_)]), "{account:?}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "do not touch");
    assert!(manifest.symlink_metadata().unwrap().is_file());
    assert_eq!(person.manifests().len(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_stops_nothing_else() {
    let person = Person::with(&[".config/chromium", ".mozilla"]);
    fs::write(person.path(".config/chromium/NativeMessagingHosts"), "a file").unwrap();
    let account = person.install(&[]).unwrap();
    assert!(matches!(account.fault(), Some(Fault::Io { .. })), "{account:?}");
    assert_eq!(*deeds(&account)[1], Deed::Wrote);
}

#[test]
fn only_a_program_that_can_be_started_is_named() {
    let person = Person::with(&[".config/chromium"]);
    fs::write(person.path("no-program"), "").unwrap();
    for bad in ["missing", "no-program", ".config"] {
        let failed = plan(&[]).install(&person.home(), &person.path(bad)).unwrap_err();
        assert_eq!(failed.advice().1, "install.program", "{bad}");
    }
    assert_eq!(person.manifests(), BTreeSet::new());
    // A link is followed once and for all.
    let link = person.path("link");
    std::os::unix::fs::symlink(person.program(), &link).unwrap();
    plan(&[]).install(&person.home(), &link).unwrap();
    assert_eq!(deeds(&person.install(&[]).unwrap()), [&Deed::Kept]);
}

#[test]
fn a_folder_elsewhere_is_for_one_browser() {
    let person = Person::with(&[]);
    let folder = Some(person.path("profile/NativeMessagingHosts"));
    let to = |browsers: &[Browser]| Plan { browsers: browsers.to_vec(), folder: folder.clone() };
    assert_eq!(to(&[]).install(&person.home(), &person.program()), Err(Fault::FolderForOne));
    let both = to(&[Browser::Chromium, Browser::Firefox]);
    assert_eq!(both.remove(&person.home()), Err(Fault::FolderForOne));
    to(&[Browser::Chromium]).install(&person.home(), &person.program()).unwrap();
    let manifest = "profile/NativeMessagingHosts/org.cablecar.browser_host.json";
    assert_eq!(person.manifests(), BTreeSet::from([manifest.to_owned()]));
    assert_eq!(deeds(&to(&[Browser::Chromium]).remove(&person.home()).unwrap()), [&Deed::Removed]);
    assert!(person.path("profile/NativeMessagingHosts").exists(), "the folder is whoever's who named it");
}

#[test]
fn the_doctor_sees_what_is_installed_and_whether_it_still_holds() {
    let person = Person::with(&[".config/chromium", ".mozilla"]);
    assert_eq!(examine(&person.home()), []);
    person.install(&[]).unwrap();
    let ids = || {
        let found = examine(&person.home()).into_iter();
        found.map(|(_, found)| found.map_or_else(|fault| fault.advice().1, |_| "ok")).collect::<Vec<_>>()
    };
    assert_eq!(ids(), ["ok", "ok"]);
    let firefox = person.path(".mozilla/native-messaging-hosts/org.cablecar.browser_host.json");
    fs::write(firefox, "{}").unwrap();
    assert_eq!(ids(), ["ok", "install.manifest"]);
    fs::remove_file(person.program()).unwrap();
    assert_eq!(ids(), ["install.program", "install.manifest"]);
}
