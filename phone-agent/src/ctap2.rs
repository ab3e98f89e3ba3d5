//! The authenticator engine behind the tunnel: bytes of a request in, bytes
//! of an answer out, and between them whatever a person has to say.
//!
//! | command | answer |
//! |---|---|
//! | 01 makeCredential, 02 getAssertion | served, each with its own verification and consent; after 8 of them 30, and close |
//! | 04 getInfo | 00 and the map of [`get_info`] |
//! | 0b selection | "use this phone?", then 00 or 27 |
//! | 01 for the RP `.dummy` | the same question, then 27 whatever was said; nothing is stored |
//! | anything else, also nothing at all | 01; the third time, and close |
//!
//! Every other command of CTAP exists on other transports and not here.
//!
//! The way of a request is a row of types, each made from the one before:
//! parameters that pass every check that needs nobody are [`Checked`]; with
//! an open vault, which is what the verified user has, they become a
//! [`Question`] and a [`Ready`]; and only the [`Answer`] to that question
//! makes it act.

mod client_pin;
mod config;
mod credential_management;
mod device;
mod failure;
mod get_assertion;
mod get_info;
mod large_blobs;
mod make_credential;
mod pin_uv;
mod reset;
mod selection;
mod token;

use std::fmt;

use cablecar_protocol::cbor;
use cablecar_protocol::ctap::{Command, Status};
use cablecar_protocol::qr::Hint;
use rand_core::CryptoRngCore;

pub use device::{Context, Device, Moment, Ready as DeviceReady, Step, Unverified};
pub use get_info::{AAGUID, get_info};

use crate::consent::{Answer, Question, Warning, is_deceptive};
use crate::defaults;
use crate::error::Error;
use crate::vault::{self, Unlocked};

/// The requests of one session, counted.
#[derive(Debug)]
pub struct Session {
    hint: Hint,
    credential_requests: u32,
    selections: u32,
    others: u32,
}

/// What a request needs next.
#[derive(Debug)]
pub enum Next {
    /// Nothing more: this is the answer.
    Answer(Reply),
    /// The person verified, and then asked.
    Verify(Checked),
    /// The person asked, without any passkey at stake.
    Ask(Question, Ready),
}

/// An answer on its way to the computer.
#[derive(Debug)]
pub struct Reply {
    /// Status byte and map.
    pub bytes: Vec<u8>,
    /// What follows.
    pub then: Then,
    /// What it means to the person at the phone; nothing where no passkey was
    /// asked for.
    pub result: Option<Result<Served, Error>>,
}

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The session goes on.
    Stay,
    /// This side closes it.
    Close,
}

/// What a request came to, where it came to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// A passkey was made.
    Registered,
    /// A passkey was used.
    SignedIn,
    /// The person said that this is the phone to use.
    Selected,
}

impl Session {
    /// A session that a code with this hint began.
    pub fn new(hint: Hint) -> Self {
        Self { hint, credential_requests: 0, selections: 0, others: 0 }
    }

    /// Takes a request: command byte and parameters.
    pub fn take(&mut self, request: &[u8]) -> Next {
        let Some((command, parameters)) = Command::split(request) else { return self.other() };
        match command {
            Command::MakeCredential | Command::GetAssertion => {
                self.credential_requests += 1;
                if self.credential_requests > defaults::REQUESTS_PER_SESSION {
                    return too_many();
                }
                let next = if command == Command::MakeCredential {
                    make_credential::check(parameters, self.hint)
                } else {
                    get_assertion::check(parameters, self.hint).map(Next::Verify)
                };
                next.unwrap_or_else(|status| Next::Answer(Reply::refused(status)))
            }
            Command::GetInfo if parameters.is_empty() => {
                Next::Answer(Reply::new(Status::OK.with(&get_info().to_bytes()), None))
            }
            Command::GetInfo => Next::Answer(Reply::new(Status::INVALID_LENGTH.with(&[]), None)),
            Command::Selection => {
                self.selections += 1;
                if self.selections > defaults::REQUESTS_PER_SESSION {
                    return too_many();
                }
                if !parameters.is_empty() {
                    return Next::Answer(Reply::refused(Status::INVALID_LENGTH));
                }
                let (question, ready) = selection::ask(selection::Kind::Selection);
                Next::Ask(question, Ready::Selection(ready))
            }
            Command::Other(_) => self.other(),
        }
    }

    fn other(&mut self) -> Next {
        self.others += 1;
        let close = self.others >= defaults::OTHERS_PER_SESSION;
        let reply = Reply::new(Status::INVALID_COMMAND.with(&[]), None);
        Next::Answer(if close { reply.and_close() } else { reply })
    }
}

fn too_many() -> Next {
    Next::Answer(Reply::refused(Status::NOT_ALLOWED).and_close())
}

/// A request that has passed every check that needs neither vault nor person.
#[derive(Debug)]
pub enum Checked {
    /// 01
    MakeCredential(make_credential::Checked),
    /// 02
    GetAssertion(get_assertion::Checked),
}

impl Checked {
    /// Whose passkey is asked for.
    pub fn rp_id(&self) -> &str {
        match self {
            Checked::MakeCredential(checked) => checked.rp_id(),
            Checked::GetAssertion(checked) => checked.rp_id(),
        }
    }

    /// What is asked, before the vault is open, in words: "sign in to
    /// example.com".
    pub fn summary(&self) -> String {
        let rp = crate::consent::readable_rp_id(self.rp_id());
        match self {
            Checked::MakeCredential(_) => format!("make a passkey for {rp}"),
            Checked::GetAssertion(_) => format!("sign in to {rp}"),
        }
    }

    /// Looks into the vault that the verified user opened, and asks.
    pub fn look_up(self, vault: Unlocked) -> (Question, Ready) {
        match self {
            Checked::MakeCredential(checked) => {
                let (question, ready) = checked.look_up(vault);
                (question, Ready::MakeCredential(Box::new(ready)))
            }
            Checked::GetAssertion(checked) => {
                let (question, ready) = checked.look_up(vault);
                (question, Ready::GetAssertion(Box::new(ready)))
            }
        }
    }
}

/// A request that waits for the answer to its question, and for nothing else.
#[derive(Debug)]
pub enum Ready {
    /// 01
    MakeCredential(Box<make_credential::Ready>),
    /// 02
    GetAssertion(Box<get_assertion::Ready>),
    /// 0b, or 01 for `.dummy`
    Selection(selection::Ready),
}

impl Ready {
    /// Does what the answer says. `now` is in seconds since 1970.
    pub fn act(self, answer: Answer, rng: &mut dyn CryptoRngCore, now: u64) -> Reply {
        let approval = match answer {
            Answer::Approve(approval) => approval,
            Answer::Decline => return Reply::failed(Status::OPERATION_DENIED, Error::Declined),
            Answer::CannotAsk => return Reply::failed(Status::OPERATION_DENIED, Error::CannotAsk),
        };
        match self {
            Ready::MakeCredential(ready) => ready.act(approval, rng, now),
            Ready::GetAssertion(ready) => ready.act(approval, rng),
            Ready::Selection(ready) => ready.act(approval),
        }
    }
}

impl Reply {
    fn new(bytes: Vec<u8>, result: Option<Result<Served, Error>>) -> Self {
        Self { bytes, then: Then::Stay, result }
    }

    fn served(body: &[u8], served: Served) -> Self {
        Self::new(Status::OK.with(body), Some(Ok(served)))
    }

    /// An answer that is nothing but a status, and why.
    pub fn failed(status: Status, error: Error) -> Self {
        Self::new(status.with(&[]), Some(Err(error)))
    }

    /// A request that no person can change anything about.
    fn refused(status: Status) -> Self {
        Self::failed(status, Error::Refused(status))
    }

    /// The same, and the end of the session.
    pub(crate) fn and_close(mut self) -> Self {
        self.then = Then::Close;
        self
    }

    /// What a vault that does not do its part means to the computer: it
    /// learns as little as can be.
    pub fn vault_failed(error: vault::Error) -> Self {
        if error == vault::Error::Withdrawn {
            return Self::failed(Status::KEEPALIVE_CANCEL, Error::Cancelled);
        }
        let status = match error {
            vault::Error::WrongPassphrase => Status::OPERATION_DENIED,
            vault::Error::DiskFull => Status::KEY_STORE_FULL,
            _ => Status::OTHER,
        };
        let reply = Self::failed(status, Error::Vault(error));
        // A wrong passphrase may be right next time; a damaged vault stays so.
        if error == vault::Error::WrongPassphrase { reply } else { reply.and_close() }
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Served::Registered => "registered",
            Served::SignedIn => "signed-in",
            Served::Selected => "selected",
        })
    }
}

/// A PIN/UV authentication parameter came, with its protocol under this key.
/// CTAP 2.1, 6.1.2 and 6.2.2, step 2: a protocol that is not supported is an
/// invalid parameter, and none is; its absence is a missing one.
fn refuse_pin_uv_auth(parameters: &[u8], protocol_key: i64) -> Status {
    let map = cbor::parse(parameters, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    match map.and_then(|map| map.get(protocol_key)) {
        Some(_) => Status::INVALID_PARAMETER,
        None => Status::MISSING_PARAMETER,
    }
}

/// No domain name is empty or longer than DNS allows.
fn check_rp_id(rp_id: &str) -> Result<(), Status> {
    let possible = (1..=defaults::MAX_RP_ID).contains(&rp_id.len());
    if possible { Ok(()) } else { Err(Status::INVALID_LENGTH) }
}

/// What the person should know of this request, whatever the vault holds.
fn warnings(rp_id: &str, announced: Hint, asked: Hint) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if announced != asked {
        warnings.push(Warning::NotAnnounced(announced));
    }
    if is_deceptive(rp_id) {
        warnings.push(Warning::NotPlainAscii);
    }
    warnings
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests;
