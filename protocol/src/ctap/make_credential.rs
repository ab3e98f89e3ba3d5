//! makeCredential (01): a new passkey.

mod local;

pub use local::{Extensions, Parameters};

use super::entities::PUBLIC_KEY;
use super::{
    AuthenticatorData, BAD_RESPONSE, Command, CredentialDescriptor, Options, PrfInputs, PrfOutputs,
    RelyingParty, Status, User, optional, parameters, required, typed,
};
use crate::cbor::{self, Item, Writer};
use crate::error::Error;

/// What the client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// SHA-256 of the client data (key 1).
    pub client_data_hash: [u8; 32],
    /// Whose passkey (key 2).
    pub rp: RelyingParty,
    /// For which account (key 3).
    pub user: User,
    /// COSE algorithms, the most wanted first (key 4).
    pub algorithms: Vec<i64>,
    /// Credentials beside which no new one may be made (key 5).
    pub exclude: Vec<CredentialDescriptor>,
    /// The `prf` extension, if asked for (key 6).
    pub prf: Option<PrfInputs>,
    /// Options (key 7).
    pub options: Options,
    /// Whether a PIN/UV authentication parameter came along (key 8), which
    /// this transport does not have.
    pub pin_uv_auth: bool,
}

impl Request {
    /// Reads the parameters of the command. Algorithms and credentials of an
    /// unknown type are left out; unknown keys and extensions are ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &[u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        let extensions = optional(&map, 6, |item| typed(item.as_map()))?;
        Ok(Self {
            client_data_hash: required(&map, 1, client_data_hash)?,
            rp: required(&map, 2, RelyingParty::read)?,
            user: required(&map, 3, User::read)?,
            algorithms: required(&map, 4, read_algorithms)?,
            exclude: optional(&map, 5, CredentialDescriptor::read_list)?.unwrap_or_default(),
            prf: extensions.map(|map| PrfInputs::read(&map)).transpose()?.flatten(),
            options: optional(&map, 7, Options::read)?.unwrap_or_default(),
            pin_uv_auth: optional(&map, 8, |item| typed(item.as_bytes()))?.is_some(),
        })
    }

    /// The whole message, command byte and map.
    pub fn to_bytes(&self) -> Vec<u8> {
        let map = Writer::map_of(|map| {
            map.entry(1, |w| w.bytes(&self.client_data_hash));
            map.entry(2, |w| self.rp.write(w));
            map.entry(3, |w| self.user.write(w));
            map.entry(4, |w| write_algorithms(&self.algorithms, w));
            if !self.exclude.is_empty() {
                map.entry(5, |w| CredentialDescriptor::write_list(&self.exclude, w));
            }
            if let Some(prf) = &self.prf {
                map.entry(6, |w| {
                    w.map(|map| {
                        map.text_entry("prf", |w| prf.write(w));
                    });
                });
            }
            if !self.options.is_empty() {
                map.entry(7, |w| self.options.write(w));
            }
        });
        Command::MakeCredential.with(&map)
    }
}

pub(super) fn client_data_hash(item: Item<'_>) -> Result<[u8; 32], Status> {
    typed(item.as_bytes())?.try_into().map_err(|_| Status::INVALID_LENGTH)
}

fn read_algorithms(item: Item<'_>) -> Result<Vec<i64>, Status> {
    let mut algorithms = Vec::new();
    for item in typed(item.as_array())?.iter() {
        let map = typed(item.as_map())?;
        // An entry of an unknown type has members of its own.
        let kind = map.get_text("type").ok_or(Status::MISSING_PARAMETER)?;
        if typed(kind.as_text())? == PUBLIC_KEY {
            let algorithm = map.get_text("alg").ok_or(Status::MISSING_PARAMETER)?;
            algorithms.push(typed(algorithm.as_int())?);
        }
    }
    Ok(algorithms)
}

fn write_algorithms(algorithms: &[i64], writer: &mut Writer) {
    writer.array(|list| {
        for algorithm in algorithms {
            list.push(|w| {
                w.map(|map| {
                    map.text_entry("alg", |w| w.int(*algorithm));
                    map.text_entry("type", |w| w.text(PUBLIC_KEY));
                });
            });
        }
    });
}

/// What the authenticator made.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// The attestation statement format (key 1).
    pub format: String,
    /// The authenticator data (key 2), as it was signed.
    pub authenticator_data: AuthenticatorData,
    /// The attestation statement (key 3), a CBOR map as it stood.
    pub statement: Vec<u8>,
    /// The unsigned output of the `prf` extension (key 6).
    pub prf: Option<PrfOutputs>,
}

impl Response {
    /// Reads the map behind the status.
    ///
    /// # Errors
    /// [`What::Ctap`](crate::error::What::Ctap) or a fault of the CBOR.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let map = cbor::parse(body, cbor::CTAP_DEPTH)?.as_map().ok_or(BAD_RESPONSE)?;
        let format = map.get(1).and_then(|item| item.as_text()).ok_or(BAD_RESPONSE)?;
        let data = map.get(2).and_then(|item| item.as_bytes()).ok_or(BAD_RESPONSE)?;
        let statement = map.get(3).filter(|item| item.as_map().is_some()).ok_or(BAD_RESPONSE)?;
        Ok(Self {
            format: format.to_owned(),
            authenticator_data: AuthenticatorData::parse(data)?,
            statement: statement.encoded().to_vec(),
            prf: read_prf_outputs(map.get(6))?,
        })
    }

    /// The map behind the status. A statement that is no canonical CBOR is
    /// written as the empty map.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::map_of(|map| {
            map.entry(1, |w| w.text(&self.format));
            map.entry(2, |w| w.bytes(self.authenticator_data.as_bytes()));
            map.entry(3, |w| match cbor::parse(&self.statement, cbor::CTAP_DEPTH) {
                Ok(statement) => w.copy(statement),
                Err(_) => w.map(|_| {}),
            });
            if let Some(prf) = &self.prf {
                map.entry(6, |w| prf.write_outputs(w));
            }
        })
    }

    /// The attestation object of WebAuthn: `{"fmt", "attStmt", "authData"}`.
    pub fn attestation_object(&self) -> Vec<u8> {
        Writer::map_of(|map| {
            map.text_entry("fmt", |w| w.text(&self.format));
            map.text_entry("attStmt", |w| match cbor::parse(&self.statement, cbor::CTAP_DEPTH) {
                Ok(statement) => w.copy(statement),
                Err(_) => w.map(|_| {}),
            });
            map.text_entry("authData", |w| w.bytes(self.authenticator_data.as_bytes()));
        })
    }
}

pub(super) fn read_prf_outputs(item: Option<Item<'_>>) -> Result<Option<PrfOutputs>, Error> {
    let Some(item) = item else { return Ok(None) };
    let map = item.as_map().ok_or(BAD_RESPONSE)?;
    PrfOutputs::read(&map).map_err(|_| BAD_RESPONSE)
}
