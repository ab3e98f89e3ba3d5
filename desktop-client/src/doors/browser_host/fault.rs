//! What can stand between a browser and a phone on this side.

use crate::defaults::MOST_REQUESTS_WAITING;
use crate::error::Class;

/// Why a browser is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Another extension, or a page, or whoever passes such arguments.
    #[error("{0:?} is not Cablecar's extension")]
    Caller(String),
    /// A message that is none of ours.
    #[error("a message of the browser cannot be used: {0}")]
    Message(String),
    /// A message longer than any request.
    #[error("a message of {0} bytes was announced, and a request has a megabyte at most")]
    TooLong(u32),
    /// The input ended within a message.
    #[error("the browser went away in the middle of a message")]
    CutOff,
    /// The input cannot be read.
    #[error("the browser cannot be heard: {0}")]
    Input(String),
    /// The page is none that may use passkeys.
    #[error("{origin:?} may not use passkeys: {why}")]
    Page {
        /// Who asks, as the browser says.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// Too many requests wait already.
    #[error("{MOST_REQUESTS_WAITING} requests wait already")]
    Busy,
    /// The answer is longer than a browser takes.
    #[error("the answer is longer than a browser takes")]
    Unsendable,
}

impl Fault {
    /// Exit class, stable id and remedy.
    pub fn advice(&self) -> (Class, &'static str, &'static str) {
        match self {
            Fault::Caller(_) => (
                Class::Usage,
                "browser.caller",
                "leave starting this to the browser: cablecar install browser tells it how",
            ),
            Fault::Message(_) | Fault::TooLong(_) | Fault::CutOff | Fault::Input(_) => (
                Class::Usage,
                "browser.message",
                "bring the extension and cablecar to the same version: cablecar install browser",
            ),
            Fault::Page { .. } => (
                Class::Usage,
                "browser.page",
                "passkeys need a page that was loaded over https from a name, or http on localhost",
            ),
            Fault::Busy => (Class::Other, "browser.busy", "finish or cancel the requests that wait"),
            Fault::Unsendable => {
                (Class::Other, "browser.unsendable", "ask for no attestation, or for a smaller one")
            }
        }
    }
}
