//! The `prf` extension as it crosses the tunnel: inputs that the client has
//! hashed already, outputs that are not signed.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Status, typed};
use crate::cbor::{Item, Map, Writer};

/// `{"first": bytes (32), "second": bytes (32)}`, the second optional.
///
/// Inputs are SHA-256("WebAuthn PRF" ‖ 00 ‖ what the page gave); outputs are
/// secrets of the page's.
pub struct PrfValues {
    /// The first value.
    pub first: Zeroizing<[u8; 32]>,
    /// The second, if asked for.
    pub second: Option<Zeroizing<[u8; 32]>>,
}

impl PrfValues {
    /// Both values, each put through `f`.
    pub fn map(&self, mut f: impl FnMut(&[u8; 32]) -> Zeroizing<[u8; 32]>) -> Self {
        Self { first: f(&self.first), second: self.second.as_ref().map(|second| f(second)) }
    }

    fn read(item: Item<'_>) -> Result<Self, Status> {
        let map = typed(item.as_map())?;
        let value = |item: Item<'_>| {
            let bytes = typed(item.as_bytes())?;
            bytes.try_into().map(Zeroizing::new).map_err(|_| Status::INVALID_LENGTH)
        };
        let first = map.get_text("first").ok_or(Status::MISSING_PARAMETER)?;
        Ok(Self { first: value(first)?, second: map.get_text("second").map(value).transpose()? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.text_entry("first", |w| w.bytes(self.first.as_slice()));
            if let Some(second) = &self.second {
                map.text_entry("second", |w| w.bytes(second.as_slice()));
            }
        });
    }
}

impl PartialEq for PrfValues {
    fn eq(&self, other: &Self) -> bool {
        let second = match (&self.second, &other.second) {
            (Some(a), Some(b)) => bool::from(a.ct_eq(b.as_slice())),
            (a, b) => a.is_none() && b.is_none(),
        };
        bool::from(self.first.ct_eq(other.first.as_slice())) && second
    }
}

impl Eq for PrfValues {}

impl fmt::Debug for PrfValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrfValues(..)")
    }
}

/// The bytes of an empty id and `{"first": bytes (32)}`.
const SHORTEST_ENTRY: usize = 42;

/// What a request asks of the extension: `{"eval": values,
/// "evalByCredential": {credential id: values}}`, both optional.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PrfInputs {
    /// For whichever credential.
    pub eval: Option<PrfValues>,
    /// For the credential with this id, before `eval`.
    pub by_credential: Vec<(Vec<u8>, PrfValues)>,
}

impl PrfInputs {
    /// The inputs that are meant for this credential.
    pub fn for_credential(&self, id: &[u8]) -> Option<&PrfValues> {
        let own = self.by_credential.iter().find(|(other, _)| other == id);
        own.map(|(_, values)| values).or(self.eval.as_ref())
    }

    /// Reads `"prf"` out of a request's extensions; `None` if it is not there.
    pub(super) fn read(extensions: &Map<'_>) -> Result<Option<Self>, Status> {
        let Some(prf) = extensions.get_text("prf") else { return Ok(None) };
        let map = typed(prf.as_map())?;
        let eval = map.get_text("eval").map(PrfValues::read).transpose()?;
        let mut by_credential = Vec::new();
        if let Some(item) = map.get_text("evalByCredential") {
            let map = typed(item.as_map())?;
            // Room for no more than the bytes can hold, whatever the header says.
            by_credential.reserve_exact(map.len().min(item.encoded().len() / SHORTEST_ENTRY));
            for (id, values) in map.iter() {
                by_credential.push((typed(id.as_bytes())?.to_vec(), PrfValues::read(values)?));
            }
        }
        Ok(Some(Self { eval, by_credential }))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            if let Some(eval) = &self.eval {
                map.text_entry("eval", |w| eval.write(w));
            }
            if !self.by_credential.is_empty() {
                map.text_entry("evalByCredential", |w| {
                    w.map(|map| {
                        for (id, values) in &self.by_credential {
                            map.bytes_entry(id, |w| values.write(w));
                        }
                    });
                });
            }
        });
    }
}

/// What a response says of the extension: `{"enabled": bool, "results":
/// values}`, both optional.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PrfOutputs {
    /// Whether the new credential can do it (makeCredential).
    pub enabled: Option<bool>,
    /// The outputs, if there were inputs.
    pub results: Option<PrfValues>,
}

impl PrfOutputs {
    /// Reads `"prf"` out of a response's unsigned outputs.
    pub(super) fn read(outputs: &Map<'_>) -> Result<Option<Self>, Status> {
        let Some(prf) = outputs.get_text("prf") else { return Ok(None) };
        let map = typed(prf.as_map())?;
        Ok(Some(Self {
            enabled: map.get_text("enabled").map(|item| typed(item.as_bool())).transpose()?,
            results: map.get_text("results").map(PrfValues::read).transpose()?,
        }))
    }

    /// The whole map of unsigned outputs: `{"prf": …}`.
    pub(super) fn write_outputs(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.text_entry("prf", |w| {
                w.map(|map| {
                    if let Some(enabled) = self.enabled {
                        map.text_entry("enabled", |w| w.bool(enabled));
                    }
                    if let Some(results) = &self.results {
                        map.text_entry("results", |w| results.write(w));
                    }
                });
            });
        });
    }
}
