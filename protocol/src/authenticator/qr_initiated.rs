//! QR-initiated: a code was scanned.

use rand_core::CryptoRngCore;

use crate::eid::{Advert, Eid};
use crate::error::Error;
use crate::handshake::ExpectGreeting;
use crate::ids::RoutingId;
use crate::qr::QrInvitation;
use crate::tunnel::{Dial, Route, TunnelServiceDomain};

/// The invitation is accepted; the tunnel service has to say where it keeps
/// the tunnel.
#[derive(Debug)]
pub struct ExpectRoutingId {
    invitation: QrInvitation,
    domain: TunnelServiceDomain,
}

impl ExpectRoutingId {
    /// Accepts an invitation, to meet at the tunnel service of our choice.
    pub fn accept(invitation: QrInvitation, domain: TunnelServiceDomain) -> Self {
        Self { invitation, domain }
    }

    /// What to dial: a new tunnel under the id that the secret gives.
    pub fn tunnel(&self) -> Dial {
        Dial { domain: self.domain, route: Route::New(self.invitation.secret.tunnel_id()) }
    }

    /// Takes the routing id of the tunnel service's answer and makes the
    /// advert, with a fresh nonce.
    ///
    /// # Errors
    /// [`Which::NoRandomness`](crate::error::Which::NoRandomness).
    pub fn routed(
        self,
        routing: RoutingId,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(ExpectGreeting, Advert), Error> {
        let eid = Eid::routed(routing, self.domain, rng)?;
        let advert = eid.seal(&self.invitation.secret.eid_key());
        let psk = self.invitation.secret.psk(&eid);
        Ok((ExpectGreeting::qr(psk, self.invitation.client_key), advert))
    }
}
