use super::Request;
use super::client_data_hash;
use crate::cbor::Map;
use crate::ctap::local::{HmacSecretInput, PinUvAuth, input, large_blob_key, switch};
use crate::ctap::{CredentialDescriptor, Options, Status};
use crate::ctap::{optional, parameters, required, typed};

/// Every parameter that CTAP 2.1 gives the command: what a local
/// authenticator is asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// What a tunnel carries too, without its form of `prf`.
    pub request: Request,
    /// The inputs of extensions (key 4).
    pub extensions: Extensions<'a>,
    /// pinUvAuthParam and pinUvAuthProtocol (keys 6 and 7).
    pub pin_uv_auth: Option<PinUvAuth<'a>>,
}

/// What a platform asks of the extensions. Those that are not known are not
/// here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions<'a> {
    /// `credBlob`: give back what is stored with the credential.
    pub cred_blob: bool,
    /// `hmac-secret`: salts for it.
    pub hmac_secret: Option<HmacSecretInput<'a>>,
    /// `largeBlobKey`: give the key of the credential's large blob.
    pub large_blob_key: bool,
}

impl<'a> Parameters<'a> {
    /// Reads the parameters of the command. Credentials of an unknown type
    /// are left out; unknown keys, options and extensions are ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        let listed = map.get(3).and_then(|item| item.as_array()).is_some_and(|list| !list.is_empty());
        let request = Request {
            rp_id: required(&map, 1, |item| typed(item.as_text()))?.to_owned(),
            client_data_hash: required(&map, 2, client_data_hash)?,
            allow: optional(&map, 3, CredentialDescriptor::read_list)?.unwrap_or_default(),
            has_allow_list: listed,
            prf: None,
            options: optional(&map, 5, Options::read)?.unwrap_or_default(),
            pin_uv_auth: map.get(6).is_some(),
        };
        let extensions = optional(&map, 4, |item| typed(item.as_map()))?;
        Ok(Self {
            request,
            extensions: Extensions::read(extensions.as_ref())?,
            pin_uv_auth: PinUvAuth::read(&map, 6, 7)?,
        })
    }
}

impl<'a> Extensions<'a> {
    fn read(map: Option<&Map<'a>>) -> Result<Self, Status> {
        Ok(Self {
            cred_blob: switch(map, "credBlob")?,
            hmac_secret: input(map, "hmac-secret", HmacSecretInput::read)?,
            large_blob_key: large_blob_key(map)?,
        })
    }
}
