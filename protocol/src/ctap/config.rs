//! authenticatorConfig (0d). CTAP 2.1, 6.11.

use super::{Status, optional, parameters, required, typed};
use crate::cbor::Item;

/// What the platform asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The subcommand (key 1).
    pub subcommand: u64,
    /// Its parameters as they stood (key 2), a map and no more is known.
    pub parameters: Option<Item<'a>>,
    /// pinUvAuthProtocol (key 3).
    pub protocol: Option<u64>,
    /// pinUvAuthParam (key 4).
    pub param: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// toggleAlwaysUv
    pub const TOGGLE_ALWAYS_UV: u64 = 0x02;
    /// setMinPINLength
    pub const SET_MIN_PIN_LENGTH: u64 = 0x03;

    /// Reads the parameters of the command. Unknown keys are ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        Ok(Self {
            subcommand: required(&map, 1, |item| typed(item.as_unsigned()))?,
            parameters: optional(&map, 2, |item| typed(item.as_map()).map(|_| item))?,
            protocol: optional(&map, 3, |item| typed(item.as_unsigned()))?,
            param: optional(&map, 4, |item| typed(item.as_bytes()))?,
        })
    }
}

/// The parameters of setMinPINLength, each optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinPinLength<'a> {
    /// newMinPINLength (key 1), in code points.
    pub length: Option<u64>,
    /// minPinLengthRPIDs (key 2).
    pub rp_ids: Option<Vec<&'a str>>,
    /// forceChangePin (key 3).
    pub force_change: bool,
}

impl<'a> MinPinLength<'a> {
    /// Reads them; of the RP IDs no more than one beyond `most_rp_ids`.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn read(item: Item<'a>, most_rp_ids: usize) -> Result<Self, Status> {
        let map = typed(item.as_map())?;
        let texts = |item: Item<'a>| {
            let items = typed(item.as_array())?;
            items.iter().take(most_rp_ids + 1).map(|item| typed(item.as_text())).collect()
        };
        Ok(Self {
            length: optional(&map, 1, |item| typed(item.as_unsigned()))?,
            rp_ids: optional(&map, 2, texts)?,
            force_change: optional(&map, 3, |item| typed(item.as_bool()))?.unwrap_or_default(),
        })
    }
}
