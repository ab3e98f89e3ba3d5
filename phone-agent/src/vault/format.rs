//! The bytes of the file, as `docs/vault-format.md` has them.

use std::ops::Range;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, AeadInPlace, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::keys::{Kdf, Keys};
use super::{Contents, Error, Part, VaultId, random};
use crate::passphrase::Passphrase;

const MAGIC: &[u8; 8] = b"CABLECAR";
const VERSION: u16 = 1;
/// Everything up to the header sum, and the sum.
pub(super) const HEADER: usize = 94;
const HEADER_SUM: usize = 8;
pub(super) const CLOSING_TAG: usize = 32;
/// Parts of a record before what is sealed: id, length of the last, nonce.
const RECORD_ID: usize = 16;
const RECORD_LENGTH: usize = 4;
const RECORD_NONCE: usize = 24;
const RECORD_OVERHEAD: usize = RECORD_ID + RECORD_LENGTH + RECORD_NONCE;

/// What stands in front, but for what follows from the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) id: VaultId,
    pub(super) generation: u64,
    pub(super) kdf: Kdf,
    pub(super) salt: [u8; 16],
    pub(super) key_check: [u8; 16],
}

/// A file taken apart, nothing of it trusted yet.
pub(super) struct Layout {
    pub(super) header: Header,
    /// Where in the file each record is.
    pub(super) records: Vec<Range<usize>>,
    closing: [u8; CLOSING_TAG],
}

/// One record as it stands in the file. Those that came from one file share
/// its bytes: a copy of each would be a good part of what opening costs.
#[derive(Debug, Clone)]
pub(super) struct SealedRecord {
    file: Arc<Vec<u8>>,
    at: Range<usize>,
}

/// How long a vault is, what it begins with and what it ends with: enough to
/// tell whether it was written since it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// Length of the whole in bytes.
    pub length: u64,
    /// The header, up to 94 bytes.
    pub first: Vec<u8>,
    /// The closing tag, up to 32 bytes.
    pub last: Vec<u8>,
}

impl Ends {
    /// The ends of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let first = bytes.get(..HEADER).unwrap_or(bytes);
        let last = bytes.last_chunk::<CLOSING_TAG>().map_or(bytes, |last| last);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { length, first: first.to_vec(), last: last.to_vec() }
    }
}

/// Takes a file apart. Never allocates more than the file is long.
pub(super) fn read(bytes: &[u8]) -> Result<Layout, Error> {
    let (length, header, mut input) = read_head(bytes)?;
    let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if here != length {
        return Err(if here < length { Error::Truncated } else { Error::Damaged(Part::End) });
    }
    let (records, closing) = read_records(&mut input, bytes.len()).ok_or(Error::Damaged(Part::List))?;
    Ok(Layout { header, records, closing })
}

/// The header of a file that begins like this.
pub(super) fn head(bytes: &[u8]) -> Result<Header, Error> {
    read_head(bytes).map(|(_, header, _)| header)
}

/// The length that the file should have, its header, and what follows.
fn read_head(bytes: &[u8]) -> Result<(u64, Header, Input<'_>), Error> {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
        let so_far = MAGIC.starts_with(bytes);
        return Err(if so_far { Error::Truncated } else { Error::NotAVault });
    };
    if magic != MAGIC {
        return Err(Error::NotAVault);
    }
    let mut input = Input(rest);
    let version = u16::from_be_bytes(input.take().ok_or(Error::Truncated)?);
    if version != VERSION {
        return Err(Error::UnknownVersion(version));
    }
    let summed = bytes.get(..HEADER - HEADER_SUM).ok_or(Error::Truncated)?;
    let (length, header) = read_header(&mut input).ok_or(Error::Truncated)?;
    let sum: [u8; HEADER_SUM] = input.take().ok_or(Error::Truncated)?;
    if sum != header_sum(summed) {
        return Err(Error::Damaged(Part::Header));
    }
    header.kdf.checked()?;
    Ok((length, header, input))
}

fn read_header(input: &mut Input<'_>) -> Option<(u64, Header)> {
    let length = u64::from_be_bytes(input.take()?);
    let id = input.take()?;
    let generation = u64::from_be_bytes(input.take()?);
    let mut number = || input.take().map(u32::from_be_bytes);
    let kdf = Kdf { memory_kib: number()?, passes: number()?, lanes: number()? };
    Some((length, Header { id, generation, kdf, salt: input.take()?, key_check: input.take()? }))
}

/// Where the records are in a file of this length, and its closing tag.
fn read_records(input: &mut Input<'_>, length: usize) -> Option<(Vec<Range<usize>>, [u8; CLOSING_TAG])> {
    let count = usize::try_from(u32::from_be_bytes(input.take()?)).ok()?;
    // No more room than the bytes that are there could fill.
    let mut records = Vec::with_capacity(count.min(input.0.len() / RECORD_OVERHEAD));
    for _ in 0..count {
        let start = length.checked_sub(input.0.len())?;
        input.slice(RECORD_ID)?;
        let sealed = usize::try_from(u32::from_be_bytes(input.take()?)).ok()?;
        input.slice(RECORD_NONCE)?;
        input.slice(sealed)?;
        records.push(start..length.checked_sub(input.0.len())?);
    }
    let closing = input.take()?;
    input.0.is_empty().then_some((records, closing))
}

impl Layout {
    /// Whether the closing tag at the end of these bytes, from which the
    /// layout was read, is the right one. Compared in constant time.
    pub(super) fn closing_tag_fits(&self, bytes: &[u8], keys: &Keys) -> bool {
        let covered = bytes.len().checked_sub(CLOSING_TAG).and_then(|end| bytes.get(..end));
        covered.is_some_and(|covered| closing_mac(covered, keys).verify_slice(&self.closing).is_ok())
    }
}

/// The bytes of a vault with these records.
pub(super) fn write<'a>(
    header: &Header,
    records: impl Iterator<Item = &'a SealedRecord> + Clone,
    keys: &Keys,
) -> Vec<u8> {
    let count = u32::try_from(records.clone().count()).unwrap_or(u32::MAX);
    let body: usize = records.clone().map(|record| record.bytes().len()).sum();
    let length = HEADER + 4 + body + CLOSING_TAG;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    out.extend_from_slice(&header.id);
    out.extend_from_slice(&header.generation.to_be_bytes());
    for number in [header.kdf.memory_kib, header.kdf.passes, header.kdf.lanes] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&header.salt);
    out.extend_from_slice(&header.key_check);
    let sum = header_sum(&out);
    out.extend_from_slice(&sum);
    out.extend_from_slice(&count.to_be_bytes());
    records.for_each(|record| out.extend_from_slice(record.bytes()));
    let tag = closing_mac(&out, keys).finalize().into_bytes();
    out.extend_from_slice(&tag);
    out
}

/// The id and the bytes of a new vault with these contents.
pub(super) fn new_vault(
    mut contents: Contents,
    passphrase: &Passphrase,
    kdf: Kdf,
    rng: &mut dyn CryptoRngCore,
) -> Result<(VaultId, Vec<u8>), Error> {
    let (id, salt) = (random(rng)?, random(rng)?);
    let keys = Keys::derive(passphrase, kdf, &salt, &id)?;
    contents.seal(&id, &keys, rng)?;
    let header = Header { id, generation: 1, kdf, salt, key_check: *keys.check() };
    Ok((id, write(&header, contents.sealed(), &keys)))
}

impl SealedRecord {
    /// The record at this place of the file.
    pub(super) fn new(file: Arc<Vec<u8>>, at: Range<usize>) -> Self {
        Self { file, at }
    }

    fn bytes(&self) -> &[u8] {
        self.file.get(self.at.clone()).unwrap_or_default()
    }

    /// XChaCha20-Poly1305(key("records"), nonce, AAD = vault id ‖ record id ‖
    /// version, record), under an id and a nonce never used before.
    pub(super) fn seal(
        record: &[u8],
        vault: &VaultId,
        keys: &Keys,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Self, Error> {
        let (id, nonce): ([u8; RECORD_ID], [u8; RECORD_NONCE]) = (random(rng)?, random(rng)?);
        let aad = associated_data(vault, &id);
        // Fails only for a record of 256 GiB, or 4.
        let sealed = cipher(keys).encrypt(XNonce::from_slice(&nonce), Payload { msg: record, aad: &aad });
        let sealed = sealed.map_err(|_| Error::DiskFull)?;
        let length = u32::try_from(sealed.len()).map_err(|_| Error::DiskFull)?;
        let bytes = [&id[..], &length.to_be_bytes(), &nonce, &sealed].concat();
        Ok(Self { at: 0..bytes.len(), file: Arc::new(bytes) })
    }

    /// Opens the record into a buffer that is used again and cleared by its
    /// owner, unless any byte of it is another than was sealed.
    pub(super) fn open(
        &self,
        vault: &VaultId,
        cipher: &XChaCha20Poly1305,
        into: &mut Zeroizing<Vec<u8>>,
    ) -> Option<()> {
        let mut input = Input(self.bytes());
        let id: [u8; RECORD_ID] = input.take()?;
        input.slice(RECORD_LENGTH)?;
        let nonce: [u8; RECORD_NONCE] = input.take()?;
        into.clear();
        into.extend_from_slice(input.0);
        cipher.decrypt_in_place(XNonce::from_slice(&nonce), &associated_data(vault, &id), &mut **into).ok()
    }
}

/// What seals and opens the records of a vault.
pub(super) fn cipher(keys: &Keys) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(keys.records().into())
}

/// vault id ‖ record id ‖ version
fn associated_data(vault: &VaultId, record: &[u8; RECORD_ID]) -> [u8; 34] {
    let mut data = [0; 34];
    let parts = vault.iter().chain(record).copied().chain(VERSION.to_be_bytes());
    data.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    data
}

fn header_sum(bytes: &[u8]) -> [u8; HEADER_SUM] {
    Sha256::digest(bytes).first_chunk().copied().unwrap_or_default()
}

fn closing_mac(covered: &[u8], keys: &Keys) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new(keys.closing().into()).chain_update(covered)
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}
