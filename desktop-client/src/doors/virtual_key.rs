//! A security key for all programs of this computer, on which the phone
//! answers: `cablecar device`.
//!
//! ```text
//! browser, pam_u2f, fido2-token … -> hidraw -> kernel -> /dev/uhid -> wire -> CtapHid -> Requests -> phone
//! ```
//!
//! Here both ends are waited for: [`wire`] brings reports, [`ctaphid`] knows
//! what they mean, [`Requests`] answers. One request is with the phone at a
//! time, as with a key of plastic; whoever comes meanwhile is told that it is busy.

pub mod ctaphid;
pub mod packet;
mod probes;
pub(crate) mod run;
pub mod uhid;
pub mod wire;

use std::future::Future;
use std::pin::pin;

use cablecar_protocol::ctap::Status;
use tokio::time::{Instant, sleep_until};

use self::ctaphid::{CtapHid, Order, Waiting};
use self::probes::{Probed, Probes};
use self::wire::{Heard, Wire};
use super::Phone;
use super::requests::{Requests, status_of};
use super::surface::Surface;
use crate::defaults;
use crate::error::Error;
use crate::screen::{Notice, Screen};
use crate::webauthn::refused;

/// A key that is plugged in.
#[derive(Debug)]
pub struct VirtualKey<W, P, S> {
    wire: W,
    hid: CtapHid,
    probes: Probes,
    requests: Requests<P>,
    surface: S,
}

/// What the key is to do next.
enum Next {
    Do(Order),
    /// Nobody uses it any more: let the phone go.
    Left,
    /// The wire is cut.
    End,
}

impl<W: Wire, P: Phone, S: Surface> VirtualKey<W, P, S> {
    /// A key on this wire.
    pub fn new(wire: W, requests: Requests<P>, surface: S) -> Self {
        Self { wire, hid: CtapHid::new(), probes: Probes::new(), requests, surface }
    }

    /// Serves until the wire is cut, or until `stopped` ends; then pulls the key
    /// out, takes the question off the phone and lets the phone go.
    ///
    /// # Errors
    /// Those of the wire, and what `stopped` gives.
    pub async fn serve(mut self, stopped: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
        let served = tokio::select! {
            biased;
            // First, so that whoever hears that it is ready can stop it.
            stopped = stopped => stopped,
            served = self.run() => served,
        };
        self.wire.close().await;
        self.requests.part().await;
        served
    }

    async fn run(&mut self) -> Result<(), Error> {
        self.surface.ready();
        let mut left_over = None;
        // When a phone that stayed after its answer is let go.
        let mut idle_at = None;
        loop {
            let next = match left_over.take() {
                Some(next) => next,
                None => tokio::select! {
                    biased;
                    next = hear(&mut self.hid, &mut self.wire) => next?,
                    () = until(idle_at) => Next::Left,
                },
            };
            match next {
                Next::Do(Order::Serve(request)) => {
                    match self.probes.take(request) {
                        Probed::Answer(answer) => self.hid.answer(&answer),
                        Probed::Request(request) => left_over = self.serve_request(&request).await?,
                    }
                    idle_at = Some(Instant::now() + defaults::IDLE);
                }
                Next::Do(Order::Wink) => self.surface.wink(),
                Next::Do(Order::Withdraw) => {}
                Next::Left => {
                    left_over = self.release(true).await?;
                    idle_at = None;
                }
                Next::End => return Ok(()),
            }
        }
    }

    /// Serves a request; gives what came meanwhile and is to be done next.
    async fn serve_request(&mut self, request: &[u8]) -> Result<Option<Next>, Error> {
        if !self.requests.needs_phone(request) {
            let end = self.answer(request, &mut Dark).await?;
            return self.release_after(end).await;
        }
        self.hid.wait(Waiting::ForPerson, Instant::now().into_std());
        let mut screen = match self.surface.asked(request).await {
            Ok(screen) => screen,
            Err(error) => {
                self.surface.failed(&error);
                self.hid.answer(&status_of(&error).with(&[]));
                return Ok(None);
            }
        };
        let end = self.answer(request, &mut screen).await?;
        match &end {
            End::Answered(status) => {
                let refusal = self.requests.failure().or_else(|| (!status.is_ok()).then(|| refused(*status)));
                self.surface.answered(screen, refusal.as_ref());
            }
            End::Withdrawn(_) => self.surface.withdrawn(screen),
        }
        self.release_after(end).await
    }

    /// Answers a request, unless it is taken back.
    async fn answer(&mut self, request: &[u8], screen: &mut dyn Screen) -> Result<End, Error> {
        let mut answer = pin!(self.requests.answer(request, screen));
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => {
                    self.hid.answer(&answer);
                    return Ok(End::Answered(Status::new(answer.first().copied().unwrap_or_default())));
                }
                next = hear(&mut self.hid, &mut self.wire) => match next? {
                    Next::Do(Order::Wink) => self.surface.wink(),
                    next => return Ok(End::Withdrawn(next)),
                }
            }
        }
    }

    async fn release_after(&mut self, end: End) -> Result<Option<Next>, Error> {
        match end {
            End::Answered(_) => Ok(None),
            End::Withdrawn(Next::End) => Ok(Some(Next::End)),
            End::Withdrawn(next) => self.release(matches!(next, Next::Left)).await,
        }
    }

    /// Takes the question off the phone, or lets the phone go as well. A host
    /// that asks for something meanwhile waits for that: it is given as the next
    /// thing to be done.
    async fn release(&mut self, phone: bool) -> Result<Option<Next>, Error> {
        let requests = &mut self.requests;
        let mut released =
            pin!(async { if phone { requests.part().await } else { requests.withdraw().await } });
        let mut next = None;
        loop {
            tokio::select! {
                biased;
                () = &mut released => return Ok(next),
                heard = hear(&mut self.hid, &mut self.wire), if !matches!(next, Some(Next::End)) => match heard? {
                    Next::Do(Order::Wink) => self.surface.wink(),
                    Next::Do(Order::Withdraw) => next = None,
                    heard => next = Some(heard),
                }
            }
        }
    }
}

/// How the answering of a request ended.
enum End {
    Answered(Status),
    /// By this, which is to be done next.
    Withdrawn(Next),
}

/// For requests of which the person sees nothing.
struct Dark;

impl Screen for Dark {
    fn notice(&mut self, _: &Notice<'_>) {}
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Says what there is to say, and waits for the next thing to do. Dropping the
/// future loses nothing.
async fn hear(hid: &mut CtapHid, wire: &mut impl Wire) -> Result<Next, Error> {
    loop {
        while let Some(report) = hid.to_send() {
            wire.send(report).await?;
            hid.sent();
        }
        let deadline = hid.deadline().map(Instant::from_std);
        let order = tokio::select! {
            biased;
            heard = wire.receive() => match heard? {
                Heard::Report(report) => hid.take(&report, Instant::now().into_std()),
                Heard::Left => {
                    hid.left();
                    return Ok(Next::Left);
                }
                Heard::End => return Ok(Next::End),
            },
            () = until(deadline) => {
                hid.tick(Instant::now().into_std());
                None
            }
        };
        if let Some(order) = order {
            return Ok(Next::Do(order));
        }
    }
}

#[cfg(test)]
mod tests;
