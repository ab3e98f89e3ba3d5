//! The invitation that a client shows as a QR code: `FIDO:/` and digits.
//!
//! The digits are base 10 of a canonical CBOR map:
//!
//! | key | type | meaning | absent |
//! |---|---|---|---|
//! | 0 | bytes (33) | the client's public key, compressed, fresh for each code | refused |
//! | 1 | bytes (16) | the QR secret, fresh for each code | refused |
//! | 2 | unsigned | how many assigned tunnel service domains the client knows | 0 |
//! | 3 | unsigned | seconds since 1970 when the code was made | unknown |
//! | 4 | bool | the client can use linking information | unknown |
//! | 5 | text | hint of the coming request | `ga` |
//! | 6 | array of unsigned | data channels: 0 websocket, 1 BLE L2CAP (CTAP 2.3) | \[0\] |
//!
//! A known key of the wrong type refuses the whole code; unknown keys pass.
//! How old a code may be is a policy of whoever scans it, not of this parser.

pub mod digits;

use zeroize::Zeroizing;

use crate::cbor::{self, Item, Map, Writer};
use crate::error::{Error, What};
use crate::secrets::{PublicKey, QrSecret};

/// The prefix of the text, compared without regard to case.
pub const SCHEME: &str = "FIDO:/";

/// The data channel that everybody has: a websocket through a tunnel service.
pub const CHANNEL_WEBSOCKET: u64 = 0;
/// BLE L2CAP, CTAP 2.3.
pub const CHANNEL_BLE: u64 = 1;

/// What the coming request will probably be. Never binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hint {
    /// `ga`, and every text that is not known.
    #[default]
    GetAssertion,
    /// `mc`.
    MakeCredential,
    /// `dcp`: presentation of a digital credential (CTAP 2.3).
    DigitalCredentialPresentation,
    /// `dci`: issuance of a digital credential (CTAP 2.3).
    DigitalCredentialIssuance,
}

impl Hint {
    /// The text of key 5.
    pub const fn as_str(self) -> &'static str {
        match self {
            Hint::GetAssertion => "ga",
            Hint::MakeCredential => "mc",
            Hint::DigitalCredentialPresentation => "dcp",
            Hint::DigitalCredentialIssuance => "dci",
        }
    }

    /// What this text means; case matters, and an unknown one means `ga`.
    pub fn from_text(text: &str) -> Self {
        match text {
            "mc" => Hint::MakeCredential,
            "dcp" => Hint::DigitalCredentialPresentation,
            "dci" => Hint::DigitalCredentialIssuance,
            _ => Hint::GetAssertion,
        }
    }
}

/// What a QR code says. Holds the QR secret, so it is itself a secret.
#[derive(Debug)]
pub struct QrInvitation {
    /// The client's public key (key 0).
    pub client_key: PublicKey,
    /// The secret from which both sides derive the rest (key 1).
    pub secret: QrSecret,
    /// How many assigned tunnel service domains the client knows (key 2).
    pub known_domains: u64,
    /// Seconds since 1970 when the code was made (key 3).
    pub made_at: Option<u64>,
    /// Whether the client can use linking information (key 4).
    pub state_assisted: Option<bool>,
    /// What the coming request will probably be (key 5).
    pub hint: Hint,
    /// The data channels that the client offers, as it listed them (key 6).
    pub channels: Vec<u64>,
}

impl QrInvitation {
    /// Reads the text of a QR code. Nothing may stand before or after it:
    /// spaces and line ends are the business of whoever read the picture.
    ///
    /// # Errors
    /// [`What::Scheme`], [`What::Digits`], [`What::Cbor`],
    /// [`What::PublicKey`] or [`What::Invitation`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, payload) = text.split_at_checked(SCHEME.len()).ok_or(Error::Malformed(What::Scheme))?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(Error::Malformed(What::Scheme));
        }
        let bytes = Zeroizing::new(digits::decode(payload)?);
        Self::from_cbor(&bytes)
    }

    /// Reads the map inside a QR code.
    ///
    /// # Errors
    /// [`What::Cbor`], [`What::PublicKey`] or [`What::Invitation`].
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, Error> {
        let map = cbor::parse(bytes, cbor::QR_DEPTH)?.as_map().ok_or(INVITATION)?;
        let key = map.get(0).and_then(|item| item.as_bytes()).ok_or(INVITATION)?;
        let secret = map.get(1).and_then(|item| item.as_array_of()).ok_or(INVITATION)?;
        Ok(Self {
            client_key: PublicKey::from_compressed(key)?,
            secret: QrSecret::new(&Zeroizing::new(secret)),
            known_domains: optional(&map, 2, |item| item.as_unsigned())?.unwrap_or(0),
            made_at: optional(&map, 3, |item| item.as_unsigned())?,
            state_assisted: optional(&map, 4, |item| item.as_bool())?,
            hint: optional(&map, 5, |item| item.as_text())?.map(Hint::from_text).unwrap_or_default(),
            channels: optional(&map, 6, read_channels)?.unwrap_or_else(|| vec![CHANNEL_WEBSOCKET]),
        })
    }

    /// The map inside the QR code. Key 6 is left out unless more than the
    /// websocket is offered: older Android phones take an array there for a
    /// broken code.
    pub fn to_cbor(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Writer::map_of(|map| {
            map.entry(0, |w| w.bytes(&self.client_key.to_compressed()));
            map.entry(1, |w| w.bytes(self.secret.expose()));
            map.entry(2, |w| w.unsigned(self.known_domains));
            if let Some(made_at) = self.made_at {
                map.entry(3, |w| w.unsigned(made_at));
            }
            if let Some(state_assisted) = self.state_assisted {
                map.entry(4, |w| w.bool(state_assisted));
            }
            map.entry(5, |w| w.text(self.hint.as_str()));
            if self.channels != [CHANNEL_WEBSOCKET] {
                map.entry(6, |w| {
                    w.array(|list| self.channels.iter().for_each(|c| list.push(|w| w.unsigned(*c))))
                });
            }
        }))
    }

    /// The text of the QR code, 169 to 179 characters.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(256));
        text.push_str(SCHEME);
        text.push_str(&digits::encode(&self.to_cbor()));
        text
    }

    /// Whether the client offers the websocket, the one channel that this
    /// crate's authenticator speaks.
    pub fn offers_websocket(&self) -> bool {
        self.channels.contains(&CHANNEL_WEBSOCKET)
    }
}

/// The most channels that a code may list: there are two.
const MAX_CHANNELS: usize = 16;

const INVITATION: Error = Error::Malformed(What::Invitation);

fn optional<'a, T>(
    map: &Map<'a>,
    key: i64,
    read: impl FnOnce(Item<'a>) -> Option<T>,
) -> Result<Option<T>, Error> {
    map.get(key).map(|item| read(item).ok_or(INVITATION)).transpose()
}

/// An array of 1 to 16 unsigned integers. Before CTAP 2.3 the key held a
/// bool of another meaning, which counts as absent.
fn read_channels(item: Item<'_>) -> Option<Vec<u64>> {
    if item.as_bool().is_some() {
        return Some(vec![CHANNEL_WEBSOCKET]);
    }
    let list = item.as_array().filter(|list| (1..=MAX_CHANNELS).contains(&list.len()))?;
    list.iter().map(|channel| channel.as_unsigned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secrets::IdentityKey;

    fn hints() -> impl Strategy<Value = Hint> {
        prop_oneof![
            Just(Hint::GetAssertion),
            Just(Hint::MakeCredential),
            Just(Hint::DigitalCredentialPresentation),
            Just(Hint::DigitalCredentialIssuance),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_is_scanned(
            scalar in proptest::array::uniform32(1u8..=0xfe), secret in any::<[u8; 16]>(),
            known_domains in 0..u64::MAX / 2, made_at in proptest::option::of(0..u64::MAX / 2),
            state_assisted in any::<Option<bool>>(), hint in hints(),
            channels in proptest::collection::vec(0..u64::MAX / 2, 1..4),
        ) {
            let client_key = *IdentityKey::from_scalar(&scalar).unwrap().public();
            let shown = QrInvitation {
                client_key, secret: QrSecret::new(&secret), known_domains, made_at, state_assisted, hint, channels,
            };
            let scanned = QrInvitation::parse(&shown.to_text()).unwrap();
            prop_assert_eq!(scanned.client_key, client_key);
            prop_assert_eq!(scanned.secret.expose(), &secret);
            prop_assert_eq!(scanned.known_domains, known_domains);
            prop_assert_eq!(scanned.made_at, made_at);
            prop_assert_eq!(scanned.state_assisted, state_assisted);
            prop_assert_eq!(scanned.hint, hint);
            prop_assert_eq!(&scanned.channels, &shown.channels);
            prop_assert_eq!(&*scanned.to_text(), &*shown.to_text());
        }

        #[test]
        fn no_text_panics(text in "(?i:fido:/)?.{0,200}", digits in "[0-9]{0,200}") {
            let _ = QrInvitation::parse(&text);
            let _ = QrInvitation::parse(&format!("FIDO:/{digits}"));
        }
    }
}
