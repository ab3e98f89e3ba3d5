use super::{Request, client_data_hash, read_algorithms};
use crate::cbor::Map;
use crate::ctap::local::{HmacSecretInput, PinUvAuth, input, large_blob_key, switch};
use crate::ctap::{CredentialDescriptor, Options, RelyingParty, Status, User};
use crate::ctap::{optional, parameters, required, typed};

/// Every parameter that CTAP 2.1 gives the command, and one of 2.2: what a
/// local authenticator is asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// What a tunnel carries too, without its form of `prf`.
    pub request: Request,
    /// The inputs of extensions (key 6).
    pub extensions: Extensions<'a>,
    /// pinUvAuthParam and pinUvAuthProtocol (keys 8 and 9).
    pub pin_uv_auth: Option<PinUvAuth<'a>>,
    /// enterpriseAttestation (key 0x0a)
    pub enterprise_attestation: Option<u64>,
    /// attestationFormatsPreference (key 0x0b, CTAP 2.2), the most wanted
    /// first.
    pub attestation_formats: Vec<&'a str>,
}

/// What a platform asks of the extensions. Those that are not known are not
/// here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions<'a> {
    /// `credBlob`: what to store with the credential.
    pub cred_blob: Option<&'a [u8]>,
    /// `credProtect`: who may use it, 1 to 3.
    pub cred_protect: Option<u64>,
    /// `hmac-secret`: make it able to.
    pub hmac_secret: bool,
    /// `hmac-secret-mc` (CTAP 2.2): salts for it, right away.
    pub hmac_secret_mc: Option<HmacSecretInput<'a>>,
    /// `largeBlobKey`: give it a key for a large blob.
    pub large_blob_key: bool,
    /// `minPinLength`: tell the shortest PIN that is taken.
    pub min_pin_length: bool,
}

impl<'a> Parameters<'a> {
    /// Reads the parameters of the command. Algorithms and credentials of an
    /// unknown type are left out; unknown keys, options and extensions are
    /// ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        let request = Request {
            client_data_hash: required(&map, 1, client_data_hash)?,
            rp: required(&map, 2, |item| RelyingParty::read(item).and_then(|rp| known_icon(item, rp)))?,
            user: required(&map, 3, |item| User::read_any(item).and_then(|user| known_icon(item, user)))?,
            algorithms: required(&map, 4, read_algorithms)?,
            exclude: optional(&map, 5, CredentialDescriptor::read_list)?.unwrap_or_default(),
            prf: None,
            options: optional(&map, 7, Options::read)?.unwrap_or_default(),
            pin_uv_auth: map.get(8).is_some(),
        };
        let extensions = optional(&map, 6, |item| typed(item.as_map()))?;
        let formats = |item: crate::cbor::Item<'a>| {
            typed(item.as_array())?.iter().map(|format| typed(format.as_text())).collect()
        };
        Ok(Self {
            request,
            extensions: Extensions::read(extensions.as_ref())?,
            pin_uv_auth: PinUvAuth::read(&map, 8, 9)?,
            enterprise_attestation: optional(&map, 10, |item| typed(item.as_unsigned()))?,
            attestation_formats: optional(&map, 11, formats)?.unwrap_or_default(),
        })
    }
}

/// CTAP 2.0 had a picture's address in both entities. It is kept nowhere, but
/// something else than text in its place is a fault still.
fn known_icon<T>(item: crate::cbor::Item<'_>, entity: T) -> Result<T, Status> {
    let icon = item.as_map().and_then(|map| map.get_text("icon"));
    icon.map_or(Ok(()), |icon| typed(icon.as_text()).map(drop))?;
    Ok(entity)
}

impl<'a> Extensions<'a> {
    fn read(map: Option<&Map<'a>>) -> Result<Self, Status> {
        Ok(Self {
            cred_blob: input(map, "credBlob", |item| typed(item.as_bytes()))?,
            cred_protect: input(map, "credProtect", |item| typed(item.as_unsigned()))?,
            hmac_secret: switch(map, "hmac-secret")?,
            hmac_secret_mc: input(map, "hmac-secret-mc", HmacSecretInput::read)?,
            large_blob_key: large_blob_key(map)?,
            min_pin_length: switch(map, "minPinLength")?,
        })
    }
}
