//! clientPIN (06): a PIN set or changed, a token asked for. CTAP 2.1, 6.5.5.

use super::{Status, agreement_key, optional, parameters, required, typed};
use crate::cbor::Item;

/// What the platform asks for. Which parameters must be there depends on the
/// subcommand and is not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// pinUvAuthProtocol (key 1).
    pub protocol: Option<u64>,
    /// The subcommand (key 2).
    pub subcommand: u64,
    /// The platform's key-agreement key (key 3), a map whose
    /// entries have the types of a COSE key's.
    pub key_agreement: Option<Item<'a>>,
    /// pinUvAuthParam (key 4).
    pub param: Option<&'a [u8]>,
    /// newPinEnc (key 5).
    pub new_pin: Option<&'a [u8]>,
    /// pinHashEnc (key 6).
    pub pin_hash: Option<&'a [u8]>,
    /// The permissions that the token shall have, as bits (key 9).
    pub permissions: Option<u64>,
    /// The RP ID that the token shall be good for (key 0a).
    pub rp_id: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// getPINRetries
    pub const GET_PIN_RETRIES: u64 = 0x01;
    /// getKeyAgreement
    pub const GET_KEY_AGREEMENT: u64 = 0x02;
    /// setPIN
    pub const SET_PIN: u64 = 0x03;
    /// changePIN
    pub const CHANGE_PIN: u64 = 0x04;
    /// getPinToken
    pub const GET_PIN_TOKEN: u64 = 0x05;
    /// getPinUvAuthTokenUsingUvWithPermissions
    pub const GET_TOKEN_USING_UV: u64 = 0x06;
    /// getUVRetries
    pub const GET_UV_RETRIES: u64 = 0x07;
    /// getPinUvAuthTokenUsingPinWithPermissions
    pub const GET_TOKEN_USING_PIN: u64 = 0x09;

    /// Reads the parameters of the command. Unknown keys are ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        let bytes = |key| optional(&map, key, |item| typed(item.as_bytes()));
        let unsigned = |key| optional(&map, key, |item| typed(item.as_unsigned()));
        Ok(Self {
            protocol: unsigned(1)?,
            subcommand: required(&map, 2, |item| typed(item.as_unsigned()))?,
            key_agreement: optional(&map, 3, agreement_key)?,
            param: bytes(4)?,
            new_pin: bytes(5)?,
            pin_hash: bytes(6)?,
            permissions: unsigned(9)?,
            rp_id: optional(&map, 0x0a, |item| typed(item.as_text()))?,
        })
    }
}
