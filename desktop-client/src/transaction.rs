//! One transaction, from the code on screen to the phone's answers: straight
//! lines of waiting. What the bytes mean is the protocol crate's business.
//!
//! ```text
//! meet() -> Session -> ask(), and again while the phone stays -> end()
//! ```

use std::future::Future;
use std::time::Duration;

use cablecar_protocol::channel::{Channel, ClientEnd, ClientEvent, Request};
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::client_platform::{Heard, Nearby};
use cablecar_protocol::ctap::{GetInfo, Status};
use cablecar_protocol::qr::Hint;
use cablecar_protocol::secrets::scrub_stack;
use rand_core::CryptoRngCore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::defaults;
use crate::error::Error;
use crate::proximity::Scanner;
use crate::screen::{Notice, Screen, Stage};
use crate::tunnel::{Dialer, Line};

/// What is wanted from the phone.
#[derive(Debug)]
pub struct Ask {
    /// The CTAP request, command byte and all.
    pub request: Vec<u8>,
    /// What the code says that it will be.
    pub hint: Hint,
    /// How long the whole may take.
    pub life: Duration,
    /// The phone must be able to verify the person.
    pub needs_uv: bool,
    /// The phone must be able to make discoverable passkeys.
    pub needs_rk: bool,
}

/// Shows codes until a phone is near, puts the request to it, and lets it go.
///
/// `now` gives seconds since 1970, for the code; time itself is tokio's, so
/// that a test can turn it.
///
/// # Errors
/// All but those of the options and of the answer's content.
pub async fn run(
    ask: &Ask,
    scanner: &mut impl Scanner,
    dialer: &impl Dialer,
    screen: &mut dyn Screen,
    now: &(dyn Fn() -> u64 + Sync),
    rng: &mut (dyn CryptoRngCore + Send),
) -> Result<Vec<u8>, Error> {
    let mut session = meet(ask, scanner, dialer, screen, now, rng).await?;
    let answer = session.ask(ask, screen).await;
    session.end().await;
    scrub_stack();
    answer
}

/// Shows codes until a phone is near, and greets it. Dropping the future takes
/// all of it back.
///
/// # Errors
/// As [`run`].
pub async fn meet<D: Dialer>(
    ask: &Ask,
    scanner: &mut impl Scanner,
    dialer: &D,
    screen: &mut dyn Screen,
    now: &(dyn Fn() -> u64 + Sync),
    rng: &mut (dyn CryptoRngCore + Send),
) -> Result<Session<D::Line>, Error> {
    let began = Instant::now();
    let deadline = began + ask.life;
    let mut progress = Progress { began, screen };
    let nearby = wait_for_phone(ask.hint, deadline, scanner, &mut progress, now, rng).await?;
    progress.reached(Stage::PhoneNearby);

    progress.reached(Stage::Connecting);
    let mut line = dialer.dial(nearby.tunnel()).await?;
    match greet(nearby, &mut line, rng).await {
        Ok((channel, info)) => {
            progress.reached(Stage::Connected);
            Ok(Session { line, channel, info, began, deadline, is_fresh: true })
        }
        Err(error) => {
            let _ = timeout(defaults::CLOSE, line.close()).await;
            Err(error)
        }
    }
}

/// Codes on screen, renewed while nobody comes.
async fn wait_for_phone(
    hint: Hint,
    deadline: Instant,
    scanner: &mut impl Scanner,
    progress: &mut Progress<'_>,
    now: &(dyn Fn() -> u64 + Sync),
    rng: &mut (dyn CryptoRngCore + Send),
) -> Result<Nearby, Error> {
    let mut not_ours = 0u64;
    loop {
        let (mut waiting, invitation) = ExpectAdvert::invite(hint, now(), rng)?;
        progress.screen.notice(&Notice::Code(&invitation));
        drop(invitation);
        if not_ours == 0 {
            progress.reached(Stage::WaitingForPhone);
        }
        let renewal = deadline.min(Instant::now() + defaults::CODE_LIFE);
        while let Ok(heard) = timeout_at(renewal, scanner.heard()).await {
            match waiting.hear(&heard?) {
                Heard::Ours(nearby) => return Ok(nearby),
                Heard::NotOurs(still) => {
                    waiting = still;
                    not_ours += 1;
                    // Rarer and rarer: a street full of phones is no news.
                    if not_ours.is_power_of_two() {
                        progress.screen.notice(&Notice::NotOurs(not_ours));
                    }
                }
            }
        }
        if Instant::now() >= deadline {
            return Err(if not_ours == 0 { Error::NobodyCame } else { Error::NotOurs(not_ours) });
        }
    }
}

/// From the greeting to the hello.
async fn greet(
    nearby: Nearby,
    line: &mut impl Line,
    rng: &mut (dyn CryptoRngCore + Send),
) -> Result<(Channel<ClientEnd>, Option<GetInfo>), Error> {
    let (expect_reply, greeting) = nearby.greet(rng)?;
    send(line, greeting.to_vec()).await?;
    let shaking_hands = "shaking hands";
    let reply = within(Instant::now() + defaults::REPLY, shaking_hands, line.receive()).await?;
    let expect_hello = expect_reply.read(&reply)?;
    let hello = within(Instant::now() + defaults::HELLO, shaking_hands, line.receive()).await?;
    let (channel, hello) = expect_hello.read(&hello)?;
    Ok((channel, hello.get_info().cloned()))
}

/// A phone that has said hello, until it or this computer hangs up.
pub struct Session<L> {
    line: L,
    channel: Channel<ClientEnd>,
    info: Option<GetInfo>,
    /// When what is being asked began.
    began: Instant,
    deadline: Instant,
    /// Nothing was asked yet.
    is_fresh: bool,
}

impl<L> std::fmt::Debug for Session<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(..)")
    }
}

impl<L: Line> Session<L> {
    /// What the phone says that it can do.
    pub fn get_info(&self) -> Option<&GetInfo> {
        self.info.as_ref()
    }

    /// Whether the phone is still there. Most hang up after one answer.
    pub async fn is_open(&mut self) -> bool {
        loop {
            match timeout(Duration::ZERO, self.line.receive()).await {
                Err(_) => return true,
                Ok(Ok(Some(record))) => match self.channel.receive(&record) {
                    // Nothing is remembered, so a link is not kept (borrowed mode).
                    Ok(ClientEvent::Update(_)) => {}
                    _ => return false,
                },
                Ok(_) => return false,
            }
        }
    }

    /// Puts a request to the phone. A session whose request was not answered
    /// takes no other one: [`Session::end`] withdraws it.
    ///
    /// # Errors
    /// [`Error::Unsuitable`], [`Error::PhoneSilent`], [`Error::PhoneHungUp`],
    /// [`Error::TunnelBroke`], [`Error::Protocol`].
    pub async fn ask(&mut self, ask: &Ask, screen: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        check_suitable(ask, self.info.as_ref())?;
        if !std::mem::take(&mut self.is_fresh) {
            self.began = Instant::now();
            self.deadline = self.began + ask.life;
        }
        let mut progress = Progress { began: self.began, screen };
        send(&mut self.line, self.channel.send(Request::Ctap(&ask.request))?).await?;
        progress.reached(Stage::VerifyingOnPhone);
        // Whoever came at the last minute still gets the time to decide.
        let decision = self.deadline.max(Instant::now() + defaults::ANSWER);
        let answer = loop {
            let record = within(decision, "waiting for the answer", self.line.receive()).await?;
            match self.channel.receive(&record)? {
                ClientEvent::Ctap(answer) => break answer,
                ClientEvent::Shutdown => return Err(Error::PhoneHungUp("waiting for the answer")),
                ClientEvent::Update(_) | ClientEvent::Json(_) => {}
            }
        };
        // A refusal is an answer too, but nobody would call it done.
        if answer.first() == Some(&Status::OK.byte()) {
            progress.reached(Stage::Done);
        }
        Ok(answer)
    }

    /// Says goodbye and hangs up. A request that waits is withdrawn: the phone
    /// takes its question off the screen.
    pub async fn end(self) {
        let Self { mut line, channel, .. } = self;
        // Phones hang up after one answer; then the goodbye finds nobody,
        // which is no failure.
        if let Ok(goodbye) = channel.shutdown() {
            let _ = timeout(defaults::CLOSE, line.send(goodbye)).await;
        }
        let _ = timeout(defaults::CLOSE, line.close()).await;
    }
}

/// Sends nothing that the phone has already said it cannot do.
fn check_suitable(ask: &Ask, info: Option<&GetInfo>) -> Result<(), Error> {
    let can = |option| info.and_then(|info| info.option(option)) == Some(true);
    if ask.needs_uv && !can("uv") {
        return Err(Error::Unsuitable("verify who is using it, which the site demands"));
    }
    if ask.needs_rk && !can("rk") {
        return Err(Error::Unsuitable("keep a passkey that needs no user name, which the site demands"));
    }
    Ok(())
}

/// Sends a message, unless nobody takes it.
async fn send(line: &mut impl Line, message: Vec<u8>) -> Result<(), Error> {
    let sent = timeout(defaults::SEND, line.send(message)).await;
    sent.unwrap_or_else(|_| Err(Error::TunnelBroke("nobody takes what is sent".into())))
}

/// The next message, in time; its absence is the phone's doing.
async fn within(
    deadline: Instant,
    while_doing: &'static str,
    message: impl Future<Output = Result<Option<Vec<u8>>, Error>>,
) -> Result<Vec<u8>, Error> {
    match timeout_at(deadline, message).await {
        Err(_) => Err(Error::PhoneSilent(while_doing)),
        Ok(message) => message?.ok_or(Error::PhoneHungUp(while_doing)),
    }
}

/// Tells the screen, with the time since the request began.
struct Progress<'a> {
    began: Instant,
    screen: &'a mut dyn Screen,
}

impl Progress<'_> {
    fn reached(&mut self, stage: Stage) {
        self.screen.notice(&Notice::Stage(stage, self.began.elapsed()));
    }
}
