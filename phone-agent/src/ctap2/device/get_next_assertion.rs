//! getNextAssertion (08): CTAP 2.1, 6.3.

use std::time::Duration;

use cablecar_protocol::ctap::Status;

use super::get_assertion::Round;
use super::{Context, Device, Moment};
use crate::ctap2::Reply;
use crate::ctap2::failure::Failure;
use crate::defaults;

/// What getAssertion leaves behind where more than one passkey fits.
#[derive(Debug)]
pub(super) struct Remembered {
    round: Round,
    /// credentialCounter
    next: usize,
    /// When the last of them was given.
    since: Duration,
}

impl Remembered {
    /// The newest passkey has signed.
    pub(super) fn after_first(round: Round, now: Moment) -> Self {
        Self { round, next: 1, since: now.since_power_up }
    }
}

impl Device {
    /// The next passkey of the round signs.
    pub(super) fn get_next_assertion(
        &mut self,
        parameters: &[u8],
        remembered: Option<Remembered>,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        if !parameters.is_empty() {
            return Err(Status::INVALID_LENGTH.into());
        }
        let Remembered { round, next, since } = remembered.ok_or(Status::NOT_ALLOWED)?;
        let now = context.now.since_power_up;
        if next >= round.len() || now.saturating_sub(since) > defaults::NEXT_COMMAND {
            return Err(Status::NOT_ALLOWED.into());
        }
        let reply = self.sign_nth(&round, next, context)?;
        self.remembered = Some(Remembered { round, next: next + 1, since: now });
        Ok(Reply { result: None, ..reply })
    }
}
