//! What is typed to bring passkeys in and to take them out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Format;
use crate::exchange;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// An export of Bitwarden or in the Credential Exchange Format (JSON), or
    /// a KeePass database (KDBX 4)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What the file is written in [default: as it looks]
    #[arg(long, value_name = "FORMAT")]
    pub from: Option<From>,
    /// Show what would come in and what would be left out, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Read the passphrase of FILE from this file instead of asking at the
    /// terminal; one line end is cut
    #[arg(long, value_name = "FILE")]
    pub file_passphrase_file: Option<PathBuf>,
    /// In which form to say what became of each passkey
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write, for your user alone
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to write it in
    #[arg(long, value_name = "FORMAT")]
    pub to: To,
    /// Only the passkeys of this website, by its RP ID. May be given several
    /// times
    #[arg(long, value_name = "ID")]
    pub rp: Vec<String>,
    /// Replace FILE if it is there
    #[arg(long)]
    pub force: bool,
    /// Read the passphrase for FILE from this file instead of asking at the
    /// terminal; one line end is cut
    #[arg(long, value_name = "FILE")]
    pub file_passphrase_file: Option<PathBuf>,
    /// In which form to say what became of each passkey
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// What a file to import is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// Bitwarden's JSON, plain or password protected.
    Bitwarden,
    /// A KeePass database, version 4.
    Kdbx,
    /// The Credential Exchange Format, as JSON.
    Cxf,
}

/// What a file to export is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// Bitwarden's JSON, with private keys in the clear.
    Bitwarden,
    /// Bitwarden's JSON, password protected.
    BitwardenEncrypted,
    /// A KeePass database, version 4.
    Kdbx,
    /// The Credential Exchange Format, with private keys in the clear.
    Cxf,
}

impl From {
    /// The format.
    pub fn format(self) -> exchange::Format {
        match self {
            From::Bitwarden => exchange::Format::Bitwarden,
            From::Kdbx => exchange::Format::Kdbx,
            From::Cxf => exchange::Format::Cxf,
        }
    }
}

impl To {
    /// Whether the file is under a passphrase.
    pub fn is_sealed(self) -> bool {
        matches!(self, To::BitwardenEncrypted | To::Kdbx)
    }

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            To::Bitwarden => "bitwarden",
            To::BitwardenEncrypted => "bitwarden-encrypted",
            To::Kdbx => "kdbx",
            To::Cxf => "cxf",
        }
    }
}
