//! Telling people, and programs on their behalf, how far a request is.

pub mod code;
pub mod events;
pub mod page;
pub mod place;
pub mod terminal;
pub mod words;

use std::fmt;
use std::time::Duration;

use cablecar_protocol::qr::QrInvitation;
use serde::Serialize;
use url::Url;

/// How far a request is. The same words on every surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The code is on screen.
    WaitingForPhone,
    /// The phone was heard.
    PhoneNearby,
    /// The tunnel is being joined.
    Connecting,
    /// The phone has said hello.
    Connected,
    /// The request is on the phone; the person decides.
    VerifyingOnPhone,
    /// The answer is here.
    Done,
}

impl Stage {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Stage::WaitingForPhone => "waiting-for-phone",
            Stage::PhoneNearby => "phone-nearby",
            Stage::Connecting => "connecting",
            Stage::Connected => "connected",
            Stage::VerifyingOnPhone => "verifying-on-phone",
            Stage::Done => "done",
        }
    }

    /// The sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Stage::WaitingForPhone => "scan the code with the phone that has your passkey",
            Stage::PhoneNearby => "the phone is nearby",
            Stage::Connecting => "connecting to the phone",
            Stage::Connected => "connected to the phone",
            Stage::VerifyingOnPhone => "confirm on the phone",
            Stage::Done => "done",
        }
    }

    /// What to do if it stays so.
    pub fn if_stuck(self) -> &'static str {
        match self {
            Stage::WaitingForPhone => "keep the phone close, with Bluetooth on",
            Stage::PhoneNearby | Stage::Connecting => "check that both devices are online",
            Stage::Connected | Stage::VerifyingOnPhone => "look at the phone and unlock it",
            Stage::Done => "nothing to do",
        }
    }
}

/// One thing to tell.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A code to show, in place of any before it.
    Code(&'a QrInvitation),
    /// A stage was reached, this long after the request began.
    Stage(Stage, Duration),
    /// Adverts were heard that were not for us, this many in all.
    NotOurs(u64),
    /// Something that people should know.
    Caution(&'a Caution),
}

/// What weakens security in this run, because somebody asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caution {
    /// `--danger-air`.
    NoProximity,
    /// `--danger-relay`.
    OtherRelay(Url),
}

impl Caution {
    /// The id for programs.
    pub fn id(&self) -> &'static str {
        match self {
            Caution::NoProximity => "danger.no-proximity",
            Caution::OtherRelay(_) => "danger.relay",
        }
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caution::NoProximity => {
                f.write_str("no proximity: with --danger-air any program on this machine can answer")
            }
            Caution::OtherRelay(relay) => {
                let plain = if relay.scheme() == "ws" { ", without TLS" } else { "" };
                write!(f, "--danger-relay: {relay} is used whatever the phone names{plain}")
            }
        }
    }
}

/// A surface. Telling goes one way, cannot fail and must not block.
pub trait Screen: Send {
    /// Tells one thing.
    fn notice(&mut self, notice: &Notice<'_>);
}

/// Tells several surfaces.
impl Screen for Vec<Box<dyn Screen>> {
    fn notice(&mut self, notice: &Notice<'_>) {
        self.iter_mut().for_each(|screen| screen.notice(notice));
    }
}
