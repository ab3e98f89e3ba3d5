//! KeePass databases, version 4, with passkeys as `KeePassXC` and `KeePassDX`
//! write them.
//!
//! A passkey is an entry with attributes `KPEX_PASSKEY_...`, in whatever group;
//! those of an entry's history are of the past, and those in the recycle bin
//! are named and left there. This is a reader and writer of passkeys, not of
//! databases: what else is in the file is passed over, and a file that is
//! written holds passkeys alone.
//!
//! Written by hand, because what is open here has to be bounded, cleared, and
//! of one cryptographic generation: docs/decisions/0016.

mod container;
mod dictionary;
mod entry;
mod stream;
mod xml;

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::{Cost, Error, Foreign, Found};
use crate::passphrase::Passphrase;

/// Whether a file begins as KeePass' do, of whatever version.
pub fn is_kdbx(file: &[u8]) -> bool {
    file.starts_with(&container::SIGNATURE)
}

/// The passkeys of a database.
///
/// # Errors
/// [`Error::KdbxVersion`], [`Error::Encryption`], [`Error::KdfTooDear`],
/// [`Error::WrongPassphrase`], [`Error::Truncated`], [`Error::Damaged`],
/// [`Error::Inflates`], [`Error::Shape`], [`Error::TooDeep`],
/// [`Error::TooMany`], [`Error::TooLarge`], [`Error::Unknown`].
pub fn read(file: &[u8], passphrase: &Passphrase) -> Result<Vec<Found>, Error> {
    let (xml, stream) = container::open(file, passphrase)?;
    let found = xml::read(&xml, stream)?;
    Ok(found)
}

/// A database of these passkeys; `now` is in seconds since 1970.
///
/// # Errors
/// [`Error::NoRandomness`], [`Error::KdfTooDear`].
pub fn write(
    passkeys: &[Foreign],
    now: u64,
    passphrase: &Passphrase,
    cost: Cost,
    rng: &mut dyn CryptoRngCore,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    container::seal(passphrase, cost, rng, |stream, rng| xml::write(passkeys, now, stream, rng))
}

/// Bytes that are taken from the front.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    /// A length that is itself in the file.
    fn length(&mut self) -> Result<usize, Error> {
        self.u32().and_then(|length| usize::try_from(length).map_err(|_| Error::Truncated))
    }
}

#[cfg(test)]
mod tests;
