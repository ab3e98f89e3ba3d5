//! The computer's side: it invites or wakes an authenticator, waits until it
//! is heard near by, and greets it.
//!
//! | state | input | gives |
//! |---|---|---|
//! | [`qr_initiated::ExpectAdvert`] | something from the air | [`Nearby`], or itself back |
//! | [`state_assisted::ExpectAdvert`] | something from the air | [`Nearby`], or itself back |
//! | [`Nearby`] | | [`ExpectReply`] and the greeting |

pub mod qr_initiated;
pub mod state_assisted;

use std::fmt;

use rand_core::CryptoRngCore;

use crate::eid::Suffix;
use crate::error::Error;
use crate::handshake::{ExpectReply, HANDSHAKE_MESSAGE};
use crate::secrets::{IdentityKey, Psk, PublicKey};
use crate::tunnel::Dial;

/// Whether an advert was the one waited for.
#[derive(Debug)]
#[must_use = "somebody else's advert gives the state back"]
pub enum Heard<Waiting> {
    /// It opened under our key: the authenticator is near.
    Ours(Nearby),
    /// Somebody else's. Goes on waiting; nothing to report.
    NotOurs(Waiting),
}

/// The proof of proximity: an advert that opened under our own EID key.
///
/// Only hearing one makes this, only this yields the PSK, and only the PSK
/// starts a handshake, so no handshake byte leaves before the authenticator
/// was heard.
pub struct Nearby {
    psk: Psk,
    door: Door,
    tunnel: Dial,
    suffix: Suffix,
}

enum Door {
    Qr(IdentityKey),
    Linked(PublicKey),
}

impl Nearby {
    /// Where the authenticator is to be met: to be dialled now if the
    /// transaction is QR-initiated, dialled already if it is state-assisted.
    pub fn tunnel(&self) -> &Dial {
        &self.tunnel
    }

    /// What followed the advert: a suggestion that anybody may have made.
    pub fn suffix(&self) -> &Suffix {
        &self.suffix
    }

    /// The first handshake message, 81 bytes, and what waits for the reply.
    ///
    /// # Errors
    /// [`Which::NoRandomness`](crate::error::Which::NoRandomness).
    pub fn greet(self, rng: &mut dyn CryptoRngCore) -> Result<(ExpectReply, [u8; HANDSHAKE_MESSAGE]), Error> {
        match self.door {
            Door::Qr(own) => ExpectReply::greet_qr(own, self.tunnel.domain, &self.psk, rng),
            Door::Linked(authenticator) => ExpectReply::greet_linked(&authenticator, &self.psk, rng),
        }
    }
}

impl fmt::Debug for Nearby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nearby(..)")
    }
}
