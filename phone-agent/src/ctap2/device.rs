//! The authenticator behind the local pipe: the whole of CTAP 2.1, with the
//! state that a power cycle clears. Nothing of it is reachable through a
//! tunnel, whose [`Session`](super::Session) has other types.
//!
//! A request goes in by [`Device::take`] and gives a [`Step`]: an answer, or
//! the word that a person must be verified ([`Device::verified`]) or asked
//! ([`Device::act`]) first. Dropping a step is how a request is cancelled.

use std::time::Duration;

use cablecar_protocol::ctap::Status;
use rand_core::CryptoRngCore;

use super::{Reply, selection};
use crate::consent::{Answer, Question};
use crate::error::Error;
use crate::vault::Unlocked;
use crate::verification::Verified;

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the authenticator got power, which is when its program started.
    pub since_power_up: Duration,
    /// Seconds since 1970.
    pub epoch: u64,
}

/// What a request can use besides the authenticator itself.
pub struct Context<'a> {
    /// Source of randomness.
    pub rng: &'a mut (dyn CryptoRngCore + Send),
    /// The present.
    pub now: Moment,
}

/// An authenticator with power.
#[derive(Debug)]
pub struct Device {
    vault: Unlocked,
}

/// What a request needs next.
#[derive(Debug)]
pub enum Step {
    /// Nothing more: this is the answer.
    Answer(Reply),
    /// The person verified by what is built in; why, in words.
    Verify(String, Unverified),
    /// The person asked.
    Ask(Question, Ready),
}

/// A request that waits for a verification.
#[derive(Debug)]
pub enum Unverified {}

/// A request that waits for the answer to its question.
#[derive(Debug)]
pub enum Ready {
    /// 0b
    Selection(selection::Ready),
}

impl Device {
    /// Gives power to an authenticator with this vault, which stays open.
    pub fn new(vault: Unlocked) -> Self {
        Self { vault }
    }

    /// Takes a request: command byte and parameters.
    pub fn take(&mut self, request: &[u8], _: &mut Context<'_>) -> Step {
        let Some((command, parameters)) = request.split_first() else {
            return refuse(Status::INVALID_LENGTH);
        };
        match command {
            0x0b if parameters.is_empty() => {
                let (question, ready) = selection::ask(selection::Kind::Selection);
                Step::Ask(question, Ready::Selection(ready))
            }
            _ => refuse(Status::INVALID_COMMAND),
        }
    }

    /// Goes on with a request once the verification is over.
    pub fn verified(&mut self, unverified: Unverified, _: Verified, _: &mut Context<'_>) -> Step {
        match unverified {}
    }

    /// Does what the answer says.
    pub fn act(&mut self, ready: Ready, answer: Answer, _: &mut Context<'_>) -> Reply {
        let approval = match answer {
            Answer::Approve(approval) => approval,
            Answer::Decline => return Reply::failed(Status::OPERATION_DENIED, Error::Declined),
            Answer::CannotAsk => return Reply::failed(Status::OPERATION_DENIED, Error::CannotAsk),
        };
        match ready {
            Ready::Selection(ready) => ready.act(approval),
        }
    }
}

fn refuse(status: Status) -> Step {
    Step::Answer(Reply::refused(status))
}
