//! Lines in, lines out, keys in PEM, and the names of libfido2's errors.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};

use base64ct::{Base64, Encoding};
use cablecar_protocol::cbor::{self, Writer};
use p256::pkcs8::{DecodePublicKey, EncodePublicKey};

use super::Failure;
use crate::defaults;
use crate::doors::requests::status_of;
use crate::error::Error;

/// Lines of an input, taken one by one: whoever is at the other end may keep it
/// open for a PIN, so nothing is read that is not wanted.
pub(super) struct Lines(Box<dyn BufRead>);

impl Lines {
    /// Of this file, or of standard input.
    pub(super) fn open(file: Option<&str>) -> Result<Self, Failure> {
        let input: Box<dyn Read> = match file.filter(|file| *file != "-") {
            None => Box::new(std::io::stdin()),
            Some(file) => {
                Box::new(File::open(file).map_err(|cause| Failure::Said(format!("open {file}: {cause}")))?)
            }
        };
        Ok(Self(Box::new(BufReader::new(input.take(defaults::MAX_OPTIONS)))))
    }

    /// The next line, as text.
    pub(super) fn text(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(read) if read > 0 => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
            _ => Err(Failure::said("input error")),
        }
    }

    /// The next line, which is base64.
    pub(super) fn blob(&mut self) -> Result<Vec<u8>, Failure> {
        Base64::decode_vec(&self.text()?).map_err(|_| Failure::said("input error"))
    }

    /// A blob that is the hash of the client data, or the data itself.
    pub(super) fn client_data_hash(&mut self, is_data: bool) -> Result<[u8; 32], Failure> {
        use sha2::{Digest, Sha256};
        let blob = self.blob()?;
        if is_data {
            return Ok(Sha256::digest(&blob).into());
        }
        blob.try_into().map_err(|_| Failure::said("input error: the client data hash has not 32 bytes"))
    }
}

/// Writes to this file, made for its owner alone, or to standard output.
pub(super) fn write(file: Option<&str>, text: &str) -> Result<(), Failure> {
    let failed = |cause: std::io::Error| Failure::Said(format!("output error: {cause}"));
    match file.filter(|file| *file != "-") {
        None => std::io::stdout().write_all(text.as_bytes()).map_err(failed),
        Some(file) => {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let out = options.open(file).map_err(|cause| Failure::Said(format!("open {file}: {cause}")));
            out?.write_all(text.as_bytes()).map_err(failed)
        }
    }
}

/// A line of base64.
pub(super) fn line(blob: &[u8]) -> String {
    Base64::encode_string(blob) + "\n"
}

/// Authenticator data as libfido2 has it: a CBOR byte string.
pub(super) fn wrapped(authenticator_data: &[u8]) -> Vec<u8> {
    Writer::item(|w| w.bytes(authenticator_data))
}

/// The same, read.
pub(super) fn unwrapped(blob: &[u8]) -> Result<&[u8], Failure> {
    let item = cbor::parse(blob, cbor::CTAP_DEPTH).ok();
    item.and_then(|item| item.as_bytes()).ok_or_else(|| Failure::said("input error: no authenticator data"))
}

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----\n";
const END: &str = "-----END PUBLIC KEY-----\n";

/// A key in PEM.
pub(super) fn to_pem(key: &p256::PublicKey) -> Result<String, Failure> {
    let der = key.to_public_key_der().map_err(|_| Failure::said("output error"))?;
    let text = Base64::encode_string(der.as_bytes());
    let mut lines = String::from(BEGIN);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        lines += line;
        lines += "\n";
        rest = after;
    }
    Ok(lines + END)
}

/// The ES256 key in a PEM file.
pub(super) fn read_pem(file: &str) -> Result<p256::PublicKey, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|cause| Failure::Said(format!("open {file}: {cause}")))?;
    let no_key = || Failure::Said(format!("{file} holds no ES256 key"));
    let (_, body) = text.split_once(BEGIN.trim_end()).ok_or_else(no_key)?;
    let (body, _) = body.split_once(END.trim_end()).ok_or_else(no_key)?;
    let body: String = body.split_whitespace().collect();
    let der = Base64::decode_vec(&body).map_err(|_| no_key())?;
    p256::PublicKey::from_public_key_der(&der).map_err(|_| no_key())
}

/// What libfido2 calls an error.
pub(super) fn name_of(error: &Error) -> String {
    let name = match status_of(error).byte() {
        0x02 => "INVALID_PARAMETER",
        0x12 => "INVALID_CBOR",
        0x14 => "MISSING_PARAMETER",
        0x19 => "CREDENTIAL_EXCLUDED",
        0x26 => "UNSUPPORTED_ALGORITHM",
        0x27 => "OPERATION_DENIED",
        0x28 => "KEY_STORE_FULL",
        0x2b => "UNSUPPORTED_OPTION",
        0x2c => "INVALID_OPTION",
        0x2d => "KEEPALIVE_CANCEL",
        0x2e => "NO_CREDENTIALS",
        0x2f => "USER_ACTION_TIMEOUT",
        0x30 => "NOT_ALLOWED",
        0x3b => "UP_REQUIRED",
        0x3c => "UV_BLOCKED",
        0x7f => "ERR_OTHER",
        other => return format!("FIDO_ERR_UNKNOWN ({other:02x})"),
    };
    format!("FIDO_ERR_{name}")
}
