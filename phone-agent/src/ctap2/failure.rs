use cablecar_protocol::ctap::Status;

use super::{Reply, Then};
use crate::vault;

/// Why a command of the local authenticator gives nothing but a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request is to blame, or who sent it.
    Refused(Status),
    /// The vault does not do its part.
    Vault(vault::Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Failure::Refused(status)
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Self {
        Failure::Vault(error)
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(status) => Reply::refused(status),
            // The pipe stays open: there may be room again.
            Failure::Vault(error) => Reply { then: Then::Stay, ..Reply::vault_failed(error) },
        }
    }
}
