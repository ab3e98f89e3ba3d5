//! Whether this program is kept in something that hides the radio from it.
//!
//! Inside, a radio that is hidden looks as if it were not there; the remedy is
//! outside.

use std::fmt;
use std::path::Path;

use super::Error;

/// What a program can be kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// Flatpak.
    Flatpak,
    /// Snap.
    Snap,
    /// A container without the system's bus.
    Container,
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sandbox::Flatpak => "Flatpak",
            Sandbox::Snap => "Snap",
            Sandbox::Container => "a container",
        })
    }
}

impl Sandbox {
    /// What this process is in. The environment and the root folder say so.
    pub fn here() -> Option<Self> {
        Self::of(Path::new("/"), |name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    }

    fn of(root: &Path, is_set: impl Fn(&str) -> bool) -> Option<Self> {
        let there = |path: &str| root.join(path).exists();
        if there(".flatpak-info") {
            return Some(Sandbox::Flatpak);
        }
        if is_set("SNAP") {
            return Some(Sandbox::Snap);
        }
        // A container with the bus in it is as good as none, and so is one
        // whose owner said where the bus is.
        let marks = [".dockerenv", "run/.containerenv", "run/systemd/container"];
        let contained = marks.into_iter().any(there) || is_set("container");
        let bus = there("run/dbus/system_bus_socket") || is_set("DBUS_SYSTEM_BUS_ADDRESS");
        (contained && !bus).then_some(Sandbox::Container)
    }

    /// What to try outside.
    pub fn remedy(self) -> &'static str {
        match self {
            Sandbox::Flatpak => {
                "give it the permission: flatpak override --user --system-talk-name=org.bluez APP; then start it again"
            }
            Sandbox::Snap => "give it the permission: snap connect APP:bluez; then start it again",
            Sandbox::Container => {
                "mount /run/dbus of the host into the container, or run the program on the host"
            }
        }
    }

    /// Says that it is to blame where it can be.
    pub fn explain(here: Option<Self>, error: Error) -> Error {
        match (here, error) {
            (Some(sandbox), Error::Denied(cause) | Error::NoService(cause)) => {
                Error::Sandboxed { sandbox, cause }
            }
            (_, error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sandbox_is_recognised_by_what_it_leaves() {
        let root = tempfile::tempdir().unwrap();
        let here = |set: &[&str]| Sandbox::of(root.path(), |name| set.contains(&name));
        assert_eq!(here(&[]), None);
        assert_eq!(here(&["SNAP"]), Some(Sandbox::Snap));
        assert_eq!(here(&["container"]), Some(Sandbox::Container));
        assert_eq!(here(&["container", "DBUS_SYSTEM_BUS_ADDRESS"]), None);
        std::fs::write(root.path().join(".dockerenv"), "").unwrap();
        assert_eq!(here(&[]), Some(Sandbox::Container));
        std::fs::create_dir_all(root.path().join("run/dbus")).unwrap();
        std::fs::write(root.path().join("run/dbus/system_bus_socket"), "").unwrap();
        assert_eq!(here(&[]), None);
        std::fs::write(root.path().join(".flatpak-info"), "").unwrap();
        assert_eq!(here(&["SNAP"]), Some(Sandbox::Flatpak));
    }

    #[test]
    fn only_what_a_sandbox_can_hide_is_its_fault() {
        let explained = |error: Error| Sandbox::explain(Some(Sandbox::Snap), error).advice().0;
        assert_eq!(explained(Error::Denied(String::new())), "radio.sandboxed");
        assert_eq!(explained(Error::NoService(String::new())), "radio.sandboxed");
        assert_eq!(explained(Error::Off("hci0".into())), "radio.off");
        assert_eq!(explained(Error::NoAdapter), "radio.no-adapter");
        assert_eq!(Sandbox::explain(None, Error::NoService(String::new())).advice().0, "radio.no-service");
    }
}
