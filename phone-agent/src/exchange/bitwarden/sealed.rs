//! Bitwarden's exports under a passphrase.
//!
//! ```text
//! key         = PBKDF2-SHA-256(passphrase, salt), or
//!               Argon2id(passphrase, SHA-256(salt)); 32 bytes
//! enc, mac    = HKDF-Expand-SHA-256(key, "enc"), HKDF-Expand-SHA-256(key, "mac"); 32 bytes each
//! a sealed    = "2." iv "|" ct "|" tag, each in Base64
//! ct          = AES-256-CBC(enc, iv, text)
//! tag         = HMAC-SHA-256(mac, iv ‖ ct)
//! ```
//!
//! The salt is the text that stands in the file, not the bytes it encodes. A
//! first sealed text, of which nothing matters but that it opens, tells a
//! wrong passphrase from a damaged file.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::base64::Secret;
use super::super::buffer::Cleared;
use super::super::json::{self, Value};
use super::super::kdf::Kdf;
use super::super::{Cost, Error, base64};
use crate::passphrase::Passphrase;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(default)]
    encrypted: Option<bool>,
    #[serde(default)]
    password_protected: Option<bool>,
    #[serde(borrow, default)]
    salt: Value<'a>,
    #[serde(borrow, default)]
    kdf_type: Value<'a>,
    #[serde(borrow, default)]
    kdf_iterations: Value<'a>,
    #[serde(borrow, default)]
    kdf_memory: Value<'a>,
    #[serde(borrow, default)]
    kdf_parallelism: Value<'a>,
    #[serde(borrow, default, rename = "encKeyValidation_DO_NOT_EDIT")]
    validation: Value<'a>,
    #[serde(borrow, default)]
    data: Value<'a>,
}

/// Whether a file is such an export.
///
/// # Errors
/// Those of JSON; [`Error::AccountEncrypted`].
pub(super) fn is_sealed(file: &[u8]) -> Result<bool, Error> {
    let envelope: Envelope<'_> = json::parse(file)?;
    match (envelope.encrypted, envelope.password_protected) {
        (Some(true), Some(true)) => Ok(true),
        (Some(true), _) => Err(Error::AccountEncrypted),
        _ => Ok(false),
    }
}

/// What is inside.
///
/// # Errors
/// Those of JSON; [`Error::KdfTooDear`], [`Error::WrongPassphrase`],
/// [`Error::Encryption`], [`Error::Damaged`].
pub(super) fn open(file: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Error> {
    let envelope: Envelope<'_> = json::parse(file)?;
    let validation = Sealed::of(&envelope.validation)?;
    let data = Sealed::of(&envelope.data)?;
    let keys = Keys::derive(envelope.kdf()?, passphrase)?;
    validation.open(&keys).ok_or(Error::WrongPassphrase)?;
    data.open(&keys).ok_or(Error::Damaged("what is encrypted in it"))
}

impl Envelope<'_> {
    fn kdf(&self) -> Result<Kdf, Error> {
        let shape = |what: &str| Error::Shape(format!("its {what}"));
        let number = |value: &Value<'_>, what| value.number().ok().flatten().ok_or_else(|| shape(what));
        let salt = self.salt.text().ok().flatten().ok_or_else(|| shape("salt"))?;
        let iterations = number(&self.kdf_iterations, "kdfIterations")?;
        let kdf = match number(&self.kdf_type, "kdfType")? {
            0 => Kdf::Pbkdf2 { salt: salt.as_bytes().to_vec(), iterations },
            1 => Kdf::Argon2 {
                d: false,
                salt: Sha256::digest(salt).to_vec(),
                cost: Cost {
                    memory_kib: number(&self.kdf_memory, "kdfMemory")?.saturating_mul(1024),
                    passes: iterations,
                    lanes: u32::try_from(number(&self.kdf_parallelism, "kdfParallelism")?)
                        .unwrap_or(u32::MAX),
                },
                version: 0x13,
            },
            other => return Err(Error::Encryption(format!("its kdfType is {other}"))),
        };
        kdf.bounded()
    }
}

struct Keys {
    enc: Box<Zeroizing<[u8; 32]>>,
    mac: Box<Zeroizing<[u8; 32]>>,
}

impl Keys {
    fn derive(kdf: Kdf, passphrase: &Passphrase) -> Result<Self, Error> {
        const WRONG: Error = Error::Damaged("its key derivation");
        let key = kdf.derive(passphrase.expose())?;
        let hkdf = Hkdf::<Sha256>::from_prk(key.as_slice()).map_err(|_| WRONG)?;
        let (mut enc, mut mac) = (Box::new(Zeroizing::new([0; 32])), Box::new(Zeroizing::new([0; 32])));
        hkdf.expand(b"enc", enc.as_mut_slice()).map_err(|_| WRONG)?;
        hkdf.expand(b"mac", mac.as_mut_slice()).map_err(|_| WRONG)?;
        Ok(Self { enc, mac })
    }

    fn tag(&self) -> Option<Hmac<Sha256>> {
        <Hmac<Sha256> as Mac>::new_from_slice(self.mac.as_slice()).ok()
    }
}

struct Sealed {
    iv: [u8; 16],
    ct: Zeroizing<Vec<u8>>,
    tag: Zeroizing<Vec<u8>>,
}

impl Sealed {
    fn of(value: &Value<'_>) -> Result<Self, Error> {
        let missing = || Error::Shape("what is encrypted in it".into());
        let text = value.text().ok().flatten().ok_or_else(missing)?;
        let Some(rest) = text.strip_prefix("2.") else {
            let scheme: String = text.chars().take_while(char::is_ascii_digit).take(3).collect();
            return Err(Error::Encryption(format!("scheme {scheme:?}")));
        };
        let parts: Vec<&str> = rest.splitn(4, '|').collect();
        let [iv, ct, tag] = parts[..] else { return Err(missing()) };
        let decode = |part| base64::decode(part).ok_or_else(missing);
        let iv = decode(iv)?.as_slice().try_into().map_err(|_| missing())?;
        Ok(Self { iv, ct: decode(ct)?, tag: decode(tag)? })
    }

    fn open(mut self, keys: &Keys) -> Option<Zeroizing<Vec<u8>>> {
        keys.tag()?.chain_update(self.iv).chain_update(self.ct.as_slice()).verify_slice(&self.tag).ok()?;
        let cipher = cbc::Decryptor::<Aes256>::new(keys.enc.as_slice().into(), &self.iv.into());
        let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut self.ct).ok()?.len();
        self.ct.truncate(length);
        Some(self.ct)
    }

    fn seal(text: &[u8], keys: &Keys, rng: &mut dyn CryptoRngCore) -> Result<Secret, Error> {
        let mut iv = [0; 16];
        rng.try_fill_bytes(&mut iv).map_err(|_| Error::NoRandomness)?;
        let mut ct = Zeroizing::new(vec![0; text.len() + 16]);
        ct.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        let cipher = cbc::Encryptor::<Aes256>::new(keys.enc.as_slice().into(), &iv.into());
        const FULL: Error = Error::Damaged("what is encrypted in it");
        let length = cipher.encrypt_padded_mut::<Pkcs7>(&mut ct, text.len()).map_err(|_| FULL)?.len();
        ct.truncate(length);
        let tag =
            keys.tag().ok_or(FULL)?.chain_update(iv).chain_update(ct.as_slice()).finalize().into_bytes();
        let parts = [base64::padded(&iv), base64::padded(&ct), base64::padded(&tag)];
        let [iv, ct, tag] = &parts;
        Ok(Secret::new(format!("2.{}|{}|{}", iv.as_str(), ct.as_str(), tag.as_str())))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    encrypted: bool,
    password_protected: bool,
    salt: Secret,
    kdf_type: u8,
    kdf_iterations: u64,
    kdf_memory: u64,
    kdf_parallelism: u32,
    #[serde(rename = "encKeyValidation_DO_NOT_EDIT")]
    validation: Secret,
    data: Secret,
}

/// An export under this passphrase; of the cost, whole MiB count.
///
/// # Errors
/// [`Error::NoRandomness`], [`Error::KdfTooDear`].
pub(super) fn seal(
    plain: &[u8],
    passphrase: &Passphrase,
    cost: Cost,
    rng: &mut dyn CryptoRngCore,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut random = Zeroizing::new([0; 32]);
    rng.try_fill_bytes(random.as_mut_slice()).map_err(|_| Error::NoRandomness)?;
    let (salt, id) = random.split_at(16);
    let salt = base64::padded(salt);
    let cost = Cost { memory_kib: cost.memory_kib.div_ceil(1024) * 1024, ..cost };
    let kdf = Kdf::Argon2 { d: false, salt: Sha256::digest(salt.as_str()).to_vec(), cost, version: 0x13 };
    let keys = Keys::derive(kdf, passphrase)?;
    let id = <[u8; 16]>::try_from(id).map(super::uuid).unwrap_or_default();
    let written = Written {
        encrypted: true,
        password_protected: true,
        salt,
        kdf_type: 1,
        kdf_iterations: cost.passes,
        kdf_memory: cost.memory_kib / 1024,
        kdf_parallelism: cost.lanes,
        validation: Sealed::seal(id.as_bytes(), &keys, rng)?,
        data: Sealed::seal(plain, &keys, rng)?,
    };
    let mut out = Cleared::with_capacity(plain.len() * 4 / 3 + 1024);
    serde_json::to_writer_pretty(&mut out, &written)
        .map_err(|_| Error::Damaged("what is encrypted in it"))?;
    Ok(out.into_inner())
}
