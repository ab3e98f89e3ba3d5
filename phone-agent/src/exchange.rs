//! Passkeys from other programs, and for them.
//!
//! ```text
//!   bytes ──> bitwarden, kdbx, cxf ──> Found ──> plan ──> the vault
//!   the vault ──> Foreign ──> bitwarden, kdbx, cxf ──> bytes
//! ```
//!
//! Reading is pure: bytes and perhaps a passphrase in, values out, nothing
//! written. A file is a stranger's: each reader bounds what it takes before
//! it takes it, and what is wrong with the whole of a file is an [`Error`].
//! What is wrong with one passkey in it is a [`Reason`], and the others still
//! come in.
//!
//! [`Foreign`] stands between the formats and the vault. It has what all of
//! them can say of a passkey, checked; the private key is parsed and not
//! carried as the bytes that somebody wrote.

pub mod bitwarden;
pub mod cxf;
pub mod error;
pub mod file;
pub mod foreign;
pub mod kdbx;
pub mod key;
pub mod plan;
pub mod report;

mod base64;
mod buffer;
mod json;
mod kdf;

pub use error::Error;
pub use foreign::{Foreign, Found, LargeBlob, Note, Prf, Reason, Title};
pub use kdf::Cost;

use crate::passphrase::Passphrase;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Bitwarden's JSON, plain or under a passphrase.
    Bitwarden,
    /// KeePass' database, version 4, with the attributes of `KeePassXC`.
    Kdbx,
    /// The FIDO Alliance's Credential Exchange Format, as JSON.
    Cxf,
}

impl Format {
    /// What these bytes look like.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Zip`], [`Error::Sealed`], and those of JSON.
    pub fn guess(file: &[u8]) -> Result<Self, Error> {
        if kdbx::is_kdbx(file) {
            return Ok(Format::Kdbx);
        }
        if file.starts_with(b"PK\x03\x04") {
            return Err(Error::Zip);
        }
        let text = json::without_mark(file);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => json::guess(text),
            // A JWE: CXF sealed for one importer by the exchange protocol.
            Some(b'e') if text.starts_with(b"eyJ") => Err(Error::Sealed),
            None => Err(Error::Truncated),
            Some(_) => Err(Error::Unknown),
        }
    }

    /// Whether this file is opened with a passphrase.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn needs_passphrase(self, file: &[u8]) -> Result<bool, Error> {
        match self {
            Format::Kdbx => Ok(true),
            Format::Bitwarden => bitwarden::is_sealed(file),
            Format::Cxf => Ok(false),
        }
    }

    /// The passkeys in a file.
    ///
    /// # Errors
    /// What is wrong with the file as a whole.
    pub fn read(self, file: &[u8], passphrase: Option<&Passphrase>) -> Result<Vec<Found>, Error> {
        match self {
            Format::Bitwarden => bitwarden::read(file, passphrase),
            Format::Kdbx => kdbx::read(file, passphrase.ok_or(Error::NoPassphrase)?),
            Format::Cxf => cxf::read(file),
        }
    }

    /// Its name at the command line and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Format::Bitwarden => "bitwarden",
            Format::Kdbx => "kdbx",
            Format::Cxf => "cxf",
        }
    }
}

#[cfg(test)]
mod tests;
