//! The file around the document.
//!
//! ```text
//! file      = header ‖ SHA-256(header) ‖ HMAC(block key(2^64 − 1), header) ‖ blocks
//! composite = SHA-256(SHA-256(passphrase))
//! root      = KDF(composite)
//! key       = SHA-256(seed ‖ root), of the cipher
//! mac root  = SHA-512(seed ‖ root ‖ 1)
//! block key(n) = SHA-512(n ‖ mac root)
//! block n   = HMAC(block key(n), n ‖ length ‖ data) ‖ length ‖ data; the last is empty
//! data      = cipher(gzip(inner header ‖ XML))
//! ```
//!
//! Integers are little-endian; n has 8 bytes, a length 4. HMAC is with SHA-256.

use std::io::Write;

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use hmac::{Hmac, Mac};
use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::super::buffer::Cleared;
use super::super::kdf::Kdf;
use super::super::{Cost, Error};
use super::stream::Stream;
use super::{Cursor, dictionary};
use crate::defaults;
use crate::passphrase::Passphrase;

/// With which all KeePass files begin.
pub(super) const SIGNATURE: [u8; 4] = [0x03, 0xd9, 0xa2, 0x9a];
/// What follows, since KeePass 2.
const SECOND: [u8; 4] = [0x67, 0xfb, 0x4b, 0xb5];

const AES: [u8; 16] = *b"\x31\xc1\xf2\xe6\xbf\x71\x43\x50\xbe\x58\x05\x21\x6a\xfc\x5a\xff";
const CHACHA: [u8; 16] = *b"\xd6\x03\x8a\x2b\x8b\x6f\x4c\xb5\xa5\x24\x33\x9a\x31\xdb\xb5\x9a";
const TWOFISH: [u8; 16] = *b"\xad\x68\xf2\x9f\x57\x6f\x4b\xb9\xa3\x6a\xd4\x7a\xf9\x65\x34\x6c";

/// Fields of the header, and of the inner one.
mod field {
    pub(super) const END: u8 = 0;
    pub(super) const CIPHER: u8 = 2;
    pub(super) const COMPRESSION: u8 = 3;
    pub(super) const SEED: u8 = 4;
    pub(super) const IV: u8 = 7;
    pub(super) const KDF: u8 = 11;
    pub(super) const INNER_CIPHER: u8 = 1;
    pub(super) const INNER_KEY: u8 = 2;
}

/// ChaCha20, among the ciphers of the protected values.
const INNER_CHACHA: u32 = 3;

/// As `KeePassXC` cuts what it writes.
const BLOCK: usize = 1 << 20;

#[derive(Clone, Copy)]
enum Cipher {
    Aes,
    ChaCha,
}

struct Header {
    cipher: Cipher,
    packed: bool,
    seed: [u8; 32],
    iv: Vec<u8>,
    kdf: Kdf,
}

/// The document and the cipher of its protected values.
pub(super) fn open(file: &[u8], passphrase: &Passphrase) -> Result<(Zeroizing<Vec<u8>>, Stream), Error> {
    if file.len() > defaults::MAX_EXCHANGE_FILE {
        return Err(Error::TooLarge);
    }
    let mut cursor = Cursor(file);
    let header = Header::read(&mut cursor)?;
    let length = file.len() - cursor.0.len();
    let bytes = file.get(..length).ok_or(Error::Truncated)?;
    if cursor.array::<32>()? != <[u8; 32]>::from(Sha256::digest(bytes)) {
        return Err(Error::Damaged("its header"));
    }
    let said = cursor.array::<32>()?;
    let keys = Keys::derive(header.kdf.clone(), &header.seed, passphrase)?;
    if !bool::from(keys.tag(u64::MAX, |mac| mac.update(bytes))?.ct_eq(&said)) {
        return Err(Error::WrongPassphrase);
    }
    let sealed = blocks(&mut cursor, &keys)?;
    let plain = header.decrypt(&keys, sealed)?;
    let plain = if header.packed { unpack(&plain)? } else { plain };
    inner(plain)
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        if cursor.array()? != SIGNATURE {
            return Err(Error::Unknown);
        }
        if cursor.array()? != SECOND {
            return Err(Error::KdbxVersion("1".into()));
        }
        let (minor, major) = (u16::from_le_bytes(cursor.array()?), u16::from_le_bytes(cursor.array()?));
        if major != 4 {
            return Err(Error::KdbxVersion(format!("{major}.{minor}")));
        }
        let mut fields: [Option<&[u8]>; 13] = [None; 13];
        loop {
            let (id, length) = (cursor.byte()?, cursor.length()?);
            let value = cursor.take(length)?;
            if id == field::END {
                break;
            }
            let place = fields.get_mut(usize::from(id)).ok_or(Error::Damaged("its header"))?;
            if place.replace(value).is_some() {
                return Err(Error::Damaged("its header"));
            }
        }
        let find =
            |id: u8| fields.get(usize::from(id)).copied().flatten().ok_or(Error::Damaged("its header"));
        let cipher = match find(field::CIPHER)? {
            id if id == AES => Cipher::Aes,
            id if id == CHACHA => Cipher::ChaCha,
            id if id == TWOFISH => return Err(Error::Encryption("Twofish".into())),
            _ => return Err(Error::Encryption("its cipher".into())),
        };
        let packed = match find(field::COMPRESSION)? {
            [0, 0, 0, 0] => false,
            [1, 0, 0, 0] => true,
            _ => return Err(Error::Damaged("its compression")),
        };
        let seed = find(field::SEED)?.try_into().map_err(|_| Error::Damaged("its header"))?;
        let kdf = dictionary::read(find(field::KDF)?)?;
        Ok(Self { cipher, packed, seed, iv: find(field::IV)?.to_vec(), kdf })
    }

    fn decrypt(&self, keys: &Keys, mut data: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Error> {
        const WRONG: Error = Error::Damaged("its encryption");
        match self.cipher {
            Cipher::Aes => {
                let cipher = cbc::Decryptor::<Aes256>::new_from_slices(keys.cipher.as_slice(), &self.iv);
                let cipher = cipher.map_err(|_| WRONG)?;
                let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut data).map_err(|_| WRONG)?.len();
                data.truncate(length);
            }
            Cipher::ChaCha => {
                let cipher = ChaCha20::new_from_slices(keys.cipher.as_slice(), &self.iv);
                cipher.map_err(|_| WRONG)?.try_apply_keystream(&mut data).map_err(|_| WRONG)?;
            }
        }
        Ok(data)
    }
}

struct Keys {
    cipher: Zeroizing<[u8; 32]>,
    mac: Zeroizing<[u8; 64]>,
}

impl Keys {
    fn derive(kdf: Kdf, seed: &[u8; 32], passphrase: &Passphrase) -> Result<Self, Error> {
        let once = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(passphrase.expose())));
        let composite = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(once.as_slice())));
        let root = kdf.derive(composite.as_slice())?;
        let seeded = Sha256::new().chain_update(seed).chain_update(root.as_slice());
        let mac = Sha512::new().chain_update(seed).chain_update(root.as_slice()).chain_update([1]);
        Ok(Self {
            cipher: Zeroizing::new(seeded.finalize().into()),
            mac: Zeroizing::new(mac.finalize().into()),
        })
    }

    fn tag(&self, number: u64, content: impl FnOnce(&mut Hmac<Sha256>)) -> Result<[u8; 32], Error> {
        let number = number.to_le_bytes();
        let key = Sha512::new().chain_update(number).chain_update(self.mac.as_slice()).finalize();
        let key = Zeroizing::new(<[u8; 64]>::from(key));
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(key.as_slice());
        let mut mac = mac.map_err(|_| Error::Damaged("its blocks"))?;
        content(&mut mac);
        Ok(mac.finalize().into_bytes().into())
    }

    fn block_tag(&self, number: u64, data: &[u8]) -> Result<[u8; 32], Error> {
        let length = u32::try_from(data.len()).map_err(|_| Error::Damaged("its blocks"))?;
        self.tag(number, |mac| {
            mac.update(&number.to_le_bytes());
            mac.update(&length.to_le_bytes());
            mac.update(data);
        })
    }
}

fn blocks(cursor: &mut Cursor<'_>, keys: &Keys) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut sealed = Zeroizing::new(Vec::with_capacity(cursor.0.len()));
    for number in 0.. {
        let said = cursor.array::<32>()?;
        let length = cursor.length()?;
        let data = cursor.take(length)?;
        if !bool::from(keys.block_tag(number, data)?.ct_eq(&said)) {
            return Err(Error::Damaged("one of its blocks"));
        }
        if data.is_empty() {
            break;
        }
        sealed.extend_from_slice(data);
    }
    Ok(sealed)
}

fn unpack(packed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    match Cleared::read(&mut GzDecoder::new(packed), defaults::MAX_EXCHANGE_UNPACKED) {
        Ok(Some(plain)) => Ok(plain),
        Ok(None) => Err(Error::Inflates),
        Err(_) => Err(Error::Damaged("its compression")),
    }
}

fn inner(mut plain: Zeroizing<Vec<u8>>) -> Result<(Zeroizing<Vec<u8>>, Stream), Error> {
    let mut cursor = Cursor(&plain);
    let (mut cipher, mut key) = (None, None);
    loop {
        let (id, length) = (cursor.byte()?, cursor.length()?);
        let value = cursor.take(length)?;
        match id {
            field::END => break,
            field::INNER_CIPHER => cipher = Some(value),
            field::INNER_KEY => key = Some(value),
            // Attachments.
            _ => {}
        }
    }
    if cipher != Some(&INNER_CHACHA.to_le_bytes()[..]) {
        return Err(Error::Encryption("the cipher of its protected values".into()));
    }
    let stream = Stream::new(key.ok_or(Error::Damaged("its inner header"))?)?;
    let begin = plain.len() - cursor.0.len();
    plain.copy_within(begin.., 0);
    let length = plain.len() - begin;
    // What is cut off lies in the same place and is cleared with it.
    plain.truncate(length);
    Ok((plain, stream))
}

/// A file around the document that `document` writes.
pub(super) fn seal(
    passphrase: &Passphrase,
    cost: Cost,
    rng: &mut dyn CryptoRngCore,
    document: impl FnOnce(&mut Stream, &mut dyn CryptoRngCore) -> Result<Zeroizing<Vec<u8>>, Error>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    const WRONG: Error = Error::Damaged("what is to be written");
    let mut random = Zeroizing::new([0; 32 + 16 + 32 + 64]);
    rng.try_fill_bytes(random.as_mut_slice()).map_err(|_| Error::NoRandomness)?;
    let (seed, rest) = random.split_first_chunk::<32>().ok_or(WRONG)?;
    let (iv, rest) = rest.split_first_chunk::<16>().ok_or(WRONG)?;
    let (salt, secret) = rest.split_first_chunk::<32>().ok_or(WRONG)?;

    let mut header = [SIGNATURE, SECOND, [0, 0, 4, 0]].concat();
    let dictionary = dictionary::write(salt, cost)?;
    for (id, value) in [
        (field::CIPHER, &AES[..]),
        (field::COMPRESSION, &[1, 0, 0, 0]),
        (field::SEED, seed),
        (field::IV, iv),
        (field::KDF, &dictionary),
        (field::END, b"\r\n\r\n"),
    ] {
        push_field(&mut header, id, value)?;
    }
    let kdf = Kdf::Argon2 { d: false, salt: salt.to_vec(), cost, version: 0x13 };
    let keys = Keys::derive(kdf, seed, passphrase)?;

    let xml = document(&mut Stream::new(secret)?, rng)?;
    let mut front = Zeroizing::new(Vec::with_capacity(128));
    push_field(&mut front, field::INNER_CIPHER, &INNER_CHACHA.to_le_bytes())?;
    push_field(&mut front, field::INNER_KEY, secret)?;
    push_field(&mut front, field::END, &[])?;
    let mut packer =
        GzEncoder::new(Cleared::with_capacity(xml.len() / 2 + 1024), flate2::Compression::default());
    let packed =
        packer.write_all(&front).and_then(|()| packer.write_all(&xml)).and_then(|()| packer.finish());
    let mut data = packed.map_err(|_| WRONG)?;
    let length = data.as_slice().len();
    data.push(&[0; 16]);
    let mut data = data.into_inner();
    let cipher = cbc::Encryptor::<Aes256>::new(keys.cipher.as_slice().into(), iv.into());
    let sealed = cipher.encrypt_padded_mut::<Pkcs7>(&mut data, length).map_err(|_| WRONG)?;

    let mut file = Zeroizing::new(Vec::with_capacity(sealed.len() + header.len() + 1024));
    file.extend_from_slice(&header);
    file.extend_from_slice(&Sha256::digest(&header));
    file.extend_from_slice(&keys.tag(u64::MAX, |mac| mac.update(&header))?);
    for (number, block) in (0..).zip(sealed.chunks(BLOCK).chain([&[][..]])) {
        file.extend_from_slice(&keys.block_tag(number, block)?);
        file.extend_from_slice(&u32::try_from(block.len()).map_err(|_| WRONG)?.to_le_bytes());
        file.extend_from_slice(block);
    }
    Ok(file)
}

fn push_field(to: &mut Vec<u8>, id: u8, value: &[u8]) -> Result<(), Error> {
    let length = u32::try_from(value.len()).map_err(|_| Error::Damaged("what is to be written"))?;
    to.push(id);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(value);
    Ok(())
}
