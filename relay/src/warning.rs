//! What an operator should know and what ends nothing.

use std::fmt;
use std::io::Write;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// A variable that looks like a setting and is none.
    UnknownVariable {
        /// Its name.
        name: String,
        /// The known one that is most like it.
        nearest: &'static str,
    },
    /// The certificate's key is RSA.
    Rsa,
    /// The certificate is of no use any more.
    Expired(String),
}

impl Warning {
    /// The stable name of this cause, for programs.
    pub(crate) fn id(&self) -> &'static str {
        match self {
            Warning::UnknownVariable { .. } => "config.unknown-variable",
            Warning::Rsa => "tls.rsa",
            Warning::Expired(_) => "tls.expired",
        }
    }

    /// Says it on standard error, to whoever typed the command.
    pub(crate) fn tell(&self) {
        let _ = writeln!(std::io::stderr(), "warning: {self} ({})", self.id());
    }

    /// Says it in the log.
    pub(crate) fn log(&self) {
        tracing::warn!(id = self.id(), "{self}");
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::UnknownVariable { name, nearest } => {
                write!(f, "{name} is no setting of this relay; the nearest is {nearest}")
            }
            Warning::Rsa => f.write_str(
                "the certificate's key is RSA, and each handshake costs 32 times what one with ECDSA P-256 does",
            ),
            Warning::Expired(problem) => f.write_str(problem),
        }
    }
}
