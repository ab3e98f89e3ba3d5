#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails, also in its own functions"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar_protocol::ctap::{GetInfo, Options, get_assertion};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::packet::{BROADCAST, Command, Packet, Report, reports};
use super::*;
use crate::transaction::Ask;

/// What happened, in its order.
type Log = Arc<Mutex<Vec<&'static str>>>;

fn note(log: &Log, what: &'static str) {
    log.lock().unwrap().push(what);
}

/// A wire of channels. Without a sender it is cut.
struct Cable {
    from_host: UnboundedReceiver<Heard>,
    to_host: UnboundedSender<Report>,
    log: Log,
}

impl Wire for Cable {
    async fn receive(&mut self) -> Result<Heard, Error> {
        Ok(self.from_host.recv().await.unwrap_or(Heard::End))
    }

    async fn send(&mut self, report: &Report) -> Result<(), Error> {
        let _ = self.to_host.send(*report);
        Ok(())
    }

    async fn close(self) {
        note(&self.log, "pulled out");
    }
}

/// A phone that answers when the test says so, and takes two seconds to leave.
struct StandIn {
    answers: UnboundedReceiver<Result<Vec<u8>, Error>>,
    log: Log,
}

impl Phone for StandIn {
    async fn ask(&mut self, _: &Ask, _: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        note(&self.log, "phone asked");
        self.answers.recv().await.unwrap()
    }

    fn get_info(&self) -> Option<&GetInfo> {
        None
    }

    async fn part(&mut self) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        note(&self.log, "phone left");
    }
}

/// A surface that writes down what it is told.
struct Paper(Log);

impl Surface for Paper {
    type Screen = Dark;

    fn ready(&mut self) {
        note(&self.0, "ready");
    }

    async fn asked(&mut self, _: &[u8]) -> Result<Dark, Error> {
        note(&self.0, "asked");
        Ok(Dark)
    }

    fn answered(&mut self, _: Dark, refusal: Option<&Error>) {
        note(&self.0, refusal.map_or("answered", |error| error.advice().1));
    }

    fn withdrawn(&mut self, _: Dark) {
        note(&self.0, "withdrawn");
    }

    fn wink(&mut self) {
        note(&self.0, "wink");
    }

    fn failed(&mut self, error: &Error) {
        note(&self.0, error.advice().1);
    }
}

/// A key that is plugged in, and everything around it.
struct World {
    host: Option<UnboundedSender<Heard>>,
    key: UnboundedReceiver<Report>,
    phone: UnboundedSender<Result<Vec<u8>, Error>>,
    stop: Option<oneshot::Sender<()>>,
    log: Log,
    served: JoinHandle<Result<(), Error>>,
    channel: u32,
}

impl World {
    async fn new() -> Self {
        let log = Log::default();
        let (host, from_host) = unbounded_channel();
        let (to_host, key) = unbounded_channel();
        let (phone, answers) = unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let wire = Cable { from_host, to_host, log: log.clone() };
        let requests = Requests::new(StandIn { answers, log: log.clone() });
        let virtual_key = VirtualKey::new(wire, requests, Paper(log.clone()));
        let served = tokio::spawn(virtual_key.serve(async {
            let _ = stopped.await;
            Ok(())
        }));
        let mut world =
            Self { host: Some(host), key, phone, stop: Some(stop), log, served, channel: BROADCAST };
        world.send(Command::Init, b"nonce678");
        let answer = world.hear().await.1;
        world.channel = u32::from_be_bytes(answer[8..12].try_into().unwrap());
        world
    }

    fn send(&self, command: Command, message: &[u8]) {
        for report in reports(self.channel, command, message).unwrap() {
            self.tell(Heard::Report(report));
        }
    }

    fn tell(&self, heard: Heard) {
        self.host.as_ref().unwrap().send(heard).unwrap();
    }

    /// The key's next message.
    async fn hear(&mut self) -> (Command, Vec<u8>) {
        let (mut whole, mut of) = (Vec::new(), None);
        loop {
            let report = timeout(Duration::from_secs(600), self.key.recv()).await.unwrap().unwrap();
            match Packet::read(&report) {
                Packet::First { command, length, data, .. } => {
                    of = Some((command, length));
                    whole.extend(data);
                }
                Packet::Next { data, .. } => whole.extend(data),
            }
            let (command, length) = of.unwrap();
            if whole.len() >= length {
                whole.truncate(length);
                return (command, whole);
            }
        }
    }

    /// The next that is no keepalive, and how many there were before it.
    async fn answer(&mut self) -> (usize, (Command, Vec<u8>)) {
        let mut keepalives = 0;
        loop {
            match self.hear().await {
                (Command::Keepalive, reason) => {
                    assert!([[1], [2]].iter().any(|known| reason == known));
                    keepalives += 1;
                }
                other => return (keepalives, other),
            }
        }
    }

    /// Waits until this was written down, and gives all of it.
    async fn log(&self, last: &'static str) -> Vec<&'static str> {
        for _ in 0..1000 {
            if self.log.lock().unwrap().last() == Some(&last) {
                return std::mem::take(&mut self.log.lock().unwrap());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {last} but {:?}", self.log.lock().unwrap());
    }

    /// A program asks, and the phone has the question.
    async fn ask(&mut self) {
        self.send(Command::Cbor, &to_get());
        assert_eq!(self.hear().await, (Command::Keepalive, vec![2]), "at once, for a person");
        self.log("phone asked").await;
    }
}

fn to_get() -> Vec<u8> {
    let request = get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: [7; 32],
        allow: vec![],
        has_allow_list: false,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    };
    request.to_bytes()
}

#[tokio::test(start_paused = true)]
async fn get_info_needs_neither_a_person_nor_a_phone() {
    let mut world = World::new().await;
    world.send(Command::Cbor, &[4]);
    let (command, answer) = world.hear().await;
    assert_eq!((command, answer[0]), (Command::Cbor, 0));
    world.send(Command::Cbor, &[0x42]);
    assert_eq!(world.hear().await, (Command::Cbor, vec![1]));
    assert_eq!(world.log("ready").await, ["ready"]);
}

#[tokio::test(start_paused = true)]
async fn the_phones_bytes_are_the_keys() {
    let mut world = World::new().await;
    world.ask().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let answer: Vec<u8> = [0].into_iter().chain((0..=255).cycle().take(2000)).collect();
    world.phone.send(Ok(answer.clone())).unwrap();
    let (keepalives, said) = world.answer().await;
    assert_eq!(said, (Command::Cbor, answer));
    assert!((95..=101).contains(&keepalives), "{keepalives} in ten seconds");
    assert_eq!(world.log("answered").await, ["answered"]);
    // A refusal and a failure are told apart from that.
    for (answer, byte, told) in
        [(Ok(vec![0x27]), 0x27, "phone.declined"), (Err(Error::NobodyCame), 0x2f, "phone.nobody-came")]
    {
        world.ask().await;
        world.phone.send(answer).unwrap();
        assert_eq!(world.answer().await.1, (Command::Cbor, vec![byte]));
        assert_eq!(world.log(told).await, [told]);
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_takes_the_question_off_the_phone() {
    let mut world = World::new().await;
    world.ask().await;
    world.send(Command::Cancel, &[]);
    assert_eq!(world.answer().await.1, (Command::Cbor, vec![0x2d]));
    assert_eq!(world.log("phone left").await, ["withdrawn", "phone left"]);
    world.ask().await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_the_phone_leaves_waits_for_it() {
    let mut world = World::new().await;
    world.ask().await;
    world.send(Command::Cancel, &[]);
    world.send(Command::Ping, b"still here");
    world.send(Command::Cbor, &to_get());
    assert_eq!(world.answer().await.1, (Command::Cbor, vec![0x2d]));
    assert_eq!(world.hear().await, (Command::Ping, b"still here".to_vec()));
    // Told for the two seconds in which the phone leaves: it is not for a person yet.
    assert_eq!(world.hear().await, (Command::Keepalive, vec![1]));
    assert_eq!(world.log("phone asked").await, ["withdrawn", "phone left", "asked", "phone asked"]);
    world.phone.send(Ok(vec![0, 0xa0])).unwrap();
    let (keepalives, said) = world.answer().await;
    assert_eq!(said, (Command::Cbor, vec![0, 0xa0]));
    assert!(keepalives >= 19, "{keepalives}");
    // One that is taken back while it waits never gets to the phone.
    world.ask().await;
    world.send(Command::Cancel, &[]);
    world.send(Command::Cbor, &to_get());
    world.send(Command::Cancel, &[]);
    for _ in 0..2 {
        assert_eq!(world.answer().await.1, (Command::Cbor, vec![0x2d]));
    }
    assert_eq!(
        world.log("phone left").await,
        ["answered", "asked", "phone asked", "withdrawn", "phone left"][3..]
    );
}

#[tokio::test(start_paused = true)]
async fn init_on_the_same_channel_withdraws_without_an_answer() {
    let mut world = World::new().await;
    world.ask().await;
    world.send(Command::Init, b"8nonce67");
    let (command, answer) = world.answer().await.1;
    assert_eq!((command, &answer[..8]), (Command::Init, &b"8nonce67"[..]));
    assert_eq!(world.log("phone left").await, ["withdrawn", "phone left"]);
    world.send(Command::Ping, b"x");
    assert_eq!(world.hear().await, (Command::Ping, b"x".to_vec()), "and nothing before it");
}

#[tokio::test(start_paused = true)]
async fn whose_programs_are_gone_lets_the_phone_go() {
    let mut world = World::new().await;
    world.ask().await;
    world.tell(Heard::Left);
    assert_eq!(world.log("phone left").await, ["withdrawn", "phone left"]);
    // Also if the phone had answered and stayed.
    world.ask().await;
    world.phone.send(Ok(vec![0, 0xa0])).unwrap();
    world.answer().await;
    world.tell(Heard::Left);
    assert_eq!(world.log("phone left").await, ["answered", "phone left"]);
    // And if they stay, and want nothing more.
    world.ask().await;
    world.phone.send(Ok(vec![0, 0xa0])).unwrap();
    world.answer().await;
    world.log("answered").await;
    tokio::time::sleep(defaults::IDLE - Duration::from_secs(1)).await;
    assert!(world.log.lock().unwrap().is_empty());
    assert_eq!(world.log("phone left").await, ["phone left"]);
}

#[tokio::test(start_paused = true)]
async fn a_wink_is_told_to_the_person() {
    let mut world = World::new().await;
    world.send(Command::Wink, &[]);
    assert_eq!(world.hear().await.0, Command::Wink);
    assert_eq!(world.log("wink").await, ["ready", "wink"]);
}

#[tokio::test(start_paused = true)]
async fn who_stops_it_pulls_it_out_and_lets_the_phone_go() {
    let mut world = World::new().await;
    world.ask().await;
    world.stop.take();
    (&mut world.served).await.unwrap().unwrap();
    assert_eq!(*world.log.lock().unwrap(), ["pulled out", "phone left"]);
}

#[tokio::test(start_paused = true)]
async fn a_wire_that_is_cut_ends_it() {
    let mut world = World::new().await;
    world.ask().await;
    world.host.take();
    (&mut world.served).await.unwrap().unwrap();
    assert_eq!(*world.log.lock().unwrap(), ["withdrawn", "pulled out", "phone left"]);
}
