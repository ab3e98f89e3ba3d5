use std::fmt;

use cablecar_protocol::cbor::{self, Writer};
use zeroize::Zeroizing;

use crate::defaults;

/// What the vault keeps besides passkeys, in a record of its own: the state
/// of the authenticator that survives a power cycle.
///
/// Key by key: `docs/vault-format.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The PIN, if one is set.
    pub pin: Option<Pin>,
    /// Guesses left for it.
    pub pin_retries: u8,
    /// Tries left for the built-in user verification.
    pub uv_retries: u8,
    /// Shortest PIN allowed, in code points.
    pub min_pin_length: u8,
    /// Whether the PIN must be changed before it is used again.
    pub force_pin_change: bool,
    /// RP IDs that may learn the shortest length.
    pub min_pin_rp_ids: Vec<String>,
    /// Whether user verification is always asked for.
    pub always_uv: bool,
    /// The serialised large-blob array; empty stands for the initial one.
    pub large_blobs: Vec<u8>,
    /// Which passkeys may be made.
    pub policy: Policy,
}

/// What is kept of a PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin {
    /// LEFT(SHA-256(PIN), 16)
    pub hash: Zeroizing<[u8; 16]>,
    /// Its length in code points, 4 to 63.
    pub length: u8,
}

/// Which passkeys may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Those that can be synced: exported, backed up, carried elsewhere.
    #[default]
    Synced,
    /// Those that never leave this vault.
    DeviceBound,
}

impl Default for State {
    /// As a new authenticator has it.
    fn default() -> Self {
        Self {
            pin: None,
            pin_retries: defaults::PIN_RETRIES,
            uv_retries: defaults::UV_RETRIES,
            min_pin_length: defaults::MIN_PIN_LENGTH,
            force_pin_change: false,
            min_pin_rp_ids: Vec::new(),
            always_uv: false,
            large_blobs: Vec::new(),
            policy: Policy::Synced,
        }
    }
}

const KIND: i64 = 0;
const STATE: u64 = 1;

impl State {
    /// The record.
    pub(super) fn to_cbor(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Writer::map_of(|map| {
            map.entry(KIND, |w| w.unsigned(STATE));
            if let Some(pin) = &self.pin {
                map.entry(1, |w| w.bytes(pin.hash.as_slice()));
                map.entry(2, |w| w.unsigned(pin.length.into()));
            }
            map.entry(3, |w| w.unsigned(self.pin_retries.into()));
            map.entry(4, |w| w.unsigned(self.uv_retries.into()));
            map.entry(5, |w| w.unsigned(self.min_pin_length.into()));
            map.entry(6, |w| w.bool(self.force_pin_change));
            map.entry(7, |w| {
                w.array(|ids| self.min_pin_rp_ids.iter().for_each(|id| ids.push(|w| w.text(id))));
            });
            map.entry(8, |w| w.bool(self.always_uv));
            map.entry(9, |w| w.bytes(&self.large_blobs));
            map.entry(10, |w| w.unsigned(u64::from(self.policy == Policy::DeviceBound)));
        }))
    }

    /// Reads a record; `None` if it is not one.
    pub(super) fn from_record(record: &[u8]) -> Option<Self> {
        let map = cbor::parse(record, cbor::CTAP_DEPTH).ok()?.as_map()?;
        if map.get(KIND)?.as_unsigned()? != STATE {
            return None;
        }
        let number = |key| -> Option<u8> { map.get(key)?.as_unsigned()?.try_into().ok() };
        let pin = match map.get(1) {
            None => None,
            Some(hash) => {
                let mut pin = Pin { hash: Zeroizing::default(), length: number(2)? };
                if hash.as_bytes()?.len() != pin.hash.len() {
                    return None;
                }
                pin.hash.copy_from_slice(hash.as_bytes()?);
                Some(pin)
            }
        };
        let ids = map.get(7)?.as_array()?;
        Some(Self {
            pin,
            pin_retries: number(3)?,
            uv_retries: number(4)?,
            min_pin_length: number(5)?,
            force_pin_change: map.get(6)?.as_bool()?,
            min_pin_rp_ids: ids.iter().map(|id| Some(id.as_text()?.to_owned())).collect::<Option<_>>()?,
            always_uv: map.get(8)?.as_bool()?,
            large_blobs: map.get(9)?.as_bytes()?.to_vec(),
            policy: match number(10)? {
                0 => Policy::Synced,
                1 => Policy::DeviceBound,
                _ => return None,
            },
        })
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}
