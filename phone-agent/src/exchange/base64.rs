//! Base64 in the hands of strangers.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// The bytes of Base64 or Base64url, with or without padding: programs differ
/// in it, and within one file.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(text.trim_end_matches('=').as_bytes().to_vec());
    if text.len() - plain.len() > 2 {
        return None;
    }
    for byte in plain.iter_mut() {
        *byte = match *byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        };
    }
    let mut bytes = Zeroizing::new(vec![0; plain.len()]);
    let length = Base64UrlUnpadded::decode(plain.as_slice(), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// Base64url without padding.
pub(super) fn url(bytes: &[u8]) -> Secret {
    Secret::new(Base64UrlUnpadded::encode_string(bytes))
}

/// Base64 with padding.
pub(super) fn padded(bytes: &[u8]) -> Secret {
    Secret::new(Base64::encode_string(bytes))
}

/// A text that is written and then cleared.
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    /// This text.
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for whoever must have it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alphabet_is_read_and_nothing_else() {
        for text in ["-_-_", "+/+/", "+_-/", "-_-_="] {
            assert_eq!(decode(text).unwrap().as_slice(), [0xfb, 0xff, 0xbf], "{text}");
        }
        assert_eq!(decode("YQ==").unwrap().as_slice(), b"a");
        assert_eq!(decode("YQ").unwrap().as_slice(), b"a");
        assert_eq!(decode("").unwrap().as_slice(), b"");
        for text in ["Y", "YR", "YQ===", "Y Q=", "Y\nQ=", "é", "a=b"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
