//! What OpenSSH asks for beside the data: flags and options.

use cablecar::error::Error;

/// The only application family that this provider serves, and that OpenSSH
/// accepts in keys of its own: the passkey's RP ID begins so.
pub(crate) const FAMILY: &str = "ssh:";

/// Flags of `sk-api.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    /// Somebody must be there: not with `-O no-touch-required`.
    pub(crate) const PRESENCE: u8 = 0x01;
    /// The person must be verified: `-O verify-required`.
    pub(crate) const VERIFICATION: u8 = 0x04;
    /// The key must be found without its file: `-O resident`.
    pub(crate) const RESIDENT: u8 = 0x20;

    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 & bit == bit
    }
}

/// Options of `ssh-keygen -O`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// `device`: the Bluetooth adapter that listens.
    pub(crate) device: Option<String>,
    /// `user`: whose resident key it is.
    pub(crate) user: Option<String>,
}

impl Options {
    /// Takes what is known. What is not known is left out, unless it is said
    /// to be required.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(crate) fn of(given: Vec<(String, String, bool)>) -> Result<Self, Error> {
        let mut options = Self::default();
        for (name, value, required) in given {
            match name.as_str() {
                "device" => options.device = Some(value),
                "user" => options.user = Some(value),
                _ if required => return Err(Error::Usage(format!("no phone knows the option {name:?}"))),
                _ => {}
            }
        }
        Ok(options)
    }

    /// The user handle, as every provider makes it: the name, filled up with
    /// zeros to 32 bytes, the last of which is always one.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that does not fit.
    pub(crate) fn user_handle(&self) -> Result<[u8; 32], Error> {
        let mut handle = [0; 32];
        let name = self.user.as_deref().unwrap_or_default().as_bytes();
        match handle.split_last_mut().and_then(|(_, fill)| fill.get_mut(..name.len())) {
            Some(start) => start.copy_from_slice(name),
            None => return Err(Error::Usage("-O user= takes at most 31 bytes".into())),
        }
        Ok(handle)
    }
}

/// Refuses applications that are not OpenSSH's.
///
/// # Errors
/// [`Error::Usage`].
pub(crate) fn check_application(application: &str) -> Result<(), Error> {
    if application.starts_with(FAMILY) {
        return Ok(());
    }
    Err(Error::Usage(format!("the application {application:?} does not begin with {FAMILY:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, value: &str, required: bool) -> (String, String, bool) {
        (name.into(), value.into(), required)
    }

    #[test]
    fn known_options_are_taken_and_unknown_ones_only_if_they_may_be_missing() {
        let taken = Options::of(vec![
            option("user", "alice", true),
            option("colour", "red", false),
            option("device", "hci1", false),
        ]);
        let wanted = Options { device: Some("hci1".into()), user: Some("alice".into()) };
        assert_eq!(taken.unwrap(), wanted);
        assert!(Options::of(vec![option("colour", "red", true)]).is_err());
    }

    #[test]
    fn a_user_handle_has_32_bytes_and_ends_with_zero() {
        let handle = |user: &str| Options { user: Some(user.into()), ..Options::default() }.user_handle();
        assert_eq!(Options::default().user_handle().unwrap(), [0; 32]);
        assert_eq!(&handle("alice").unwrap()[..6], b"alice\0");
        assert_eq!(handle(&"x".repeat(31)).unwrap()[31], 0);
        assert!(handle(&"x".repeat(32)).is_err());
        assert!(handle(&"x".repeat(99)).is_err());
    }

    #[test]
    fn only_applications_of_openssh_are_served() {
        assert!(check_application("ssh:").is_ok());
        assert!(check_application("ssh:work").is_ok());
        for other in ["", "ssh", "example.com", "SSH:", "https://example.com", " ssh:"] {
            assert!(check_application(other).is_err(), "{other}");
        }
    }
}
