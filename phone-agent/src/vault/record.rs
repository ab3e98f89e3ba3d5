use std::fmt;

use cablecar_protocol::cbor::{self, Map, Writer};
use cablecar_protocol::ctap::{ES256, PrfValues, RelyingParty, User};
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rand_core::CryptoRngCore;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Error, fill, random};

/// One passkey, as a record of the vault holds it.
///
/// | key | type | what |
/// |---|---|---|
/// | 1 | bytes | credential id |
/// | 2 | text | RP ID |
/// | 3 | text, optional | the RP's name |
/// | 4 | bytes | user handle |
/// | 5 | text, optional | the account's name |
/// | 6 | text, optional | the person's name |
/// | 7 | integer | COSE algorithm, now always −7 |
/// | 8 | bytes (32) | private key, a P-256 scalar, big-endian |
/// | 9 | unsigned | seconds since 1970 when it was made |
/// | 10 | bool | backup eligible |
/// | 11 | bool | backed up |
/// | 12 | bytes (64) | the two secrets of the `prf` extension, with and without user verification |
/// | 13 | bool | discoverable |
///
/// There is no signature counter: these passkeys can be synced, and a counter
/// that two devices keep apart is an alarm without a fire. It is always 0.
#[derive(Debug)]
pub struct Passkey {
    /// The credential id.
    pub id: CredentialId,
    /// Whose passkey.
    pub rp: RelyingParty,
    /// For which account.
    pub user: User,
    /// The private key.
    pub key: PrivateKey,
    /// Seconds since 1970 when it was made.
    pub created_at: u64,
    /// Whether it may leave this vault, and has.
    pub backup: Backup,
    /// The secrets of the `prf` extension.
    pub prf: PrfSecrets,
    /// Whether it is found without being asked for by its id.
    pub discoverable: bool,
}

impl Passkey {
    /// Whether this one, once stored, takes the other's place: both are
    /// discoverable and of the same account.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        let same_account = self.rp.id == other.rp.id && self.user.id == other.user.id;
        self.discoverable && other.discoverable && same_account
    }

    /// The record.
    pub(super) fn to_cbor(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Writer::map_of(|map| {
            map.entry(1, |w| w.bytes(self.id.as_bytes()));
            map.entry(2, |w| w.text(&self.rp.id));
            map.entry(4, |w| w.bytes(&self.user.id));
            for (key, text) in [(3, &self.rp.name), (5, &self.user.name), (6, &self.user.display_name)] {
                if let Some(text) = text {
                    map.entry(key, |w| w.text(text));
                }
            }
            map.entry(7, |w| w.int(ES256));
            map.entry(8, |w| w.bytes(self.key.expose()));
            map.entry(9, |w| w.unsigned(self.created_at));
            map.entry(10, |w| w.bool(self.backup.eligible));
            map.entry(11, |w| w.bool(self.backup.done));
            map.entry(12, |w| w.bytes(self.prf.0.as_slice()));
            map.entry(13, |w| w.bool(self.discoverable));
        }))
    }

    /// Reads a record; `None` if it is not one.
    pub(super) fn from_cbor(bytes: &[u8]) -> Option<Self> {
        let map = cbor::parse(bytes, cbor::CTAP_DEPTH).ok()?.as_map()?;
        if map.get(7)?.as_int()? != ES256 {
            return None;
        }
        Some(Self {
            id: CredentialId::new(map.get(1)?.as_bytes()?.to_vec()),
            rp: RelyingParty { id: map.get(2)?.as_text()?.to_owned(), name: optional_text(&map, 3)? },
            user: User {
                id: map.get(4)?.as_bytes()?.to_vec(),
                name: optional_text(&map, 5)?,
                display_name: optional_text(&map, 6)?,
            },
            key: PrivateKey::from_scalar(map.get(8)?.as_bytes()?)?,
            created_at: map.get(9)?.as_unsigned()?,
            backup: Backup { eligible: map.get(10)?.as_bool()?, done: map.get(11)?.as_bool()? },
            prf: PrfSecrets::from_bytes(map.get(12)?.as_bytes()?)?,
            discoverable: map.get(13)?.as_bool()?,
        })
    }
}

/// `Some(None)` if it is absent, `None` if it is there and no text.
fn optional_text(map: &Map<'_>, key: i64) -> Option<Option<String>> {
    match map.get(key) {
        None => Some(None),
        Some(item) => item.as_text().map(|text| Some(text.to_owned())),
    }
}

/// Names a passkey to the relying party.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    /// The id made of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// 32 random bytes: they tell nobody anything, not even that two passkeys
    /// live in the same vault.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        Ok(Self(random::<32>(rng)?.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialId(..)")
    }
}

/// Whether a passkey may exist outside the vault that made it, and does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Backup eligible (BE). Fixed when the passkey is made.
    pub eligible: bool,
    /// Backed up (BS). Set once the passkey has been exported.
    pub done: bool,
}

impl Backup {
    /// A new passkey under the policy *synced*: the vault can be exported,
    /// this passkey has not been yet.
    pub const SYNCED: Self = Self { eligible: true, done: false };
}

/// The private key of a passkey, P-256.
pub struct PrivateKey(Box<[u8; 32]>);

impl PrivateKey {
    /// Draws a key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        // A draw fails to be a scalar once in 2^32.
        let mut key = Self(Box::new([0; 32]));
        for _ in 0..64 {
            fill(rng, key.0.as_mut_slice())?;
            if p256::SecretKey::from_slice(key.expose()).is_ok() {
                return Ok(key);
            }
        }
        Err(Error::NoRandomness)
    }

    /// The key with this scalar of 32 bytes, unless it is 0 or not below the
    /// group's order.
    pub fn from_scalar(scalar: &[u8]) -> Option<Self> {
        // Copied into its place and nowhere else, so that it can be cleared.
        let mut key = Self(Box::new([0; 32]));
        if scalar.len() != key.0.len() {
            return None;
        }
        key.0.copy_from_slice(scalar);
        p256::SecretKey::from_slice(key.expose()).is_ok().then_some(key)
    }

    /// The scalar, for whoever must have it.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// X and Y of the public key, 32 bytes each.
    pub fn public(&self) -> Option<([u8; 32], [u8; 32])> {
        let point = p256::SecretKey::from_slice(self.expose()).ok()?.public_key().to_encoded_point(false);
        Some(((*point.x()?).into(), (*point.y()?).into()))
    }

    /// ECDSA with SHA-256 over the message, in DER. Deterministic (RFC 6979):
    /// a source of randomness that fails costs no key.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let key = SigningKey::from_slice(self.expose()).ok()?;
        let signature: Signature = key.sign(message);
        Some(signature.to_der().as_bytes().to_vec())
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// The secrets of the `prf` extension, CTAP's CredRandom: 32 bytes for
/// requests with user verification, then 32 for those without.
pub struct PrfSecrets(Box<Zeroizing<[u8; 64]>>);

impl PrfSecrets {
    /// Draws both.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        let mut secrets = Self::zero();
        fill(rng, secrets.0.as_mut_slice())?;
        Ok(secrets)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut secrets = Self::zero();
        if bytes.len() != secrets.0.len() {
            return None;
        }
        secrets.0.copy_from_slice(bytes);
        Some(secrets)
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 64])))
    }

    /// output = HMAC-SHA-256(secret with user verification, salt), for each salt
    pub fn evaluate(&self, salts: &PrfValues) -> PrfValues {
        let (verified, _) = self.0.split_at(32);
        salts.map(|salt| {
            let mut output = Zeroizing::new([0; 32]);
            // HMAC takes a key of any length.
            if let Ok(mac) = <Hmac<Sha256> as Mac>::new_from_slice(verified) {
                output.copy_from_slice(&mac.chain_update(salt).finalize().into_bytes());
            }
            output
        })
    }
}

impl fmt::Debug for PrfSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrfSecrets(..)")
    }
}
