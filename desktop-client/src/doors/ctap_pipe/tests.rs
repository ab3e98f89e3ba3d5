#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::GetInfo;
use cablecar_protocol::pipe::Reader;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::transaction::Ask;

/// What happened, in order.
type Log = Arc<Mutex<Vec<&'static str>>>;

enum Does {
    /// Answers after the stages, each of which takes 250 ms.
    Answers(&'static [u8]),
    /// Fails at once, or after this long.
    Fails(Duration, Error),
    /// Shows a code and waits for ever.
    Waits,
}

/// A phone that is not there.
struct StandIn(VecDeque<Does>, Log);

impl Phone for StandIn {
    async fn ask(&mut self, _: &Ask, screen: &mut dyn Screen) -> Result<Vec<u8>, Error> {
        self.1.lock().unwrap().push("asked");
        let does = self.0.pop_front();
        if let Some(Does::Fails(after, error)) = does {
            sleep(after).await;
            return Err(error);
        }
        for stage in [Stage::WaitingForPhone, Stage::Connecting, Stage::VerifyingOnPhone] {
            screen.notice(&Notice::Stage(stage, Duration::ZERO));
            sleep(Duration::from_millis(250)).await;
            if !matches!(does, Some(Does::Answers(_))) {
                pending::<()>().await;
            }
        }
        match does {
            Some(Does::Answers(answer)) => Ok(answer.to_vec()),
            _ => pending().await,
        }
    }

    fn get_info(&self) -> Option<&GetInfo> {
        None
    }

    async fn part(&mut self) {
        self.1.lock().unwrap().push("parted");
    }
}

struct Faces(Log);

struct Lit(Log);

impl Surface for Faces {
    type Screen = Lit;

    fn ready(&mut self) {}

    async fn asked(&mut self, _: &[u8]) -> Result<Lit, Error> {
        self.0.lock().unwrap().push("lit");
        Ok(Lit(self.0.clone()))
    }

    fn answered(&mut self, _: Lit, refusal: Option<&Error>) {
        if let Some(error) = refusal {
            self.failed(error);
        }
    }

    fn withdrawn(&mut self, _: Lit) {
        self.0.lock().unwrap().push("withdrawn");
    }

    fn wink(&mut self) {}

    fn failed(&mut self, error: &Error) {
        self.0.lock().unwrap().push(error.advice().1);
    }
}

impl Screen for Lit {
    fn notice(&mut self, _: &Notice<'_>) {}
}

impl Drop for Lit {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dark");
    }
}

struct Client {
    input: ReadHalf<DuplexStream>,
    output: Option<WriteHalf<DuplexStream>>,
    reader: Reader,
    pipe: JoinHandle<Result<(), Error>>,
    log: Log,
}

impl Client {
    fn of(does: impl IntoIterator<Item = Does>) -> Self {
        let log = Log::default();
        let phone = StandIn(does.into_iter().collect(), log.clone());
        let (ours, theirs) = duplex(1 << 16);
        let mut pipe = Pipe::new(phone, Faces(log.clone()));
        let pipe = tokio::spawn(async move {
            let (input, output) = split(theirs);
            pipe.serve(input, output).await
        });
        let (input, output) = split(ours);
        Self { input, output: Some(output), reader: Reader::new(1 << 20), pipe, log }
    }

    async fn send(&mut self, command: Command, payload: &[u8]) {
        self.output.as_mut().unwrap().write_all(&command.frame(payload)).await.unwrap();
    }

    /// The next frame. Byte by byte, so that nothing is read too far.
    async fn frame(&mut self) -> (Command, Vec<u8>) {
        loop {
            let byte = [timeout(Duration::from_secs(3600), self.input.read_u8()).await.unwrap().unwrap()];
            if let Some(Incoming::Frame(command, payload)) = self.reader.read(&mut &byte[..]) {
                return (command, payload);
            }
        }
    }

    /// The next frame that is no keepalive, and the keepalives before it.
    async fn answer(&mut self) -> (Vec<u8>, (Command, Vec<u8>)) {
        let mut keepalives = Vec::new();
        loop {
            // Time is the test's, so waiting for ever is quick.
            assert!(keepalives.len() < 1000, "no answer came");
            match self.frame().await {
                (Command::Keepalive, payload) => keepalives.extend(payload),
                other => return (keepalives, other),
            }
        }
    }

    /// Hangs up, and what the pipe made of it.
    async fn leave(mut self) -> (Result<(), Error>, Vec<&'static str>) {
        let mut output = self.output.take().unwrap();
        output.shutdown().await.unwrap();
        let served = self.pipe.await.unwrap();
        (served, self.log.lock().unwrap().clone())
    }
}

/// getAssertion for a site, with any passkey.
fn get() -> Vec<u8> {
    let map = Writer::map_of(|map| {
        map.entry(1, |w| w.text("example.com")).entry(2, |w| w.bytes(&[7; 32]));
    });
    [vec![2], map].concat()
}

#[tokio::test(start_paused = true)]
async fn a_request_has_company_that_says_whose_turn_it_is() {
    let mut client = Client::of([Does::Answers(b"\x00 as it is \xff"), Does::Answers(&[0x2e])]);
    client.send(Command::Cbor, &get()).await;
    let (keepalives, answer) = client.answer().await;
    assert_eq!(answer, (Command::Cbor, b"\x00 as it is \xff".to_vec()));
    // At once and every 100 ms: the person scans, the devices connect, the
    // person confirms.
    assert_eq!(keepalives, [2, 2, 2, 1, 1, 2, 2, 2]);
    client.send(Command::Cbor, &get()).await;
    assert_eq!(client.answer().await.1, (Command::Cbor, vec![0x2e]));
    let (served, log) = client.leave().await;
    served.unwrap();
    assert_eq!(log, ["lit", "asked", "dark", "lit", "asked", "phone.no-passkey", "dark", "parted"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_said_at_once_and_needs_no_screen() {
    let mut client = Client::of([]);
    client.send(Command::Cbor, &[4]).await;
    client.send(Command::Cbor, &[7]).await;
    client.send(Command::Cancel, &[]).await;
    client.send(Command::Ping, b"hello").await;
    client.send(Command::Other(3), &[]).await;
    client.send(Command::Cbor, &[]).await;
    client.send(Command::Cbor, &[0; defaults::MAX_REQUEST + 1]).await;
    let (keepalives, (command, info)) = client.answer().await;
    assert_eq!((keepalives.len(), command, info[0]), (0, Command::Cbor, 0));
    assert_eq!(client.frame().await, (Command::Cbor, vec![1]));
    assert_eq!(client.frame().await, (Command::Ping, b"hello".to_vec()));
    assert_eq!(client.frame().await, (Command::Error, vec![1]));
    assert_eq!(client.frame().await, (Command::Error, vec![3]));
    assert_eq!(client.frame().await, (Command::Error, vec![3]));
    let (served, log) = client.leave().await;
    served.unwrap();
    assert_eq!(log, ["parted"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_withdraws_and_the_next_request_is_served() {
    let mut client = Client::of([Does::Waits, Does::Answers(&[0])]);
    client.send(Command::Cbor, &get()).await;
    assert_eq!(client.frame().await, (Command::Keepalive, vec![2]));
    client.send(Command::Cbor, &get()).await;
    client.send(Command::Ping, b"still there?").await;
    client.send(Command::Cancel, &[]).await;
    let aside = [client.answer().await.1, client.answer().await.1, client.answer().await.1];
    let ping = (Command::Ping, b"still there?".to_vec());
    assert_eq!(aside, [(Command::Error, vec![6]), ping, (Command::Cbor, vec![0x2d])]);
    client.send(Command::Cbor, &get()).await;
    assert_eq!(client.answer().await.1, (Command::Cbor, vec![0]));
    let (served, log) = client.leave().await;
    served.unwrap();
    assert_eq!(
        log,
        ["lit", "asked", "withdrawn", "dark", "parted", "lit", "asked", "dark", "parted"],
        "the code goes before anybody is waited for"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_takes_its_request_along() {
    let mut client = Client::of([Does::Waits]);
    client.send(Command::Cbor, &get()).await;
    assert_eq!(client.frame().await.0, Command::Keepalive);
    let (served, log) = client.leave().await;
    served.unwrap();
    assert_eq!(log, ["lit", "asked", "withdrawn", "dark", "parted"]);

    // In the middle of a frame it does not leave well.
    let mut client = Client::of([]);
    client.output.as_mut().unwrap().write_all(&[0x10, 0, 0]).await.unwrap();
    assert!(matches!(client.leave().await.0, Err(Error::FrameCut)));
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_stayed_is_let_go_after_a_while() {
    let mut client = Client::of([Does::Answers(&[0])]);
    client.send(Command::Cbor, &get()).await;
    client.answer().await;
    sleep(defaults::IDLE - Duration::from_millis(1)).await;
    assert_eq!(*client.log.lock().unwrap(), ["lit", "asked", "dark"]);
    sleep(Duration::from_millis(2)).await;
    assert_eq!(*client.log.lock().unwrap(), ["lit", "asked", "dark", "parted"]);
    client.send(Command::Cbor, &[4]).await;
    assert_eq!(client.frame().await.0, Command::Cbor);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_had_hung_up_is_called_again_and_one_that_was_read_is_not() {
    let hangs_up = || Error::PhoneHungUp("waiting for the answer");
    let soon = Duration::from_millis(80);
    let mut client = Client::of([
        Does::Answers(&[0]),
        Does::Fails(soon, hangs_up()),
        Does::Answers(&[0, 1]),
        Does::Fails(defaults::UNREAD, hangs_up()),
        // Nobody was there before: it is the first request of its phone.
        Does::Fails(soon, hangs_up()),
    ]);
    let mut answers = Vec::new();
    for _ in 0..4 {
        client.send(Command::Cbor, &get()).await;
        answers.push(client.answer().await.1.1);
    }
    assert_eq!(answers, [vec![0], vec![0, 1], vec![0x27], vec![0x27]]);
    let (_, log) = client.leave().await;
    let told = log.into_iter().filter(|entry| !["lit", "dark"].contains(entry)).collect::<Vec<_>>();
    assert_eq!(
        told,
        ["asked", "asked", "asked", "asked", "phone.hung-up", "asked", "phone.hung-up", "parted"]
    );
}
