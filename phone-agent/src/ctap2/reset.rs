//! reset (07): CTAP 2.1, 6.6. Everything that a website or a platform put
//! here is gone: passkeys, PIN, large blobs, settings. The owner's policy is
//! neither's and stays.

use cablecar_protocol::ctap::Status;

use super::Reply;
use super::client_pin::ok_alone;
use super::device::{Context, Device, Ready as Waiting, Step};
use super::failure::Failure;
use super::pin_uv::PinUv;
use crate::consent::{Approval, Question, Ticket, What};
use crate::defaults;
use crate::error::Error;
use crate::vault::State;

/// Waits for the answer.
#[derive(Debug)]
pub struct Ready {
    ticket: Ticket,
}

impl Device {
    /// Takes the command. Only shortly after power-up: so nobody can bring
    /// the person to it in the midst of something else.
    pub(super) fn reset(&self, parameters: &[u8], context: &Context<'_>) -> Result<Step, Failure> {
        if !parameters.is_empty() {
            return Err(Status::INVALID_LENGTH.into());
        }
        if context.now.since_power_up > defaults::RESET_WINDOW {
            return Err(Status::NOT_ALLOWED.into());
        }
        let (question, ticket) = Question::new(What::Reset, String::new(), Vec::new());
        Ok(Step::Ask(question, Waiting::Reset(Ready { ticket })))
    }

    /// Does it.
    pub(super) fn act_reset(
        &mut self,
        ready: Ready,
        approval: Approval,
        context: &mut Context<'_>,
    ) -> Result<Reply, Failure> {
        if approval.redeem(&ready.ticket).is_none() {
            return Ok(Reply::failed(Status::OPERATION_DENIED, Error::Declined));
        }
        let pin_uv = PinUv::new(context.rng)?;
        // First, because a write may be done though it says that it failed.
        self.forget(pin_uv);
        self.vault.change(context.rng, |contents| {
            let policy = contents.state().policy;
            contents.clear();
            contents.set_state(State { policy, ..State::default() });
            Ok(())
        })?;
        Ok(ok_alone())
    }
}
