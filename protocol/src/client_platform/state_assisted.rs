//! State-assisted: the client knows the authenticator from a link, dials
//! first and hears second.

use rand_core::CryptoRngCore;

use super::{Door, Heard, Nearby};
use crate::eid::ServiceData;
use crate::error::Error;
use crate::ids::ClientNonce;
use crate::linking::LinkedAuthenticator;
use crate::qr::Hint;
use crate::secrets::{EidKey, LinkSecret, PublicKey, fill};
use crate::tunnel::{ClientPayload, Dial, Route};

/// A linked authenticator has been called; it may wake and advertise.
#[derive(Debug)]
pub struct ExpectAdvert {
    authenticator: PublicKey,
    link_secret: LinkSecret,
    eid_key: EidKey,
    contact: Dial,
}

impl ExpectAdvert {
    /// Draws a nonce for one transaction and gives what to dial, with the
    /// header that the tunnel service passes on.
    ///
    /// # Errors
    /// [`Which::NoRandomness`](crate::error::Which::NoRandomness).
    pub fn contact(
        link: &LinkedAuthenticator,
        hint: Hint,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, Dial, ClientPayload), Error> {
        let mut nonce = [0; ClientNonce::LENGTH];
        fill(rng, &mut nonce)?;
        let client_nonce = ClientNonce::new(nonce);
        let contact = Dial { domain: link.domain, route: Route::Contact(link.contact_id.clone()) };
        let waiting = Self {
            authenticator: link.public_key,
            link_secret: LinkSecret::new(link.link_secret.expose()),
            eid_key: link.link_secret.eid_key(&client_nonce),
            contact: contact.clone(),
        };
        Ok((waiting, contact, ClientPayload { link_id: link.link_id, client_nonce, hint }))
    }

    /// Tries to open an advert. Its last bytes name no domain here.
    pub fn hear(self, heard: &ServiceData) -> Heard<Self> {
        match heard.open_linked(&self.eid_key) {
            None => Heard::NotOurs(self),
            Some(eid) => Heard::Ours(Nearby {
                psk: self.link_secret.psk(&eid),
                tunnel: self.contact,
                door: Door::Linked(self.authenticator),
                suffix: heard.suffix().clone(),
            }),
        }
    }
}
