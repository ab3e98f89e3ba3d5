//! The pinUvAuthToken and what it may be used for: CTAP 2.1, 6.5.2.1 and
//! 6.5.5.7.

use std::fmt;
use std::ops::BitOr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::pin_uv::Protocol;
use crate::defaults;

/// What a token allows, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Permissions(u8);

impl Permissions {
    /// Make a credential.
    pub(super) const MAKE_CREDENTIAL: Self = Self(0x01);
    /// Get an assertion.
    pub(super) const GET_ASSERTION: Self = Self(0x02);
    /// Manage credentials.
    pub(super) const CREDENTIAL_MANAGEMENT: Self = Self(0x04);
    /// Enroll a finger; nothing here does.
    pub(super) const BIO_ENROLLMENT: Self = Self(0x08);
    /// Write large blobs.
    pub(super) const LARGE_BLOB_WRITE: Self = Self(0x10);
    /// Configure the authenticator.
    pub(super) const AUTHENTICATOR_CONFIGURATION: Self = Self(0x20);

    /// The permissions with these bits; those that have no name are left out.
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(u8::try_from(bits & 0x3f).unwrap_or(0))
    }

    /// Whether all of the others are among them.
    pub(super) fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Those that are in both.
    pub(super) fn only(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A pinUvAuthToken in use.
pub(super) struct Token {
    protocol: Protocol,
    secret: Box<Zeroizing<[u8; 32]>>,
    permissions: Permissions,
    rp_id: Option<String>,
    user_verified: bool,
    /// When its usage timer started.
    issued: Duration,
    used: bool,
}

impl Token {
    /// beginUsingPinUvAuthToken. Presence is never claimed: every use that
    /// needs a person asks one.
    pub(super) fn new(
        protocol: Protocol,
        secret: Box<Zeroizing<[u8; 32]>>,
        permissions: Permissions,
        rp_id: Option<String>,
        issued: Duration,
    ) -> Self {
        Self { protocol, secret, permissions, rp_id, user_verified: true, issued, used: false }
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Whether it is over: unused for too long at first, or too old.
    pub(super) fn expired(&self, now: Duration) -> bool {
        let age = now.saturating_sub(self.issued);
        age >= defaults::TOKEN_LIFE || (!self.used && age >= defaults::TOKEN_FIRST_USE)
    }

    pub(super) fn mark_used(&mut self) {
        self.used = true;
    }

    /// Whether it allows this.
    pub(super) fn permits(&self, permission: Permissions) -> bool {
        self.permissions.contains(permission)
    }

    /// The RP ID that it is good for alone.
    pub(super) fn rp_id(&self) -> Option<&str> {
        self.rp_id.as_deref()
    }

    /// Makes it good for this RP ID alone. False if it is for another one.
    pub(super) fn bind(&mut self, rp_id: &str) -> bool {
        self.rp_id.get_or_insert_with(|| rp_id.to_owned()) == rp_id
    }

    /// getUserVerifiedFlagValue
    pub(super) fn user_verified(&self) -> bool {
        self.user_verified
    }

    /// clearUserVerifiedFlag and clearPinUvAuthTokenPermissionsExceptLbw. There
    /// is no flag of presence to clear.
    pub(super) fn after_use(&mut self) {
        self.user_verified = false;
        self.permissions = self.permissions.only(Permissions::LARGE_BLOB_WRITE);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
