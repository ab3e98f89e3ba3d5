#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use proptest::prelude::*;

use super::*;
use crate::doors::virtual_key::packet::REPORT;

const NONCE: [u8; 8] = *b"nonce678";
const BEGINNING: Duration = Duration::from_secs(1000);

/// A key, its hosts, and a clock that stands.
struct Bench {
    key: CtapHid,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { key: CtapHid::new(), now: Instant::now() + BEGINNING }
    }

    /// A key and one channel of it.
    fn with_channel() -> (Self, u32) {
        let mut bench = Self::new();
        let channel = bench.channel();
        (bench, channel)
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
        self.key.tick(self.now);
    }

    /// Sends a message, and gives what the key is to do after its last report.
    fn send(&mut self, channel: u32, command: Command, message: &[u8]) -> Option<Order> {
        let mut order = None;
        for report in reports(channel, command, message).unwrap() {
            order = self.key.take(&report, self.now);
        }
        order
    }

    fn report(&mut self, channel: u32, bytes: &[u8]) -> Option<Order> {
        let mut report = [0; REPORT];
        report[..4].copy_from_slice(&channel.to_be_bytes());
        report[4..4 + bytes.len()].copy_from_slice(bytes);
        self.key.take(&report, self.now)
    }

    /// All that the key has said since it was last asked: channel, command, message.
    fn said(&mut self) -> Vec<(u32, Command, Vec<u8>)> {
        let mut said: Vec<(u32, Command, usize, Vec<u8>)> = Vec::new();
        while let Some(report) = self.key.to_send().copied() {
            self.key.sent();
            match Packet::read(&report) {
                Packet::First { channel, command, length, data } => {
                    said.push((channel, command, length, data.to_vec()));
                }
                Packet::Next { channel, data, .. } => {
                    let last = said.last_mut().unwrap();
                    assert_eq!(last.0, channel);
                    last.3.extend(data);
                }
            }
        }
        said.into_iter()
            .map(|(channel, command, length, mut message)| {
                assert!(message.len() >= length, "a message is cut");
                message.truncate(length);
                (channel, command, message)
            })
            .collect()
    }

    fn channel(&mut self) -> u32 {
        assert_eq!(self.send(BROADCAST, Command::Init, &NONCE), None);
        let [(to, Command::Init, answer)] = &self.said()[..] else { panic!("no answer to INIT") };
        assert_eq!((*to, answer.len(), &answer[..8]), (BROADCAST, 17, &NONCE[..]));
        assert_eq!((answer[12], answer[16]), (2, 0x0d));
        u32::from_be_bytes(answer[8..12].try_into().unwrap())
    }

    /// The key is asked for something that it takes its time for.
    fn ask(&mut self, channel: u32) {
        assert_eq!(self.send(channel, Command::Cbor, &[1, 0xa0]), Some(Order::Serve(vec![1, 0xa0])));
    }
}

fn error(channel: u32, byte: u8) -> Vec<(u32, Command, Vec<u8>)> {
    vec![(channel, Command::Error, vec![byte])]
}

#[test]
fn a_ping_comes_back_whatever_its_length() {
    let (mut bench, channel) = Bench::with_channel();
    for length in [0, 1, 57, 58, 116, 117, MOST] {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        assert_eq!(bench.send(channel, Command::Ping, &bytes), None);
        assert_eq!(bench.said(), [(channel, Command::Ping, bytes)], "{length}");
    }
}

#[test]
fn a_request_is_served_and_its_answer_goes_to_whoever_asked() {
    let (mut bench, channel) = Bench::with_channel();
    let request = vec![9; 200];
    assert_eq!(bench.send(channel, Command::Cbor, &request), Some(Order::Serve(request)));
    bench.key.answer(&[0; 300]);
    assert_eq!(bench.said(), [(channel, Command::Cbor, vec![0; 300])]);
    // It is not answered twice.
    bench.key.answer(&[0]);
    assert_eq!(bench.said(), []);
    // What does not fit is not sent in part.
    bench.ask(channel);
    bench.key.answer(&vec![0; MOST + 1]);
    assert_eq!(bench.said(), error(channel, 0x7f));
}

#[test]
fn who_waits_hears_of_it_every_tenth_of_a_second() {
    let (mut bench, channel) = Bench::with_channel();
    assert_eq!(bench.key.deadline(), None);
    bench.ask(channel);
    bench.later(Duration::from_millis(99));
    assert_eq!(bench.said(), []);
    bench.later(Duration::from_millis(1));
    assert_eq!(bench.said(), [(channel, Command::Keepalive, vec![1])]);
    bench.later(Duration::from_millis(50));
    bench.key.wait(Waiting::ForPerson, bench.now);
    assert_eq!(bench.said(), [(channel, Command::Keepalive, vec![2])], "at once when the reason changes");
    assert_eq!(bench.key.deadline(), Some(bench.now + Duration::from_millis(100)));
    // A computer that slept says it once.
    bench.later(Duration::from_secs(3600));
    assert_eq!(bench.said(), [(channel, Command::Keepalive, vec![2])]);
    bench.key.answer(&[0]);
    assert_eq!((bench.said().len(), bench.key.deadline()), (1, None));
    bench.later(Duration::from_secs(1));
    bench.key.wait(Waiting::ForPerson, bench.now);
    assert_eq!(bench.said(), []);
}

#[test]
fn a_cancelled_request_is_answered_and_the_cancel_is_not() {
    let (mut bench, channel) = Bench::with_channel();
    let other = bench.channel();
    assert_eq!(bench.send(channel, Command::Cancel, &[]), None);
    assert_eq!(bench.said(), [], "nothing is under way");
    bench.ask(channel);
    for stranger in [other, other + 1, 0, BROADCAST] {
        assert_eq!(bench.send(stranger, Command::Cancel, &[]), None);
        assert_eq!(bench.said(), [], "{stranger:x} takes nothing back");
    }
    assert_eq!(bench.send(channel, Command::Cancel, &[]), Some(Order::Withdraw));
    assert_eq!(bench.said(), [(channel, Command::Cbor, vec![0x2d])]);
    bench.key.answer(&[0]);
    assert_eq!(bench.said(), [], "the phone's answer came too late");
    bench.ask(channel);
    // A message that comes is no request yet.
    bench.key.answer(&[0]);
    bench.said();
    bench.report(channel, &[0x90, 0, 100]);
    assert_eq!(bench.send(channel, Command::Cancel, &[]), None);
    assert_eq!(bench.report(channel, &[0]), Some(Order::Serve(vec![0; 100])));
}

#[test]
fn one_at_a_time_and_the_others_are_told() {
    let (mut bench, one) = Bench::with_channel();
    let other = bench.channel();
    assert_ne!(one, other);
    bench.ask(one);
    for command in [Command::Cbor, Command::Ping, Command::Wink, Command::Lock, Command::Msg] {
        for channel in [one, other] {
            assert_eq!(bench.send(channel, command, &[1]), None);
            assert_eq!(bench.said(), error(channel, 0x06), "{command:?}");
        }
    }
    // The same while a message comes.
    bench.key.answer(&[0]);
    bench.said();
    bench.report(one, &[0x81, 0, 100]);
    assert_eq!(bench.send(other, Command::Ping, b"x"), None);
    assert_eq!(bench.said(), error(other, 0x06));
    assert_eq!(bench.report(other, &[0]), None);
    assert_eq!(bench.said(), [], "what continues nothing of its own is passed over");
    bench.report(one, &[0]);
    assert_eq!(bench.said(), [(one, Command::Ping, vec![0; 100])]);
}

#[test]
fn a_message_out_of_order_is_dropped() {
    let (mut bench, channel) = Bench::with_channel();
    for wrong in [1, 0x7f] {
        bench.report(channel, &[0x81, 0, 200]);
        assert_eq!(bench.report(channel, &[wrong]), None);
        assert_eq!(bench.said(), error(channel, 0x04));
    }
    // Another message in its place, whatever it is.
    bench.report(channel, &[0x81, 0, 200]);
    assert_eq!(bench.report(channel, &[0x90, 0, 1, 4]), None);
    assert_eq!(bench.said(), error(channel, 0x04));
    // What is left of them is passed over.
    assert_eq!(bench.report(channel, &[0]), None);
    assert_eq!(bench.said(), []);
    assert_eq!(bench.send(channel, Command::Cbor, &[4]), Some(Order::Serve(vec![4])));
}

#[test]
fn a_message_that_stops_coming_is_dropped() {
    let (mut bench, channel) = Bench::with_channel();
    bench.report(channel, &[0x81, 1, 0]);
    bench.later(Duration::from_millis(700));
    bench.report(channel, &[0]);
    bench.later(Duration::from_millis(700));
    assert_eq!(bench.said(), [], "each report has its own time");
    bench.later(Duration::from_millis(50));
    assert_eq!(bench.said(), error(channel, 0x05));
    assert_eq!((bench.report(channel, &[1]), bench.said()), (None, vec![]));
    // Also if nobody looked at the clock before the next report.
    bench.report(channel, &[0x81, 1, 0]);
    bench.now += Duration::from_secs(1);
    bench.report(channel, &[0]);
    assert_eq!(bench.said(), error(channel, 0x05));
}

#[test]
fn init_begins_anew_on_its_own_channel_and_disturbs_no_other() {
    let (mut bench, channel) = Bench::with_channel();
    let other = bench.channel();
    // In the middle of a message.
    bench.report(channel, &[0x81, 0, 200]);
    assert_eq!(bench.send(other, Command::Init, &NONCE), None);
    assert_eq!(bench.said()[0].0, other);
    bench.report(channel, &[0]);
    assert_eq!(bench.send(channel, Command::Init, &NONCE), None);
    let said = bench.said();
    assert_eq!((said.len(), said[0].0, &said[0].2[8..12]), (1, channel, &channel.to_be_bytes()[..]));
    assert_eq!((bench.report(channel, &[1]), bench.said()), (None, vec![]));
    // In the middle of a request, which nobody then waits for.
    bench.ask(channel);
    assert_eq!(bench.send(other, Command::Init, &NONCE), None);
    bench.channel_is_new(&[channel, other]);
    assert_eq!(bench.send(channel, Command::Init, &NONCE), Some(Order::Withdraw));
    assert_eq!(bench.said().len(), 1);
    bench.key.answer(&[0]);
    assert_eq!(bench.said(), []);
    // Only with a nonce of its length, and for those that were given.
    assert_eq!(bench.send(BROADCAST, Command::Init, &NONCE[..7]), None);
    assert_eq!(bench.said(), error(BROADCAST, 0x03));
    for stranger in [0, 0x7777, BROADCAST - 1] {
        assert_eq!(bench.send(stranger, Command::Init, &NONCE), None);
        assert_eq!(bench.said(), error(stranger, 0x0b));
    }
}

impl Bench {
    fn channel_is_new(&mut self, known: &[u32]) {
        self.said();
        let channel = self.channel();
        assert!(!known.contains(&channel) && channel != 0 && channel != BROADCAST);
    }
}

#[test]
fn channels_begin_anew_when_all_were_given() {
    let (mut bench, first) = Bench::with_channel();
    assert_eq!(first, 1);
    bench.key.given = BROADCAST - 2;
    assert_eq!(bench.channel(), BROADCAST - 1);
    assert_eq!(bench.channel(), 1);
    // Who has one from before is told, and not served as somebody else.
    bench.send(BROADCAST - 1, Command::Ping, b"x");
    assert_eq!(bench.said(), error(BROADCAST - 1, 0x0b));
    assert_eq!(bench.channel(), 2);
}

#[test]
fn nobody_is_served_without_a_channel() {
    let mut bench = Bench::new();
    for channel in [0, 1, BROADCAST] {
        for command in [Command::Ping, Command::Cbor, Command::Msg, Command::Wink, Command::Lock] {
            assert_eq!(bench.send(channel, command, &[1]), None);
            assert_eq!(bench.said(), error(channel, 0x0b));
        }
    }
}

#[test]
fn what_is_not_served_is_told_at_its_first_report() {
    let (mut bench, channel) = Bench::with_channel();
    for (first, fault) in [
        (&[0x83, 0, 200][..], 0x01), // U2F
        (&[0xbb, 0, 1, 2], 0x01),    // a keepalive is not the host's to send
        (&[0xc0, 0, 0], 0x01),       // a vendor's
        (&[0x90, 0, 0], 0x03),       // a request of nothing
        (&[0x88, 0, 1], 0x03),       // a wink with something in it
        (&[0x84, 0, 2], 0x03),       // a lock of two times
        (&[0x84, 0, 1, 11], 0x02),   // a lock of too long a time
        (&[0x81, 0x1d, 0xba], 0x03), // 7610 bytes
        (&[0x90, 0xff, 0xff], 0x03),
    ] {
        assert_eq!(bench.report(channel, first), None);
        assert_eq!(bench.said(), error(channel, fault), "{first:x?}");
        assert_eq!((bench.report(channel, &[0]), bench.said()), (None, vec![]));
    }
}

#[test]
fn a_wink_is_for_the_person() {
    let (mut bench, channel) = Bench::with_channel();
    assert_eq!(bench.send(channel, Command::Wink, &[]), Some(Order::Wink));
    assert_eq!(bench.said(), [(channel, Command::Wink, vec![])]);
}

#[test]
fn a_lock_keeps_the_others_out_for_its_time() {
    let (mut bench, channel) = Bench::with_channel();
    let other = bench.channel();
    assert_eq!(bench.send(channel, Command::Lock, &[10]), None);
    assert_eq!(bench.said(), [(channel, Command::Lock, vec![])]);
    for command in [Command::Ping, Command::Lock] {
        bench.send(other, command, &[1]);
        assert_eq!(bench.said(), error(other, 0x06));
    }
    bench.send(channel, Command::Ping, b"x");
    assert_eq!(bench.said(), [(channel, Command::Ping, b"x".to_vec())]);
    // INIT gets its answer all the same.
    bench.channel_is_new(&[channel, other]);
    bench.later(Duration::from_millis(9_999));
    bench.send(other, Command::Ping, b"x");
    assert_eq!(bench.said(), error(other, 0x06));
    bench.later(Duration::from_millis(1));
    bench.send(other, Command::Ping, b"x");
    assert_eq!(bench.said(), [(other, Command::Ping, b"x".to_vec())]);
    // A time of nothing gives it up.
    bench.send(channel, Command::Lock, &[10]);
    bench.send(channel, Command::Lock, &[0]);
    bench.said();
    bench.send(other, Command::Ping, b"x");
    assert_eq!(bench.said(), [(other, Command::Ping, b"x".to_vec())]);
}

#[test]
fn who_has_left_waits_for_nothing() {
    let (mut bench, channel) = Bench::with_channel();
    bench.send(channel, Command::Lock, &[10]);
    bench.ask(channel);
    bench.key.left();
    assert_eq!((bench.said(), bench.key.deadline()), (vec![], None));
    let other = bench.channel();
    bench.ask(other);
}

/// A report that is more often meant for somebody than chance would have it.
fn likely() -> impl Strategy<Value = Report> {
    let channel = prop_oneof![Just(1u32), Just(2), Just(3), Just(BROADCAST), any::<u32>()];
    let kind = prop_oneof![
        Just(0x86u8),
        Just(0x81),
        Just(0x90),
        Just(0x91),
        Just(0x84),
        Just(0x88),
        0..4u8,
        any::<u8>(),
    ];
    let length = prop_oneof![Just(0u16), Just(1), Just(8), 57..180u16, any::<u16>()];
    (channel, kind, length, any::<u8>()).prop_map(|(channel, kind, length, fill)| {
        let mut report = [fill; REPORT];
        report[..4].copy_from_slice(&channel.to_be_bytes());
        report[4] = kind;
        if kind & 0x80 != 0 {
            report[5..7].copy_from_slice(&length.to_be_bytes());
        }
        report
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever came before, however long ago, and however it was answered:
    /// INIT has an answer, then a ping has, and little is held.
    #[test]
    fn init_is_always_answered(
        reports in prop::collection::vec((likely(), 0..900u64, 0..4u8), 0..200),
    ) {
        let mut bench = Bench::new();
        for (report, pause, answer) in reports {
            bench.later(Duration::from_millis(pause));
            let served = matches!(bench.key.take(&report, bench.now), Some(Order::Serve(_)));
            prop_assert_eq!(served, served && matches!(bench.key.state, State::Serving { .. }));
            match answer {
                0 => bench.key.answer(&[0; 100]),
                1 => bench.key.wait(Waiting::ForPerson, bench.now),
                _ => {}
            }
            // One report in makes at most the longest message and two errors.
            prop_assert!(bench.key.outbox.len() <= 131 + 2);
            bench.said();
        }
        let known = bench.key.given;
        let channel = bench.channel();
        prop_assert_eq!(channel, known + 1);
        // Whoever was served, and whatever lock there is, comes to its end.
        bench.key.answer(&[0]);
        bench.later(Duration::from_secs(11));
        bench.said();
        bench.send(channel, Command::Ping, b"still here");
        prop_assert_eq!(bench.said(), [(channel, Command::Ping, b"still here".to_vec())]);
    }
}
