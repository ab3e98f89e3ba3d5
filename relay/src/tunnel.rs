//! One tunnel, from the first party's upgrade to the last close frame, in one
//! task.
//!
//! Nobody else touches its sockets, so the order of messages is the order of
//! the code, and a side that does not take its messages stops the reading of
//! the other without a queue in between.

use std::collections::VecDeque;
use std::future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use cablecar_protocol::tunnel::CloseReason;
use hyper::body::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep_until, timeout, timeout_at};

use crate::config::Limits;
use crate::defaults;
use crate::desk::{Closing, Desk, Open, Opened, Share, Visit, Wait};
use crate::line::{Gone, Line, Received};
use crate::meter::Allowance;
use crate::observer::{Ending, Event, Side};
use crate::pulse::{Beat, Haste, Patience, Pulse};
use crate::switchboard::Standing;

/// One side of a tunnel and everything that is counted about it.
pub(crate) struct Party {
    line: Line,
    /// What this side sent and the other has not been given yet.
    held: Held,
    allowance: Allowance,
    pulse: Pulse,
    patience: Patience,
    haste: Haste,
    _visit: Visit,
}

/// A tunnel whose first party is there.
pub(crate) struct Tunnel {
    desk: Arc<Desk>,
    open: Open,
    first: Party,
    /// On the heap, for it is most of a tunnel that does not wait any more.
    second: Option<Box<Party>>,
    /// Gone once the second party is there.
    arriving: Option<(oneshot::Receiver<Box<Party>>, Wait)>,
    until: Instant,
    /// Opened; once there is a second party, joined.
    since: Instant,
    share: Share,
    timer: Pin<Box<Sleep>>,
}

#[derive(Default)]
struct Held {
    messages: VecDeque<Bytes>,
    bytes: usize,
    /// Given to the other side's line, and perhaps not all of it sent yet.
    on_the_way: usize,
}

impl Tunnel {
    pub(crate) fn new(desk: Arc<Desk>, opened: Opened, first: Party) -> Self {
        let now = Instant::now();
        let Opened { open, arriving, wait } = opened;
        let until = until(open.standing(now)).unwrap_or(now);
        let timer = Box::pin(sleep_until(until.into()));
        let share = Share::new(&desk);
        let arriving = Some((arriving, wait));
        Self { desk, open, first, second: None, arriving, until, since: now, share, timer }
    }

    /// Carries messages until the tunnel ends, and sees both parties off.
    /// Boxed, so that whoever spawns and moves this moves a pointer.
    pub(crate) async fn run(mut self: Box<Self>) {
        let desk = Arc::clone(&self.desk);
        let ending = tokio::select! {
            biased;
            ending = future::poll_fn(|cx| self.poll(cx)) => ending,
            ending = desk.stopping() => ending,
        };
        // Rare and large beside the waiting, so on the heap only when needed.
        Box::pin(self.end(ending)).await;
    }

    /// Everything that can be done now; ready when the tunnel is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            if let Err(ending) = self.admit(cx).and_then(|()| self.carry(cx)) {
                return Poll::Ready(ending);
            }
            self.share.set(self.first.holds() + self.second.as_ref().map_or(0, |second| second.holds()));
            let next = match self.check(cx, Instant::now()) {
                Ok(next) => next,
                Err(ending) => return Poll::Ready(ending),
            };
            if self.timer.deadline() != next.into() {
                self.timer.as_mut().reset(next.into());
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Lets the second party in once it comes.
    fn admit(&mut self, cx: &mut Context<'_>) -> Result<(), Ending> {
        let Some((arriving, _)) = self.arriving.as_mut() else { return Ok(()) };
        match Pin::new(arriving).poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Err(_)) => Err(Ending::Vanished { side: Side::Second }),
            Poll::Ready(Ok(second)) => {
                self.arriving = None;
                self.second = Some(second);
                let now = Instant::now();
                let waited = now.saturating_duration_since(self.since);
                self.since = now;
                self.until = until(self.open.standing(now)).ok_or(Ending::LifeOver)?;
                self.desk.notice(Event::Joined { tunnel: self.open.serial(), waited });
                Ok(())
            }
        }
    }

    /// Moves messages both ways until neither side has or takes any.
    fn carry(&mut self, cx: &mut Context<'_>) -> Result<(), Ending> {
        loop {
            // Whoever was read to the end wakes us. Whoever was not must be
            // read on once there is room for it again.
            let mut again = self.first.take_in(Side::First, &self.desk.limits, cx)?;
            if let Some(second) = self.second.as_mut() {
                let more = second.take_in(Side::Second, &self.desk.limits, cx)?;
                self.give(Side::First, cx)?;
                self.give(Side::Second, cx)?;
                let limits = &self.desk.limits;
                again = again && self.first.listening(limits)
                    || more && self.second.as_ref().is_some_and(|second| second.listening(limits));
            } else {
                // A pong or a ping may still be on its way out.
                let _ = self.first.line.poll_flush(cx);
                again = false;
            }
            if !again {
                return Ok(());
            }
        }
    }

    /// Gives the other side what `from` sent, as far as it takes it.
    fn give(&mut self, from: Side, cx: &mut Context<'_>) -> Result<(), Ending> {
        let (Some(second), first) = (self.second.as_mut(), &mut self.first) else { return Ok(()) };
        let (held, line) = match from {
            Side::First => (&mut first.held, &mut second.line),
            Side::Second => (&mut second.held, &mut first.line),
        };
        let vanished = |Gone| Ending::Vanished { side: from.other() };
        while line.poll_flush(cx).map_err(vanished)?.is_ready() {
            // There is room again, so whoever sent it may be read.
            held.on_the_way = 0;
            let Some(message) = held.pop() else { return Ok(()) };
            let bytes = message.len();
            held.on_the_way = bytes;
            line.send(message, cx).map_err(vanished)?;
            self.desk.notice(Event::Forwarded { tunnel: self.open.serial(), from, bytes });
        }
        Ok(())
    }

    /// Whatever the clock has to say; gives when it must be asked again.
    fn check(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<Instant, Ending> {
        if now >= self.until {
            self.until = match self.open.standing(now) {
                // Somebody is joining at this moment.
                Standing::Waiting(until) | Standing::Paired(until) => until,
                Standing::NobodyCame => return Err(Ending::NobodyCame),
                Standing::LifeOver | Standing::Forgotten => return Err(Ending::LifeOver),
            };
        }
        let first = self.first.check(Side::First, &self.desk.limits, now, cx)?;
        let mut next = self.until.min(first);
        if let Some(second) = self.second.as_mut() {
            next = next.min(second.check(Side::Second, &self.desk.limits, now, cx)?);
        }
        Ok(next)
    }

    /// Forgets the tunnel, gives the side that stays what the other said
    /// before, and closes both.
    async fn end(mut self: Box<Self>, ending: Ending) {
        // Before the next line makes one less of those that live.
        let _closing = Closing::new(&self.desk);
        let first_reason = self.open.forget();
        let lived = self.second.as_ref().map(|_| self.since.elapsed());
        // Whoever was let in is owed what was said before, even if it is still
        // on its way here. Where nobody was, the seat has gone with the tunnel.
        if let Some((arriving, _)) = self.arriving.take() {
            self.second = timeout(defaults::LINGER, arriving).await.ok().and_then(Result::ok);
        }
        let desk = Arc::clone(&self.desk);
        if let Some(speaker) = speaker(ending) {
            let until = self.until.into();
            let deliver = timeout_at(until, future::poll_fn(|cx| self.poll_deliver(speaker, cx)));
            tokio::select! {
                biased;
                _ = deliver => {}
                _ = desk.stopping() => {}
            }
        }
        if first_reason {
            self.open.told(ending, lived);
        }
        let Self { first, second, .. } = *self;
        tokio::join!(first.line.part(reason(ending, Side::First), linger(ending, Side::First)), async {
            if let Some(second) = second {
                second.line.part(reason(ending, Side::Second), linger(ending, Side::Second)).await;
            }
        });
    }

    /// Gives the other side the rest of what `from` said, as long as it takes
    /// any of it.
    fn poll_deliver(&mut self, from: Side, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.give(from, cx).is_err() {
                return Poll::Ready(());
            }
            let (Some(second), first) = (self.second.as_mut(), &mut self.first) else {
                return Poll::Ready(());
            };
            let (held, to) = match from {
                Side::First => (&first.held, &mut **second),
                Side::Second => (&second.held, first),
            };
            let full = !held.messages.is_empty() || to.line.full();
            let Some(gives_up) = to.patience.watch(full, to.line.wire().sent(), Instant::now()) else {
                return Poll::Ready(());
            };
            self.timer.as_mut().reset(gives_up.into());
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= gives_up {
                return Poll::Ready(());
            }
        }
    }
}

impl Party {
    /// A party whose upgrade is done.
    pub(crate) fn new(line: Line, visit: Visit, limits: &Limits) -> Self {
        Self {
            line,
            held: Held::default(),
            allowance: Allowance::new(limits.messages, limits.bytes),
            pulse: Pulse::new(limits.ping, limits.missed_pings, Instant::now()),
            patience: Patience::new(limits.stall),
            haste: Haste::new(limits.stall),
            _visit: visit,
        }
    }

    /// Closes a party that nobody waits for any more.
    pub(crate) async fn turn_away(self) {
        self.line.part(CloseReason::GoingAway, defaults::LINGER).await;
    }

    /// Reads what this side sends while there is room to hold it; true if it
    /// may have more to say.
    fn take_in(&mut self, side: Side, limits: &Limits, cx: &mut Context<'_>) -> Result<bool, Ending> {
        while self.listening(limits) {
            match self.line.poll_receive(cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Received::Message(message)) => {
                    let spent = self.allowance.spend(message.len());
                    spent.map_err(|fault| Ending::Fault { side, fault })?;
                    self.held.push(message);
                }
                Poll::Ready(Received::Closed) => return Err(Ending::Closed { by: side }),
                Poll::Ready(Received::Vanished) => return Err(Ending::Vanished { side }),
                Poll::Ready(Received::Fault(fault)) => return Err(Ending::Fault { side, fault }),
            }
        }
        Ok(true)
    }

    /// Whether there is room for one more message, whatever its size. The only
    /// one has room even if much was read ahead.
    fn listening(&self, limits: &Limits) -> bool {
        self.held.total() == 0 || self.holds() <= limits.held
    }

    /// Bytes of messages that the other side has not taken, and what was read
    /// behind them.
    fn holds(&self) -> usize {
        self.held.total().saturating_add(self.line.ahead())
    }

    fn check(
        &mut self,
        side: Side,
        limits: &Limits,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Result<Instant, Ending> {
        let (received, sent) = (self.line.wire().received(), self.line.wire().sent());
        match self.pulse.beat(received, self.listening(limits), now) {
            Beat::Rest => {}
            Beat::Gone => return Err(Ending::Vanished { side }),
            Beat::Ask => self.line.ping(cx).map_err(|Gone| Ending::Vanished { side })?,
        }
        // What we do not read cannot be finished.
        let whole = if self.listening(limits) { self.line.whole() } else { received };
        let haste = self.haste.watch(whole, received, now);
        let patience = self.patience.watch(self.line.full(), sent, now);
        match [haste, patience].into_iter().flatten().min() {
            Some(gives_up) if gives_up <= now => Err(Ending::Stuck { side }),
            Some(gives_up) => Ok(self.pulse.next().min(gives_up)),
            None => Ok(self.pulse.next()),
        }
    }
}

impl Line {
    /// A farewell that nobody can drag out.
    async fn part(self, reason: CloseReason, lasts: Duration) {
        let _ = timeout(lasts, self.farewell(reason)).await;
    }
}

impl Held {
    fn push(&mut self, message: Bytes) {
        self.bytes += message.len();
        self.messages.push_back(message);
    }

    fn total(&self) -> usize {
        self.bytes.saturating_add(self.on_the_way)
    }

    fn pop(&mut self) -> Option<Bytes> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }
}

fn until(standing: Standing) -> Option<Instant> {
    match standing {
        Standing::Waiting(until) | Standing::Paired(until) => Some(until),
        Standing::NobodyCame | Standing::LifeOver | Standing::Forgotten => None,
    }
}

/// The side that ended it, and whose earlier words are still owed to the other.
fn speaker(ending: Ending) -> Option<Side> {
    match ending {
        Ending::Closed { by: side } | Ending::Vanished { side } | Ending::Fault { side, .. } => Some(side),
        Ending::Stuck { .. } | Ending::NobodyCame | Ending::LifeOver => None,
        Ending::Overdue | Ending::Stopping => None,
    }
}

/// How long `to` may take to answer that.
fn linger(ending: Ending, to: Side) -> Duration {
    match ending {
        Ending::Stuck { side } if side == to => defaults::LINGER_STUCK,
        _ => defaults::LINGER,
    }
}

/// What `to` is told about this ending.
fn reason(ending: Ending, to: Side) -> CloseReason {
    match ending {
        Ending::Closed { .. } => CloseReason::Normal,
        Ending::Fault { side, fault } if side == to => fault.into(),
        Ending::Vanished { .. } | Ending::Fault { .. } | Ending::Stopping => CloseReason::GoingAway,
        Ending::Overdue => CloseReason::Restart,
        Ending::Stuck { .. } | Ending::NobodyCame | Ending::LifeOver => CloseReason::Policy,
    }
}
