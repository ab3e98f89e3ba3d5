//! What a local authenticator reads besides what crosses a tunnel: the
//! parameters by which a platform proves that it knows the user, and the
//! inputs of extensions that need them.

use super::{Status, agreement_key, optional, required, typed};
use crate::cbor::{Item, Map};

/// The proof that the platform holds a pinUvAuthToken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinUvAuth<'a> {
    /// pinUvAuthParam: 16 or 32 bytes, by the protocol. Empty is the old way
    /// to ask for a touch.
    pub param: &'a [u8],
    /// pinUvAuthProtocol
    pub protocol: Option<u64>,
}

impl<'a> PinUvAuth<'a> {
    /// Both under their keys; `None` if there is no parameter.
    pub(super) fn read(map: &Map<'a>, param: i64, protocol: i64) -> Result<Option<Self>, Status> {
        let param = optional(map, param, |item| typed(item.as_bytes()))?;
        let protocol = optional(map, protocol, |item| typed(item.as_unsigned()))?;
        Ok(param.map(|param| Self { param, protocol }))
    }
}

/// Salts for the `hmac-secret` extension: CTAP 2.1, 12.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HmacSecretInput<'a> {
    /// The platform's public key, a COSE key (key 1).
    pub key_agreement: Item<'a>,
    /// One or two salts of 32 bytes, encrypted (key 2).
    pub salt_enc: &'a [u8],
    /// What authenticates them (key 3).
    pub salt_auth: &'a [u8],
    /// pinUvAuthProtocol (key 4), 1 if absent.
    pub protocol: u64,
}

impl<'a> HmacSecretInput<'a> {
    pub(super) fn read(item: Item<'a>) -> Result<Self, Status> {
        let map = typed(item.as_map())?;
        Ok(Self {
            key_agreement: required(&map, 1, agreement_key)?,
            salt_enc: required(&map, 2, |item| typed(item.as_bytes()))?,
            salt_auth: required(&map, 3, |item| typed(item.as_bytes()))?,
            protocol: optional(&map, 4, |item| typed(item.as_unsigned()))?.unwrap_or(1),
        })
    }
}

/// An extension's input under this name, if it is there.
pub(super) fn input<'a, T>(
    extensions: Option<&Map<'a>>,
    name: &str,
    read: impl FnOnce(Item<'a>) -> Result<T, Status>,
) -> Result<Option<T>, Status> {
    extensions.and_then(|map| map.get_text(name)).map(read).transpose()
}

/// An extension that is asked for by `true`.
pub(super) fn switch(extensions: Option<&Map<'_>>, name: &str) -> Result<bool, Status> {
    Ok(input(extensions, name, |item| typed(item.as_bool()))?.unwrap_or(false))
}

/// The extension `largeBlobKey`, whose one input is `true`: CTAP 2.1, 12.3.
pub(super) fn large_blob_key(extensions: Option<&Map<'_>>) -> Result<bool, Status> {
    let is_true = |item: Item<'_>| (item.as_bool() == Some(true)).then_some(true);
    let asked = input(extensions, "largeBlobKey", |item| is_true(item).ok_or(Status::INVALID_OPTION));
    Ok(asked?.unwrap_or(false))
}
