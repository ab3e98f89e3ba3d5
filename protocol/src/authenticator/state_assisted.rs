//! State-assisted: a linked client called, and the tunnel service passed it on.

use rand_core::CryptoRngCore;

use crate::eid::{Advert, Eid};
use crate::error::Error;
use crate::handshake::ExpectGreeting;
use crate::ids::{RoutingId, TunnelId};
use crate::secrets::{IdentityKey, LinkSecret};
use crate::tunnel::{ClientPayload, Dial, Route, TunnelServiceDomain};

/// What the tunnel service passes on when a client calls. A claim and no
/// more: whoever knows the contact id can make one.
#[derive(Debug, Clone)]
pub struct WakeUp {
    /// Our tunnel service, where the client waits.
    pub domain: TunnelServiceDomain,
    /// Where the tunnel service keeps the tunnel.
    pub routing_id: RoutingId,
    /// The tunnel to join.
    pub tunnel_id: TunnelId,
    /// What the client says; the link id in it names the link secret.
    pub client_payload: ClientPayload,
}

/// Answers a call that the person agreed to: what to dial, the advert to send
/// with 15 fresh random bytes, and the state that waits for the greeting.
///
/// `link_secret` is the one of the link id that the wake-up names.
///
/// # Errors
/// [`Which::NoRandomness`](crate::error::Which::NoRandomness).
pub fn wake(
    wake_up: &WakeUp,
    link_secret: &LinkSecret,
    identity: IdentityKey,
    rng: &mut dyn CryptoRngCore,
) -> Result<(ExpectGreeting, Advert, Dial), Error> {
    let eid = Eid::linked(rng)?;
    let advert = eid.seal(&link_secret.eid_key(&wake_up.client_payload.client_nonce));
    let dial = Dial { domain: wake_up.domain, route: Route::Connect(wake_up.routing_id, wake_up.tunnel_id) };
    Ok((ExpectGreeting::linked(link_secret.psk(&eid), identity), advert, dial))
}
