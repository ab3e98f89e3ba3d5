//! Which browser looks for manifests where.
//!
//! Chromium's kin look in `NativeMessagingHosts` of the folder that holds
//! their profiles (each vendor's page on native messaging). Firefox looks in
//! `~/.mozilla/native-messaging-hosts` wherever its profiles are, Zen there
//! too, LibreWolf in a folder of its own name. Within a snap or a flatpak, a
//! browser sees another home.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::fault::Fault;
use crate::doors::browser_host::caller::{HOST_NAME, manifest_name};

/// A browser that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Browser {
    Chromium,
    Chrome,
    Edge,
    Brave,
    Vivaldi,
    Firefox,
    LibreWolf,
    Zen,
}

/// What a browser is made of: it decides the form of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Chromium and its kin.
    Chromium,
    /// Firefox and its kin.
    Gecko,
}

/// How a browser was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Package {
    Plain,
    Snap,
    /// With its id.
    Flatpak(&'static str),
}

impl Browser {
    /// All of them.
    pub const ALL: [Browser; 8] = [
        Browser::Chromium,
        Browser::Chrome,
        Browser::Edge,
        Browser::Brave,
        Browser::Vivaldi,
        Browser::Firefox,
        Browser::LibreWolf,
        Browser::Zen,
    ];

    pub(super) fn engine(self) -> Engine {
        match self {
            Browser::Firefox | Browser::LibreWolf | Browser::Zen => Engine::Gecko,
            _ => Engine::Chromium,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Browser::Chromium => "Chromium",
            Browser::Chrome => "Chrome",
            Browser::Edge => "Edge",
            Browser::Brave => "Brave",
            Browser::Vivaldi => "Vivaldi",
            Browser::Firefox => "Firefox",
            Browser::LibreWolf => "LibreWolf",
            Browser::Zen => "Zen",
        }
    }
}

/// One way in which one browser is there: the browser, how it was installed,
/// the folder above that of the manifests, and the folders that tell that it
/// was used. `~` stands for the home, `+` for the configuration folder.
type Row = (Browser, Package, &'static str, &'static [&'static str]);

const LINUX: &[Row] = {
    use Browser::*;
    use Package::*;
    &[
        (Chromium, Plain, "+/chromium", &["+/chromium"]),
        (Chromium, Snap, "~/snap/chromium/common/chromium", &["~/snap/chromium"]),
        (
            Chromium,
            Flatpak("org.chromium.Chromium"),
            "~/.var/app/org.chromium.Chromium/config/chromium",
            &["~/.var/app/org.chromium.Chromium"],
        ),
        (Chrome, Plain, "+/google-chrome", &["+/google-chrome"]),
        (
            Chrome,
            Flatpak("com.google.Chrome"),
            "~/.var/app/com.google.Chrome/config/google-chrome",
            &["~/.var/app/com.google.Chrome"],
        ),
        (Edge, Plain, "+/microsoft-edge", &["+/microsoft-edge"]),
        (
            Edge,
            Flatpak("com.microsoft.Edge"),
            "~/.var/app/com.microsoft.Edge/config/microsoft-edge",
            &["~/.var/app/com.microsoft.Edge"],
        ),
        (Brave, Plain, "+/BraveSoftware/Brave-Browser", &["+/BraveSoftware/Brave-Browser"]),
        (
            Brave,
            Flatpak("com.brave.Browser"),
            "~/.var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
            &["~/.var/app/com.brave.Browser"],
        ),
        (Vivaldi, Plain, "+/vivaldi", &["+/vivaldi"]),
        (
            Vivaldi,
            Flatpak("com.vivaldi.Vivaldi"),
            "~/.var/app/com.vivaldi.Vivaldi/config/vivaldi",
            &["~/.var/app/com.vivaldi.Vivaldi"],
        ),
        (Firefox, Plain, "~/.mozilla", &["~/.mozilla", "+/mozilla/firefox"]),
        // The portal that starts a snap's programs looks in the true home.
        (Firefox, Snap, "~/.mozilla", &["~/snap/firefox"]),
        (Firefox, Snap, "~/snap/firefox/common/.mozilla", &["~/snap/firefox"]),
        (
            Firefox,
            Flatpak("org.mozilla.firefox"),
            "~/.var/app/org.mozilla.firefox/.mozilla",
            &["~/.var/app/org.mozilla.firefox"],
        ),
        (LibreWolf, Plain, "~/.librewolf", &["~/.librewolf", "+/librewolf"]),
        (
            LibreWolf,
            Flatpak("io.gitlab.librewolf-community"),
            "~/.var/app/io.gitlab.librewolf-community/.librewolf",
            &["~/.var/app/io.gitlab.librewolf-community"],
        ),
        (Zen, Plain, "~/.mozilla", &["~/.zen", "+/zen"]),
        (Zen, Flatpak("app.zen_browser.zen"), "~/.mozilla", &["~/.var/app/app.zen_browser.zen"]),
    ]
};

/// `+` is `~/Library/Application Support`.
const MACOS: &[Row] = {
    use Browser::*;
    use Package::*;
    &[
        (Chromium, Plain, "+/Chromium", &["+/Chromium"]),
        (Chrome, Plain, "+/Google/Chrome", &["+/Google/Chrome"]),
        (Edge, Plain, "+/Microsoft Edge", &["+/Microsoft Edge"]),
        (Brave, Plain, "+/BraveSoftware/Brave-Browser", &["+/BraveSoftware/Brave-Browser"]),
        (Vivaldi, Plain, "+/Vivaldi", &["+/Vivaldi"]),
        (Firefox, Plain, "+/Mozilla", &["+/Mozilla", "+/Firefox"]),
        (LibreWolf, Plain, "+/LibreWolf", &["+/LibreWolf", "+/librewolf"]),
        (Zen, Plain, "+/Mozilla", &["+/zen"]),
    ]
};

/// Where Firefox and its kin keep profiles since they follow the XDG paths,
/// beside the folder whose mere presence makes them look there instead.
const MOVED_PROFILES: &[(&str, &str)] =
    &[("~/.mozilla", "+/mozilla/firefox"), ("~/.librewolf", "+/librewolf")];

/// The person's folders.
#[derive(Debug, Clone)]
pub struct Home {
    home: PathBuf,
    config: PathBuf,
    table: Option<&'static [Row]>,
    /// What the folder of manifests is called in Firefox and its kin.
    gecko: &'static str,
}

/// What the folder of manifests is called in Chromium and its kin, and on
/// macOS in all browsers.
const CAPITALS: &str = "NativeMessagingHosts";

impl Home {
    /// On Linux: the home, and `XDG_CONFIG_HOME` where it is set.
    pub fn linux(home: PathBuf, config: Option<PathBuf>) -> Self {
        let config = config.filter(|path| path.is_absolute()).unwrap_or_else(|| home.join(".config"));
        Self { home, config, table: Some(LINUX), gecko: "native-messaging-hosts" }
    }

    /// On macOS.
    pub fn macos(home: PathBuf) -> Self {
        Self { config: home.join("Library/Application Support"), home, table: Some(MACOS), gecko: CAPITALS }
    }

    /// Of whoever runs this.
    ///
    /// # Errors
    /// [`Fault::NoHome`].
    pub fn of_environment() -> Result<Self, Fault> {
        let home = std::env::home_dir().filter(|home| home.is_absolute()).ok_or(Fault::NoHome)?;
        Ok(if cfg!(target_os = "macos") {
            Self::macos(home)
        } else if cfg!(unix) {
            Self::linux(home, std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from))
        } else {
            Self { config: home.clone(), home, table: None, gecko: CAPITALS }
        })
    }

    /// The places for these browsers, or of all that were used here if none
    /// is named. Whoever names one means it, also if it was never started.
    pub(super) fn places(&self, named: &[Browser]) -> Result<Vec<Place>, Fault> {
        let table = self.table.ok_or(Fault::Platform)?;
        let mut places: Vec<Place> = Vec::new();
        for (browser, package, above, signs) in table {
            let used = signs.iter().any(|sign| self.path(sign).exists());
            let meant = named.contains(browser) && *package == Package::Plain;
            if !(meant || used && (named.is_empty() || named.contains(browser))) {
                continue;
            }
            let name = if browser.engine() == Engine::Gecko { self.gecko } else { CAPITALS };
            let folder = self.path(above).join(name);
            let user = (*browser, *package);
            match places.iter_mut().find(|place| place.folder == folder) {
                Some(place) => place.users.push(user),
                None => places.push(Place { users: vec![user], engine: browser.engine(), folder }),
            }
        }
        Ok(places)
    }

    fn path(&self, text: &str) -> PathBuf {
        match text.split_once('/') {
            Some(("~", rest)) => self.home.join(rest),
            Some(("+", rest)) => self.config.join(rest),
            _ => PathBuf::from(text),
        }
    }
}

/// A folder of manifests, and the browsers that look there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    users: Vec<(Browser, Package)>,
    pub(super) engine: Engine,
    folder: PathBuf,
}

impl Place {
    /// A folder that somebody names.
    pub(super) fn elsewhere(browser: Browser, folder: &Path) -> Self {
        let users = vec![(browser, Package::Plain)];
        Self { users, engine: browser.engine(), folder: folder.to_owned() }
    }

    /// The file.
    pub(super) fn manifest(&self) -> PathBuf {
        self.folder.join(manifest_name())
    }

    /// Who looks there, for people.
    pub(super) fn names(&self) -> String {
        let name = |(browser, package): &(Browser, Package)| match package {
            Package::Plain => browser.name().to_owned(),
            Package::Snap => format!("{} as a snap", browser.name()),
            Package::Flatpak(_) => format!("{} as a flatpak", browser.name()),
        };
        self.users.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// The profiles that would be lost from sight if the folder were made:
    /// Firefox looks for them in `~/.mozilla` as soon as that is there, and
    /// looks for manifests nowhere else.
    pub(super) fn blocked(&self, home: &Home) -> Option<PathBuf> {
        let moved = MOVED_PROFILES.iter().map(|(old, new)| (home.path(old), home.path(new)));
        let mut harmed =
            moved.filter(|(old, new)| self.folder.starts_with(old) && !old.exists() && new.exists());
        harmed.next().map(|(_, new)| new)
    }

    /// What a person has to do for browsers in a sandbox.
    pub(super) fn notes(&self, program: &Path) -> Vec<String> {
        let program = program.display();
        let note = |(browser, package): &(Browser, Package)| match (browser, package) {
            (_, Package::Plain) => None,
            (Browser::Firefox, Package::Snap) => Some(format!(
                "the snap asks once; if it does not: flatpak permission-set webextensions {HOST_NAME} snap.firefox yes"
            )),
            (_, Package::Snap) => Some(
                "a snap starts programs of its own folder alone: copy cablecar to ~/snap/chromium/common, \
                 give that with --program, and: snap connect chromium:bluez"
                    .to_owned(),
            ),
            (Browser::Zen, Package::Flatpak(id)) => Some(format!(
                "flatpak override --user --filesystem=~/.mozilla/native-messaging-hosts:ro \
                 --filesystem={program}:ro --system-talk-name=org.bluez {id}"
            )),
            (_, Package::Flatpak(id)) => Some(format!(
                "flatpak override --user --filesystem={program}:ro --system-talk-name=org.bluez {id}"
            )),
        };
        self.users.iter().filter_map(note).collect()
    }
}
