//! What a security key does with CTAPHID's packets (CTAP 2.2, 11.2): whose turn
//! it is, and what is said to whom. No sockets, no clock: time is an argument,
//! reports come in, [`Order`]s and reports go out.
//!
//! | comes | from whoever is served | from another channel |
//! |---|---|---|
//! | INIT | a new beginning on it: what was under way is withdrawn | answered; on broadcast with a new channel |
//! | CANCEL | withdraws the request, CBOR `2d`; never answered by itself | passed over |
//! | another first packet, within a message | ERROR invalid sequence, the message is dropped | ERROR busy |
//! | another first packet, within a request | ERROR busy | ERROR busy |
//! | a packet that continues | the next, or ERROR invalid sequence | passed over |
//!
//! A channel that was never given gets ERROR invalid channel. While a channel
//! holds a lock, the others are told busy as if a request were under way.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use cablecar_protocol::ctap::Status;

use super::packet::{BROADCAST, Command, MOST, Packet, Report, reports};
use crate::defaults;

/// Version of CTAPHID, which all of CTAP2 has.
const PROTOCOL: u8 = 2;

/// It winks, it speaks CBOR, and it does not speak U2F.
const CAPABILITIES: u8 = 0x01 | 0x04 | 0x08;

/// The longest time that a channel may hold a lock, in seconds.
const LONGEST_LOCK: u8 = 10;

/// What the key is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Answer this CTAP request, by [`CtapHid::answer`].
    Serve(Vec<u8>),
    /// Stop answering it: nobody waits for it any more.
    Withdraw,
    /// Show the person which key is meant.
    Wink,
}

/// Why a request waits: the payload of a KEEPALIVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// 1: for the key itself.
    Processing,
    /// 2: for a person.
    ForPerson,
}

/// What is wrong with a message: the payload of an ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Command,
    Parameter,
    Length,
    Sequence,
    Timeout,
    Busy,
    Channel,
    Other,
}

impl Fault {
    fn byte(self) -> u8 {
        match self {
            Fault::Command => 0x01,
            Fault::Parameter => 0x02,
            Fault::Length => 0x03,
            Fault::Sequence => 0x04,
            Fault::Timeout => 0x05,
            Fault::Busy => 0x06,
            Fault::Channel => 0x0b,
            Fault::Other => 0x7f,
        }
    }
}

#[derive(Debug)]
enum State {
    Idle,
    /// A message comes, in time.
    Receiving {
        channel: u32,
        command: Command,
        length: usize,
        message: Vec<u8>,
        next: u8,
        until: Instant,
    },
    /// A request is being answered.
    Serving {
        channel: u32,
        waiting: Waiting,
        pulse: Instant,
    },
}

/// The key's side of the wire.
#[derive(Debug)]
pub struct CtapHid {
    state: State,
    /// Channels 1 to this one are given.
    given: u32,
    lock: Option<(u32, Instant)>,
    outbox: VecDeque<Report>,
}

impl Default for CtapHid {
    fn default() -> Self {
        Self::new()
    }
}

impl CtapHid {
    /// A key that was just plugged in.
    pub fn new() -> Self {
        Self { state: State::Idle, given: 0, lock: None, outbox: VecDeque::new() }
    }

    /// A report from the host.
    pub fn take(&mut self, report: &Report, now: Instant) -> Option<Order> {
        self.tick(now);
        match Packet::read(report) {
            Packet::First { channel, command: Command::Init, length, data } => {
                self.init(channel, length, data)
            }
            Packet::First { channel, command, length, data } => {
                self.first(channel, command, length, data, now)
            }
            Packet::Next { channel, sequence, data } => self.next(channel, sequence, data, now),
        }
    }

    /// The answer to the request of the last [`Order::Serve`]: status and map.
    /// Nothing happens if it was withdrawn.
    pub fn answer(&mut self, answer: &[u8]) {
        if let State::Serving { channel, .. } = self.state {
            self.state = State::Idle;
            if !self.say(channel, Command::Cbor, answer) {
                self.fail(channel, Fault::Other);
            }
        }
    }

    /// From now on the request waits for this; the host is told at once.
    pub fn wait(&mut self, reason: Waiting, now: Instant) {
        if let State::Serving { waiting, pulse, .. } = &mut self.state {
            (*waiting, *pulse) = (reason, now);
        }
        self.tick(now);
    }

    /// When [`Self::tick`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::Receiving { until, .. } => Some(until),
            State::Serving { pulse, .. } => Some(pulse),
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        match &mut self.state {
            State::Receiving { channel, until, .. } if *until <= now => {
                let channel = *channel;
                self.state = State::Idle;
                self.fail(channel, Fault::Timeout);
            }
            State::Serving { channel, waiting, pulse } if *pulse <= now => {
                // Counted from now: after a pause there is one, not all that were missed.
                *pulse = now + defaults::KEEPALIVE;
                let (channel, reason) = (*channel, *waiting);
                let reason = match reason {
                    Waiting::Processing => 1,
                    Waiting::ForPerson => 2,
                };
                self.say(channel, Command::Keepalive, &[reason]);
            }
            _ => {}
        }
    }

    /// All hosts have let go of the key. Nobody can take up what they left, and
    /// a request of theirs is to be withdrawn.
    pub fn left(&mut self) {
        self.outbox.clear();
        self.lock = None;
        self.state = State::Idle;
    }

    /// The next report to the host; [`Self::sent`] takes it off.
    pub fn to_send(&self) -> Option<&Report> {
        self.outbox.front()
    }

    /// The report of [`Self::to_send`] is on its way.
    pub fn sent(&mut self) {
        self.outbox.pop_front();
    }

    /// INIT: always answered, whatever is under way elsewhere.
    fn init(&mut self, channel: u32, length: usize, data: &[u8]) -> Option<Order> {
        if channel != BROADCAST && !self.is_given(channel) {
            return self.fail(channel, Fault::Channel);
        }
        let order = if self.serves(channel) { self.stop() } else { None };
        let Some(nonce) = data.first_chunk::<8>().filter(|_| length == 8) else {
            self.fail(channel, Fault::Length);
            return order;
        };
        let own = if channel == BROADCAST { self.give() } else { channel };
        let mut answer = nonce.to_vec();
        answer.extend(own.to_be_bytes());
        answer.push(PROTOCOL);
        answer.extend(version());
        answer.push(CAPABILITIES);
        self.say(channel, Command::Init, &answer);
        order
    }

    /// The first packet of any other message.
    fn first(
        &mut self,
        channel: u32,
        command: Command,
        length: usize,
        data: &[u8],
        now: Instant,
    ) -> Option<Order> {
        if command == Command::Cancel {
            return self.cancel(channel);
        }
        if !self.is_given(channel) {
            return self.fail(channel, Fault::Channel);
        }
        let locked = self.lock.is_some_and(|(owner, until)| owner != channel && now < until);
        match &self.state {
            State::Receiving { channel: one, .. } if *one == channel => {
                self.state = State::Idle;
                return self.fail(channel, Fault::Sequence);
            }
            State::Idle if !locked => {}
            _ => return self.fail(channel, Fault::Busy),
        }
        if length > MOST {
            return self.fail(channel, Fault::Length);
        }
        match (command, length) {
            (Command::Ping, _) => {}
            (Command::Cbor, 1..) | (Command::Lock, 1) | (Command::Wink, 0) => {}
            (Command::Cbor | Command::Lock | Command::Wink, _) => return self.fail(channel, Fault::Length),
            // U2F, of which the capabilities say that it is not spoken, too.
            _ => return self.fail(channel, Fault::Command),
        }
        let message = data.iter().copied().take(length).collect();
        self.receive(channel, command, length, message, 0, now)
    }

    /// A packet that continues a message. What continues nothing is passed over.
    fn next(&mut self, from: u32, sequence: u8, data: &[u8], now: Instant) -> Option<Order> {
        if !matches!(self.state, State::Receiving { channel, .. } if channel == from) {
            return None;
        }
        let receiving = std::mem::replace(&mut self.state, State::Idle);
        let State::Receiving { channel, command, length, mut message, next, .. } = receiving else {
            return None;
        };
        if sequence != next {
            return self.fail(channel, Fault::Sequence);
        }
        message.extend(data.iter().take(length - message.len()));
        self.receive(channel, command, length, message, next + 1, now)
    }

    /// A message that is whole is done; one that is not waits for more.
    fn receive(
        &mut self,
        channel: u32,
        command: Command,
        length: usize,
        message: Vec<u8>,
        next: u8,
        now: Instant,
    ) -> Option<Order> {
        if message.len() < length {
            let until = now + defaults::NEXT_PACKET;
            self.state = State::Receiving { channel, command, length, message, next, until };
            return None;
        }
        match (command, message.as_slice()) {
            (Command::Cbor, _) => {
                let pulse = now + defaults::KEEPALIVE;
                self.state = State::Serving { channel, waiting: Waiting::Processing, pulse };
                return Some(Order::Serve(message));
            }
            (Command::Lock, [seconds]) if *seconds <= LONGEST_LOCK => {
                let time = Duration::from_secs((*seconds).into());
                self.lock = (!time.is_zero()).then(|| (channel, now + time));
            }
            (Command::Lock, _) => return self.fail(channel, Fault::Parameter),
            (Command::Wink, _) => {
                self.say(channel, Command::Wink, &[]);
                return Some(Order::Wink);
            }
            _ => {}
        }
        // What is asked back comes back: a ping's bytes, of a lock nothing.
        let back = if command == Command::Ping { message } else { Vec::new() };
        self.say(channel, command, &back);
        None
    }

    /// CANCEL has no answer; the request that it ends has one.
    fn cancel(&mut self, from: u32) -> Option<Order> {
        if !matches!(self.state, State::Serving { channel, .. } if channel == from) {
            return None;
        }
        self.answer(&[Status::KEEPALIVE_CANCEL.byte()]);
        Some(Order::Withdraw)
    }

    /// Drops what is under way.
    fn stop(&mut self) -> Option<Order> {
        let was = std::mem::replace(&mut self.state, State::Idle);
        matches!(was, State::Serving { .. }).then_some(Order::Withdraw)
    }

    fn serves(&self, one: u32) -> bool {
        match self.state {
            State::Idle => false,
            State::Receiving { channel, .. } | State::Serving { channel, .. } => channel == one,
        }
    }

    fn is_given(&self, channel: u32) -> bool {
        (1..=self.given).contains(&channel)
    }

    /// A channel that nobody has. After four thousand million of them they
    /// begin anew: who has one from before is told that it is invalid, and asks
    /// for another.
    fn give(&mut self) -> u32 {
        self.given = if self.given == BROADCAST - 1 { 1 } else { self.given + 1 };
        self.given
    }

    fn fail(&mut self, channel: u32, fault: Fault) -> Option<Order> {
        self.say(channel, Command::Error, &[fault.byte()]);
        None
    }

    /// Whether it could be said: not if it is too long.
    fn say(&mut self, channel: u32, command: Command, message: &[u8]) -> bool {
        let reports = reports(channel, command, message);
        let fits = reports.is_some();
        self.outbox.extend(reports.into_iter().flatten());
        fits
    }
}

/// Major, minor and build of this program.
fn version() -> [u8; 3] {
    let part = |text: &str| text.parse().unwrap_or(0);
    [
        part(env!("CARGO_PKG_VERSION_MAJOR")),
        part(env!("CARGO_PKG_VERSION_MINOR")),
        part(env!("CARGO_PKG_VERSION_PATCH")),
    ]
}

#[cfg(test)]
mod tests;
