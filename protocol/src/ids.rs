//! The identifiers of the transport, each a type of its own.
//!
//! None of them prints itself: an identifier in a log ties a phone to a
//! computer, so `Debug` gives the type's name, and hex is asked for by name.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::error::{Error, What, Which};

/// The longest contact id that is read, in bytes. Android's push tokens are
/// about 170; a relay's own must stay below 190 for the update to fit.
pub const MAX_CONTACT_ID: usize = 512;

macro_rules! fixed_id {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $length;

            /// The identifier made of these bytes.
            pub const fn new(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// Upper-case hexadecimal, the form Chromium sends.
            pub fn to_hex(&self) -> String {
                hex_upper(&self.0)
            }

            /// Reads exactly the right number of hexadecimal digits, in
            /// either case.
            ///
            /// # Errors
            /// [`What::Hex`] for any other length or character.
            pub fn from_hex(text: &str) -> Result<Self, Error> {
                let bytes = hex_decode(text).ok_or(Error::Malformed(What::Hex))?;
                bytes.as_slice().try_into().map(Self).map_err(|_| Error::Malformed(What::Hex))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

fixed_id! {
    /// Names one tunnel at the tunnel service, 16 bytes.
    ///
    /// QR-initiated: derived from the QR secret by both devices.
    /// State-assisted: invented by the tunnel service.
    TunnelId, 16
}
fixed_id! {
    /// Names the process of the tunnel service that holds the tunnel, 3 bytes.
    RoutingId, 3
}
fixed_id! {
    /// Names a link to the authenticator that gave it, 8 bytes (Chromium:
    /// pairing id).
    LinkId, 8
}
fixed_id! {
    /// The client's fresh contribution to a state-assisted transaction, 16 bytes.
    ClientNonce, 16
}

/// Names an authenticator to its tunnel service; opaque, 1 to
/// [`MAX_CONTACT_ID`] bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContactId(Vec<u8>);

impl ContactId {
    /// The contact id made of these bytes.
    ///
    /// # Errors
    /// [`Which::DoesNotFit`] if there are none, or more than [`MAX_CONTACT_ID`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, Error> {
        if bytes.is_empty() || bytes.len() > MAX_CONTACT_ID {
            return Err(Error::Misuse(Which::DoesNotFit));
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// base64url without padding, the form in `/cable/contact/`.
    pub fn to_base64url(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// Reads base64url without padding.
    ///
    /// # Errors
    /// [`What::ContactId`] for anything else, and for an id of a length that
    /// [`ContactId::new`] refuses.
    pub fn from_base64url(text: &str) -> Result<Self, Error> {
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| Error::Malformed(What::ContactId))?;
        Self::new(bytes).map_err(|_| Error::Malformed(What::ContactId))
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactId(..)")
    }
}

/// Upper-case hexadecimal.
pub(crate) fn hex_upper(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Hexadecimal digits of either case; `None` for an odd number of them or any
/// other character.
pub(crate) fn hex_decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_upper_case_and_read_in_both() {
        let id = RoutingId::new([0xa1, 0x0b, 0xff]);
        assert_eq!(id.to_hex(), "A10BFF");
        assert_eq!(RoutingId::from_hex("a10BfF"), Ok(id));
    }

    #[test]
    fn hex_of_another_length_or_alphabet_is_refused() {
        for text in ["", "A10BF", "A10BFF0", "A10BFF00", "G10BFF", "+10BFF", "é10BF"] {
            assert_eq!(RoutingId::from_hex(text), Err(Error::Malformed(What::Hex)), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_identifier() {
        assert_eq!(format!("{:?}", TunnelId::new([7; 16])), "TunnelId(..)");
        assert_eq!(format!("{:?}", ContactId::new(vec![7]).unwrap()), "ContactId(..)");
    }
}
