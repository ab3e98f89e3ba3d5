use super::{Status, typed};
use crate::cbor::{Item, Writer};

/// `PublicKeyCredentialRpEntity`: `{"id": text, "name": text}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// The RP ID.
    pub id: String,
    /// A name to show; never to be trusted.
    pub name: Option<String>,
}

impl RelyingParty {
    pub(super) fn read(item: Item<'_>) -> Result<Self, Status> {
        let map = typed(item.as_map())?;
        let id = map.get_text("id").ok_or(Status::MISSING_PARAMETER)?;
        Ok(Self { id: typed(id.as_text())?.to_owned(), name: text(&map, "name")? })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.text_entry("id", |w| w.text(&self.id));
            if let Some(name) = &self.name {
                map.text_entry("name", |w| w.text(name));
            }
        });
    }
}

/// `PublicKeyCredentialUserEntity`: `{"id": bytes, "name": text,
/// "displayName": text}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user handle, 1 to 64 bytes.
    pub id: Vec<u8>,
    /// The account's name.
    pub name: Option<String>,
    /// The person's name.
    pub display_name: Option<String>,
}

impl User {
    /// The longest user handle, in bytes (WebAuthn).
    pub const MAX_ID: usize = 64;

    pub(super) fn read(item: Item<'_>) -> Result<Self, Status> {
        let user = Self::read_any(item)?;
        if user.id.is_empty() { Err(Status::INVALID_LENGTH) } else { Ok(user) }
    }

    /// The same, but the user handle may be empty: CTAP 2.1, 6.1, calls that
    /// valid, WebAuthn does not.
    pub(super) fn read_any(item: Item<'_>) -> Result<Self, Status> {
        let map = typed(item.as_map())?;
        let id = map.get_text("id").ok_or(Status::MISSING_PARAMETER)?;
        let id = typed(id.as_bytes())?;
        if id.len() > Self::MAX_ID {
            return Err(Status::INVALID_LENGTH);
        }
        Ok(Self { id: id.to_vec(), name: text(&map, "name")?, display_name: text(&map, "displayName")? })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.text_entry("id", |w| w.bytes(&self.id));
            if let Some(name) = &self.name {
                map.text_entry("name", |w| w.text(name));
            }
            if let Some(name) = &self.display_name {
                map.text_entry("displayName", |w| w.text(name));
            }
        });
    }
}

/// `PublicKeyCredentialDescriptor`: `{"id": bytes, "type": "public-key",
/// "transports": [text]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialDescriptor {
    /// The credential id.
    pub id: Vec<u8>,
    /// How it may be reached; empty if nothing was said. Of what is read,
    /// only the names that WebAuthn knows are kept.
    pub transports: Vec<String>,
}

impl CredentialDescriptor {
    /// A descriptor without transports.
    pub fn new(id: Vec<u8>) -> Self {
        Self { id, transports: Vec::new() }
    }

    /// The descriptors of a list. Those of an unknown type are left out, as
    /// WebAuthn demands.
    pub(super) fn read_list(item: Item<'_>) -> Result<Vec<Self>, Status> {
        let items = typed(item.as_array())?;
        // Room for no more than the bytes can hold, whatever the header says.
        let mut list = Vec::with_capacity(items.len().min(item.encoded().len() / SHORTEST_DESCRIPTOR));
        for item in items.iter() {
            list.extend(Self::read(item)?);
        }
        Ok(list)
    }

    pub(super) fn read(item: Item<'_>) -> Result<Option<Self>, Status> {
        let map = typed(item.as_map())?;
        // One of an unknown type has members of its own.
        let kind = map.get_text("type").ok_or(Status::MISSING_PARAMETER)?;
        if typed(kind.as_text())? != PUBLIC_KEY {
            return Ok(None);
        }
        let id = map.get_text("id").ok_or(Status::MISSING_PARAMETER)?;
        let id = typed(id.as_bytes())?.to_vec();
        let mut transports = Vec::new();
        if let Some(list) = map.get_text("transports") {
            let list = typed(list.as_array())?;
            transports.reserve_exact(list.len().min(TRANSPORTS.len()));
            for item in list.iter() {
                let transport = typed(item.as_text())?;
                if TRANSPORTS.contains(&transport) && transports.len() < TRANSPORTS.len() {
                    transports.push(transport.to_owned());
                }
            }
        }
        Ok(Some(Self { id, transports }))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.text_entry("id", |w| w.bytes(&self.id));
            map.text_entry("type", |w| w.text(PUBLIC_KEY));
            if !self.transports.is_empty() {
                map.text_entry("transports", |w| {
                    w.array(|list| self.transports.iter().for_each(|t| list.push(|w| w.text(t))));
                });
            }
        });
    }

    pub(super) fn write_list(list: &[Self], writer: &mut Writer) {
        writer.array(|items| list.iter().for_each(|one| items.push(|w| one.write(w))));
    }
}

/// Every transport that WebAuthn and its registry name.
const TRANSPORTS: [&str; 7] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal", "cable"];

/// The bytes of `{"id": h'', "type": "public-key"}`.
const SHORTEST_DESCRIPTOR: usize = 21;

/// The one credential type there is.
pub(super) const PUBLIC_KEY: &str = "public-key";

fn text(map: &crate::cbor::Map<'_>, key: &str) -> Result<Option<String>, Status> {
    map.get_text(key).map(|item| typed(item.as_text()).map(str::to_owned)).transpose()
}
