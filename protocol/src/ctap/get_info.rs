use super::BAD_RESPONSE;
use crate::cbor::{self, Item, Writer};
use crate::error::Error;

/// What an authenticator says of itself (04).
///
/// Only what a tunnel needs is kept; the bytes are kept whole beside it by
/// whoever has to pass them on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetInfo {
    /// The versions it speaks (key 1).
    pub versions: Vec<String>,
    /// Its extensions (key 2).
    pub extensions: Vec<String>,
    /// Its model (key 3).
    pub aaguid: [u8; 16],
    /// Its options, as listed (key 4).
    pub options: Vec<(String, bool)>,
    /// How it may be reached (key 9).
    pub transports: Vec<String>,
}

/// The most names in a list, and the most options: a short name costs much
/// more in memory than on the wire.
const MAX_LISTED: usize = 64;

/// The options that a client knows and therefore demands to be bools.
const KNOWN_OPTIONS: [&str; 9] =
    ["plat", "rk", "up", "uv", "clientPin", "pinUvAuthToken", "largeBlobs", "credMgmt", "bioEnroll"];

impl GetInfo {
    /// Reads the map, by Chromium's rules: `versions` and an `aaguid` of 16
    /// bytes must be there; every option that is known must be a bool; a PIN
    /// without PIN protocols (key 6) and large blobs without discoverable
    /// credentials cannot be; keys 5, 7 and 8 are unsigned. No list is longer
    /// than 64.
    ///
    /// # Errors
    /// [`What::Ctap`](crate::error::What::Ctap) or a fault of the CBOR.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let map = cbor::parse(bytes, cbor::CTAP_DEPTH)?.as_map().ok_or(BAD_RESPONSE)?;
        let texts = |key| map.get(key).map(read_texts).transpose().map(Option::unwrap_or_default);
        let mut options = Vec::new();
        if let Some(item) = map.get(4) {
            let map = item.as_map().filter(|map| map.len() <= MAX_LISTED).ok_or(BAD_RESPONSE)?;
            options.reserve_exact(map.len());
            for (name, value) in map.iter() {
                let name = name.as_text().ok_or(BAD_RESPONSE)?;
                match value.as_bool() {
                    Some(value) => options.push((name.to_owned(), value)),
                    None if KNOWN_OPTIONS.contains(&name) => return Err(BAD_RESPONSE),
                    None => {}
                }
            }
        }
        let info = Self {
            versions: map.get(1).ok_or(BAD_RESPONSE).and_then(read_texts)?,
            extensions: texts(2)?,
            aaguid: map.get(3).and_then(|item| item.as_array_of()).ok_or(BAD_RESPONSE)?,
            options,
            transports: texts(9)?,
        };
        let numbers_are_numbers =
            [5, 7, 8].into_iter().all(|key| map.get(key).is_none_or(|item| item.as_unsigned().is_some()));
        let has_pin = info.option("clientPin").is_some() || info.option("pinUvAuthToken").is_some();
        let consistent = numbers_are_numbers
            && !info.versions.is_empty()
            && (!has_pin || map.get(6).is_some())
            && (info.option("largeBlobs") != Some(true) || info.option("rk") == Some(true));
        if consistent { Ok(info) } else { Err(BAD_RESPONSE) }
    }

    /// The map.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::map_of(|map| {
            map.entry(1, |w| write_texts(&self.versions, w));
            if !self.extensions.is_empty() {
                map.entry(2, |w| write_texts(&self.extensions, w));
            }
            map.entry(3, |w| w.bytes(&self.aaguid));
            if !self.options.is_empty() {
                map.entry(4, |w| {
                    w.map(|map| {
                        for (name, value) in &self.options {
                            map.text_entry(name, |w| w.bool(*value));
                        }
                    });
                });
            }
            if !self.transports.is_empty() {
                map.entry(9, |w| write_texts(&self.transports, w));
            }
        })
    }

    /// An option's value, if it is listed. Absent ones mean: `rk` false, `uv`
    /// not supported, `up` true.
    pub fn option(&self, name: &str) -> Option<bool> {
        self.options.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
    }

    /// Whether the extension is listed.
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions.iter().any(|other| other == name)
    }
}

fn read_texts(item: Item<'_>) -> Result<Vec<String>, Error> {
    let items = item.as_array().filter(|items| items.len() <= MAX_LISTED).ok_or(BAD_RESPONSE)?;
    let mut texts = Vec::with_capacity(items.len());
    for item in items.iter() {
        texts.push(item.as_text().ok_or(BAD_RESPONSE)?.to_owned());
    }
    Ok(texts)
}

fn write_texts(texts: &[String], writer: &mut Writer) {
    writer.array(|list| texts.iter().for_each(|text| list.push(|w| w.text(text))));
}
