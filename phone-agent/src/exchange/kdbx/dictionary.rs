//! The dictionary of variants, in which the header keeps the key derivation.

use super::super::kdf::Kdf;
use super::super::{Cost, Error};
use super::Cursor;

const ARGON2D: [u8; 16] = *b"\xef\x63\x6d\xdf\x8c\x29\x44\x4b\x91\xf7\xa9\xa4\x03\xe3\x0a\x0c";
const ARGON2ID: [u8; 16] = *b"\x9e\x29\x8b\x19\x56\xdb\x47\x73\xb2\x3d\xfc\x3e\xc6\xf0\xa1\xe6";
const AES_3: [u8; 16] = *b"\xc9\xd9\xf3\x9a\x62\x8a\x44\x60\xbf\x74\x0d\x08\xc1\x8a\x4f\xea";
const AES_4: [u8; 16] = *b"\x7c\x02\xbb\x82\x79\xa7\x4a\xc0\x92\x7d\x11\x4a\x00\x64\x82\x38";

const VERSION: u16 = 0x0100;
const U32: u8 = 0x04;
const U64: u8 = 0x05;
const BYTES: u8 = 0x42;

const WRONG: Error = Error::Damaged("its key derivation");

/// The key derivation of a header's dictionary.
///
/// # Errors
/// [`Error::KdfTooDear`], [`Error::Encryption`], [`Error::Damaged`].
pub(super) fn read(bytes: &[u8]) -> Result<Kdf, Error> {
    let values = values(bytes).map_err(|error| if error == Error::Truncated { WRONG } else { error })?;
    let find = |name: &[u8]| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let number = |name| find(name).and_then(number).ok_or(WRONG);
    let uuid = find(b"$UUID").ok_or(WRONG)?;
    let salt = || find(b"S").ok_or(WRONG);
    let kdf = if uuid == ARGON2D || uuid == ARGON2ID {
        if find(b"K").is_some_and(|key| !key.is_empty()) || find(b"A").is_some_and(|data| !data.is_empty()) {
            return Err(Error::Encryption("its Argon2 has a key or data of its own".into()));
        }
        Kdf::Argon2 {
            d: uuid == ARGON2D,
            salt: salt()?.to_vec(),
            cost: Cost {
                // Whole KiB; what is more is not used by anybody.
                memory_kib: number(b"M")? / 1024,
                passes: number(b"I")?,
                lanes: u32::try_from(number(b"P")?).unwrap_or(u32::MAX),
            },
            version: u32::try_from(number(b"V")?).map_err(|_| WRONG)?,
        }
    } else if uuid == AES_3 || uuid == AES_4 {
        Kdf::Aes { seed: salt()?.try_into().map_err(|_| WRONG)?, rounds: number(b"R")? }
    } else {
        return Err(Error::Encryption("its key derivation".into()));
    };
    kdf.bounded()
}

type Named<'a> = (&'a [u8], &'a [u8]);

fn values(bytes: &[u8]) -> Result<Vec<Named<'_>>, Error> {
    let mut cursor = Cursor(bytes);
    if u16::from_le_bytes(cursor.array()?) & 0xff00 != VERSION {
        return Err(WRONG);
    }
    let mut values: Vec<Named<'_>> = Vec::new();
    loop {
        if cursor.byte()? == 0 {
            return Ok(values);
        }
        let length = cursor.length()?;
        let name = cursor.take(length)?;
        let length = cursor.length()?;
        let value = cursor.take(length)?;
        // Nobody writes more than eight.
        if values.len() == 32 || values.iter().any(|(known, _)| *known == name) {
            return Err(WRONG);
        }
        values.push((name, value));
    }
}

fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 => value.try_into().ok().map(u32::from_le_bytes).map(u64::from),
        8 => value.try_into().ok().map(u64::from_le_bytes),
        _ => None,
    }
}

/// The dictionary of Argon2id of version 0x13.
///
/// # Errors
/// [`Error::Damaged`] for a cost that cannot be.
pub(super) fn write(salt: &[u8], cost: Cost) -> Result<Vec<u8>, Error> {
    let memory = cost.memory_kib.checked_mul(1024).ok_or(WRONG)?;
    let mut out = VERSION.to_le_bytes().to_vec();
    for (kind, name, value) in [
        (BYTES, &b"$UUID"[..], &ARGON2ID[..]),
        (U64, b"I", &cost.passes.to_le_bytes()),
        (U64, b"M", &memory.to_le_bytes()),
        (U32, b"P", &cost.lanes.to_le_bytes()),
        (BYTES, b"S", salt),
        (U32, b"V", &0x13_u32.to_le_bytes()),
    ] {
        out.push(kind);
        for part in [name, value] {
            out.extend_from_slice(&u32::try_from(part.len()).map_err(|_| WRONG)?.to_le_bytes());
            out.extend_from_slice(part);
        }
    }
    out.push(0);
    Ok(out)
}
