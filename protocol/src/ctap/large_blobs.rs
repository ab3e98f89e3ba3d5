//! largeBlobs (0c): the array of large blobs, read and written in parts.
//! CTAP 2.1, 6.10.

use super::{Status, optional, parameters, typed};

/// What the platform asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Bytes of the array.
    Get {
        /// Where they begin (key 3).
        offset: u64,
        /// How many at most (key 1).
        count: u64,
    },
    /// A part of a new array.
    Set {
        /// Where it begins (key 3).
        offset: u64,
        /// The part (key 2).
        part: &'a [u8],
        /// Length of the whole array (key 4), with the first part and no
        /// other.
        length: Option<u64>,
        /// pinUvAuthParam (key 5).
        param: Option<&'a [u8]>,
        /// pinUvAuthProtocol (key 6).
        protocol: Option<u64>,
    },
}

impl<'a> Request<'a> {
    /// Reads the parameters of the command. Unknown keys are ignored. What is
    /// missing or too much is an invalid parameter here, not a missing one.
    ///
    /// # Errors
    /// The status that the specification gives the fault.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let map = parameters(bytes)?;
        let unsigned = |key| optional(&map, key, |item| typed(item.as_unsigned()));
        let bytes = |key| optional(&map, key, |item| typed(item.as_bytes()));
        let (get, set, offset, length) = (unsigned(1)?, bytes(2)?, unsigned(3)?, unsigned(4)?);
        let (param, protocol) = (bytes(5)?, unsigned(6)?);
        let offset = offset.ok_or(Status::INVALID_PARAMETER)?;
        match (get, set) {
            (Some(count), None) if length.is_none() && param.is_none() && protocol.is_none() => {
                Ok(Request::Get { offset, count })
            }
            (None, Some(part)) => Ok(Request::Set { offset, part, length, param, protocol }),
            _ => Err(Status::INVALID_PARAMETER),
        }
    }
}
