//! largeBlobs (0c): CTAP 2.1, 6.10. One array of bytes that everybody may
//! read; what is in it, each RP has sealed with a key of its own.

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::Status;
use cablecar_protocol::ctap::large_blobs::Request;

use super::client_pin::{ok_alone, protocol};
use super::device::{Context, Device};
use super::failure::Failure;
use super::token::Permissions;
use super::{Reply, sha256};
use crate::defaults;

/// The array without anything in it: an empty CBOR array and its trailer.
const EMPTY: [u8; 17] =
    [0x80, 0x76, 0xbe, 0x8b, 0x52, 0x8d, 0x00, 0x75, 0xf7, 0xaa, 0xe9, 0x8d, 0x6f, 0xa5, 0x7a, 0x6d, 0x3c];

/// Bytes at the end of an array: LEFT(SHA-256(what is before them), 16).
const TRAILER: usize = 16;

/// An array on its way in.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    expected: usize,
    bytes: Vec<u8>,
}

/// A part of it.
struct Part<'a> {
    offset: u64,
    bytes: &'a [u8],
    length: Option<u64>,
}

impl Device {
    /// Takes the command.
    pub(super) fn large_blobs(
        &mut self,
        parameters: &[u8],
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        match Request::parse(parameters)? {
            Request::Get { offset, count } => Ok(self.read_large_blobs(offset, count)?),
            Request::Set { offset, part, length, param, protocol } => {
                let part = Part { offset, bytes: part, length };
                self.write_large_blobs(&part, param, protocol, context)
            }
        }
    }

    fn read_large_blobs(&self, offset: u64, count: u64) -> Result<Reply, Status> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > defaults::MAX_FRAGMENT {
            return Err(Status::INVALID_LENGTH);
        }
        let stored = self.vault.state().large_blobs.as_slice();
        let array = if stored.is_empty() { EMPTY.as_slice() } else { stored };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = array.get(offset..).ok_or(Status::INVALID_PARAMETER)?;
        let part = rest.get(..count).unwrap_or(rest);
        let map = Writer::map_of(|map| {
            map.entry(0x01, |w| w.bytes(part));
        });
        Ok(Reply::new(Status::OK.with(&map), None))
    }

    fn write_large_blobs(
        &mut self,
        part: &Part<'_>,
        param: Option<&[u8]>,
        number: Option<u64>,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        if part.bytes.len() > defaults::MAX_FRAGMENT {
            return Err(Status::INVALID_LENGTH.into());
        }
        match (part.offset, part.length) {
            (0, None) | (1.., Some(_)) => return Err(Status::INVALID_PARAMETER.into()),
            (0, Some(length)) => self.incoming = Incoming::new(length)?,
            (1.., None) => {}
        }
        let next = self.incoming.bytes.len();
        if usize::try_from(part.offset).ok() != Some(next) {
            return Err(Status::INVALID_SEQ.into());
        }
        if self.is_protected() || self.vault.state().always_uv {
            let param = param.ok_or(Status::PUAT_REQUIRED)?;
            let protocol = protocol(number)?;
            let mut message = vec![0xff; 32];
            message.extend_from_slice(&[0x0c, 0x00]);
            message.extend_from_slice(&u32::try_from(part.offset).unwrap_or(u32::MAX).to_le_bytes());
            message.extend_from_slice(&sha256(part.bytes));
            let token = self.pin_uv.verify(protocol, param, &message, context.now)?;
            if !token.permits(Permissions::LARGE_BLOB_WRITE) {
                return Err(Status::PIN_AUTH_INVALID.into());
            }
        }
        if next + part.bytes.len() > self.incoming.expected {
            return Err(Status::INVALID_PARAMETER.into());
        }
        self.incoming.bytes.extend_from_slice(part.bytes);
        if self.incoming.bytes.len() < self.incoming.expected {
            return Ok(ok_alone());
        }
        let array = std::mem::take(&mut self.incoming).finish()?;
        self.change_state(context.rng, |state| state.large_blobs = array)?;
        Ok(ok_alone())
    }
}

impl Incoming {
    fn new(length: u64) -> Result<Self, Status> {
        let expected = usize::try_from(length).unwrap_or(usize::MAX);
        if expected > defaults::MAX_LARGE_BLOBS {
            return Err(Status::LARGE_BLOB_STORAGE_FULL);
        }
        if expected < EMPTY.len() {
            return Err(Status::INVALID_PARAMETER);
        }
        Ok(Self { expected, bytes: Vec::new() })
    }

    /// The whole array, if it is what was sent. The empty one is kept as
    /// nothing.
    fn finish(self) -> Result<Vec<u8>, Status> {
        let (body, trailer) = self.bytes.split_at(self.bytes.len().saturating_sub(TRAILER));
        if sha256(body).get(..TRAILER) != Some(trailer) {
            return Err(Status::INTEGRITY_FAILURE);
        }
        Ok(if self.bytes == EMPTY { Vec::new() } else { self.bytes })
    }
}
