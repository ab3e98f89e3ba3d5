//! What travels inside the records of a session.
//!
//! The first message of the authenticator is the [`Hello`], a bare CBOR map.
//! Every later one, of either side, begins with a type byte:
//!
//! | byte | type | who | body |
//! |---|---|---|---|
//! | 0 | shutdown | client | none; whatever is there is ignored |
//! | 1 | CTAP | both | a request; status and response |
//! | 2 | update | authenticator | [`Update`](crate::linking::Update) |
//! | 3 | JSON | both, if the hello says `dc` | UTF-8 (CTAP 2.3) |

use crate::cbor::{self, Writer};
use crate::ctap::GetInfo;
use crate::error::{Error, How, What};

/// The type byte of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// 0: the client will send no more.
    Shutdown,
    /// 1: a CTAP request or response.
    Ctap,
    /// 2: linking information, or nothing in its place.
    Update,
    /// 3: a digital credential request or response.
    Json,
}

impl MessageType {
    const fn byte(self) -> u8 {
        match self {
            MessageType::Shutdown => 0,
            MessageType::Ctap => 1,
            MessageType::Update => 2,
            MessageType::Json => 3,
        }
    }

    /// Type byte ‖ body.
    pub(crate) fn with(self, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(1 + body.len());
        message.push(self.byte());
        message.extend_from_slice(body);
        message
    }

    /// Splits a message into its type and its body.
    ///
    /// # Errors
    /// [`How::EmptyMessage`], and [`How::UnexpectedType`] for a byte of 4 or more.
    pub fn split(message: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (byte, body) = message.split_first().ok_or(Error::Misbehaved(How::EmptyMessage))?;
        let kind = match byte {
            0 => MessageType::Shutdown,
            1 => MessageType::Ctap,
            2 => MessageType::Update,
            3 => MessageType::Json,
            _ => return Err(Error::Misbehaved(How::UnexpectedType)),
        };
        Ok((kind, body))
    }
}

/// What a session can carry (key 3 of the hello, CTAP 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Features {
    /// `ctap`: passkeys.
    pub ctap: bool,
    /// `dc`: digital credentials.
    pub dc: bool,
}

impl Features {
    /// Passkeys alone: what a hello without a feature list means.
    pub const CTAP: Self = Self { ctap: true, dc: false };
}

/// The authenticator's first message, also called post-handshake message:
/// `{1: getInfo as bytes, 3: features}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    get_info: Option<(GetInfo, Vec<u8>)>,
    features: Features,
}

impl Hello {
    /// The hello of an authenticator that serves passkeys and no more.
    pub fn new(get_info: GetInfo) -> Self {
        let bytes = get_info.to_bytes();
        Self { get_info: Some((get_info, bytes)), features: Features::CTAP }
    }

    /// What the authenticator says of itself, if it serves passkeys.
    pub fn get_info(&self) -> Option<&GetInfo> {
        self.get_info.as_ref().map(|(info, _)| info)
    }

    /// The same as the bytes that came, for whoever passes them on.
    pub fn get_info_bytes(&self) -> Option<&[u8]> {
        self.get_info.as_ref().map(|(_, bytes)| bytes.as_slice())
    }

    /// What the session can carry.
    pub fn features(&self) -> Features {
        self.features
    }

    /// Reads the map by Chromium's rules: without a feature list, `ctap` is
    /// meant; `ctap` and key 1 come together or not at all; key 2, an early
    /// form of linking information, must be a map and is not used; entries of
    /// the list that are not known are skipped, other keys ignored.
    ///
    /// # Errors
    /// [`What::Hello`], or a fault of the CBOR.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bad = Error::Malformed(What::Hello);
        let map = cbor::parse(bytes, cbor::CTAP_DEPTH)?.as_map().ok_or(bad)?;
        let mut features = Features::CTAP;
        if let Some(list) = map.get(3) {
            let list = list.as_array().ok_or(bad)?;
            let lists = |name| list.iter().any(|item| item.as_text() == Some(name));
            features = Features { ctap: lists("ctap"), dc: lists("dc") };
        }
        if map.get(2).is_some_and(|item| item.as_map().is_none()) {
            return Err(bad);
        }
        let get_info = match (features.ctap, map.get(1)) {
            (true, Some(item)) => {
                let bytes = item.as_bytes().ok_or(bad)?;
                Some((GetInfo::parse(bytes).map_err(|_| bad)?, bytes.to_vec()))
            }
            (false, None) => None,
            _ => return Err(bad),
        };
        Ok(Self { get_info, features })
    }

    /// The map. The feature list is left out where it says nothing new.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::map_of(|map| {
            if let Some((_, bytes)) = &self.get_info {
                map.entry(1, |w| w.bytes(bytes));
            }
            if self.features != Features::CTAP {
                map.entry(3, |w| {
                    w.array(|list| {
                        for (name, there) in [("ctap", self.features.ctap), ("dc", self.features.dc)] {
                            if there {
                                list.push(|w| w.text(name));
                            }
                        }
                    });
                });
            }
        })
    }
}
