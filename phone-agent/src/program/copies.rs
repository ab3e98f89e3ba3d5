//! `backup` and `restore`.

use std::path::{Path, PathBuf};

use rand_core::OsRng;
use serde::Serialize;

use super::{Desk, json, listing, write};
use crate::cli::Format;
use crate::cli::vault::{BackupArgs, RestoreArgs};
use crate::error::Error;
use crate::passphrase::{self, Passphrase, Source};
use crate::vault::{self, Passkey, Unlocked, Vault};

/// What a backup came to, as programs read it.
#[derive(Serialize)]
struct BackedUp {
    file: String,
    passkeys: usize,
    left_out: usize,
}

/// Writes a backup.
pub(super) fn back_up(args: BackupArgs, desk: &Desk) -> Result<(), Error> {
    let taken = || Error::BackupExists(args.file.clone());
    // Before anybody types a passphrase in vain.
    if std::fs::symlink_metadata(&args.file).is_ok() {
        return Err(taken());
    }
    let made = desk.vault.back_up(&desk.passphrase.read(0)?, &args.file, &mut OsRng);
    let made = made.map_err(|error| match error {
        vault::Error::Exists => taken(),
        other => Error::Vault(other),
    })?;
    let file = args.file.display().to_string();
    write(&match args.format {
        Format::Json => json(&BackedUp { file, passkeys: made.kept, left_out: made.left_out })?,
        Format::Text => {
            let left_out = match made.left_out {
                0 => String::new(),
                some => format!("; {some} left out, bound to this device"),
            };
            format!("{file}: {}{left_out}\n", passkeys(made.kept))
        }
    })
}

/// What a restore came to, as programs read it.
#[derive(Serialize)]
struct Restored<'a> {
    dry_run: bool,
    new_vault: bool,
    added: Vec<listing::Listed<'a>>,
    present: usize,
    left_out: usize,
}

/// Brings back what is missing, or all.
pub(super) fn restore(args: RestoreArgs, desk: &Desk) -> Result<(), Error> {
    let backup = Backup { vault: Vault::in_file(args.file.clone(), None), path: args.file.clone() };
    // Both are looked at before anybody types a passphrase in vain.
    backup.vault.inspect().map_err(|error| backup.failed(error))?;
    let there = match desk.vault.inspect() {
        Ok(_) => true,
        Err(vault::Error::NotFound) => false,
        Err(error) => return Err(error.into()),
    };
    let passphrase = desk.passphrase.read(0)?;
    let mut present = there.then(|| desk.vault.unlock(&passphrase)).transpose()?;
    let source = match (&args.backup_passphrase_file, &desk.passphrase) {
        (Some(file), _) => Some(Source::File(file.clone())),
        (None, _) => None,
    };
    let backup = backup.open(source, &passphrase, desk)?;
    let added = match &present {
        Some(vault) => vault.missing(&backup),
        None => backup.passkeys().filter(|passkey| passkey.backup.eligible()).collect(),
    };
    if !args.dry_run {
        match &mut present {
            Some(vault) => drop(vault.take_in(&backup, &mut OsRng)?),
            None => desk.vault.create_from(&backup, &passphrase, &mut OsRng)?,
        }
    }
    report(&args, !there, &added, &backup)
}

fn report(args: &RestoreArgs, new_vault: bool, added: &[&Passkey], backup: &Unlocked) -> Result<(), Error> {
    let left_out = backup.passkeys().filter(|passkey| !passkey.backup.eligible()).count();
    let present = backup.passkeys().count() - left_out - added.len();
    if args.format == Format::Json {
        let added = added.iter().map(|passkey| listing::Listed::of(passkey)).collect();
        return write(&json(&Restored { dry_run: args.dry_run, new_vault, added, present, left_out })?);
    }
    let mut text = listing::list(added.iter().copied(), Format::Text)?;
    let verb = if args.dry_run { "would be added" } else { "added" };
    text += &format!("{} {verb}, {present} here already", passkeys(added.len()));
    if left_out > 0 {
        text += &format!("; {left_out} left out, bound to the device of the vault that they are in");
    }
    if new_vault {
        text += if args.dry_run { "; a vault would be made" } else { "; a vault was made" };
    }
    write(&(text + "\n"))
}

/// A backup that is not open yet.
struct Backup {
    vault: Vault,
    path: PathBuf,
}

impl Backup {
    /// Opens it: with its own passphrase where one is named, else with that of
    /// the vault, and else with one that is typed.
    fn open(self, own: Option<Source>, vaults: &Passphrase, desk: &Desk) -> Result<Unlocked, Error> {
        let opened = match own {
            Some(source) => self.vault.unlock(&source.read(0)?),
            None => match (self.vault.unlock(vaults), &desk.passphrase) {
                (Err(vault::Error::WrongPassphrase), Source::Terminal) => {
                    self.vault.unlock(&passphrase::prompt("passphrase of the backup: ")?)
                }
                (opened, _) => opened,
            },
        };
        opened.map_err(|error| self.failed(error))
    }

    fn failed(&self, cause: vault::Error) -> Error {
        Error::Backup { path: Path::to_owned(&self.path), cause }
    }
}

fn passkeys(number: usize) -> String {
    if number == 1 { "1 passkey".into() } else { format!("{number} passkeys") }
}
