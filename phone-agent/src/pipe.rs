//! The local pipe: an authenticator for programs of this computer, over
//! standard input and output or a socket.
//!
//! The frames are [`cablecar_protocol::pipe`]'s. Each goes out in one write,
//! and nothing else does. What is in a request is the engine's business
//! ([`Device`](crate::ctap2::Device)), what a person says a [`Consent`]'s; here
//! is who may speak when:
//!
//! | comes | while nothing waits | while a person is asked, or the engine works |
//! |---|---|---|
//! | CBOR | taken | ERROR busy |
//! | CANCEL | passed over | the question is withdrawn, CBOR `2d`; what is written is answered |
//! | PING | the same bytes | the same bytes |
//! | another command | ERROR invalid command | the same |
//! | too long, or CBOR without anything | ERROR invalid length | the same |
//! | the end | the end | the question is withdrawn, the end |
//!
//! A KEEPALIVE goes out at once when a person is asked and every 100 ms from
//! then on; and every 100 ms while the engine works. The device keeps its power
//! from one client to the next, and loses it with the program.

pub mod engine;
#[cfg(unix)]
pub mod socket;
pub mod state_folder;
pub mod stdio;

use std::future::Future;
use std::pin::pin;

use cablecar_protocol::ctap::Status;
use cablecar_protocol::pipe::{Command, Fault, Incoming, Keepalive, Reader, Said};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use self::engine::{Engine, Task, Work};
use crate::consent::Consent;
use crate::ctap2::{Moment, Reply, Step};
use crate::defaults;
use crate::error::Error;
use crate::screen::{Notice, Screen};
use crate::verification::{Verified, Verifier};

/// An authenticator with power, and the people around it.
#[derive(Debug)]
pub struct Authenticator<C, V, S, N> {
    /// Does what the requests say.
    pub engine: Engine,
    /// Asks the person.
    pub consent: C,
    /// Verifies the person, where that is built in.
    pub verifier: Option<V>,
    /// Tells what is asked.
    pub screen: S,
    /// Tells the present.
    pub now: N,
}

/// What came of waiting for a person.
enum Attended<T> {
    /// An answer.
    Done(T),
    /// None in time.
    TooLate,
    /// The client took its request back.
    Cancelled,
    /// The client is gone.
    Gone,
}

impl<C, V, S, N> Authenticator<C, V, S, N>
where
    C: Consent,
    V: Verifier,
    S: Screen,
    N: Fn() -> Moment,
{
    /// Serves one client until it ends its input.
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
        match served {
            // A client that goes closes both ends, one after the other.
            Err(Error::PipeBroke(_)) if line.ends().await => Ok(()),
            served => served,
        }
    }

    async fn serve_line<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        line: &mut Line<R, W>,
    ) -> Result<(), Error> {
        let mut is_new = true;
        while let Some(incoming) = line.receive().await? {
            let request = match incoming.said() {
                Said::Request(request) => request,
                Said::Cancel => continue,
                Said::Aside(answer) => {
                    line.send(&answer).await?;
                    continue;
                }
            };
            let Some(reply) = self.answer(line, request, std::mem::take(&mut is_new)).await? else {
                return Ok(());
            };
            match &reply.result {
                Some(Ok(served)) => self.screen.notice(Notice::Served(*served)),
                Some(Err(error)) => self.screen.notice(Notice::NotServed(error)),
                None => {}
            }
            line.send(&Command::Cbor.frame(&reply.bytes)).await?;
        }
        Ok(())
    }

    /// The answer to one request, perhaps the first of its client; none if the
    /// client is gone.
    async fn answer<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        line: &mut Line<R, W>,
        request: Vec<u8>,
        is_first: bool,
    ) -> Result<Option<Reply>, Error> {
        let mut task = Task::Request { request, is_first };
        loop {
            let work = self.engine.start((self.now)(), task);
            let step = match work_done(line, work).await? {
                Attended::Done(step) => step,
                other => return Ok(other.reply()),
            };
            task = match step {
                Step::Answer(reply) => return Ok(Some(reply)),
                Step::Verify(why, unverified) => {
                    self.screen.notice(Notice::Asked(&why));
                    let verified = async {
                        match &mut self.verifier {
                            Some(verifier) => verifier.verify(&why).await,
                            None => Verified::CannotAsk,
                        }
                    };
                    match attend(line, verified).await? {
                        Attended::Done(verified) => Task::Verified(unverified, verified),
                        other => return Ok(other.reply()),
                    }
                }
                Step::Ask(question, ready) => {
                    self.screen.notice(Notice::Asked(&question.summary()));
                    match attend(line, self.consent.ask(question)).await? {
                        Attended::Done(answer) => Task::Answered(ready, answer),
                        Attended::TooLate => return Ok(Some(ready.too_late())),
                        other => return Ok(other.reply()),
                    }
                }
            };
        }
    }
}

impl<T> Attended<T> {
    /// What an answer that did not come means to the client.
    fn reply(self) -> Option<Reply> {
        match self {
            Attended::Done(_) | Attended::Gone => None,
            Attended::TooLate => Some(Reply::failed(Status::USER_ACTION_TIMEOUT, Error::NoAnswer)),
            Attended::Cancelled => Some(Reply::failed(Status::KEEPALIVE_CANCEL, Error::Cancelled)),
        }
    }
}

/// Waits for a person, and keeps the client company.
async fn attend<T, R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    line: &mut Line<R, W>,
    person: impl Future<Output = T>,
) -> Result<Attended<T>, Error> {
    let mut person = pin!(timeout(defaults::ANSWER, person));
    let mut pulse = pulse(Instant::now());
    loop {
        let client = tokio::select! {
            biased;
            answered = &mut person => {
                return Ok(answered.map_or(Attended::TooLate, Attended::Done));
            }
            client = meanwhile(line, &mut pulse, Keepalive::UserPresenceNeeded) => client?,
        };
        match client {
            Meanwhile::Tell(frame) => line.send(&frame).await?,
            Meanwhile::Cancels => return Ok(Attended::Cancelled),
            Meanwhile::Leaves => return Ok(Attended::Gone),
        }
    }
}

/// Waits for the engine, and keeps the client company. A client that cancels
/// or leaves ends a wait of the engine's, who then says how far it got: the
/// answer to what is written is given, and goes no further otherwise.
async fn work_done<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    line: &mut Line<R, W>,
    mut work: Work,
) -> Result<Attended<Step>, Error> {
    let mut pulse = pulse(Instant::now() + defaults::KEEPALIVE);
    let client = loop {
        let client = tokio::select! {
            biased;
            step = &mut work => return Ok(Attended::Done(step)),
            client = meanwhile(line, &mut pulse, Keepalive::Processing) => client?,
        };
        match client {
            Meanwhile::Tell(frame) => line.send(&frame).await?,
            end => break end,
        }
    };
    work.withdraw();
    Ok(match (work.await, client) {
        (_, Meanwhile::Leaves) => Attended::Gone,
        (Step::Answer(reply), _) => Attended::Done(Step::Answer(reply)),
        _ => Attended::Cancelled,
    })
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
    why: Keepalive,
) -> Result<Meanwhile, Error> {
    tokio::select! {
        biased;
        _ = pulse.tick() => Ok(Meanwhile::Tell(why.frame())),
        incoming = line.receive() => Ok(match incoming?.map(Incoming::said) {
            None => Meanwhile::Leaves,
            Some(Said::Cancel) => Meanwhile::Cancels,
            Some(Said::Request(_)) => Meanwhile::Tell(Fault::Busy.frame()),
            Some(Said::Aside(answer)) => Meanwhile::Tell(answer),
        }),
    }
}

/// Ten times a second, from this moment on.
fn pulse(first: Instant) -> Interval {
    let mut pulse = interval_at(first, defaults::KEEPALIVE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pulse
}

/// Whole frames, both ways.
struct Line<R, W> {
    input: R,
    output: W,
    reader: Reader,
    buffer: Box<[u8]>,
    /// Where in the buffer is what was not taken apart yet.
    left: std::ops::Range<usize>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Line<R, W> {
    fn new(input: R, output: W) -> Self {
        let reader = Reader::new(defaults::MAX_MESSAGE);
        Self { input, output, reader, buffer: vec![0; defaults::PIPE_BUFFER].into(), left: 0..0 }
    }

    /// The next frame, or nothing at the end. Dropping the future loses nothing.
    async fn receive(&mut self) -> Result<Option<Incoming>, Error> {
        loop {
            let mut bytes = self.buffer.get(self.left.clone()).unwrap_or_default();
            let incoming = self.reader.read(&mut bytes);
            self.left.start = self.left.end - bytes.len();
            if incoming.is_some() {
                return Ok(incoming);
            }
            match self.input.read(&mut self.buffer).await {
                Ok(0) => return self.reader.end().map(|()| None).map_err(|_| Error::FrameCut),
                Ok(read) => self.left = 0..read,
                Err(cause) => return Err(Error::PipeBroke(cause.to_string())),
            }
        }
    }

    /// Sends a frame, in one write where the system takes it whole.
    async fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        let sent = async {
            self.output.write_all(frame).await?;
            self.output.flush().await
        };
        // Who reads nothing would keep the authenticator from everybody else.
        match timeout(defaults::SEND, sent).await {
            Ok(sent) => sent.map_err(|cause: std::io::Error| Error::PipeBroke(cause.to_string())),
            Err(_) => Err(Error::PipeBroke("nobody reads what is sent".into())),
        }
    }

    /// Whether the input ends, too, within a moment.
    async fn ends(&mut self) -> bool {
        let end = async { while let Ok(Some(_)) = self.receive().await {} };
        timeout(defaults::KEEPALIVE, end).await.is_ok()
    }
}

#[cfg(test)]
mod tests;
