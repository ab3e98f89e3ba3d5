//! The one key-derivation function.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::eid::Eid;
use crate::error::Error;
use crate::ids::{ClientNonce, ContactId, LinkId, TunnelId};
use crate::secrets::{EidKey, IdentityKey, LinkSecret, Psk, QrSecret, RootSecret};

/// What a derived value is for: the `info` of the derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// 64 bytes, see [`EidKey`].
    EidKey = 1,
    /// 16 bytes, see [`TunnelId`]. QR-initiated only.
    TunnelId = 2,
    /// 32 bytes, see [`Psk`].
    Psk = 3,
    /// 32 bytes, the link secret of a link id. Private to the authenticator.
    LinkSecret = 4,
    /// 32 bytes, see [`IdentityKey::from_seed`]. Private to the authenticator.
    IdentityKeySeed = 5,
    /// 32 bytes, a secret for each contact id. Private to the authenticator.
    ContactSecret = 6,
}

/// derive(secret, salt, purpose, N) = HKDF-SHA-256(ikm = secret, salt, info =
/// purpose as u32 little-endian, N bytes). An empty salt is HKDF's default,
/// 32 zero bytes.
fn derive<const N: usize>(secret: &[u8], salt: &[u8], purpose: Purpose) -> Zeroizing<[u8; N]> {
    #[allow(clippy::as_conversions, reason = "the discriminant of a fieldless repr(u32) enum")]
    let info = (purpose as u32).to_le_bytes();
    let mut out = Zeroizing::new([0; N]);
    let salt = (!salt.is_empty()).then_some(salt);
    // HKDF gives up to 255 · 32 bytes and the largest N is 64.
    let expanded = Hkdf::<Sha256>::new(salt, secret).expand(&info, out.as_mut_slice());
    debug_assert!(expanded.is_ok());
    out
}

impl QrSecret {
    /// EID key = derive(QR secret, "", 1)
    pub fn eid_key(&self) -> EidKey {
        EidKey::new(&derive(self.expose(), &[], Purpose::EidKey))
    }

    /// tunnel id = derive(QR secret, "", 2)
    pub fn tunnel_id(&self) -> TunnelId {
        TunnelId::new(*derive(self.expose(), &[], Purpose::TunnelId))
    }

    /// PSK = derive(QR secret, EID, 3)
    pub(crate) fn psk(&self, eid: &Eid) -> Psk {
        Psk::new(&derive(self.expose(), eid.as_bytes(), Purpose::Psk))
    }
}

impl LinkSecret {
    /// EID key = derive(link secret, client nonce, 1)
    pub fn eid_key(&self, nonce: &ClientNonce) -> EidKey {
        EidKey::new(&derive(self.expose(), nonce.as_bytes(), Purpose::EidKey))
    }

    /// PSK = derive(link secret, EID, 3)
    pub(crate) fn psk(&self, eid: &Eid) -> Psk {
        Psk::new(&derive(self.expose(), eid.as_bytes(), Purpose::Psk))
    }
}

impl RootSecret {
    /// link secret = derive(derive(root, contact id, 6), link id, 4); without
    /// a contact id, derive(root, link id, 4).
    ///
    /// Chromium's chain: a new contact id changes every link secret, which is
    /// how unlinking works.
    pub fn link_secret(&self, contact: Option<&ContactId>, link: &LinkId) -> LinkSecret {
        let secret = match contact {
            Some(contact) => self.contact_secret(contact),
            None => Zeroizing::new(*self.expose()),
        };
        LinkSecret::new(&derive(secret.as_slice(), link.as_bytes(), Purpose::LinkSecret))
    }

    /// derive(root, contact id, 6)
    pub fn contact_secret(&self, contact: &ContactId) -> Zeroizing<[u8; 32]> {
        derive(self.expose(), contact.as_bytes(), Purpose::ContactSecret)
    }

    /// derive(root, "", 5)
    pub fn identity_key_seed(&self) -> Zeroizing<[u8; 32]> {
        derive(self.expose(), &[], Purpose::IdentityKeySeed)
    }

    /// The authenticator's static key: a P-256 key made from
    /// [`RootSecret::identity_key_seed`].
    ///
    /// # Errors
    /// Those of [`IdentityKey::from_seed`].
    pub fn identity_key(&self) -> Result<IdentityKey, Error> {
        IdentityKey::from_seed(&self.identity_key_seed())
    }
}
