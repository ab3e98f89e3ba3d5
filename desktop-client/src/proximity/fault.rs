//! Why a radio cannot be used: what is wrong, and who can put it right.

use std::path::Path;

/// Why this computer cannot listen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No adapter, or not the one that was asked for.
    #[error("{}", no_adapter(.wanted.as_deref(), .present))]
    NoAdapter {
        /// The name that `--adapter` gave.
        wanted: Option<String>,
        /// The names of those that are there.
        present: Vec<String>,
    },
    /// The adapter is there and has no power.
    #[error("the Bluetooth adapter {0} is off")]
    Off(String),
    /// The system refuses us the radio.
    #[error("the system refuses the use of Bluetooth: {0}")]
    Denied(String),
    /// Nobody serves the radio: no BlueZ, or no bus on which it could be.
    #[error("the Bluetooth service is not running: {0}")]
    NoService(String),
    /// As the two before, where a sandbox is the reason.
    #[error("{sandbox} keeps Bluetooth from us: {cause}")]
    Sandboxed {
        /// What is around us.
        sandbox: Sandbox,
        /// What the system says.
        cause: String,
    },
    /// Anything else.
    #[error("{0}")]
    Unavailable(String),
}

fn no_adapter(wanted: Option<&str>, present: &[String]) -> String {
    match wanted {
        None => "there is no Bluetooth adapter".into(),
        Some(wanted) if present.is_empty() => {
            format!("the Bluetooth adapter {wanted} is not there")
        }
        Some(wanted) => format!("there is no Bluetooth adapter {wanted}, only {}", present.join(", ")),
    }
}

impl Fault {
    /// Stable id and remedy.
    pub fn advice(&self) -> (&'static str, &'static str) {
        match self {
            Fault::NoAdapter { wanted: Some(_), present } if !present.is_empty() => {
                ("radio.no-adapter", "give --adapter one of those, or leave it out")
            }
            Fault::NoAdapter { .. } => (
                "radio.no-adapter",
                "plug one in; if there is one, look whether the kernel sees it: bluetoothctl list, rfkill list bluetooth",
            ),
            Fault::Off(_) => (
                "radio.off",
                "bluetoothctl power on; if it stays off: rfkill unblock bluetooth, or the switch of the machine",
            ),
            Fault::Denied(_) => (
                "radio.denied",
                "sudo usermod -aG bluetooth $USER and log in again, or have the D-Bus and polkit rules for org.bluez allow this user",
            ),
            Fault::NoService(_) => (
                "radio.no-service",
                "systemctl start bluetooth (of the package bluez; systemctl enable bluetooth to keep it)",
            ),
            Fault::Sandboxed { sandbox, .. } => ("radio.sandboxed", sandbox.remedy()),
            Fault::Unavailable(_) => (
                "radio.unavailable",
                "systemctl restart bluetooth, or journalctl -u bluetooth for what it says",
            ),
        }
    }

    /// The fault behind a D-Bus error, by its name, which is stable, and not
    /// by its text, which is translated and changes.
    ///
    /// `adapter` is the one that was called, if one was.
    pub fn from_dbus(name: &str, text: &str, adapter: Option<&str>, sandbox: Option<Sandbox>) -> Self {
        const FREEDESKTOP: &str = "org.freedesktop.DBus.Error.";
        const BLUEZ: &str = "org.bluez.Error.";
        let cause = if text.is_empty() { name } else { text }.to_owned();
        if let Some(bluez) = name.strip_prefix(BLUEZ) {
            return match (bluez, adapter) {
                ("NotReady", Some(adapter)) => Fault::Off(adapter.to_owned()),
                ("NotAuthorized" | "NotPermitted", _) => in_sandbox(sandbox, cause, Fault::Denied),
                _ => Fault::Unavailable(cause),
            };
        }
        let freedesktop = name.strip_prefix(FREEDESKTOP).unwrap_or_default();
        match (freedesktop, adapter) {
            ("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired", _) => {
                in_sandbox(sandbox, cause, Fault::Denied)
            }
            // The first two: a bus without BlueZ. Then: BlueZ gone in the
            // middle of a call. The rest: no bus.
            (
                "ServiceUnknown" | "NameHasNoOwner" | "NoReply" | "Timeout" | "TimedOut" | "FileNotFound"
                | "NoServer" | "Disconnected" | "BadAddress" | "NoNetwork",
                _,
            ) => in_sandbox(sandbox, cause, Fault::NoService),
            (spawn, _) if spawn.starts_with("Spawn.") => in_sandbox(sandbox, cause, Fault::NoService),
            ("UnknownObject" | "UnknownMethod" | "UnknownInterface", Some(adapter)) => {
                Fault::NoAdapter { wanted: Some(adapter.to_owned()), present: Vec::new() }
            }
            _ => Fault::Unavailable(cause),
        }
    }
}

/// A fault for which a sandbox may be the reason.
pub(super) fn in_sandbox(sandbox: Option<Sandbox>, cause: String, outside: fn(String) -> Fault) -> Fault {
    match sandbox {
        Some(sandbox) => Fault::Sandboxed { sandbox, cause },
        None => outside(cause),
    }
}

/// What may stand between a program and the system's bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sandbox {
    /// Flatpak.
    Flatpak,
    /// Snap.
    Snap,
    /// A container to which nobody has passed the system bus.
    Container,
}

impl std::fmt::Display for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Sandbox::Flatpak => "the flatpak sandbox",
            Sandbox::Snap => "the snap sandbox",
            Sandbox::Container => "the container",
        })
    }
}

impl Sandbox {
    /// Where a bus is if nobody says otherwise.
    const BUS: &'static str = "run/dbus/system_bus_socket";

    /// Looks around: `root` is the file system's, and `has` says which
    /// environment variables are set.
    pub fn around(root: &Path, has: impl Fn(&str) -> bool) -> Option<Self> {
        if root.join(".flatpak-info").exists() {
            return Some(Sandbox::Flatpak);
        }
        if has("SNAP") {
            return Some(Sandbox::Snap);
        }
        // Whoever names a bus, or has one, is not kept from it by a container.
        let without_bus = !has("DBUS_SYSTEM_BUS_ADDRESS") && !root.join(Self::BUS).exists();
        let marks = ["run/.containerenv", ".dockerenv", "run/systemd/container"];
        let contained = has("container") || marks.iter().any(|mark| root.join(mark).exists());
        (without_bus && contained).then_some(Sandbox::Container)
    }

    /// The one that this program is in.
    pub fn here() -> Option<Self> {
        Self::around(Path::new("/"), |name| std::env::var_os(name).is_some())
    }

    fn remedy(self) -> &'static str {
        match self {
            Sandbox::Flatpak => {
                "flatpak override --user --system-talk-name=org.bluez and the name of this app"
            }
            Sandbox::Snap => "snap connect NAME:bluez, with the name of this snap",
            Sandbox::Container => {
                "pass /run/dbus/system_bus_socket of the host into the container, or run it outside"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, adapter: Option<&str>, sandbox: Option<Sandbox>) -> &'static str {
        Fault::from_dbus(name, "text", adapter, sandbox).advice().0
    }

    #[test]
    fn the_name_of_a_dbus_error_decides() {
        for (name, adapter, expected) in [
            ("org.freedesktop.DBus.Error.AccessDenied", None, "radio.denied"),
            ("org.freedesktop.DBus.Error.AuthFailed", None, "radio.denied"),
            ("org.bluez.Error.NotAuthorized", Some("hci0"), "radio.denied"),
            ("org.bluez.Error.NotPermitted", Some("hci0"), "radio.denied"),
            ("org.freedesktop.DBus.Error.ServiceUnknown", None, "radio.no-service"),
            ("org.freedesktop.DBus.Error.NameHasNoOwner", None, "radio.no-service"),
            ("org.freedesktop.DBus.Error.FileNotFound", None, "radio.no-service"),
            ("org.freedesktop.DBus.Error.NoServer", None, "radio.no-service"),
            ("org.freedesktop.DBus.Error.NoReply", Some("hci0"), "radio.no-service"),
            ("org.freedesktop.DBus.Error.Spawn.ChildExited", None, "radio.no-service"),
            ("org.bluez.Error.NotReady", Some("hci0"), "radio.off"),
            ("org.freedesktop.DBus.Error.UnknownObject", Some("hci0"), "radio.no-adapter"),
            ("org.freedesktop.DBus.Error.UnknownObject", None, "radio.unavailable"),
            ("org.bluez.Error.Failed", Some("hci0"), "radio.unavailable"),
            ("org.bluez.Error.InProgress", Some("hci0"), "radio.unavailable"),
            ("", None, "radio.unavailable"),
        ] {
            assert_eq!(id(name, adapter, None), expected, "{name}");
        }
    }

    #[test]
    fn a_sandbox_is_to_blame_for_what_it_can_be_to_blame_for() {
        for sandbox in [Sandbox::Flatpak, Sandbox::Snap, Sandbox::Container] {
            let inside = Some(sandbox);
            assert_eq!(id("org.freedesktop.DBus.Error.AccessDenied", None, inside), "radio.sandboxed");
            assert_eq!(id("org.freedesktop.DBus.Error.ServiceUnknown", None, inside), "radio.sandboxed");
            assert_eq!(id("org.freedesktop.DBus.Error.FileNotFound", None, inside), "radio.sandboxed");
            assert_eq!(id("org.bluez.Error.NotReady", Some("hci0"), inside), "radio.off");
            assert_eq!(id("org.bluez.Error.Failed", Some("hci0"), inside), "radio.unavailable");
        }
    }

    #[test]
    fn every_fault_has_its_own_remedy() {
        let sandboxed = |sandbox| Fault::Sandboxed { sandbox, cause: String::new() };
        let missing = |present: &[&str]| Fault::NoAdapter {
            wanted: Some("hci7".into()),
            present: present.iter().map(|&name| name.to_owned()).collect(),
        };
        let faults = [
            Fault::NoAdapter { wanted: None, present: Vec::new() },
            missing(&["hci0", "hci1"]),
            Fault::Off("hci0".into()),
            Fault::Denied(String::new()),
            Fault::NoService(String::new()),
            sandboxed(Sandbox::Flatpak),
            sandboxed(Sandbox::Snap),
            sandboxed(Sandbox::Container),
            Fault::Unavailable(String::new()),
        ];
        let remedies: std::collections::HashSet<_> = faults.iter().map(|fault| fault.advice().1).collect();
        assert_eq!(remedies.len(), faults.len());
        assert_eq!(
            missing(&["hci0", "hci1"]).to_string(),
            "there is no Bluetooth adapter hci7, only hci0, hci1"
        );
    }

    #[test]
    fn a_sandbox_is_known_by_its_marks() {
        let root = tempfile::tempdir().unwrap();
        let around = |set: &[&str]| Sandbox::around(root.path(), |name| set.contains(&name));
        assert_eq!(around(&[]), None);
        assert_eq!(around(&["SNAP"]), Some(Sandbox::Snap));
        assert_eq!(around(&["container"]), Some(Sandbox::Container));
        assert_eq!(around(&["container", "DBUS_SYSTEM_BUS_ADDRESS"]), None);
        std::fs::write(root.path().join(".dockerenv"), "").unwrap();
        assert_eq!(around(&[]), Some(Sandbox::Container));
        std::fs::create_dir_all(root.path().join("run/dbus")).unwrap();
        std::fs::write(root.path().join(Sandbox::BUS), "").unwrap();
        assert_eq!(around(&[]), None);
        std::fs::write(root.path().join(".flatpak-info"), "").unwrap();
        assert_eq!(around(&[]), Some(Sandbox::Flatpak));
    }
}
