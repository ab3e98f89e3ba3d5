//! A passkey between two programs.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::defaults;
use crate::vault::{Algorithm, PrivateKey, Protection};

/// A passkey as the formats know it, with everything checked that a vault
/// relies on.
pub struct Foreign {
    /// The credential id, 1 to [`defaults::MAX_CREDENTIAL_ID`] bytes.
    pub id: Vec<u8>,
    /// Whose passkey.
    pub rp_id: String,
    /// The RP's name.
    pub rp_name: Option<String>,
    /// The account, 1 to 64 bytes.
    pub user_handle: Vec<u8>,
    /// The account's name.
    pub user_name: Option<String>,
    /// The person's name.
    pub display_name: Option<String>,
    /// The private key.
    pub key: PrivateKey,
    /// Seconds since 1970 when it was made, if that is known.
    pub created_at: Option<u64>,
    /// The signature counter.
    pub counter: u64,
    /// Whether it is found without being asked for by its id.
    pub discoverable: bool,
    /// Whether the RP was told that it may be copied (BE). It was told once
    /// and may not be told otherwise.
    pub eligible: bool,
    /// The secrets of the `prf` extension.
    pub prf: Option<Prf>,
    /// The RP's own bytes (`credBlob`).
    pub blob: Option<Vec<u8>>,
    /// The RP's own bytes, of more than a few (`largeBlob`).
    pub large_blob: Option<LargeBlob>,
    /// Who may use it. No format can say it.
    pub protection: Protection,
}

/// The secrets of the `prf` extension, CTAP's CredRandom.
pub struct Prf {
    /// For requests with user verification.
    pub verified: Box<Zeroizing<[u8; 32]>>,
    /// For those without, which no website can ask for.
    pub unverified: Option<Box<Zeroizing<[u8; 32]>>>,
}

/// What a website stored with a passkey: compressed (RFC 1951) as CTAP's
/// large blobs are.
pub struct LargeBlob {
    /// Its length before it was compressed.
    pub uncompressed: u64,
    /// The compressed bytes.
    pub data: Zeroizing<Vec<u8>>,
}

/// A passkey in a file: what it is called there, and it, or why not.
#[derive(Debug)]
pub struct Found {
    /// What it is called.
    pub title: Title,
    /// It, or why it stays out.
    pub passkey: Result<Foreign, Reason>,
}

/// What people know a passkey by, as far as it could be read. A stranger's
/// text: make it readable before you show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// The name of the item or entry.
    pub item: Option<String>,
    /// The RP ID.
    pub rp_id: Option<String>,
    /// The account.
    pub account: Option<String>,
}

/// Why a passkey is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The same one stands in the file twice.
    #[error("it is in the file twice")]
    Duplicate,
    /// It is in the vault.
    #[error("it is in the vault already")]
    AlreadyHere,
    /// One of the same id and with another key or account.
    #[error("another passkey has the same id")]
    Conflict,
    /// A key of an algorithm that is not served.
    #[error("it signs with {0}, which cannot be served here")]
    Algorithm(String),
    /// No key, or none that parses.
    #[error("its private key cannot be read")]
    BadKey,
    /// No credential id, or none that parses.
    #[error("its credential id cannot be read")]
    BadId,
    /// It does not say whose it is.
    #[error("it has no RP ID")]
    NoRp,
    /// It does not say for which account it is.
    #[error("it has no user handle")]
    NoUserHandle,
    /// Something is of another type than it must be.
    #[error("its {0} is not as it must be")]
    Malformed(&'static str),
    /// Something is longer than it may be.
    #[error("its {0} is too long")]
    TooBig(&'static str),
    /// It lies in the recycle bin.
    #[error("it is in the recycle bin")]
    Recycled,
    /// The RP was told that it stays on one device.
    #[error("it is bound to this device")]
    DeviceBound,
    /// Its counter has begun to count, and may not be copied.
    #[error("its signature counter is not 0")]
    Counter,
    /// The format has no room for such a key.
    #[error("the format has no place for {0} keys")]
    Unspeakable(&'static str),
}

impl Reason {
    /// Stable, for programs.
    pub fn id(&self) -> &'static str {
        match self {
            Reason::Duplicate => "duplicate",
            Reason::AlreadyHere => "already-here",
            Reason::Conflict => "conflict",
            Reason::Algorithm(_) => "algorithm",
            Reason::BadKey => "bad-key",
            Reason::BadId => "bad-id",
            Reason::NoRp => "no-rp",
            Reason::NoUserHandle => "no-user-handle",
            Reason::Malformed(_) => "malformed",
            Reason::TooBig(_) => "too-big",
            Reason::Recycled => "recycled",
            Reason::DeviceBound => "device-bound",
            Reason::Counter => "counter",
            Reason::Unspeakable(_) => "format-cannot",
        }
    }
}

/// What changes for a passkey that comes in or goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Note {
    /// A counter that had begun to count is 0 from now on, and stays 0.
    CounterZeroed,
    /// The RP was told that it stays on one device, and is told so on.
    NotEligible,
    /// What `prf` gives for it cannot be carried along.
    PrfLeft,
    /// Only what `prf` gives with user verification was there.
    PrfHalf,
    /// What the website stored with it cannot be carried along.
    BlobLeft,
    /// The same for large blobs.
    LargeBlobLeft,
    /// The format cannot say that it is shown only by its id.
    ListedLeft,
    /// The format cannot say that it asks for verification.
    ProtectionLeft,
}

impl Note {
    /// Stable, for programs.
    pub fn id(self) -> &'static str {
        match self {
            Note::CounterZeroed => "counter-zeroed",
            Note::NotEligible => "not-eligible",
            Note::PrfLeft => "prf-left",
            Note::PrfHalf => "prf-half",
            Note::BlobLeft => "blob-left",
            Note::LargeBlobLeft => "large-blob-left",
            Note::ListedLeft => "listed",
            Note::ProtectionLeft => "protection-left",
        }
    }

    /// The words for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Note::CounterZeroed => {
                "its signature counter was not 0 and is from now on; a site may complain once"
            }
            Note::NotEligible => "the site knows it as bound to one device, and goes on to",
            Note::PrfLeft => "what a site encrypted with it (prf) will not open elsewhere",
            Note::PrfHalf => "what is encrypted with it without verification will not open here",
            Note::BlobLeft => "what the site stored with it (credBlob) stays behind",
            Note::LargeBlobLeft => "what the site stored with it (largeBlob) stays behind",
            Note::ListedLeft => "it will be offered there without being asked for by its id",
            Note::ProtectionLeft => "it will not insist on verification there (credProtect)",
        }
    }
}

impl Foreign {
    /// A passkey with these essentials and nothing else.
    pub fn new(id: Vec<u8>, rp_id: String, user_handle: Vec<u8>, key: PrivateKey) -> Self {
        Self {
            id,
            rp_id,
            rp_name: None,
            user_handle,
            user_name: None,
            display_name: None,
            key,
            created_at: None,
            counter: 0,
            discoverable: true,
            eligible: true,
            prf: None,
            blob: None,
            large_blob: None,
            protection: Protection::Optional,
        }
    }

    /// It, if a vault may hold it; names are cut as those of new passkeys.
    ///
    /// # Errors
    /// [`Reason::NoRp`], [`Reason::BadId`], [`Reason::NoUserHandle`],
    /// [`Reason::TooBig`], [`Reason::Malformed`].
    pub fn checked(mut self) -> Result<Self, Reason> {
        match self.rp_id.len() {
            0 => return Err(Reason::NoRp),
            1..=defaults::MAX_RP_ID => {}
            _ => return Err(Reason::TooBig("RP ID")),
        }
        if self.rp_id.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Reason::Malformed("RP ID"));
        }
        match self.id.len() {
            0 => return Err(Reason::BadId),
            1..=defaults::MAX_CREDENTIAL_ID => {}
            _ => return Err(Reason::TooBig("credential id")),
        }
        match self.user_handle.len() {
            0 => return Err(Reason::NoUserHandle),
            1..=defaults::MAX_USER_HANDLE => {}
            _ => return Err(Reason::TooBig("user handle")),
        }
        if self.blob.as_ref().is_some_and(|blob| blob.len() > defaults::MAX_CRED_BLOB) {
            return Err(Reason::TooBig("credBlob"));
        }
        for name in [&mut self.rp_name, &mut self.user_name, &mut self.display_name] {
            *name = name.take().filter(|name| !name.is_empty()).map(cut);
        }
        Ok(self)
    }

    /// Whether the other one is this one: what signs, for whom, is the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
            && self.rp_id == other.rp_id
            && self.user_handle == other.user_handle
            && self.key.algorithm() == other.key.algorithm()
            && bool::from(self.key.expose().ct_eq(other.key.expose()))
    }

    /// What people know it by.
    pub fn title(&self) -> Title {
        let account = self.user_name.clone().or_else(|| self.display_name.clone());
        Title { item: self.rp_name.clone(), rp_id: Some(self.rp_id.clone()), account }
    }

    /// Whether it signs with ECDSA on P-256.
    pub fn is_es256(&self) -> bool {
        self.key.algorithm() == Algorithm::Es256
    }
}

impl Prf {
    /// The secrets of these bytes; `None` if they are not 32.
    pub fn new(verified: &[u8], unverified: Option<&[u8]>) -> Option<Self> {
        let boxed = |bytes: &[u8]| {
            let mut secret = Box::new(Zeroizing::new([0; 32]));
            (bytes.len() == secret.len()).then(|| {
                secret.copy_from_slice(bytes);
                secret
            })
        };
        let unverified = match unverified {
            None => None,
            Some(bytes) => Some(boxed(bytes)?),
        };
        Some(Self { verified: boxed(verified)?, unverified })
    }
}

/// The first bytes of a name, whole characters of it.
fn cut(mut name: String) -> String {
    let fits = (0..=defaults::MAX_NAME).rev().find(|end| name.is_char_boundary(*end));
    name.truncate(fits.unwrap_or_default());
    name
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("rp_id", &self.rp_id)
            .field("id", &self.id.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Prf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prf(..)")
    }
}

impl fmt::Debug for LargeBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LargeBlob({})", self.data.len())
    }
}
