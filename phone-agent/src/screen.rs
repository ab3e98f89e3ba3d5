//! Telling people, and programs on their behalf, how far a transaction is.

pub mod events;
pub mod terminal;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::consent;
use crate::ctap2::Served;
use crate::error::Error;
use crate::verification;

/// How far a transaction is. The same words as on the computer, where the
/// same thing is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The tunnel is being opened.
    Connecting,
    /// The advert is on the air.
    WaitingForComputer,
    /// The computer has greeted.
    Connected,
    /// A request is here; the person decides.
    VerifyingOnPhone,
    /// The session is over.
    Done,
}

impl Stage {
    /// The sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Stage::Connecting => "connecting to the relay",
            Stage::WaitingForComputer => "waiting for the computer to notice this phone",
            Stage::Connected => "connected to the computer",
            Stage::VerifyingOnPhone => "waiting for your answer",
            Stage::Done => "done",
        }
    }

    /// What to do if it stays so.
    pub fn if_stuck(self) -> &'static str {
        match self {
            Stage::Connecting => "check that this phone is online",
            Stage::WaitingForComputer => "bring the phone close to the computer, with Bluetooth on at both",
            Stage::Connected => "look at the computer",
            Stage::VerifyingOnPhone => "answer the question",
            Stage::Done => "nothing to do",
        }
    }
}

/// One thing to tell.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// A stage was reached, this long after the transaction began.
    Stage(Stage, Duration),
    /// A computer asks for this, in words made safe to show.
    Asked(&'a str),
    /// The person is verified, and has to do this for it.
    Verify(&'a str),
    /// A request was served.
    Served(Served),
    /// A request was not served, and the next may be.
    NotServed(&'a Error),
    /// Something that people should know.
    Caution(&'a Caution),
}

/// Something that people should know, whatever else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// `--danger-air`.
    NoProximity,
    /// `--danger-consent`.
    ScriptedConsent,
    /// `--danger-relay`.
    OtherRelay,
    /// A vault made with `--danger-weak-kdf`.
    WeakKdf,
    /// `export` into a file without a passphrase.
    PlainExport,
    /// `--accept-rollback`.
    RollbackAccepted,
    /// `--accept-link`.
    LinkAccepted,
    /// `--state` without a passphrase.
    KeyBeside,
    /// A code older than ten minutes, by this many.
    CodeOld(u64),
    /// A code from the future, by this many minutes.
    CodeEarly(u64),
    /// A question could not be put to anybody.
    NotAsked(consent::Fault),
    /// Nobody could be verified.
    NotVerified(verification::Fault),
}

impl Caution {
    /// The id for programs.
    pub fn id(self) -> &'static str {
        match self {
            Caution::NoProximity => "danger.no-proximity",
            Caution::ScriptedConsent => "danger.consent",
            Caution::OtherRelay => "danger.relay",
            Caution::WeakKdf => "danger.weak-kdf",
            Caution::PlainExport => "export.plain",
            Caution::RollbackAccepted => "vault.rollback-accepted",
            Caution::LinkAccepted => "qr.link-accepted",
            Caution::KeyBeside => "vault.key-beside",
            Caution::CodeOld(_) => "qr.old",
            Caution::CodeEarly(_) => "qr.early",
            Caution::NotAsked(_) => "consent.not-asked",
            Caution::NotVerified(_) => "verify.not-verified",
        }
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caution::NoProximity => {
                f.write_str("no proximity: --danger-air proves nothing about where the computer is")
            }
            Caution::ScriptedConsent => {
                f.write_str("no consent: --danger-consent answers in the place of a person")
            }
            Caution::OtherRelay => f.write_str(
                "--danger-relay is used in the place of the relay that the advert names, whatever it is",
            ),
            Caution::WeakKdf => {
                f.write_str("the vault is as good as open: it was made with --danger-weak-kdf")
            }
            Caution::PlainExport => f.write_str(
                "whoever reads the exported file can sign in as you: keep it nowhere, and delete it after use",
            ),
            Caution::RollbackAccepted => {
                f.write_str("--accept-rollback: what was stored after this copy of the vault is forgotten")
            }
            Caution::LinkAccepted => f.write_str(
                "--accept-link: if the code is not on the screen in front of you, whoever shows it signs in as you",
            ),
            Caution::KeyBeside => {
                f.write_str("the vault's key lies beside it: the vault is as safe as its folder")
            }
            Caution::CodeOld(minutes) => {
                write!(
                    f,
                    "the code is {minutes} minutes old: be sure that it is on the screen in front of you"
                )
            }
            Caution::CodeEarly(minutes) => {
                write!(f, "the code is from {minutes} minutes in the future: a clock is wrong")
            }
            Caution::NotAsked(fault) => fault.fmt(f),
            Caution::NotVerified(fault) => fault.fmt(f),
        }
    }
}

/// A surface. Telling goes one way, cannot fail and must not block.
pub trait Screen: Send {
    /// Tells one thing.
    fn notice(&mut self, notice: Notice<'_>);
}

impl Screen for Box<dyn Screen> {
    fn notice(&mut self, notice: Notice<'_>) {
        (**self).notice(notice);
    }
}
