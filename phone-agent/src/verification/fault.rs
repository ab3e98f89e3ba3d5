//! Why nobody was verified, for whoever owns the phone.

use crate::passphrase::NoPassphrase;
use crate::vault;

/// Why nobody was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It was somebody else, or something was mistyped.
    #[error("you were not recognised, so the request is declined")]
    NotRecognised,
    /// No passphrase to compare.
    #[error(transparent)]
    Passphrase(#[from] NoPassphrase),
    /// No vault to compare it with.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// No bus, or nobody on it who knows of fingers.
    #[error("there is no fprintd on the system bus")]
    NoFprintd,
    /// It knows no reader.
    #[error("fprintd knows no fingerprint reader")]
    NoReader,
    /// It knows none of this person's fingers.
    #[error("fprintd knows none of your fingers; fprintd-enroll teaches it one")]
    NoFingers,
    /// Another program has the reader.
    #[error("the fingerprint reader is in use by another program")]
    ReaderInUse,
    /// The reader failed, or was taken away.
    #[error("the fingerprint reader failed")]
    ReaderFailed,
    /// The service does not let this person use it.
    #[error("fprintd does not let you use the fingerprint reader")]
    ReaderDenied,
    /// The program that talks to PAM is not there.
    #[error("the program pamtester, which asks PAM, does not start")]
    NoPamtester,
    /// PAM has nowhere to ask.
    #[error("there is no terminal for PAM to ask at")]
    NoTerminal,
    /// Whom PAM should verify is not known.
    #[error("the name of this user is not known to the system")]
    NoUser,
}
