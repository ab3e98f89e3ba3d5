//! credentialManagement (0a): what is stored, listed, removed and renamed.
//! CTAP 2.1, 6.8.

use super::{CredentialDescriptor, RelyingParty, Status, SubcommandRequest, User, required, typed};
use crate::cbor::{self, Writer};

/// getCredsMetadata
pub const GET_CREDS_METADATA: u64 = 0x01;
/// enumerateRPsBegin
pub const ENUMERATE_RPS_BEGIN: u64 = 0x02;
/// enumerateRPsGetNextRP
pub const ENUMERATE_RPS_NEXT: u64 = 0x03;
/// enumerateCredentialsBegin
pub const ENUMERATE_CREDENTIALS_BEGIN: u64 = 0x04;
/// enumerateCredentialsGetNextCredential
pub const ENUMERATE_CREDENTIALS_NEXT: u64 = 0x05;
/// deleteCredential
pub const DELETE_CREDENTIAL: u64 = 0x06;
/// updateUserInformation
pub const UPDATE_USER_INFORMATION: u64 = 0x07;

impl SubcommandRequest<'_> {
    /// rpIDHash, among the subcommand's parameters (key 1): SHA-256 of an RP
    /// ID.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn rp_id_hash(&self) -> Result<[u8; 32], Status> {
        let map = typed(self.parameters.ok_or(Status::MISSING_PARAMETER)?.as_map())?;
        let hash = required(&map, 1, |item| typed(item.as_bytes()))?;
        hash.try_into().map_err(|_| Status::INVALID_LENGTH)
    }

    /// credentialID, among the subcommand's parameters (key 2). `None` if it
    /// is of an unknown type, and so none of anybody's.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn credential(&self) -> Result<Option<CredentialDescriptor>, Status> {
        let map = typed(self.parameters.ok_or(Status::MISSING_PARAMETER)?.as_map())?;
        required(&map, 2, CredentialDescriptor::read)
    }

    /// user, among the subcommand's parameters (key 3). Its id may be empty.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn user(&self) -> Result<User, Status> {
        let map = typed(self.parameters.ok_or(Status::MISSING_PARAMETER)?.as_map())?;
        required(&map, 3, User::read_any)
    }
}

/// What the authenticator tells of its credentials; each subcommand has its
/// own few.
#[derive(Debug, Default)]
pub struct Response<'a> {
    /// Discoverable credentials that are there (key 1).
    pub existing: Option<usize>,
    /// How many more there may be (key 2).
    pub remaining: Option<usize>,
    /// A relying party (key 3).
    pub rp: Option<&'a RelyingParty>,
    /// SHA-256 of its id (key 4).
    pub rp_id_hash: Option<[u8; 32]>,
    /// How many relying parties there are (key 5).
    pub total_rps: Option<usize>,
    /// An account (key 6).
    pub user: Option<&'a User>,
    /// Its credential (key 7).
    pub credential: Option<CredentialDescriptor>,
    /// The public key, a COSE key as it stood (key 8). What is no canonical
    /// CBOR is left out.
    pub public_key: Option<Vec<u8>>,
    /// How many credentials the relying party has (key 9).
    pub total_credentials: Option<usize>,
    /// Level of `credProtect` (key 0a).
    pub protection: Option<u64>,
    /// Key of the large blob (key 0b).
    pub large_blob_key: Option<&'a [u8; 32]>,
}

impl Response<'_> {
    /// The map behind the status.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::map_of(|map| {
            let counts =
                [(1, self.existing), (2, self.remaining), (5, self.total_rps), (9, self.total_credentials)];
            for (key, count) in counts {
                if let Some(count) = count {
                    map.entry(key, |w| w.unsigned(u64::try_from(count).unwrap_or(u64::MAX)));
                }
            }
            if let Some(rp) = self.rp {
                map.entry(3, |w| rp.write(w));
            }
            if let Some(hash) = &self.rp_id_hash {
                map.entry(4, |w| w.bytes(hash));
            }
            if let Some(user) = self.user {
                map.entry(6, |w| user.write(w));
            }
            if let Some(credential) = &self.credential {
                map.entry(7, |w| credential.write(w));
            }
            let key = self.public_key.as_deref().and_then(|key| cbor::parse(key, cbor::CTAP_DEPTH).ok());
            if let Some(key) = key {
                map.entry(8, |w| w.copy(key));
            }
            if let Some(level) = self.protection {
                map.entry(0x0a, |w| w.unsigned(level));
            }
            if let Some(key) = self.large_blob_key {
                map.entry(0x0b, |w| w.bytes(key));
            }
        })
    }
}
