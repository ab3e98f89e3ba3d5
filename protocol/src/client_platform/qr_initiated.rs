//! QR-initiated: the client shows a code and waits for an advert made from it.

use rand_core::CryptoRngCore;

use super::{Door, Heard, Nearby};
use crate::eid::ServiceData;
use crate::error::Error;
use crate::qr::{CHANNEL_WEBSOCKET, Hint, QrInvitation};
use crate::secrets::{EidKey, IdentityKey, QrSecret};
use crate::tunnel::{Dial, Route, TunnelServiceDomain};

/// A code is on screen; somebody may scan it and advertise.
#[derive(Debug)]
pub struct ExpectAdvert {
    own: IdentityKey,
    secret: QrSecret,
    eid_key: EidKey,
}

impl ExpectAdvert {
    /// Draws a key and a secret for one code, and makes the invitation to
    /// show. `now` is seconds since 1970; phones may refuse an old code.
    ///
    /// # Errors
    /// [`Which::NoRandomness`](crate::error::Which::NoRandomness).
    pub fn invite(hint: Hint, now: u64, rng: &mut dyn CryptoRngCore) -> Result<(Self, QrInvitation), Error> {
        let own = IdentityKey::random(rng)?;
        let secret = QrSecret::random(rng)?;
        let invitation = QrInvitation {
            client_key: *own.public(),
            secret: QrSecret::new(secret.expose()),
            known_domains: TunnelServiceDomain::KNOWN_ASSIGNED,
            made_at: Some(now),
            // Always written, because some phones tell old clients by its
            // absence; false, because nothing is remembered yet.
            state_assisted: Some(false),
            hint,
            channels: vec![CHANNEL_WEBSOCKET],
        };
        let eid_key = secret.eid_key();
        Ok((Self { own, secret, eid_key }, invitation))
    }

    /// Tries to open an advert.
    pub fn hear(self, heard: &ServiceData) -> Heard<Self> {
        let opened = heard.open(&self.eid_key).and_then(|eid| Some((eid.domain().ok()?, eid)));
        match opened {
            None => Heard::NotOurs(self),
            Some((domain, eid)) => Heard::Ours(Nearby {
                psk: self.secret.psk(&eid),
                tunnel: Dial { domain, route: Route::Connect(eid.routing_id(), self.secret.tunnel_id()) },
                door: Door::Qr(self.own),
                suffix: heard.suffix().clone(),
            }),
        }
    }
}
