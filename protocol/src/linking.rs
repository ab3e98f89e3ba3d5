//! Linking information: what lets a client find the same authenticator again
//! without a QR code.
//!
//! ```text
//! update = {0: padding, 1: link}      link absent: the person did not agree to one
//! link   = {1: contact id, 2: link id (8), 3: link secret (32), 4: public key (65),
//!           5: name, 6: proof (32)}
//! proof  = HMAC-SHA-256(ECDH(authenticator's static, client's static), handshake hash)
//! ```
//!
//! The proof shows that the authenticator holds the private half of key 4 and
//! ties it to this very handshake. Only a QR-initiated session has a client
//! key to prove it with, so only there a link can be given.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cbor::{self, Map, Writer};
use crate::error::{Error, What, Which};
use crate::ids::{ContactId, LinkId};
use crate::secrets::{IdentityKey, LinkSecret, PublicKey};
use crate::tunnel::TunnelServiceDomain;

/// Bytes of link and padding together, so that every update is padded to 512
/// and sealed to 528, with a link or without.
const FILL_WITH_LINK: usize = 490;
/// The same without a link, whose key takes no room then.
const FILL_ALONE: usize = 492;

/// An authenticator that a client can reach again: what a link leaves behind.
///
/// Stored by public key: a new link from the same key replaces the old one.
#[derive(Debug)]
pub struct LinkedAuthenticator {
    /// Names the authenticator to its tunnel service.
    pub contact_id: ContactId,
    /// Names the link to the authenticator.
    pub link_id: LinkId,
    /// From which each transaction's keys are derived.
    pub link_secret: LinkSecret,
    /// The authenticator's static key.
    pub public_key: PublicKey,
    /// A name to show.
    pub name: String,
    /// The tunnel service of the advert, which the link itself does not say.
    pub domain: TunnelServiceDomain,
}

/// What came in an update.
#[derive(Debug)]
pub enum Offer {
    /// Padding only.
    Nothing,
    /// A link whose proof holds.
    Link(Box<LinkedAuthenticator>),
    /// A link that must not be stored, and why. The session goes on.
    Discarded(Error),
}

/// A link that an authenticator gives.
#[derive(Debug)]
pub struct LinkGift<'a> {
    /// Names us to our tunnel service.
    pub contact_id: &'a ContactId,
    /// Names the link to us.
    pub link_id: LinkId,
    /// From which each transaction's keys are derived.
    pub link_secret: &'a LinkSecret,
    /// Our static key.
    pub identity: &'a IdentityKey,
    /// A name to show.
    pub name: &'a str,
}

impl LinkGift<'_> {
    /// The body of the update that gives the link.
    ///
    /// # Errors
    /// [`Which::DoesNotFit`] if contact id and name are too long together.
    pub(crate) fn to_update(&self, client: &PublicKey, handshake_hash: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let link = Zeroizing::new(Writer::map_of(|map| {
            map.entry(1, |w| w.bytes(self.contact_id.as_bytes()));
            map.entry(2, |w| w.bytes(self.link_id.as_bytes()));
            map.entry(3, |w| w.bytes(self.link_secret.expose()));
            map.entry(4, |w| w.bytes(&self.identity.public().to_uncompressed()));
            map.entry(5, |w| w.text(self.name));
            map.entry(6, |w| w.bytes(&proof(self.identity, client, handshake_hash)));
        }));
        let padding = FILL_WITH_LINK.checked_sub(link.len()).ok_or(Error::Misuse(Which::DoesNotFit))?;
        let link = cbor::parse(&link, cbor::CTAP_DEPTH)?;
        Ok(Writer::map_of(|map| {
            map.entry(0, |w| w.bytes(&vec![0; padding]));
            map.entry(1, |w| w.copy(link));
        }))
    }
}

/// The body of an update.
pub struct Update<'a> {
    link: Option<Map<'a>>,
}

impl fmt::Debug for Update<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Update(..)")
    }
}

impl<'a> Update<'a> {
    /// The body of an update that gives nothing, as large as one that does.
    pub fn padding_only() -> Vec<u8> {
        Writer::map_of(|map| {
            map.entry(0, |w| w.bytes(&[0; FILL_ALONE]));
        })
    }

    /// Reads the body. What is wrong here ends the session, as Chromium has it.
    ///
    /// # Errors
    /// [`What::Update`], or a fault of the CBOR.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let bad = Error::Malformed(What::Update);
        let map = cbor::parse(body, cbor::CTAP_DEPTH)?.as_map().ok_or(bad)?;
        let link = map.get(1).map(|item| item.as_map().ok_or(bad)).transpose()?;
        Ok(Self { link })
    }

    /// Checks the link. What is wrong here costs only the link.
    pub(crate) fn check(&self, verifier: Option<&LinkVerifier>) -> Result<Offer, Error> {
        Ok(match (&self.link, verifier) {
            (None, _) => Offer::Nothing,
            (Some(_), None) => Offer::Discarded(Error::Misbehaved(crate::error::How::UnexpectedType)),
            (Some(link), Some(verifier)) => {
                verifier.accept(link).map_or_else(Offer::Discarded, |link| Offer::Link(Box::new(link)))
            }
        })
    }
}

/// What a client needs to check a link: its own key of the QR code and the
/// hash of the handshake.
pub(crate) struct LinkVerifier {
    pub(crate) client: IdentityKey,
    pub(crate) handshake_hash: [u8; 32],
    pub(crate) domain: TunnelServiceDomain,
}

impl fmt::Debug for LinkVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkVerifier(..)")
    }
}

impl LinkVerifier {
    fn accept(&self, link: &Map<'_>) -> Result<LinkedAuthenticator, Error> {
        let bad = Error::Malformed(What::Update);
        let bytes = |key| link.get(key).and_then(|item| item.as_bytes()).ok_or(bad);
        let contact_id = ContactId::new(bytes(1)?.to_vec()).map_err(|_| bad)?;
        let link_id = LinkId::new(bytes(2)?.try_into().map_err(|_| bad)?);
        let link_secret = LinkSecret::new(bytes(3)?.try_into().map_err(|_| bad)?);
        let public_key = PublicKey::from_uncompressed(bytes(4)?)?;
        let name = link.get(5).and_then(|item| item.as_text()).ok_or(bad)?.to_owned();
        let expected = proof(&self.client, &public_key, &self.handshake_hash);
        if !bool::from(expected.as_slice().ct_eq(bytes(6)?)) {
            return Err(Error::Decrypt);
        }
        Ok(LinkedAuthenticator { contact_id, link_id, link_secret, public_key, name, domain: self.domain })
    }
}

/// HMAC-SHA-256(key = ECDH(own, other), message = handshake hash)
fn proof(own: &IdentityKey, other: &PublicKey, handshake_hash: &[u8; 32]) -> [u8; 32] {
    let shared = own.agree(other);
    // HMAC takes a key of any length.
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(shared.as_slice());
    mac.map(|mac| mac.chain_update(handshake_hash).finalize().into_bytes().into()).unwrap_or_default()
}
