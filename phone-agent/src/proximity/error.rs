//! Why the radio cannot be used, and what to do about it.

use super::sandbox::Sandbox;

/// The radio cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no adapter at all.
    #[error("this system has no Bluetooth adapter")]
    NoAdapter,
    /// There is none of this name.
    #[error("there is no Bluetooth adapter {wanted}: there {}", listed(.there))]
    NoSuchAdapter {
        /// The name after `--adapter`.
        wanted: String,
        /// The names of those that are there.
        there: Vec<String>,
    },
    /// It is there, and switched off.
    #[error("the Bluetooth adapter {0} is switched off")]
    Off(String),
    /// The system does not let this program use it.
    #[error("the system does not let this program use Bluetooth: {0}")]
    Denied(String),
    /// Nobody serves the radio.
    #[error("the Bluetooth service (BlueZ) is not running: {0}")]
    NoService(String),
    /// The service is hidden from this program.
    #[error("this program runs in {sandbox}, which keeps Bluetooth from it: {cause}")]
    Sandboxed {
        /// What it runs in.
        sandbox: Sandbox,
        /// What the system says.
        cause: String,
    },
    /// All the places that the adapter has for adverts are taken.
    #[error("the Bluetooth adapter {0} has no place for one more advert")]
    Full(String),
    /// The adapter cannot do what is needed.
    #[error("the Bluetooth adapter {0} cannot send adverts")]
    CannotAdvertise(String),
    /// This system has no way to send service data.
    #[error("this system lets no program broadcast service data by Bluetooth")]
    Unsupported,
    /// Anything else.
    #[error("Bluetooth cannot be used: {0}")]
    Other(String),
}

impl Error {
    /// The stable id, and what to try.
    pub fn advice(&self) -> (&'static str, &'static str) {
        match self {
            Error::NoAdapter => {
                ("radio.no-adapter", "plug one in, or switch it on in the firmware's settings")
            }
            Error::NoSuchAdapter { .. } => {
                ("radio.no-adapter", "name one that is there with --adapter, or leave --adapter out")
            }
            Error::Off(_) => (
                "radio.off",
                "switch it on: bluetoothctl power on; if that is refused, rfkill unblock bluetooth",
            ),
            Error::Denied(_) => (
                "radio.denied",
                "let this user talk to org.bluez: log in at the machine itself, join the group bluetooth if there is one, or change the rules of D-Bus and polkit",
            ),
            Error::NoService(_) => (
                "radio.no-service",
                "start it: systemctl start bluetooth (in the package bluez); it does not start without an adapter",
            ),
            Error::Sandboxed { sandbox, .. } => ("radio.sandboxed", sandbox.remedy()),
            Error::Full(_) => (
                "radio.unavailable",
                "end another program that advertises, or name another adapter with --adapter",
            ),
            Error::CannotAdvertise(_) => (
                "radio.unavailable",
                "use an adapter with Bluetooth 4.0 or later, and name it with --adapter",
            ),
            Error::Unsupported => (
                "radio.unavailable",
                "use Linux; for a try on one machine, give --danger-air ADDR here and to the computer",
            ),
            Error::Other(_) => (
                "radio.unavailable",
                "look at what the service says: journalctl -u bluetooth; start it again: systemctl restart bluetooth",
            ),
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "is none".into(),
        [one] => format!("is {one}"),
        [most @ .., last] => format!("are {} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_adapter_names_those_that_are_there() {
        let says = |there: &[&str]| {
            let there = there.iter().map(|name| (*name).to_owned()).collect();
            Error::NoSuchAdapter { wanted: "hci7".into(), there }.to_string()
        };
        assert_eq!(says(&[]), "there is no Bluetooth adapter hci7: there is none");
        assert_eq!(says(&["hci0"]), "there is no Bluetooth adapter hci7: there is hci0");
        assert_eq!(
            says(&["hci0", "hci1", "hci2"]),
            "there is no Bluetooth adapter hci7: there are hci0, hci1 and hci2"
        );
    }
}
