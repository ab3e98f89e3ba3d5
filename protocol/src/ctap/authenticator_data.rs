use super::BAD_RESPONSE;
use crate::cbor::{self, Map};
use crate::error::Error;

/// The bits of an authenticator data's flags byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// User present.
    pub const UP: u8 = 0x01;
    /// User verified.
    pub const UV: u8 = 0x04;
    /// Backup eligible.
    pub const BE: u8 = 0x08;
    /// Backed up.
    pub const BS: u8 = 0x10;
    /// Attested credential data follow.
    pub const AT: u8 = 0x40;
    /// Extension outputs follow.
    pub const ED: u8 = 0x80;

    /// Whether all of these bits are set.
    pub const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// What an authenticator signs.
///
/// SHA-256(RP ID) (32) ‖ flags (1) ‖ counter (4, big-endian) ‖ attested
/// credential data if AT ‖ extension outputs if ED. Kept with the bytes it
/// was read from, because the signature is over those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the RP ID.
    pub rp_id_hash: [u8; 32],
    /// The flags.
    pub flags: Flags,
    /// The signature counter.
    pub counter: u32,
    /// The new credential, in the answer to makeCredential.
    pub attested: Option<AttestedCredential>,
    bytes: Vec<u8>,
    extensions_at: Option<usize>,
}

/// The new credential: AAGUID (16) ‖ length of the id (2, big-endian) ‖ id ‖
/// COSE key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedCredential {
    /// The authenticator's model.
    pub aaguid: [u8; 16],
    /// The credential id, at most 1,023 bytes (WebAuthn).
    pub id: Vec<u8>,
    /// The public key as a COSE key, canonical CBOR.
    pub public_key: Vec<u8>,
}

impl AttestedCredential {
    /// The longest credential id, in bytes.
    pub const MAX_ID: usize = 1023;

    /// The COSE algorithm of the key (its entry 3).
    pub fn algorithm(&self) -> Option<i64> {
        cbor::parse(&self.public_key, cbor::CTAP_DEPTH).ok()?.as_map()?.get(3)?.as_int()
    }
}

impl AuthenticatorData {
    /// Puts authenticator data together, without extension outputs. The bits
    /// AT and ED are set as they must be.
    pub fn new(rp_id_hash: [u8; 32], flags: u8, counter: u32, attested: Option<AttestedCredential>) -> Self {
        let flags = flags & !(Flags::AT | Flags::ED) | if attested.is_some() { Flags::AT } else { 0 };
        let mut bytes = rp_id_hash.to_vec();
        bytes.push(flags);
        bytes.extend_from_slice(&counter.to_be_bytes());
        if let Some(credential) = &attested {
            bytes.extend_from_slice(&credential.aaguid);
            let length = u16::try_from(credential.id.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend(credential.id.iter().take(length.into()));
            bytes.extend_from_slice(&credential.public_key);
        }
        Self { rp_id_hash, flags: Flags(flags), counter, attested, bytes, extensions_at: None }
    }

    /// The same with the extension outputs that `fill` adds, if it adds any.
    #[must_use]
    pub fn with_extensions(mut self, fill: impl FnOnce(&mut cbor::Entries)) -> Self {
        let outputs = cbor::Writer::map_of(fill);
        if self.extensions_at.is_some() || outputs == EMPTY_MAP {
            return self;
        }
        self.flags = Flags(self.flags.0 | Flags::ED);
        if let Some(flags) = self.bytes.get_mut(self.rp_id_hash.len()) {
            *flags = self.flags.0;
        }
        self.extensions_at = Some(self.bytes.len());
        self.bytes.extend_from_slice(&outputs);
        self
    }

    /// Reads authenticator data to the last byte.
    ///
    /// # Errors
    /// [`What::Ctap`](crate::error::What::Ctap) or a fault of the CBOR.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(BAD_RESPONSE)?;
        let (flags, rest) = rest.split_first().ok_or(BAD_RESPONSE)?;
        let (counter, mut rest) = rest.split_first_chunk().ok_or(BAD_RESPONSE)?;
        let flags = Flags(*flags);
        let mut attested = None;
        if flags.has(Flags::AT) {
            let (credential, after) = read_attested(rest)?;
            (attested, rest) = (Some(credential), after);
        }
        let mut extensions_at = None;
        if flags.has(Flags::ED) {
            extensions_at = Some(bytes.len() - rest.len());
            let (item, after) = cbor::parse_prefix(rest, cbor::CTAP_DEPTH)?;
            item.as_map().ok_or(BAD_RESPONSE)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(BAD_RESPONSE);
        }
        Ok(Self {
            rp_id_hash: *rp_id_hash,
            flags,
            counter: u32::from_be_bytes(*counter),
            attested,
            bytes: bytes.to_vec(),
            extensions_at,
        })
    }

    /// The bytes, as they are signed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signed extension outputs, if there are any.
    pub fn extensions(&self) -> Option<Map<'_>> {
        let bytes = self.bytes.get(self.extensions_at?..)?;
        cbor::parse(bytes, cbor::CTAP_DEPTH).ok()?.as_map()
    }
}

/// A map without entries.
const EMPTY_MAP: [u8; 1] = [0xa0];

fn read_attested(bytes: &[u8]) -> Result<(AttestedCredential, &[u8]), Error> {
    let (aaguid, rest) = bytes.split_first_chunk().ok_or(BAD_RESPONSE)?;
    let (length, rest) = rest.split_first_chunk().ok_or(BAD_RESPONSE)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length > AttestedCredential::MAX_ID {
        return Err(BAD_RESPONSE);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(BAD_RESPONSE)?;
    let (key, rest) = cbor::parse_prefix(rest, cbor::CTAP_DEPTH)?;
    key.as_map().ok_or(BAD_RESPONSE)?;
    let credential =
        AttestedCredential { aaguid: *aaguid, id: id.to_vec(), public_key: key.encoded().to_vec() };
    Ok((credential, rest))
}
