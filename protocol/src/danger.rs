//! States made out of raw keys, without proof of proximity.
//!
//! For vectors, for tests that turn a counter, and for researchers' tools.
//! Only with the feature `danger`, which nothing switches on by default.

use rand_core::CryptoRngCore;

use crate::channel::{AuthenticatorEnd, Channel, ClientEnd};
use crate::error::Error;
use crate::handshake::HANDSHAKE_MESSAGE;
use crate::linking::LinkVerifier;
use crate::message::Features;
use crate::noise::{self, Agreed};
use crate::record::{Opener, Sealer};
use crate::secrets::{IdentityKey, Psk, PublicKey, TrafficKey};
use crate::tunnel::TunnelServiceDomain;

pub use crate::noise::Door;

/// What both sides have after a handshake.
#[derive(Debug)]
pub struct SessionKeys {
    /// Seals what the client sends.
    pub client_to_authenticator: TrafficKey,
    /// Seals what the authenticator sends.
    pub authenticator_to_client: TrafficKey,
    /// The hash of the whole handshake.
    pub handshake_hash: [u8; 32],
}

impl From<Agreed> for SessionKeys {
    fn from(agreed: Agreed) -> Self {
        Self {
            client_to_authenticator: agreed.client_to_authenticator,
            authenticator_to_client: agreed.authenticator_to_client,
            handshake_hash: agreed.handshake_hash,
        }
    }
}

/// A client that has written message 1 under a PSK of the caller's.
pub struct Initiator(noise::Initiator);

impl std::fmt::Debug for Initiator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Initiator(..)")
    }
}

/// Writes message 1.
///
/// # Errors
/// [`Which::NoRandomness`](crate::error::Which::NoRandomness).
pub fn initiate(
    door: Door<'_>,
    psk: &Psk,
    rng: &mut dyn CryptoRngCore,
) -> Result<(Initiator, [u8; HANDSHAKE_MESSAGE]), Error> {
    noise::initiate(door, psk, rng).map(|(initiator, message)| (Initiator(initiator), message))
}

impl Initiator {
    /// Reads message 2.
    ///
    /// # Errors
    /// Those of [`ExpectReply::read`](crate::handshake::ExpectReply::read).
    pub fn finish(self, message: &[u8]) -> Result<SessionKeys, Error> {
        self.0.finish(message).map(SessionKeys::from)
    }
}

/// Reads message 1 and writes message 2.
///
/// # Errors
/// Those of [`ExpectGreeting::read`](crate::handshake::ExpectGreeting::read).
pub fn respond(
    door: Door<'_>,
    psk: &Psk,
    message: &[u8],
    rng: &mut dyn CryptoRngCore,
) -> Result<(SessionKeys, [u8; HANDSHAKE_MESSAGE]), Error> {
    noise::respond(door, psk, message, rng).map(|(agreed, message)| (agreed.into(), message))
}

/// Counters to begin with, of what is sent and of what is received.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Of the next message sent.
    pub sent: u32,
    /// Of the next message received.
    pub received: u32,
}

/// A client's channel. `qr` is what linking information is checked with.
pub fn client_channel(
    keys: SessionKeys,
    counters: Counters,
    features: Features,
    qr: Option<(IdentityKey, TunnelServiceDomain)>,
) -> Channel<ClientEnd> {
    let handshake_hash = keys.handshake_hash;
    Channel::client(
        Sealer::at(keys.client_to_authenticator, counters.sent),
        Opener::at(keys.authenticator_to_client, counters.received),
        features,
        qr.map(|(client, domain)| LinkVerifier { client, handshake_hash, domain }),
    )
}

/// An authenticator's channel. `client` is the key in the QR code.
pub fn authenticator_channel(
    keys: SessionKeys,
    counters: Counters,
    features: Features,
    client: Option<PublicKey>,
) -> Channel<AuthenticatorEnd> {
    Channel::authenticator(
        Sealer::at(keys.authenticator_to_client, counters.sent),
        Opener::at(keys.client_to_authenticator, counters.received),
        features,
        client,
        keys.handshake_hash,
    )
}

/// Opens one record under a key and a counter.
///
/// # Errors
/// Those of [`Channel::receive`].
pub fn open_record(key: &[u8; 32], counter: u32, record: &[u8]) -> Result<Vec<u8>, Error> {
    Opener::at(TrafficKey::new(key), counter).open(record)
}

/// Seals one message under a key and a counter.
///
/// # Errors
/// Those of [`Channel::send`].
pub fn seal_record(key: &[u8; 32], counter: u32, message: &[u8]) -> Result<Vec<u8>, Error> {
    Sealer::at(TrafficKey::new(key), counter).seal(message)
}
