//! The authenticator behind the local pipe: the whole of CTAP 2.1, with the
//! state that a power cycle clears. Nothing of it is reachable through a
//! tunnel, whose [`Session`](super::Session) has other types.
//!
//! A request goes in by [`Device::take`] and gives a [`Step`]: an answer, or
//! the word that a person must be verified ([`Device::verified`]) or asked
//! ([`Device::act`]) first. Dropping a step is how a request is cancelled.

mod extensions;
mod get_assertion;
mod get_info;
mod get_next_assertion;
mod make_credential;
mod user_verification;

use std::time::Duration;

use cablecar_protocol::ctap::Status;
use rand_core::CryptoRngCore;

use get_next_assertion::Remembered;

use super::credential_management::Enumerations;
use super::failure::Failure;
use super::large_blobs::Incoming;
use super::pin_uv::PinUv;
use super::{Reply, client_pin, reset, selection};
use crate::consent::{Answer, Question};
use crate::defaults;
use crate::error::Error;
use crate::vault::{self, State, Unlocked, Withdrawal};
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

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({:?})", self.now)
    }
}

/// An authenticator with power.
#[derive(Debug)]
pub struct Device {
    pub(super) vault: Unlocked,
    /// Whether a built-in user verification is configured.
    pub(super) uv: bool,
    pub(super) pin_uv: PinUv,
    /// As many passkeys as there may be.
    pub(super) most_passkeys: usize,
    /// What getNextAssertion goes on with.
    remembered: Option<Remembered>,
    /// The lists that are being told.
    pub(super) enumerations: Enumerations,
    /// The large blobs that are being written.
    pub(super) incoming: Incoming,
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
pub enum Unverified {
    /// 01
    MakeCredential(Box<make_credential::Asked>),
    /// 02
    GetAssertion(Box<get_assertion::Asked>),
    /// 06
    ClientPin(Box<client_pin::Unverified>),
}

/// A request that waits for the answer to its question.
#[derive(Debug)]
pub enum Ready {
    /// 01
    MakeCredential(Box<make_credential::Ready>),
    /// 02
    GetAssertion(Box<get_assertion::Ready>),
    /// 07
    Reset(reset::Ready),
    /// 0b, and what is no more than a touch
    Selection(selection::Ready),
}

impl Ready {
    /// What a no means to the platform. An excluded passkey is told of whether
    /// the person touches or not: CTAP 2.1, 6.1.2, step 12.
    fn denied(&self) -> Status {
        match self {
            Ready::MakeCredential(ready) if ready.is_excluded() => Status::CREDENTIAL_EXCLUDED,
            _ => Status::OPERATION_DENIED,
        }
    }

    /// The answer where nobody answered in time: a timeout for whoever asked
    /// for a touch alone, a no for everything else.
    pub fn too_late(&self) -> Reply {
        let status = match self {
            Ready::Reset(_) => Status::USER_ACTION_TIMEOUT,
            Ready::Selection(ready) if ready.is_selection() => Status::USER_ACTION_TIMEOUT,
            _ => self.denied(),
        };
        Reply::failed(status, Error::NoAnswer)
    }
}

impl Device {
    /// Gives power to an authenticator with this vault, which stays open.
    /// `uv` says whether a built-in user verification is configured.
    ///
    /// # Errors
    /// [`vault::Error::NoRandomness`].
    pub fn new(vault: Unlocked, uv: bool, rng: &mut dyn CryptoRngCore) -> Result<Self, vault::Error> {
        Ok(Self {
            vault,
            uv,
            pin_uv: PinUv::new(rng)?,
            most_passkeys: defaults::MAX_PASSKEYS,
            remembered: None,
            enumerations: Enumerations::default(),
            incoming: Incoming::default(),
        })
    }

    /// Takes in what other programs did to the vault: a passkey that was
    /// removed signs nothing. No token outlives it, since the PIN may be
    /// another one, or the vault have been reset.
    fn catch_up(&mut self) -> Result<(), Failure> {
        if self.vault.refresh()? {
            self.pin_uv.reset_tokens();
        }
        Ok(())
    }

    /// The same while a person was asked. What was checked before does not
    /// hold any more where the protection of the vault is another one.
    fn still_holds(&mut self) -> Result<(), Failure> {
        let protection = |state: &State| (state.pin.clone(), state.always_uv);
        let before = protection(self.vault.state());
        self.catch_up()?;
        let same = protection(self.vault.state()) == before;
        if same { Ok(()) } else { Err(Status::PIN_AUTH_INVALID.into()) }
    }

    /// Takes back by this word what is done next, as far as it is not written:
    /// it then answers that it was cancelled.
    pub fn heed(&mut self, withdrawal: Withdrawal) {
        self.vault.heed(withdrawal);
    }

    /// The client that sent requests so far has gone: the next one does not go
    /// on with its lists, nor with what it wrote by halves.
    pub fn disconnected(&mut self) {
        (self.remembered, self.enumerations, self.incoming) = Default::default();
    }

    /// Takes a request: command byte and parameters.
    pub fn take(&mut self, request: &[u8], context: &mut Context<'_>) -> Step {
        // Whatever is sent ends a list, unless it is the next command of it.
        let (remembered, enumerations) = (self.remembered.take(), std::mem::take(&mut self.enumerations));
        let Some((command, parameters)) = request.split_first() else {
            return refuse(Status::INVALID_LENGTH);
        };
        if let Err(error) = self.catch_up() {
            return Step::Answer(error.into());
        }
        let answered = |reply: Result<Reply, Failure>| Step::Answer(reply.unwrap_or_else(Reply::from));
        let taken = |step: Result<Step, Failure>| step.unwrap_or_else(|error| Step::Answer(error.into()));
        match command {
            0x01 => taken(self.make_credential(parameters, context)),
            0x02 => taken(self.get_assertion(parameters, context)),
            0x04 if parameters.is_empty() => {
                Step::Answer(Reply::new(Status::OK.with(&self.get_info()), None))
            }
            0x06 => taken(self.client_pin(parameters, context)),
            0x07 => taken(self.reset(parameters, context)),
            0x08 => answered(self.get_next_assertion(parameters, remembered, context)),
            // 41 is its preview, which getInfo names, too.
            0x0a | 0x41 => answered(self.credential_management(parameters, enumerations, context)),
            0x0c => answered(self.large_blobs(parameters, context)),
            0x0d => answered(self.config(parameters, context)),
            0x0b if parameters.is_empty() => {
                let (question, ready) = selection::ask(selection::Kind::Selection);
                Step::Ask(question, Ready::Selection(ready))
            }
            0x04 | 0x0b => refuse(Status::INVALID_LENGTH),
            _ => refuse(Status::INVALID_COMMAND),
        }
    }

    /// Whether taking this request may write the vault, and so have to wait
    /// for another program that does. May say so without need.
    pub fn may_write(&self, request: &[u8]) -> bool {
        match request.first() {
            // A try of what is built in is paid for.
            Some(0x01 | 0x02) => self.uv,
            Some(0x04 | 0x0b) => false,
            _ => true,
        }
    }

    /// The same of acting upon the answer that this waits for.
    pub fn may_write_for(&self, ready: &Ready) -> bool {
        match ready {
            Ready::GetAssertion(ready) => ready.counts(&self.vault),
            Ready::Selection(_) => false,
            Ready::MakeCredential(_) | Ready::Reset(_) => true,
        }
    }

    /// Goes on with a request once the verification is over.
    pub fn verified(
        &mut self,
        unverified: Unverified,
        verified: Verified,
        context: &mut Context<'_>,
    ) -> Step {
        if let Err(failure) = self.still_holds() {
            return Step::Answer(failure.into());
        }
        let step = match unverified {
            Unverified::MakeCredential(asked) => self.verified_to_make(*asked, verified, context),
            Unverified::GetAssertion(asked) => self.verified_to_sign(*asked, verified, context),
            Unverified::ClientPin(unverified) => {
                self.client_pin_verified(*unverified, verified, context).map(Step::Answer)
            }
        };
        step.unwrap_or_else(|failure| Step::Answer(failure.into()))
    }

    /// Does what the answer says.
    pub fn act(&mut self, ready: Ready, answer: Answer, context: &mut Context<'_>) -> Reply {
        let approval = match answer {
            Answer::Approve(approval) => approval,
            Answer::Decline => return Reply::failed(ready.denied(), Error::Declined),
            Answer::CannotAsk => return Reply::failed(ready.denied(), Error::CannotAsk),
        };
        if let Err(failure) = self.still_holds() {
            return failure.into();
        }
        match ready {
            Ready::MakeCredential(ready) => self.make(*ready, approval, context).unwrap_or_else(Reply::from),
            Ready::GetAssertion(ready) => self.assert(*ready, approval, context).unwrap_or_else(Reply::from),
            Ready::Reset(ready) => self.act_reset(ready, approval, context).unwrap_or_else(Reply::from),
            Ready::Selection(ready) => ready.act(approval),
        }
    }

    /// How many more passkeys there may be.
    pub(super) fn room(&self) -> usize {
        self.most_passkeys.saturating_sub(self.vault.passkeys().count())
    }

    /// Forgets what a power cycle would make it forget.
    pub(super) fn forget(&mut self, pin_uv: PinUv) {
        self.disconnected();
        self.pin_uv = pin_uv;
    }
}

fn refuse(status: Status) -> Step {
    Step::Answer(Reply::refused(status))
}

#[cfg(test)]
mod tests;
