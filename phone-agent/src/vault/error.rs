use std::fmt;
use std::io;

/// Why a vault cannot be opened, made or written. Comparable, so that a test
/// can name the one it expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no file.
    #[error("there is no vault")]
    NotFound,
    /// There is one already, and it is never overwritten.
    #[error("there is a vault already")]
    Exists,
    /// The file does not begin as a vault does.
    #[error("this file is not a vault")]
    NotAVault,
    /// A format that this program does not read.
    #[error("the vault has format version {0}, which this program does not read")]
    UnknownVersion(u16),
    /// The file ends too early.
    #[error("the vault is truncated")]
    Truncated,
    /// Something in the file is not as it was written.
    #[error("the vault is damaged: {0}")]
    Damaged(Part),
    /// The header asks for more memory or time than any vault of ours does.
    #[error("the vault demands a key derivation beyond all reason")]
    KdfOutOfRange,
    /// The passphrase is another one.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Whole, but older than it has been.
    #[error("the vault was rolled back to an older copy")]
    RolledBack,
    /// Another vault, or another passphrase, took its place after it was opened.
    #[error("the vault was replaced while it was open")]
    Replaced,
    /// Another program writes it.
    #[error("the vault is in use by another program")]
    InUse,
    /// Whoever asked for the change took it back. The vault is as it was.
    #[error("the change was taken back before it was written")]
    Withdrawn,
    /// No room to write it. The old one is untouched.
    #[error("there is no room to write the vault")]
    DiskFull,
    /// The new vault is in its place, and the disk did not say that it will
    /// be there after a power cut.
    #[error("the vault is written, but the disk did not confirm it")]
    Unconfirmed,
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    NoRandomness,
    /// Anything else that a file system says.
    #[error("the vault cannot be read or written: {0}")]
    Io(io::ErrorKind),
}

/// Which part of a vault is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The header.
    Header,
    /// The record with this number, counted from 1.
    Record(usize),
    /// The list of records: one is missing, doubled, swapped or from another
    /// time.
    List,
    /// Something stands behind the end.
    End,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Header => f.write_str("the header"),
            Part::Record(number) => write!(f, "record {number}"),
            Part::List => f.write_str("the list of records"),
            Part::End => f.write_str("something follows its end"),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Error::NotFound,
            io::ErrorKind::AlreadyExists => Error::Exists,
            // A limit on the size of files is a full disk to whoever meets it.
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Error::DiskFull
            }
            kind => Error::Io(kind),
        }
    }
}
