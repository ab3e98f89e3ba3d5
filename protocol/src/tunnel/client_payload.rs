use crate::cbor::{self, Writer};
use crate::error::{Error, What};
use crate::ids::{ClientNonce, LinkId, hex_decode, hex_upper};
use crate::qr::Hint;

/// What a client tells a linked authenticator through the tunnel service when
/// it wakes it: `{1: link id (8), 2: client nonce (16), 3: hint}`, canonical
/// CBOR in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientPayload {
    /// Which link the client means.
    pub link_id: LinkId,
    /// The client's contribution to the EID key.
    pub client_nonce: ClientNonce,
    /// What the coming request will probably be.
    pub hint: Hint,
}

impl ClientPayload {
    /// The value of the header, upper-case hexadecimal.
    pub fn to_header(&self) -> String {
        hex_upper(&Writer::map_of(|map| {
            map.entry(1, |w| w.bytes(self.link_id.as_bytes()));
            map.entry(2, |w| w.bytes(self.client_nonce.as_bytes()));
            map.entry(3, |w| w.text(self.hint.as_str()));
        }))
    }

    /// Reads the value of the header. All three entries are demanded, as
    /// Chromium's authenticator does; others are ignored, and an unknown hint
    /// means getAssertion, as it does in a QR code.
    ///
    /// # Errors
    /// [`What::ClientPayload`] for anything else.
    pub fn from_header(value: &str) -> Result<Self, Error> {
        Self::read(value).ok_or(Error::Malformed(What::ClientPayload))
    }

    fn read(value: &str) -> Option<Self> {
        let bytes = hex_decode(value)?;
        let map = cbor::parse(&bytes, cbor::QR_DEPTH).ok()?.as_map()?;
        Some(Self {
            link_id: LinkId::new(map.get(1)?.as_array_of()?),
            client_nonce: ClientNonce::new(map.get(2)?.as_array_of()?),
            hint: Hint::from_text(map.get(3)?.as_text()?),
        })
    }
}
