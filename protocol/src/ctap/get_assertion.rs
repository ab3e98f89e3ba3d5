//! getAssertion (02): a passkey used.

mod local;

pub use local::{Extensions, Parameters};

use super::make_credential::{client_data_hash, read_prf_outputs};
use super::{
    AuthenticatorData, BAD_RESPONSE, Command, CredentialDescriptor, Options, PrfInputs, PrfOutputs, Status,
    User, optional, parameters, required, typed,
};
use crate::cbor::{self, Writer};
use crate::error::Error;

/// What the client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Whose passkey (key 1).
    pub rp_id: String,
    /// SHA-256 of the client data (key 2).
    pub client_data_hash: [u8; 32],
    /// The credentials that will do (key 3); empty means any discoverable one.
    pub allow: Vec<CredentialDescriptor>,
    /// Whether an allow list came at all. One that held only unknown types
    /// leaves `allow` empty, and then nothing will do.
    pub has_allow_list: bool,
    /// The `prf` extension, if asked for (key 4).
    pub prf: Option<PrfInputs>,
    /// Options (key 5).
    pub options: Options,
    /// Whether a PIN/UV authentication parameter came along (key 6), which
    /// this transport does not have.
    pub pin_uv_auth: bool,
}

impl Request {
    /// Reads the parameters of the command. Credentials of an unknown type
    /// are left out; unknown keys and extensions are ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &[u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        let extensions = optional(&map, 4, |item| typed(item.as_map()))?;
        let listed = map.get(3).and_then(|item| item.as_array()).is_some_and(|list| !list.is_empty());
        Ok(Self {
            rp_id: required(&map, 1, |item| typed(item.as_text()))?.to_owned(),
            client_data_hash: required(&map, 2, client_data_hash)?,
            allow: optional(&map, 3, CredentialDescriptor::read_list)?.unwrap_or_default(),
            has_allow_list: listed,
            prf: extensions.map(|map| PrfInputs::read(&map)).transpose()?.flatten(),
            options: optional(&map, 5, Options::read)?.unwrap_or_default(),
            pin_uv_auth: optional(&map, 6, |item| typed(item.as_bytes()))?.is_some(),
        })
    }

    /// The whole message, command byte and map.
    pub fn to_bytes(&self) -> Vec<u8> {
        let map = Writer::map_of(|map| {
            map.entry(1, |w| w.text(&self.rp_id));
            map.entry(2, |w| w.bytes(&self.client_data_hash));
            if !self.allow.is_empty() {
                map.entry(3, |w| CredentialDescriptor::write_list(&self.allow, w));
            }
            if let Some(prf) = &self.prf {
                map.entry(4, |w| {
                    w.map(|map| {
                        map.text_entry("prf", |w| prf.write(w));
                    });
                });
            }
            if !self.options.is_empty() {
                map.entry(5, |w| self.options.write(w));
            }
        });
        Command::GetAssertion.with(&map)
    }
}

/// What the authenticator signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// Which credential (key 1). May be missing if only one was allowed.
    pub credential: Option<CredentialDescriptor>,
    /// The authenticator data (key 2), as it was signed.
    pub authenticator_data: AuthenticatorData,
    /// The signature over authenticator data ‖ client data hash (key 3).
    pub signature: Vec<u8>,
    /// The account (key 4); there whenever the credential was not asked for
    /// by its id.
    pub user: Option<User>,
    /// How many credentials fit (key 5). Above 1 is not for this transport.
    pub number_of_credentials: Option<u64>,
    /// Whether the person chose the account (key 6).
    pub user_selected: Option<bool>,
    /// The unsigned output of the `prf` extension (key 8).
    pub prf: Option<PrfOutputs>,
}

impl Response {
    /// Reads the map behind the status.
    ///
    /// # Errors
    /// [`What::Ctap`](crate::error::What::Ctap) or a fault of the CBOR.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let map = cbor::parse(body, cbor::CTAP_DEPTH)?.as_map().ok_or(BAD_RESPONSE)?;
        let data = map.get(2).and_then(|item| item.as_bytes()).ok_or(BAD_RESPONSE)?;
        let signature = map.get(3).and_then(|item| item.as_bytes()).ok_or(BAD_RESPONSE)?;
        let read = |read: Result<Option<_>, Status>| read.map_err(|_| BAD_RESPONSE);
        Ok(Self {
            credential: read(map.get(1).map(CredentialDescriptor::read).transpose().map(Option::flatten))?,
            authenticator_data: AuthenticatorData::parse(data)?,
            signature: signature.to_vec(),
            user: map.get(4).map(User::read).transpose().map_err(|_| BAD_RESPONSE)?,
            number_of_credentials: map
                .get(5)
                .map(|item| item.as_unsigned().ok_or(BAD_RESPONSE))
                .transpose()?,
            user_selected: map.get(6).map(|item| item.as_bool().ok_or(BAD_RESPONSE)).transpose()?,
            prf: read_prf_outputs(map.get(8))?,
        })
    }

    /// The map behind the status.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::map_of(|map| {
            if let Some(credential) = &self.credential {
                map.entry(1, |w| credential.write(w));
            }
            map.entry(2, |w| w.bytes(self.authenticator_data.as_bytes()));
            map.entry(3, |w| w.bytes(&self.signature));
            if let Some(user) = &self.user {
                map.entry(4, |w| user.write(w));
            }
            if let Some(number) = self.number_of_credentials {
                map.entry(5, |w| w.unsigned(number));
            }
            if let Some(selected) = self.user_selected {
                map.entry(6, |w| w.bool(selected));
            }
            if let Some(prf) = &self.prf {
                map.entry(8, |w| prf.write_outputs(w));
            }
        })
    }
}
