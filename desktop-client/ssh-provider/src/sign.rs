//! `ssh`, `ssh-keygen -Y sign`: a key used.

use std::time::Duration;

use cablecar::error::Error;
use cablecar::transaction::Ask;
use cablecar_protocol::ctap::get_assertion::Request;
use cablecar_protocol::ctap::{self, CredentialDescriptor};
use cablecar_protocol::qr::Hint;

use crate::answer::{Assertion, sha256};
use crate::enrol::ECDSA;
use crate::flags::{Flags, Options, check_application};

/// How long a code waits: sshd hangs up after two minutes (LoginGraceTime), and
/// whoever signs later signs for nobody.
pub(crate) const LIFE: Duration = Duration::from_secs(2 * 60);

/// What `sk_sign` is asked for.
#[derive(Debug)]
pub(crate) struct Sign<'a> {
    pub(crate) algorithm: u32,
    pub(crate) data: &'a [u8],
    pub(crate) application: &'a str,
    pub(crate) key_handle: &'a [u8],
    pub(crate) flags: Flags,
    pub(crate) options: Options,
}

/// A signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The flags that were signed.
    pub(crate) flags: u8,
    /// The counter that was signed.
    pub(crate) counter: u32,
    /// Big-endian.
    pub(crate) r: [u8; 32],
    /// Big-endian.
    pub(crate) s: [u8; 32],
}

impl Sign<'_> {
    /// What to put to the phone.
    ///
    /// A phone asks its person every time, so a key of `-O no-touch-required`
    /// is used like any other: the server gets more than it demands.
    ///
    /// # Errors
    /// As [`Enrol::ask`](crate::enrol::Enrol::ask).
    pub(crate) fn ask(&self) -> Result<Ask, Error> {
        if self.algorithm != ECDSA {
            return Err(Error::Algorithm);
        }
        check_application(self.application)?;
        Ok(ask(self.application, sha256(self.data), Some(self.key_handle), self.verified(), LIFE))
    }

    fn verified(&self) -> bool {
        self.flags.has(Flags::VERIFICATION)
    }

    /// Checks the phone's answer.
    ///
    /// # Errors
    /// What the phone refused with, or [`Error::Answer`].
    pub(crate) fn finish(&self, answer: &[u8]) -> Result<Signed, Error> {
        let read = Assertion::read(answer, self.application, Some(self.key_handle), self.verified())?;
        let (r, s) = read.signature.split_bytes();
        Ok(Signed { flags: read.data.flags.0, counter: read.data.counter, r: r.into(), s: s.into() })
    }
}

/// A request for a signature over this hash, by this credential or by any.
pub(crate) fn ask(
    application: &str,
    hash: [u8; 32],
    credential: Option<&[u8]>,
    verified: bool,
    life: Duration,
) -> Ask {
    let allow: Vec<_> = credential.map(|id| CredentialDescriptor::new(id.to_vec())).into_iter().collect();
    let request = Request {
        rp_id: application.to_owned(),
        client_data_hash: hash,
        has_allow_list: !allow.is_empty(),
        allow,
        prf: None,
        options: ctap::Options { rk: None, up: None, uv: verified.then_some(true) },
        pin_uv_auth: false,
    };
    Ask { request: request.to_bytes(), hint: Hint::GetAssertion, life, needs_uv: verified, needs_rk: false }
}
