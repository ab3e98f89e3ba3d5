//! One transaction, from a scanned code to the end of the session, as
//! straight lines of waiting. What the bytes mean is the protocol crate's
//! business, what a request means the engine's, what a person says a
//! [`Consent`]'s.

use std::future::Future;
use std::pin::pin;

use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::channel::{AuthenticatorEnd, AuthenticatorEvent, Channel};
use cablecar_protocol::ctap::Status;
use cablecar_protocol::handshake::ExpectGreeting;
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::QrInvitation;
use cablecar_protocol::secrets::scrub_stack;
use cablecar_protocol::tunnel::{Dial, TunnelServiceDomain};
use rand_core::CryptoRngCore;
use tokio::time::{Instant, timeout};

use crate::consent::{Answer, Consent};
use crate::ctap2::{self, Checked, Next, Reply, Served, Session, Then};
use crate::defaults;
use crate::error::Error;
use crate::passphrase::{NoPassphrase, Passphrases};
use crate::proximity::Advertiser;
use crate::scan;
use crate::screen::{Notice, Screen, Stage};
use crate::vault::{self, Unlocked, Vault};

/// Something that opens tunnels.
pub trait Dialer: Send {
    /// What opening one gives.
    type Line: Line;

    /// Opens a tunnel, and says where the tunnel service keeps it.
    ///
    /// # Errors
    /// The `Relay…` variants of [`Error`], [`Error::CodeInUse`], and
    /// [`Error::Protocol`] for an answer without a routing id.
    fn open(&mut self, dial: &Dial) -> impl Future<Output = Result<(Self::Line, RoutingId), Error>> + Send;
}

/// One tunnel: whole messages, in order, both ways.
pub trait Line: Send {
    /// Sends one message.
    ///
    /// # Errors
    /// [`Error::TunnelBroke`].
    fn send(&mut self, message: Vec<u8>) -> impl Future<Output = Result<(), Error>> + Send;

    /// The next message, or nothing once the other side has closed. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    /// [`Error::TunnelBroke`].
    fn receive(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Says goodbye and hangs up.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// All that a transaction needs of the world.
#[derive(Debug)]
pub struct Phone<D, A, C, P, S> {
    /// Opens the tunnel.
    pub dialer: D,
    /// Shows that this phone is near.
    pub advertiser: A,
    /// Asks the person.
    pub consent: C,
    /// Gives the passphrase for each request.
    pub passphrases: P,
    /// Tells how far it is.
    pub screen: S,
    /// Holds the passkeys.
    pub vault: Vault,
}

/// What a transaction came to: each request for a passkey or for a word, in
/// order. Requests that need nobody, such as getInfo, are not among them.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What became of each.
    pub requests: Vec<Result<Served, Error>>,
}

impl Outcome {
    /// Good if anything was served; otherwise why the last request was not,
    /// or that there was none.
    ///
    /// # Errors
    /// [`Error::Left`] where nothing was asked; otherwise the request's own.
    pub fn verdict(mut self) -> Result<(), Error> {
        if self.requests.iter().any(Result::is_ok) {
            return Ok(());
        }
        self.requests.pop().unwrap_or(Err(Error::Left)).map(drop)
    }

    fn served_something(&self) -> bool {
        self.requests.iter().any(Result::is_ok)
    }
}

/// A code is scanned; the clock is set once and then counts by itself.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: Instant,
    epoch: u64,
}

impl Clock {
    /// Seconds since 1970.
    fn now(self) -> u64 {
        self.epoch.saturating_add(self.started.elapsed().as_secs())
    }
}

impl<D, A, C, P, S> Phone<D, A, C, P, S>
where
    D: Dialer,
    A: Advertiser,
    C: Consent + Send,
    P: Passphrases + Send,
    S: Screen,
{
    /// Answers an invitation: opens a tunnel at the tunnel service of this
    /// domain, advertises, and serves the computer until it has had enough.
    /// `now` is the present in seconds since 1970.
    ///
    /// # Errors
    /// Whatever ends a transaction before its time. A request that was not
    /// served does not: it is part of the outcome.
    pub async fn run(
        &mut self,
        invitation: QrInvitation,
        domain: TunnelServiceDomain,
        rng: &mut (dyn CryptoRngCore + Send),
        now: u64,
    ) -> Result<Outcome, Error> {
        for caution in scan::admit(&invitation, domain, now)? {
            self.screen.notice(Notice::Caution(&caution));
        }
        let clock = Clock { started: Instant::now(), epoch: now };
        let session = Session::new(invitation.hint);

        self.stage(Stage::Connecting, clock);
        let expect = ExpectRoutingId::accept(invitation, domain);
        let (mut line, routing) = self.dialer.open(&expect.tunnel()).await?;
        let (expect, advert) = expect.routed(routing, rng)?;

        self.stage(Stage::WaitingForComputer, clock);
        let mut beacon = self.advertiser.advertise(advert).await?;
        let greeting = tokio::select! {
            biased;
            greeting = timeout(defaults::ADVERTISE, line.receive()) => greeting,
            lost = self.advertiser.lost(&mut beacon) => Ok(Err(lost)),
        };
        drop(beacon);

        let outcome = match greeting {
            Ok(Ok(Some(greeting))) => self.meet(&mut line, expect, &greeting, session, rng, clock).await,
            Ok(Err(error)) => Err(error),
            // Tunnel services too give up waiting, some before this phone does.
            Ok(Ok(None)) | Err(_) => Err(Error::NotConfirmed),
        };
        let _ = timeout(defaults::CLOSE, line.close()).await;
        scrub_stack();
        if outcome.as_ref().is_ok_and(Outcome::served_something) {
            self.stage(Stage::Done, clock);
        }
        outcome
    }

    /// From the greeting on: handshake, hello, and the update that is always
    /// sent, so that nobody can tell a phone that links from one that does not.
    async fn meet(
        &mut self,
        line: &mut D::Line,
        expect: ExpectGreeting,
        greeting: &[u8],
        session: Session,
        rng: &mut (dyn CryptoRngCore + Send),
        clock: Clock,
    ) -> Result<Outcome, Error> {
        let (mut channel, [reply, hello]) = expect.read(greeting, &Hello::new(ctap2::get_info()), rng)?;
        send(line, reply).await?;
        send(line, hello).await?;
        send(line, channel.update(None)?).await?;
        self.stage(Stage::Connected, clock);
        let mut outcome = Outcome::default();
        match self.serve(line, &mut channel, session, &mut outcome, rng, clock).await {
            // A computer that has what it wanted may hang up as it likes.
            Err(Error::TunnelBroke(_)) if outcome.served_something() => Ok(outcome),
            served => served.map(|()| outcome),
        }
    }

    async fn serve(
        &mut self,
        line: &mut D::Line,
        channel: &mut Channel<AuthenticatorEnd>,
        mut session: Session,
        outcome: &mut Outcome,
        rng: &mut (dyn CryptoRngCore + Send),
        clock: Clock,
    ) -> Result<(), Error> {
        loop {
            let incoming = match timeout(defaults::NEXT_REQUEST, line.receive()).await {
                Ok(incoming) => incoming?,
                Err(_) => None,
            };
            let Some(incoming) = incoming else { return Ok(()) };
            let request = match channel.receive(&incoming)? {
                AuthenticatorEvent::Ctap(request) => request,
                AuthenticatorEvent::Shutdown => return Ok(()),
                // Not offered in the hello, so the channel lets no JSON through.
                AuthenticatorEvent::Update | AuthenticatorEvent::Json(_) => continue,
            };
            let next = session.take(&request);
            let answered = {
                let work = pin!(self.answer(next, rng, clock));
                let gone = pin!(until_gone(line, channel));
                tokio::select! {
                    biased;
                    reply = work => Ok(reply),
                    left = gone => Err(left),
                }
            };
            let reply = match answered {
                Ok(reply) => reply,
                Err(left) => {
                    left?;
                    outcome.requests.push(Err(Error::Cancelled));
                    return Ok(());
                }
            };
            if let Some(Ok(served)) = &reply.result {
                self.screen.notice(Notice::Served(*served));
            }
            outcome.requests.extend(reply.result);
            send(line, channel.send(&reply.bytes)?).await?;
            if reply.then == Then::Close {
                return Ok(());
            }
        }
    }

    /// The answer to one request: verification, question, deed.
    async fn answer(&mut self, next: Next, rng: &mut (dyn CryptoRngCore + Send), clock: Clock) -> Reply {
        let asked = match next {
            Next::Answer(reply) => return reply,
            Next::Verify(checked) => {
                self.stage(Stage::VerifyingOnPhone, clock);
                self.screen.notice(Notice::Asked(&checked.summary()));
                timeout(defaults::ANSWER, self.verify_and_ask(checked)).await
            }
            Next::Ask(question, ready) => {
                self.stage(Stage::VerifyingOnPhone, clock);
                self.screen.notice(Notice::Asked(&question.summary()));
                let answer = timeout(defaults::ANSWER, self.consent.ask(question)).await;
                answer.map(|answer| Ok((ready, answer)))
            }
        };
        match asked {
            Ok(Ok((ready, answer))) => ready.act(answer, rng, clock.now()),
            Ok(Err(reply)) => reply,
            // And no second question beside one that still stands there.
            Err(_) => Reply::failed(Status::USER_ACTION_TIMEOUT, Error::NoAnswer).and_close(),
        }
    }

    async fn verify_and_ask(&mut self, checked: Checked) -> Result<(ctap2::Ready, Answer), Reply> {
        let unlocked = self.unlock().await?;
        let (question, ready) = checked.look_up(unlocked);
        Ok((ready, self.consent.ask(question).await))
    }

    /// Verifies the user: whoever knows the passphrase is the one.
    async fn unlock(&mut self) -> Result<Unlocked, Reply> {
        for wrong_before in 0..self.passphrases.tries() {
            let passphrase = self.passphrases.ask(wrong_before).await.map_err(no_passphrase)?;
            let vault = self.vault.clone();
            // The key derivation takes its time on purpose; the tunnel must
            // not wait for it.
            let unlocked = tokio::task::spawn_blocking(move || vault.unlock(&passphrase)).await;
            match unlocked {
                Ok(Ok(unlocked)) => return Ok(unlocked),
                Ok(Err(vault::Error::WrongPassphrase)) => {}
                Ok(Err(error)) => return Err(Reply::vault_failed(error)),
                Err(_) => return Err(Reply::vault_failed(vault::Error::Io(std::io::ErrorKind::Other))),
            }
        }
        Err(Reply::vault_failed(vault::Error::WrongPassphrase))
    }

    fn stage(&mut self, stage: Stage, clock: Clock) {
        self.screen.notice(Notice::Stage(stage, clock.started.elapsed()));
    }
}

fn no_passphrase(error: NoPassphrase) -> Reply {
    Reply::failed(Status::OPERATION_DENIED, Error::Passphrase(error))
}

/// Sends a message, unless nobody takes it.
async fn send(line: &mut impl Line, message: Vec<u8>) -> Result<(), Error> {
    let sent = timeout(defaults::SEND, line.send(message)).await;
    sent.unwrap_or_else(|_| Err(Error::TunnelBroke("nobody takes what is sent".into())))
}

/// Listens while a person is asked, and ends when the computer is no longer
/// there to be answered. Fails if the tunnel or the protocol breaks, which is
/// not the computer's leaving.
async fn until_gone(line: &mut impl Line, channel: &mut Channel<AuthenticatorEnd>) -> Result<(), Error> {
    while let Some(incoming) = line.receive().await? {
        if channel.receive(&incoming)? == AuthenticatorEvent::Shutdown {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
