//! What is typed to keep a vault: its passphrase, its copies, its passkeys,
//! its PIN, its policy.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{DANGER, Format};

/// Arguments of `passphrase`.
#[derive(Debug, Args)]
pub struct PassphraseArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: PassphraseCommand,
}

/// What to do with the passphrase.
#[derive(Debug, Subcommand)]
pub enum PassphraseCommand {
    /// Take another passphrase: every record is sealed anew, under keys made
    /// from a new salt
    ///
    /// Backups keep the passphrase that they were made with.
    Change(ChangePassphraseArgs),
}

/// Arguments of `passphrase change`.
#[derive(Debug, Args)]
pub struct ChangePassphraseArgs {
    /// Read the new passphrase from this file instead of asking for it twice
    /// at the terminal; one line end is cut
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
    /// Make the new passphrase as cheap to try as possible, for tests
    #[arg(long, help_heading = DANGER)]
    pub danger_weak_kdf: bool,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The backup; nothing that is there is overwritten
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// In which form to say what is in it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Say what would be added, and add nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Read the backup's passphrase from this file [default: that of the
    /// vault; where it does not fit, it is asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    pub backup_passphrase_file: Option<PathBuf>,
    /// In which form to say what was added
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A website, or the beginning of a credential id; one that begins with -
    /// comes after --
    #[arg(value_name = "ID|RP")]
    pub which: String,
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `rename`.
#[derive(Debug, Args)]
pub struct RenameArgs {
    /// The beginning of a credential id, or a website with one passkey here
    #[arg(value_name = "ID|RP")]
    pub which: String,
    /// The account's name, such as a mail address; empty takes it away
    #[arg(long, value_name = "NAME", required_unless_present = "display_name")]
    pub name: Option<String>,
    /// The person's name; empty takes it away
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
}

/// Arguments of `remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The beginning of a credential id, or a website with one passkey here
    #[arg(value_name = "ID|RP")]
    pub which: String,
    /// Do not ask at the terminal
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `pin`.
#[derive(Debug, Args)]
pub struct PinArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: PinCommand,
}

/// What to do with the PIN.
#[derive(Debug, Subcommand)]
pub enum PinCommand {
    /// Set the first PIN
    Set(NewPinArgs),
    /// Set another PIN, and give it all its guesses back
    Change(NewPinArgs),
    /// Take the PIN away
    Remove,
    /// Say whether there is a PIN, and how many guesses it has left
    Status(PinStatusArgs),
}

/// Arguments of `pin set` and `pin change`.
#[derive(Debug, Args)]
pub struct NewPinArgs {
    /// Read the new PIN from this file instead of asking for it twice at the
    /// terminal; one line end is cut
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
}

/// Arguments of `pin status`.
#[derive(Debug, Args)]
pub struct PinStatusArgs {
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// The new policy; without one, the present one is printed
    #[arg(value_name = "POLICY")]
    pub policy: Option<PolicyName>,
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Which passkeys may be made from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    /// Passkeys that backup and export may carry elsewhere (BE=1).
    Synced,
    /// Passkeys that never leave this vault, and are lost with it (BE=0).
    DeviceBound,
}
