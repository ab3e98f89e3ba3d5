//! authenticatorConfig (0d): its subcommands. CTAP 2.1, 6.11.

use super::{Status, optional, typed};
use crate::cbor::Item;

/// toggleAlwaysUv
pub const TOGGLE_ALWAYS_UV: u64 = 0x02;
/// setMinPINLength
pub const SET_MIN_PIN_LENGTH: u64 = 0x03;

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
