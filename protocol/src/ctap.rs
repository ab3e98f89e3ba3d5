//! CTAP2 messages as they cross the tunnel: what a client asks and what an
//! authenticator answers.
//!
//! A request is a command byte and a CBOR map, a response a [`Status`] and a
//! CBOR map. Reading a request fails with the status that the specification
//! gives the fault, so an authenticator can send it back as it is; reading a
//! response fails with [`What::Ctap`].

mod authenticator_data;
mod entities;
mod get_info;
mod local;
mod prf;
mod status;
mod subcommand;

pub mod client_pin;
pub mod config;
pub mod credential_management;
pub mod get_assertion;
pub mod large_blobs;
pub mod make_credential;

pub use authenticator_data::{AttestedCredential, AuthenticatorData, Flags};
pub use entities::{CredentialDescriptor, RelyingParty, User};
pub use get_info::GetInfo;
pub use local::{HmacSecretInput, PinUvAuth};
pub use prf::{PrfInputs, PrfOutputs, PrfValues};
pub use status::Status;
pub use subcommand::SubcommandRequest;

use crate::cbor::{self, Map};
use crate::error::{Error, What};

/// ECDSA with P-256 and SHA-256, the COSE algorithm −7.
pub const ES256: i64 = -7;

/// EdDSA, which means Ed25519 here, the COSE algorithm −8.
pub const EDDSA: i64 = -8;

/// The command byte of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// 01
    MakeCredential,
    /// 02
    GetAssertion,
    /// 04
    GetInfo,
    /// 0b
    Selection,
    /// Any other byte. 00 begins a U2F message, which Chromium may send to
    /// an authenticator that does not suit it.
    Other(u8),
}

impl Command {
    /// The byte.
    pub const fn byte(self) -> u8 {
        match self {
            Command::MakeCredential => 0x01,
            Command::GetAssertion => 0x02,
            Command::GetInfo => 0x04,
            Command::Selection => 0x0b,
            Command::Other(byte) => byte,
        }
    }

    /// Splits a request into its command and its parameters. `None` if there
    /// is not even a command.
    pub fn split(request: &[u8]) -> Option<(Self, &[u8])> {
        let (byte, parameters) = request.split_first()?;
        let command = match *byte {
            0x01 => Command::MakeCredential,
            0x02 => Command::GetAssertion,
            0x04 => Command::GetInfo,
            0x0b => Command::Selection,
            other => Command::Other(other),
        };
        Some((command, parameters))
    }

    /// The command byte and these parameters.
    pub fn with(self, parameters: &[u8]) -> Vec<u8> {
        let mut request = Vec::with_capacity(1 + parameters.len());
        request.push(self.byte());
        request.extend_from_slice(parameters);
        request
    }
}

/// A response as it came: status and, if that is [`Status::OK`], the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// How it went.
    pub status: Status,
    /// The CBOR behind the status.
    pub body: &'a [u8],
}

impl<'a> Response<'a> {
    /// Splits a response.
    ///
    /// # Errors
    /// [`What::Ctap`] if there is not even a status.
    pub fn split(response: &'a [u8]) -> Result<Self, Error> {
        let (status, body) = response.split_first().ok_or(BAD_RESPONSE)?;
        Ok(Self { status: Status::new(*status), body })
    }
}

/// What every fault in a response is.
const BAD_RESPONSE: Error = Error::Malformed(What::Ctap);

/// The map of a request's parameters.
fn parameters(bytes: &[u8]) -> Result<Map<'_>, Status> {
    cbor::parse(bytes, cbor::CTAP_DEPTH)
        .map_err(|_| Status::INVALID_CBOR)?
        .as_map()
        .ok_or(Status::CBOR_UNEXPECTED_TYPE)
}

/// A parameter that must be there, of the type that `read` takes.
fn required<'a, T>(
    map: &Map<'a>,
    key: i64,
    read: impl FnOnce(cbor::Item<'a>) -> Result<T, Status>,
) -> Result<T, Status> {
    map.get(key).ok_or(Status::MISSING_PARAMETER).and_then(read)
}

/// A parameter that may be absent, but not of another type.
fn optional<'a, T>(
    map: &Map<'a>,
    key: i64,
    read: impl FnOnce(cbor::Item<'a>) -> Result<T, Status>,
) -> Result<Option<T>, Status> {
    map.get(key).map(read).transpose()
}

/// Turns "not of this type" into the status for it.
fn typed<T>(value: Option<T>) -> Result<T, Status> {
    value.ok_or(Status::CBOR_UNEXPECTED_TYPE)
}

/// A key to agree with, as it stood: a COSE key with whatever values, but those
/// that are there of the right types.
fn agreement_key<'a>(item: cbor::Item<'a>) -> Result<cbor::Item<'a>, Status> {
    let map = typed(item.as_map())?;
    for key in [1, 3, -1] {
        optional(&map, key, |value| typed(value.as_int()))?;
    }
    for key in [-2, -3] {
        optional(&map, key, |value| typed(value.as_bytes()))?;
    }
    Ok(item)
}

/// The options of a request, `None` where absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// `rk`: make the credential discoverable.
    pub rk: Option<bool>,
    /// `up`: ask for user presence. Only ever sent to say false, which this
    /// transport does not do.
    pub up: Option<bool>,
    /// `uv`: verify the user.
    pub uv: Option<bool>,
}

impl Options {
    fn read(item: cbor::Item<'_>) -> Result<Self, Status> {
        let map = typed(item.as_map())?;
        let option = |name| map.get_text(name).map(|item| typed(item.as_bool())).transpose();
        Ok(Self { rk: option("rk")?, up: option("up")?, uv: option("uv")? })
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn write(&self, writer: &mut cbor::Writer) {
        writer.map(|map| {
            for (name, value) in [("rk", self.rk), ("up", self.up), ("uv", self.uv)] {
                if let Some(value) = value {
                    map.text_entry(name, |w| w.bool(value));
                }
            }
        });
    }
}
