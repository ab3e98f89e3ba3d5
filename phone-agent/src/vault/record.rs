use std::fmt;

use cablecar_protocol::cbor::{self, Item, Writer};
use cablecar_protocol::ctap::{PrfValues, RelyingParty, User};
use hmac::{Hmac, Mac};
use rand_core::CryptoRngCore;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::private_key::{Algorithm, PrivateKey};
use super::{Error, fill, random};

/// One passkey, as a record of the vault holds it.
/// Key by key: `docs/vault-format.md`.
///
/// A passkey that can be synced has no counter: one that two devices keep
/// apart is an alarm without a fire.
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
    /// Who may use it or learn of it.
    pub protection: Protection,
    /// Signatures made so far, where [`Backup::eligible`] is false; 0 otherwise.
    pub counter: u32,
    /// What the RP stored with it (`credBlob`).
    pub blob: Option<Vec<u8>>,
    /// The key of its large blob.
    pub large_blob_key: Option<LargeBlobKey>,
}

impl Passkey {
    /// A new passkey of this account: discoverable, may be synced, with an id
    /// and secrets of its own, and nothing of what extensions add.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random(
        algorithm: Algorithm,
        rp: RelyingParty,
        user: User,
        created_at: u64,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Self, Error> {
        Ok(Self {
            id: CredentialId::random(rng)?,
            rp,
            user,
            key: PrivateKey::random(algorithm, rng)?,
            created_at,
            backup: Backup::SYNCED,
            prf: PrfSecrets::random(rng)?,
            discoverable: true,
            protection: Protection::Optional,
            counter: 0,
            blob: None,
            large_blob_key: None,
        })
    }

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
            map.entry(7, |w| w.int(self.key.algorithm().cose()));
            map.entry(8, |w| w.bytes(self.key.expose()));
            map.entry(9, |w| w.unsigned(self.created_at));
            map.entry(10, |w| w.bool(self.backup.eligible()));
            map.entry(11, |w| w.bool(self.backup.done()));
            map.entry(12, |w| w.bytes(self.prf.0.as_slice()));
            map.entry(13, |w| w.bool(self.discoverable));
            if self.protection != Protection::Optional {
                map.entry(14, |w| w.unsigned(self.protection.level()));
            }
            if self.counter != 0 {
                map.entry(15, |w| w.unsigned(self.counter.into()));
            }
            if let Some(blob) = &self.blob {
                map.entry(16, |w| w.bytes(blob));
            }
            if let Some(key) = &self.large_blob_key {
                map.entry(17, |w| w.bytes(key.expose()));
            }
        }))
    }

    /// Reads a record; `None` if it is not one.
    pub(super) fn from_record(map: &Fields<'_>) -> Option<Self> {
        let algorithm = Algorithm::from_cose(map.get(7)?.as_int()?)?;
        Some(Self {
            id: CredentialId::new(map.get(1)?.as_bytes()?.to_vec()),
            rp: RelyingParty { id: map.get(2)?.as_text()?.to_owned(), name: optional_text(map, 3)? },
            user: User {
                id: map.get(4)?.as_bytes()?.to_vec(),
                name: optional_text(map, 5)?,
                display_name: optional_text(map, 6)?,
            },
            key: PrivateKey::from_secret(algorithm, map.get(8)?.as_bytes()?)?,
            created_at: map.get(9)?.as_unsigned()?,
            backup: Backup::from_flags(map.get(10)?.as_bool()?, map.get(11)?.as_bool()?)?,
            prf: PrfSecrets::from_bytes(map.get(12)?.as_bytes()?)?,
            discoverable: map.get(13)?.as_bool()?,
            protection: match map.get(14) {
                None => Protection::Optional,
                Some(item) => Protection::from_level(item.as_unsigned()?)?,
            },
            counter: match map.get(15) {
                None => 0,
                Some(item) => item.as_unsigned()?.try_into().ok()?,
            },
            blob: match map.get(16) {
                None => None,
                Some(item) => Some(item.as_bytes()?.to_vec()),
            },
            large_blob_key: match map.get(17) {
                None => None,
                Some(item) => Some(LargeBlobKey::from_bytes(item.as_bytes()?)?),
            },
        })
    }

    /// The same passkey once more, for a change that may still fail.
    pub(super) fn again(&self) -> Self {
        Self {
            id: self.id.clone(),
            rp: self.rp.clone(),
            user: self.user.clone(),
            key: self.key.again(),
            created_at: self.created_at,
            backup: self.backup,
            prf: self.prf.again(),
            discoverable: self.discoverable,
            protection: self.protection,
            counter: self.counter,
            blob: self.blob.clone(),
            large_blob_key: self.large_blob_key.as_ref().map(LargeBlobKey::again),
        }
    }
}

/// The fields of a record by their keys, found while it is proven: a map is a
/// list, and a walk for each key would be most of what opening a vault costs.
pub(super) struct Fields<'a>([Option<Item<'a>>; 18]);

impl<'a> Fields<'a> {
    /// Those of this record, unless it is no map in canonical form.
    pub(super) fn of(record: &'a [u8]) -> Option<Self> {
        cbor::parse_fields(record, cbor::CTAP_DEPTH).ok().map(Self)
    }

    /// What kind of record it is; a passkey does not say.
    pub(super) fn kind(&self) -> Option<Item<'a>> {
        self.get(0)
    }

    fn get(&self, key: usize) -> Option<Item<'a>> {
        self.0.get(key).copied().flatten()
    }
}

/// `Some(None)` if it is absent, `None` if it is there and no text.
fn optional_text(map: &Fields<'_>, key: usize) -> Option<Option<String>> {
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
/// Eligibility is fixed when the passkey is made, and only the eligible are
/// ever backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    eligible: bool,
    done: bool,
}

impl Backup {
    /// A new passkey under the policy *synced*: the vault can be exported,
    /// this passkey has not been yet. BE=1, BS=0.
    pub const SYNCED: Self = Self { eligible: true, done: false };
    /// A new passkey under the policy *device-bound*. BE=0, BS=0.
    pub const DEVICE_BOUND: Self = Self { eligible: false, done: false };
    /// A passkey that came from elsewhere. BE=1, BS=1.
    pub const IMPORTED: Self = Self { eligible: true, done: true };

    /// Backup eligible (BE).
    pub fn eligible(self) -> bool {
        self.eligible
    }

    /// Backed up (BS).
    pub fn done(self) -> bool {
        self.done
    }

    /// The same, once the passkey was exported. One that is not eligible
    /// stays what it is.
    #[must_use]
    pub fn exported(self) -> Self {
        Self { done: self.eligible, ..self }
    }

    fn from_flags(eligible: bool, done: bool) -> Option<Self> {
        (eligible || !done).then_some(Self { eligible, done })
    }
}

/// Who may use a passkey or learn of it: `credProtect`, CTAP 2.1, 12.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// 1: user verification is optional.
    Optional,
    /// 2: the same for who knows the credential id; found by itself only
    /// after a verification.
    OptionalWithId,
    /// 3: only after a verification.
    Required,
}

impl Protection {
    /// The protection with this number, 1 to 3.
    pub fn from_level(level: u64) -> Option<Self> {
        match level {
            1 => Some(Self::Optional),
            2 => Some(Self::OptionalWithId),
            3 => Some(Self::Required),
            _ => None,
        }
    }

    /// Its number, 1 to 3.
    pub fn level(self) -> u64 {
        match self {
            Self::Optional => 1,
            Self::OptionalWithId => 2,
            Self::Required => 3,
        }
    }
}

/// The key under which an RP seals its large blob, 32 bytes.
pub struct LargeBlobKey(Box<Zeroizing<[u8; 32]>>);

impl LargeBlobKey {
    /// Draws one.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random(rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        let mut key = Self(Box::default());
        fill(rng, key.0.as_mut_slice())?;
        Ok(key)
    }

    /// The key with these 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Self(Box::default());
        if bytes.len() != key.0.len() {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    /// The bytes, for whoever must have them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn again(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for LargeBlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LargeBlobKey(..)")
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

    /// The secrets with these 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
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

    /// All 64 bytes, for whoever must have them.
    pub fn expose(&self) -> &[u8; 64] {
        &self.0
    }

    fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// output = HMAC-SHA-256(secret, salt), for each salt; the secret is the
    /// one for requests with user verification, or the other.
    pub fn evaluate(&self, salts: &PrfValues, verified: bool) -> PrfValues {
        let (with, without) = self.0.split_at(32);
        let secret = if verified { with } else { without };
        salts.map(|salt| {
            let mut output = Zeroizing::new([0; 32]);
            // HMAC takes a key of any length.
            if let Ok(mac) = <Hmac<Sha256> as Mac>::new_from_slice(secret) {
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
