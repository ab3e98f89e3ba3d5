//! The pipe of the computer, `cablecar ctap`: a phone for programs of this
//! computer that speak CTAP, over standard input and output or a socket.
//!
//! The frames are [`cablecar_protocol::pipe`]'s, by the same rules as at the
//! phone's own pipe (docs/ctap-pipe.md). What a request comes to is
//! [`Requests`]' business; here is who may speak when:
//!
//! | comes | while nothing waits | while a request waits for a phone |
//! |---|---|---|
//! | CBOR | taken | ERROR busy |
//! | CANCEL | passed over | the code goes, the phone takes its question off, CBOR `2d` |
//! | PING | the same bytes | the same bytes |
//! | another command | ERROR invalid command | the same |
//! | too long, or CBOR without anything | ERROR invalid length | the same |
//! | the end | the end | as CANCEL, and the end |
//!
//! A KEEPALIVE goes out as soon as a request waits and every 100 ms from then
//! on: 02 while a person has something to do, which is to scan the code or to
//! confirm on the phone; 01 while the devices find each other.
//!
//! A phone that stays after its answer is asked again without a new code. It is
//! let go when its client goes, and after [`defaults::IDLE`] without a request.

mod line;
pub mod serve;
#[cfg(unix)]
pub mod socket;
pub mod stdio;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use cablecar_protocol::ctap::Status;
use cablecar_protocol::pipe::{Command, Fault, Incoming, Keepalive, Said};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout_at};

use self::line::Line;
use super::Phone;
use super::requests::{Requests, status_of};
use super::surface::Surface;
use crate::defaults;
use crate::error::Error;
use crate::screen::{Notice, Screen, Stage};
use crate::webauthn::refused;

/// A phone for one client after the other.
#[derive(Debug)]
pub struct Pipe<P, S> {
    requests: Requests<P>,
    surface: S,
}

/// What came of a request.
enum Outcome {
    Answer(Vec<u8>),
    /// The client took it back.
    Cancelled,
    /// The client is gone.
    Gone,
}

impl<P: Phone, S: Surface> Pipe<P, S> {
    /// A pipe to this phone, which no client has spoken to.
    pub fn new(phone: P, surface: S) -> Self {
        Self { requests: Requests::new(phone), surface }
    }

    /// Serves one client until it ends its input, and lets the phone go.
    ///
    /// # Errors
    /// [`Error::FrameCut`] if the input ends within a frame,
    /// [`Error::PipeBroke`] if it cannot be read or nobody reads the output.
    pub async fn serve(
        &mut self,
        input: impl AsyncRead + Unpin,
        output: impl AsyncWrite + Unpin,
    ) -> Result<(), Error> {
        let mut line = Line::new(input, output);
        let served = self.serve_line(&mut line).await;
        self.part().await;
        match served {
            // A client that goes closes both ends, one after the other.
            Err(Error::PipeBroke(_)) if line.ends().await => Ok(()),
            served => served,
        }
    }

    /// Lets the phone go, and with it a request that waits.
    pub async fn part(&mut self) {
        self.requests.part().await;
    }

    async fn serve_line<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        line: &mut Line<R, W>,
    ) -> Result<(), Error> {
        let mut idle_until = None;
        loop {
            let incoming = match idle_until {
                None => line.receive().await?,
                Some(until) => match timeout_at(until, line.receive()).await {
                    Ok(incoming) => incoming?,
                    Err(_) => {
                        self.part().await;
                        idle_until = None;
                        continue;
                    }
                },
            };
            let request = match incoming.map(Incoming::said) {
                None => return Ok(()),
                Some(Said::Request(request)) => request,
                Some(Said::Cancel) => continue,
                Some(Said::Aside(answer)) => {
                    line.send(&answer).await?;
                    continue;
                }
            };
            let cancelled = Command::Cbor.frame(&Status::KEEPALIVE_CANCEL.with(&[]));
            match self.answer(line, &request).await? {
                Outcome::Gone => return Ok(()),
                Outcome::Answer(answer) => line.send(&Command::Cbor.frame(&answer)).await?,
                // At the same time: neither waits for who is slow at the other end.
                Outcome::Cancelled => tokio::join!(line.send(&cancelled), self.requests.withdraw()).0?,
            }
            idle_until = Some(Instant::now() + defaults::IDLE);
        }
    }

    /// The answer to one request, and what people see of it.
    async fn answer<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        line: &mut Line<R, W>,
        request: &[u8],
    ) -> Result<Outcome, Error> {
        if !self.requests.needs_phone(request) {
            let on_person = AtomicBool::new(true);
            let mut nobody = Nobody;
            let answer = self.requests.answer(request, &mut nobody);
            return in_company(line, answer, &on_person).await;
        }
        let screen = match self.surface.asked(request).await {
            Ok(screen) => screen,
            Err(error) => {
                self.surface.failed(&error);
                return Ok(Outcome::Answer(status_of(&error).with(&[])));
            }
        };
        let on_person = AtomicBool::new(false);
        let mut screen = Watched { screen, on_person: &on_person };
        let answer = self.requests.answer(request, &mut screen);
        let outcome = in_company(line, answer, &on_person).await;
        match &outcome {
            Ok(Outcome::Answer(answer)) => {
                let status = answer.first().copied().map(Status::new).filter(|status| !status.is_ok());
                let refusal = self.requests.failure().or_else(|| status.map(refused));
                self.surface.answered(screen.screen, refusal.as_ref());
            }
            _ => self.surface.withdrawn(screen.screen),
        }
        outcome
    }
}

/// Waits for an answer, and keeps the client company.
async fn in_company<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    line: &mut Line<R, W>,
    answer: impl Future<Output = Vec<u8>>,
    on_person: &AtomicBool,
) -> Result<Outcome, Error> {
    let mut answer = pin!(answer);
    let mut pulse = pulse();
    loop {
        let client = tokio::select! {
            biased;
            answer = &mut answer => return Ok(Outcome::Answer(answer)),
            client = meanwhile(line, &mut pulse, on_person) => client?,
        };
        match client {
            Meanwhile::Tell(frame) => line.send(&frame).await?,
            Meanwhile::Cancels => return Ok(Outcome::Cancelled),
            Meanwhile::Leaves => return Ok(Outcome::Gone),
        }
    }
}

/// A screen, and whether a person has to act.
struct Watched<'a, S> {
    screen: S,
    on_person: &'a AtomicBool,
}

impl<S: Screen> Screen for Watched<'_, S> {
    fn notice(&mut self, notice: &Notice<'_>) {
        if let Notice::Stage(stage, _) = notice {
            let acts = matches!(stage, Stage::WaitingForPhone | Stage::VerifyingOnPhone);
            self.on_person.store(acts, Ordering::Relaxed);
        }
        self.screen.notice(notice);
    }
}

/// What needs no phone needs no screen.
struct Nobody;

impl Screen for Nobody {
    fn notice(&mut self, _: &Notice<'_>) {}
}

/// What a client does, or is to be told, while its request waits.
enum Meanwhile {
    /// It is to be told this.
    Tell(Vec<u8>),
    /// It takes its request back.
    Cancels,
    /// It is gone.
    Leaves,
}

/// The next of it. Dropping the future loses nothing.
async fn meanwhile<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    line: &mut Line<R, W>,
    pulse: &mut Interval,
    on_person: &AtomicBool,
) -> Result<Meanwhile, Error> {
    tokio::select! {
        biased;
        _ = pulse.tick() => Ok(Meanwhile::Tell(match on_person.load(Ordering::Relaxed) {
            true => Keepalive::UserPresenceNeeded.frame(),
            false => Keepalive::Processing.frame(),
        })),
        incoming = line.receive() => Ok(match incoming?.map(Incoming::said) {
            None => Meanwhile::Leaves,
            Some(Said::Cancel) => Meanwhile::Cancels,
            Some(Said::Request(_)) => Meanwhile::Tell(Fault::Busy.frame()),
            Some(Said::Aside(answer)) => Meanwhile::Tell(answer),
        }),
    }
}

/// Ten times a second, from now on.
fn pulse() -> Interval {
    let mut pulse = interval_at(Instant::now(), defaults::KEEPALIVE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pulse
}
