//! From the first handshake message to a [`Channel`], for both doors.
//!
//! A state is named for what it expects and is consumed by it, so nothing can
//! be read twice or in the wrong order, and a failed state cannot be tried
//! again: a peer gets one guess.

use std::fmt;

use rand_core::CryptoRngCore;

use crate::channel::{AuthenticatorEnd, Channel, ClientEnd};
use crate::error::{Error, How};
use crate::linking::LinkVerifier;
use crate::message::Hello;
use crate::noise::{self, Door, Initiator};
use crate::record::{Opener, Sealer};
use crate::secrets::{IdentityKey, Psk, PublicKey, scrubbed};
use crate::tunnel::TunnelServiceDomain;

pub use crate::noise::HANDSHAKE_MESSAGE;

/// The client has sent its greeting and waits for the reply.
pub struct ExpectReply {
    initiator: Initiator,
    /// The key of the QR code and the tunnel service of the advert, to check
    /// linking information with; none in a linked session.
    qr: Option<(IdentityKey, TunnelServiceDomain)>,
}

impl ExpectReply {
    /// Writes the greeting, handshake message 1.
    pub(crate) fn greet_qr(
        own: IdentityKey,
        domain: TunnelServiceDomain,
        psk: &Psk,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, [u8; HANDSHAKE_MESSAGE]), Error> {
        let (initiator, greeting) = scrubbed(|| noise::initiate(Door::QrClient(&own), psk, rng))?;
        Ok((Self { initiator, qr: Some((own, domain)) }, greeting))
    }

    /// Writes the greeting, handshake message 1.
    pub(crate) fn greet_linked(
        authenticator: &PublicKey,
        psk: &Psk,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, [u8; HANDSHAKE_MESSAGE]), Error> {
        let (initiator, greeting) = scrubbed(|| noise::initiate(Door::LinkClient(authenticator), psk, rng))?;
        Ok((Self { initiator, qr: None }, greeting))
    }

    /// Reads the reply, handshake message 2: exactly 81 bytes.
    ///
    /// # Errors
    /// [`What::Handshake`](crate::error::What::Handshake) for another form,
    /// [`Error::Decrypt`] for a wrong key of any kind.
    pub fn read(self, reply: &[u8]) -> Result<ExpectHello, Error> {
        let agreed = scrubbed(|| self.initiator.finish(reply))?;
        let handshake_hash = agreed.handshake_hash;
        Ok(ExpectHello {
            sealer: Sealer::new(agreed.client_to_authenticator),
            opener: Opener::new(agreed.authenticator_to_client),
            verifier: self.qr.map(|(client, domain)| LinkVerifier { client, handshake_hash, domain }),
        })
    }
}

impl fmt::Debug for ExpectReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExpectReply(..)")
    }
}

/// The client has keys and waits for the authenticator's first message.
#[derive(Debug)]
pub struct ExpectHello {
    sealer: Sealer,
    opener: Opener,
    verifier: Option<LinkVerifier>,
}

impl ExpectHello {
    /// Opens and reads the hello.
    ///
    /// # Errors
    /// [`Error::Decrypt`], [`What::Hello`](crate::error::What::Hello),
    /// [`How::NoCtap`] if it offers no passkeys, or a fault of the CBOR.
    pub fn read(mut self, record: &[u8]) -> Result<(Channel<ClientEnd>, Hello), Error> {
        let hello = Hello::parse(&self.opener.open(record)?)?;
        if !hello.features().ctap {
            return Err(Error::Misbehaved(How::NoCtap));
        }
        Ok((Channel::client(self.sealer, self.opener, hello.features(), self.verifier), hello))
    }

    /// Whether a record would open now, without any consequence: for a byte
    /// stream, where the end of a record has to be found.
    pub fn would_open(&self, record: &[u8]) -> bool {
        self.opener.would_open(record)
    }
}

/// The authenticator has advertised and waits for a greeting.
pub struct ExpectGreeting {
    psk: Psk,
    peer: Peer,
}

/// What the authenticator brings to the handshake besides the PSK.
enum Peer {
    /// The client's key, from the QR code.
    Qr(PublicKey),
    /// Our own static key, from the link.
    Linked(IdentityKey),
}

impl ExpectGreeting {
    pub(crate) fn qr(psk: Psk, client: PublicKey) -> Self {
        Self { psk, peer: Peer::Qr(client) }
    }

    pub(crate) fn linked(psk: Psk, own: IdentityKey) -> Self {
        Self { psk, peer: Peer::Linked(own) }
    }

    /// Reads the greeting, exactly 81 bytes, and gives the channel with the
    /// two messages to send: the reply and the sealed hello.
    ///
    /// # Errors
    /// [`What::Handshake`](crate::error::What::Handshake) for another form,
    /// [`Error::Decrypt`] for a wrong key of any kind, and
    /// [`Which::NoRandomness`](crate::error::Which::NoRandomness). Nothing is
    /// to be answered then; close.
    pub fn read(
        self,
        greeting: &[u8],
        hello: &Hello,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Channel<AuthenticatorEnd>, [Vec<u8>; 2]), Error> {
        let (door, client_key) = match &self.peer {
            Peer::Qr(client) => (Door::QrAuthenticator(client), Some(*client)),
            Peer::Linked(own) => (Door::LinkAuthenticator(own), None),
        };
        let (agreed, reply) = scrubbed(|| noise::respond(door, &self.psk, greeting, rng))?;
        let mut channel = Channel::authenticator(
            Sealer::new(agreed.authenticator_to_client),
            Opener::new(agreed.client_to_authenticator),
            hello.features(),
            client_key,
            agreed.handshake_hash,
        );
        let hello = channel.hello(&hello.to_bytes())?;
        Ok((channel, [reply.to_vec(), hello]))
    }
}

impl fmt::Debug for ExpectGreeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExpectGreeting(..)")
    }
}
