//! `import` and `export`.

use std::path::Path;

use rand_core::OsRng;
use subtle::ConstantTimeEq;

use super::{now, write};
use crate::cli::exchange::{ExportArgs, ImportArgs, To};
use crate::cli::{self};
use crate::error::Error;
use crate::exchange::plan::{self, Row, Words};
use crate::exchange::report::{Report, Verb};
use crate::exchange::{self, Cost, Foreign, Format, bitwarden, cxf, file, kdbx};
use crate::passphrase::{NoPassphrase, Passphrase, Source, prompt};
use crate::vault::Vault;

/// Brings passkeys in.
pub(super) fn import(args: &ImportArgs, vault: &Vault, source: &Source) -> Result<(), Error> {
    // The file first: nobody gives a vault's passphrase for one that is none.
    let bytes = file::read(&args.file)?;
    let format = args.from.map_or_else(|| Format::guess(&bytes), |from| Ok(from.format()))?;
    let passphrase = if format.needs_passphrase(&bytes)? {
        Some(match &args.file_passphrase_file {
            Some(file) => Passphrase::from_file(file)?,
            None => prompt("passphrase of the file: ")?,
        })
    } else {
        None
    };
    let found = format.read(&bytes, passphrase.as_ref())?;
    drop((bytes, passphrase));
    if found.is_empty() {
        return Err(exchange::Error::NoPasskeys.into());
    }
    let mut unlocked = vault.unlock(&source.read(0)?)?;
    let rows = if args.dry_run {
        plan::preview(&found, &unlocked)?
    } else {
        plan::import(found, &mut unlocked, now(), &mut OsRng)?
    };
    let written = !args.dry_run && rows.iter().any(|row| row.outcome.is_ok());
    tell(&rows, Verb::Import, format.name(), written, args.format)
}

/// Takes passkeys out.
pub(super) fn export(args: &ExportArgs, vault: &Vault, source: &Source) -> Result<(), Error> {
    file::check(&args.file, args.force)?;
    let mut unlocked = vault.unlock(&source.read(0)?)?;
    let (going, rows) = plan::export(&unlocked, &args.rp, words(args.to))?;
    if going.is_empty() {
        tell(&rows, Verb::Export, args.to.name(), false, args.format)?;
        return Err(exchange::Error::NothingToExport.into());
    }
    let bytes = written(args.to, &going, args.file_passphrase_file.as_deref())?;
    let write = || file::write(&args.file, &bytes, args.force);
    plan::exported(&mut unlocked, &going, write, &mut OsRng)?;
    tell(&rows, Verb::Export, args.to.name(), true, args.format)
}

fn written(
    to: To,
    passkeys: &[Foreign],
    passphrase_file: Option<&Path>,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let (now, rng) = (now(), &mut OsRng);
    let passphrase = || match passphrase_file {
        Some(file) => Passphrase::from_file(file),
        None => choose(),
    };
    Ok(match to {
        To::Bitwarden => bitwarden::write(passkeys, now)?,
        To::BitwardenEncrypted => {
            bitwarden::write_sealed(passkeys, now, &passphrase()?, Cost::STANDARD, rng)?
        }
        To::Kdbx => kdbx::write(passkeys, now, &passphrase()?, Cost::STANDARD, rng)?,
        To::Cxf => cxf::write(passkeys, now)?,
    })
}

fn choose() -> Result<Passphrase, NoPassphrase> {
    let first = prompt("new passphrase for the file: ")?;
    let second = prompt("the same again: ")?;
    if bool::from(first.expose().ct_eq(second.expose())) { Ok(first) } else { Err(NoPassphrase::Differ) }
}

/// What each format has words for.
fn words(to: To) -> Words {
    match to {
        To::Bitwarden | To::BitwardenEncrypted => {
            Words { prf: false, blob: false, discoverable: true, eddsa: false }
        }
        To::Kdbx => Words { prf: true, blob: false, discoverable: false, eddsa: true },
        To::Cxf => Words { prf: true, blob: true, discoverable: false, eddsa: true },
    }
}

fn tell(
    rows: &[Row],
    verb: Verb,
    format: &'static str,
    written: bool,
    form: cli::Format,
) -> Result<(), Error> {
    let report = Report { verb, format, written, rows };
    write(&match form {
        cli::Format::Text => report.to_text(),
        cli::Format::Json => {
            report.to_json().map_err(|cause| Error::Io { what: "JSON".into(), cause: cause.to_string() })?
        }
    })
}
