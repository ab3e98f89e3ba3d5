//! What is wrong with a file as a whole.

use crate::error::Class;

/// Why a file is not read or written. Nothing was written to the vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than are read.
    #[error("the file is larger than {} MiB", crate::defaults::MAX_EXCHANGE_FILE >> 20)]
    TooLarge,
    /// None of the formats.
    #[error("this is no file of Bitwarden, KeePass or the Credential Exchange Format")]
    Unknown,
    /// An archive.
    #[error("this is a ZIP archive")]
    Zip,
    /// CXF sealed for another program.
    #[error("this export is sealed for the program that asked for it")]
    Sealed,
    /// Not JSON.
    #[error("the file is not JSON: {0}")]
    NotJson(String),
    /// Nested beyond reason.
    #[error("the file is nested deeper than {} levels", crate::defaults::MAX_EXCHANGE_DEPTH)]
    TooDeep,
    /// It ends too early.
    #[error("the file ends too early")]
    Truncated,
    /// JSON or XML, and not what it should be.
    #[error("the file does not have the form of its format: {0}")]
    Shape(String),
    /// More items or passkeys than are read.
    #[error("the file has more than {0}")]
    TooMany(&'static str),
    /// A Bitwarden export that only its own account opens.
    #[error("this export is encrypted for one Bitwarden account")]
    AccountEncrypted,
    /// Encrypted in a way that is not known here.
    #[error("the file is encrypted in a way that is not known here: {0}")]
    Encryption(String),
    /// A key derivation beyond reason.
    #[error("the file demands a key derivation beyond all reason")]
    KdfTooDear,
    /// A passphrase is needed and there is none.
    #[error("the file needs a passphrase")]
    NoPassphrase,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the file")]
    WrongPassphrase,
    /// Not as it was written.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// Another version of KeePass' format.
    #[error("this is a KeePass database of version {0}")]
    KdbxVersion(String),
    /// A bomb, or a database with very large attachments.
    #[error("the file unpacks to more than {} MiB", crate::defaults::MAX_EXCHANGE_UNPACKED >> 20)]
    Inflates,
    /// The vault holds passkeys of this device alone.
    #[error("this vault is for passkeys that never leave it")]
    Policy,
    /// No passkey in it.
    #[error("there is no passkey in the file")]
    NoPasskeys,
    /// Nothing to write.
    #[error("there is no passkey that may be exported")]
    NothingToExport,
    /// A file of that name is there.
    #[error("there is a file of that name already")]
    Exists,
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    NoRandomness,
}

impl Error {
    /// Exit class, stable id and remedy.
    pub fn advice(&self) -> (Class, &'static str, &'static str) {
        let (id, remedy) = match self {
            Error::TooLarge => ("import.too-large", "export the entries with passkeys alone, and try again"),
            Error::Unknown => (
                "import.unknown-format",
                "give the export itself; name its format with --from if you know it",
            ),
            Error::Zip => ("import.zip", "unpack it, and give the JSON file that is in it"),
            Error::Sealed => (
                "import.sealed",
                "let the other program write a file that is not sealed: Bitwarden JSON, or a KeePass database",
            ),
            Error::NotJson(_) => ("import.not-json", "export it again; an editor may have changed it"),
            Error::TooDeep => ("import.too-deep", "do not use this file: no password manager wrote it"),
            Error::Truncated => ("import.truncated", "export or copy it again: its end is missing"),
            Error::Shape(_) => {
                ("import.shape", "export it again; if it stays so, report it with the program's name")
            }
            Error::TooMany(_) => ("import.too-many", "export the entries with passkeys alone, and try again"),
            Error::AccountEncrypted => (
                "import.account-encrypted",
                "export it from Bitwarden again as .json (encrypted) with the type password protected",
            ),
            Error::Encryption(_) => (
                "import.encryption",
                "save it with AES-256 or ChaCha20 and Argon2, or export it as password protected JSON",
            ),
            Error::KdfTooDear => (
                "import.kdf-too-dear",
                "do not use this file if it is not yours; otherwise save it with a cheaper key derivation",
            ),
            Error::NoPassphrase => {
                ("import.passphrase", "give --file-passphrase-file, or run it in a terminal")
            }
            Error::WrongPassphrase => (
                "import.wrong-passphrase",
                "try again; if the database also needs a key file or a hardware key, save a copy that needs a passphrase alone",
            ),
            Error::Damaged(_) => ("import.damaged", "export or copy it again"),
            Error::KdbxVersion(_) => {
                ("import.kdbx-version", "open it in KeePassXC or KeePassDX and save it in the format KDBX 4")
            }
            Error::Inflates => (
                "import.unpacks-too-large",
                "move the entries with passkeys into a database without attachments",
            ),
            Error::Policy => (
                "import.policy",
                "allow passkeys that can be synced with cablecar-phone policy, or use another vault",
            ),
            Error::NoPasskeys => {
                return (
                    Class::NoPasskey,
                    "import.no-passkeys",
                    "export from a program that writes passkeys; Bitwarden's mobile apps leave them out, its website does not",
                );
            }
            Error::NothingToExport => {
                return (
                    Class::NoPasskey,
                    "export.nothing",
                    "see the list above for why; cablecar-phone list shows what is there",
                );
            }
            Error::Exists => ("export.exists", "name another file, or give --force to replace that one"),
            Error::NoRandomness => ("system.no-randomness", "check the system's source of randomness"),
        };
        let class = match self {
            Error::NoRandomness => Class::Other,
            _ => Class::Usage,
        };
        (class, id, remedy)
    }
}
