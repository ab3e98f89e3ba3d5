//! The other end of the line: what dials a relay, for `probe` and `bench`.
//!
//! Not the clients' own code: this one is cheap enough to load a relay from
//! the same machine, says at which step something went wrong, and can do what
//! a client never would. So frames are made and read here, byte by byte.

use std::io;

mod address;
mod socket;
mod stream;
mod trust;

pub(crate) use address::{Url, Way};
#[cfg(feature = "bench")]
pub(crate) use socket::{Heard, frame};
pub(crate) use socket::{Socket, request};
pub(crate) use stream::Stream;
pub(crate) use trust::Trust;

/// Why a relay was not reached, or did something else than it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The host name has no address.
    #[error("the name does not resolve: {0}")]
    Name(io::Error),
    /// Nobody answers at that address.
    #[error("nobody answers: {0}")]
    Unreachable(io::Error),
    /// This machine ran out of something.
    #[error("this machine gave out: {0}")]
    Own(io::Error),
    /// No TLS, or not with whom it should be.
    #[error("TLS failed: {0}")]
    Tls(io::Error),
    /// Another status than 101.
    #[error("the answer was {0}")]
    Status(u16),
    /// A 101 that is no good, or no HTTP at all.
    #[error("the answer is wrong: {0}")]
    Answer(&'static str),
    /// A frame that may not be, or other bytes than were sent.
    #[error("a wrong frame: {0}")]
    Frame(&'static str),
    /// Closed, with this code, where something else had to come.
    #[error("closed with {0}")]
    Closed(u16),
    /// The connection ended without a word.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// Nothing came in time.
    #[error("nothing came in time")]
    Silent,
}

impl Fault {
    /// A word for it, under which a program counts.
    #[cfg(feature = "bench")]
    pub(crate) fn kind(&self) -> String {
        match self {
            Fault::Name(_) => "name".into(),
            Fault::Unreachable(_) => "unreachable".into(),
            Fault::Own(_) => "own-machine".into(),
            Fault::Tls(_) => "tls".into(),
            Fault::Status(status) => format!("status-{status}"),
            Fault::Answer(_) => "answer".into(),
            Fault::Frame(_) => "frame".into(),
            Fault::Closed(code) => format!("closed-{code}"),
            Fault::Broken(_) => "broken".into(),
            Fault::Silent => "silent".into(),
        }
    }
}

/// Sorts what connecting can fail with into theirs and ours.
fn whose(error: io::Error) -> Fault {
    // No descriptor is left, in this process (24) or at all (23).
    let no_descriptor = matches!(error.raw_os_error(), Some(23 | 24));
    if no_descriptor || error.kind() == io::ErrorKind::AddrNotAvailable {
        Fault::Own(error)
    } else {
        Fault::Unreachable(error)
    }
}
