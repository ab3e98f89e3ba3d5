//! `ssh-keygen -t ecdsa-sk`: a new key.

use std::time::Duration;

use cablecar::defaults;
use cablecar::error::{Error, Mismatch};
use cablecar::transaction::Ask;
use cablecar::webauthn::body;
use cablecar_protocol::cbor::{self, Writer};
use cablecar_protocol::ctap::make_credential::{Request, Response};
use cablecar_protocol::ctap::{self, ES256, RelyingParty, User};
use cablecar_protocol::qr::Hint;

use crate::answer::{check_data, point, sha256};
use crate::flags::{Flags, Options, check_application};

/// How long a code waits.
pub(crate) const LIFE: Duration = defaults::REQUEST_LIFE;

/// `SSH_SK_ECDSA`.
pub(crate) const ECDSA: u32 = 0;

/// The name of every key's account but for `-O user`, as other providers have it.
const NAME: &str = "openssh";

/// The display name of a key that demands verification. It is the one thing
/// of an enrolment that a phone gives back for a resident key.
pub(crate) const VERIFY_REQUIRED: &str = "openssh (verify-required)";

/// What `sk_enroll` is asked for.
#[derive(Debug)]
pub(crate) struct Enrol<'a> {
    pub(crate) algorithm: u32,
    pub(crate) challenge: &'a [u8],
    pub(crate) application: &'a str,
    pub(crate) flags: Flags,
    pub(crate) options: Options,
}

/// A new key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enrolled {
    /// As OpenSSH keeps them with the key.
    pub(crate) flags: Flags,
    /// The uncompressed point, 65 bytes.
    pub(crate) public_key: Vec<u8>,
    /// The credential's id: what the key file holds in place of a private key.
    pub(crate) key_handle: Vec<u8>,
    /// The attestation's signature; empty where there is none.
    pub(crate) signature: Vec<u8>,
    /// The attestation's certificate, DER; empty where there is none.
    pub(crate) certificate: Vec<u8>,
    /// The authenticator data as a CBOR byte string, as `ssh-sk-attest-v01`
    /// wants it.
    pub(crate) authenticator_data: Vec<u8>,
}

impl Enrol<'_> {
    /// What to put to the phone.
    ///
    /// # Errors
    /// [`Error::Algorithm`] for another than `ecdsa-sk`, or [`Error::Usage`].
    pub(crate) fn ask(&self) -> Result<Ask, Error> {
        if self.algorithm != ECDSA {
            return Err(Error::Algorithm);
        }
        check_application(self.application)?;
        let resident = self.flags.has(Flags::RESIDENT);
        let verified = self.flags.has(Flags::VERIFICATION);
        let name = self.options.user.clone().filter(|user| !user.is_empty());
        let request = Request {
            client_data_hash: sha256(self.challenge),
            rp: RelyingParty { id: self.application.to_owned(), name: None },
            user: User {
                id: self.options.user_handle()?.to_vec(),
                name: Some(name.unwrap_or_else(|| NAME.into())),
                display_name: Some(if verified { VERIFY_REQUIRED } else { NAME }.into()),
            },
            algorithms: vec![ES256],
            exclude: Vec::new(),
            prf: None,
            options: ctap::Options {
                rk: resident.then_some(true),
                up: None,
                // Who keeps a resident key must verify whoever uses it.
                uv: (resident || verified).then_some(true),
            },
            pin_uv_auth: false,
        };
        Ok(Ask {
            request: request.to_bytes(),
            hint: Hint::MakeCredential,
            life: LIFE,
            needs_uv: verified,
            needs_rk: resident,
        })
    }

    /// Checks the phone's answer.
    ///
    /// # Errors
    /// What the phone refused with, or [`Error::Answer`].
    pub(crate) fn finish(&self, answer: &[u8]) -> Result<Enrolled, Error> {
        let response = Response::parse(body(answer)?).map_err(|_| Mismatch::Unreadable)?;
        let data = &response.authenticator_data;
        check_data(data, self.application, self.flags.has(Flags::VERIFICATION))?;
        let credential = data.attested.as_ref().ok_or(Mismatch::Attested)?;
        if credential.id.is_empty() {
            return Err(Mismatch::Credential.into());
        }
        let (signature, certificate) = attestation(&response);
        Ok(Enrolled {
            flags: self.flags,
            public_key: point(credential)?,
            key_handle: credential.id.clone(),
            signature,
            certificate,
            authenticator_data: Writer::item(|w| w.bytes(data.as_bytes())),
        })
    }
}

/// Signature and certificate of a `packed` attestation, for whoever checks
/// `-O write-attestation`; other phones attest to nothing.
fn attestation(response: &Response) -> (Vec<u8>, Vec<u8>) {
    let statement = cbor::parse(&response.statement, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    let Some(statement) = statement.filter(|_| response.format == "packed") else {
        return Default::default();
    };
    let signature = statement.get_text("sig").and_then(|item| item.as_bytes());
    let chain = statement.get_text("x5c").and_then(|item| item.as_array());
    let certificate = chain.and_then(|chain| chain.iter().next()).and_then(|item| item.as_bytes());
    (signature.unwrap_or_default().to_vec(), certificate.unwrap_or_default().to_vec())
}
