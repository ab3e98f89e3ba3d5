use super::{Status, optional, parameters, required, typed};
use crate::cbor::Item;

/// A request of a command that has subcommands: authenticatorConfig
/// ([`config`](super::config)) and credentialManagement
/// ([`credential_management`](super::credential_management)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubcommandRequest<'a> {
    /// The subcommand (key 1).
    pub subcommand: u64,
    /// Its parameters as they stood (key 2), a map and no more is known.
    pub parameters: Option<Item<'a>>,
    /// pinUvAuthProtocol (key 3).
    pub protocol: Option<u64>,
    /// pinUvAuthParam (key 4).
    pub param: Option<&'a [u8]>,
}

impl<'a> SubcommandRequest<'a> {
    /// Reads the parameters of the command. Unknown keys are ignored.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        Ok(Self {
            subcommand: required(&map, 1, |item| typed(item.as_unsigned()))?,
            parameters: optional(&map, 2, |item| typed(item.as_map()).map(|_| item))?,
            protocol: optional(&map, 3, |item| typed(item.as_unsigned()))?,
            param: optional(&map, 4, |item| typed(item.as_bytes()))?,
        })
    }
}
