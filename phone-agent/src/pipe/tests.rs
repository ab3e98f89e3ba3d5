use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand_core::OsRng;
use tokio::io::{DuplexStream, duplex};
use tokio::time::advance;

use super::*;
use crate::consent::{Answer, Question, scripted::Scripted};
use crate::ctap2::Device;
use crate::passphrase::Passphrase;
use crate::vault::{Kdf, Unlocked, Vault};
use crate::verification::AnyVerifier;

/// A client at its end of the pipe.
struct Client {
    stream: DuplexStream,
    reader: Reader,
    read: Vec<u8>,
}

const SELECTION: &[u8] = &[0x0b];

impl Client {
    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn send(&mut self, command: Command, payload: &[u8]) {
        self.write(&command.frame(payload)).await;
    }

    /// The next frame, or nothing at the end.
    async fn frame(&mut self) -> Option<(Command, Vec<u8>)> {
        loop {
            let mut bytes = self.read.as_slice();
            let incoming = self.reader.read(&mut bytes);
            self.read = bytes.to_vec();
            match incoming {
                Some(Incoming::Frame(command, payload)) => return Some((command, payload)),
                Some(other) => panic!("{other:?}"),
                None => {}
            }
            if self.stream.read_buf(&mut self.read).await.unwrap() == 0 {
                return None;
            }
        }
    }

    /// The next frame that is no keepalive, and how many keepalives came before.
    async fn answer(&mut self) -> (Command, Vec<u8>, usize) {
        let mut keepalives = 0;
        loop {
            match self.frame().await.unwrap() {
                (Command::Keepalive, status) => {
                    assert_eq!(status, [2]);
                    keepalives += 1;
                }
                (command, payload) => return (command, payload, keepalives),
            }
        }
    }

    async fn is_told(&mut self, fault: Fault) {
        let (command, payload, _) = self.answer().await;
        assert_eq!((command, payload), (Command::Error, vec![fault.byte()]));
    }

    async fn is_answered(&mut self, status: Status) -> usize {
        let (command, payload, keepalives) = self.answer().await;
        assert_eq!((command, payload), (Command::Cbor, status.with(&[])));
        keepalives
    }
}

/// What the screen was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Screen for Told {
    fn notice(&mut self, notice: Notice<'_>) {
        self.0.lock().unwrap().push(format!("{notice:?}"));
    }
}

fn unlocked() -> Unlocked {
    let (vault, passphrase) = (Vault::in_memory(), Passphrase::new(b"x".to_vec()).unwrap());
    vault.create(&passphrase, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    vault.unlock(&passphrase).unwrap()
}

fn authenticator<C: Consent>(
    consent: C,
    screen: Told,
) -> Authenticator<C, AnyVerifier, Told, fn() -> Moment> {
    Authenticator {
        engine: Engine::new(Device::new(unlocked(), false, &mut OsRng).unwrap(), OsRng),
        consent,
        verifier: None,
        screen,
        now: || Moment { since_power_up: Duration::ZERO, epoch: 1_795_219_200 },
    }
}

/// Runs both ends; gives what came of the authenticator's, and what it told.
async fn run<C: Consent>(consent: C, client: impl AsyncFnOnce(Client)) -> (Result<(), Error>, Vec<String>) {
    let (ours, theirs) = ends();
    let told = Told::default();
    let mut authenticator = authenticator(consent, told.clone());
    let (served, ()) = tokio::join!(serve(&mut authenticator, ours), client(theirs));
    let told = told.0.lock().unwrap().clone();
    (served, told)
}

/// Someone who is asked and says nothing.
#[derive(Clone, Default)]
struct Silent(Arc<Mutex<Vec<&'static str>>>);

struct Withdrawn(Silent);

impl Drop for Withdrawn {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().push("withdrawn");
    }
}

impl Consent for Silent {
    async fn ask(&mut self, _: Question) -> Answer {
        self.0.lock().unwrap().push("asked");
        let _withdrawn = Withdrawn(self.clone());
        std::future::pending().await
    }
}

const SELECTED: Scripted = Scripted::Allow;

#[tokio::test(start_paused = true)]
async fn requests_are_answered_one_frame_each_and_the_end_is_the_end() {
    let (served, told) = run(SELECTED, async |mut client| {
        client.send(Command::Cbor, SELECTION).await;
        assert_eq!(client.is_answered(Status::OK).await, 0);
        // Two at once are two requests one after the other.
        client.write(&[Command::Ping.frame(b"pong"), Command::Cbor.frame(SELECTION)].concat()).await;
        assert_eq!(client.frame().await.unwrap(), (Command::Ping, b"pong".to_vec()));
        assert_eq!(client.is_answered(Status::OK).await, 0);
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.frame().await, None);
    })
    .await;
    assert!(served.is_ok(), "{served:?}");
    assert_eq!(told, ["Asked(\"use this phone\")", "Served(Selected)"].repeat(2));
}

#[tokio::test(start_paused = true)]
async fn frames_that_mean_nothing_get_an_error_and_the_next_is_served() {
    let most = defaults::MAX_MESSAGE;
    let (served, _) = run(SELECTED, async |mut client| {
        for command in [0x00, 0x02, 0x03, 0x04, 0x06, 0x08, 0x0e, 0x3b, 0x3f, 0x7f, 0x90, 0xff] {
            client.send(Command::of(command), &[1, 2, 3]).await;
            client.is_told(Fault::InvalidCommand).await;
        }
        client.send(Command::Cbor, &[]).await;
        client.is_told(Fault::InvalidLength).await;
        for command in [Command::Cbor, Command::Ping, Command::Other(0x50)] {
            client.send(command, &vec![7; most + 1]).await;
            client.is_told(Fault::InvalidLength).await;
        }
        // Nothing to cancel, and so nothing to say.
        client.send(Command::Cancel, &[]).await;
        client.send(Command::Ping, &vec![7; most]).await;
        assert_eq!(client.frame().await.unwrap(), (Command::Ping, vec![7; most]));
        client.send(Command::Cbor, SELECTION).await;
        client.is_answered(Status::OK).await;
    })
    .await;
    assert!(served.is_ok(), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn while_a_person_is_asked_the_client_hears_so_ten_times_a_second() {
    let (served, _) = run(Scripted::After(Duration::from_millis(1050)), async |mut client| {
        client.send(Command::Cbor, SELECTION).await;
        assert_eq!(client.is_answered(Status::OK).await, 11);
    })
    .await;
    assert!(served.is_ok(), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn while_a_person_is_asked_only_a_ping_is_served() {
    let silent = Silent::default();
    let (served, told) = run(silent.clone(), async |mut client| {
        client.send(Command::Cbor, SELECTION).await;
        assert_eq!(client.frame().await.unwrap(), (Command::Keepalive, vec![2]));
        client.send(Command::Cbor, SELECTION).await;
        client.is_told(Fault::Busy).await;
        client.send(Command::Ping, b"there?").await;
        assert_eq!(client.answer().await.1, b"there?");
        client.send(Command::Other(0x08), &[]).await;
        client.is_told(Fault::InvalidCommand).await;
        client.send(Command::Cbor, &[]).await;
        client.is_told(Fault::InvalidLength).await;
        client.send(Command::Cbor, &vec![1; defaults::MAX_MESSAGE + 1]).await;
        client.is_told(Fault::InvalidLength).await;
        let asked = Instant::now();
        client.send(Command::Cancel, &[]).await;
        client.is_answered(Status::KEEPALIVE_CANCEL).await;
        assert!(asked.elapsed() < Duration::from_millis(50), "{:?}", asked.elapsed());
        // And again, from nothing: it may come before anybody is asked.
        client.write(&[Command::Cbor.frame(SELECTION), Command::Cancel.frame(&[])].concat()).await;
        client.is_answered(Status::KEEPALIVE_CANCEL).await;
    })
    .await;
    assert!(served.is_ok(), "{served:?}");
    let asked = silent.0.lock().unwrap().clone();
    assert_eq!(asked, ["asked", "withdrawn"].repeat(asked.len() / 2));
    assert!([2, 4].contains(&asked.len()), "{asked:?}");
    assert_eq!(told[..2], ["Asked(\"use this phone\")", "NotServed(Cancelled)"]);
    assert_eq!(told.last().unwrap(), "NotServed(Cancelled)");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_does_not_answer_is_not_waited_for_without_end() {
    let (_, told) = run(Silent::default(), async |mut client| {
        let asked = Instant::now();
        client.send(Command::Cbor, SELECTION).await;
        client.is_answered(Status::USER_ACTION_TIMEOUT).await;
        assert_eq!(asked.elapsed().as_secs(), defaults::ANSWER.as_secs());
    })
    .await;
    assert_eq!(told.last().unwrap(), "NotServed(NoAnswer)");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_takes_its_question_with_it() {
    let silent = Silent::default();
    let (served, _) = run(silent.clone(), async |mut client| {
        client.send(Command::Cbor, SELECTION).await;
        client.frame().await.unwrap();
        client.stream.shutdown().await.unwrap();
        while client.frame().await.is_some() {}
    })
    .await;
    assert!(served.is_ok(), "{served:?}");
    assert_eq!(*silent.0.lock().unwrap(), ["asked", "withdrawn"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_both_ends_at_once_has_left_in_peace() {
    let (served, _) = run(Silent::default(), async |mut client| {
        client.send(Command::Cbor, SELECTION).await;
        client.frame().await.unwrap();
        advance(Duration::from_millis(250)).await;
    })
    .await;
    assert!(served.is_ok(), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn an_end_within_a_frame_is_told_whenever_it_comes() {
    for pending in [false, true] {
        for cut in [1, 5, 6] {
            let (served, _) = run(Silent::default(), async |mut client| {
                if pending {
                    client.send(Command::Cbor, SELECTION).await;
                    client.frame().await.unwrap();
                }
                client.write(Command::Cbor.frame(&[4, 4, 4]).get(..cut).unwrap()).await;
            })
            .await;
            assert!(matches!(served, Err(Error::FrameCut)), "{pending} {cut} {served:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_output_that_nobody_reads_ends_it() {
    let (ours, _theirs) = duplex(64);
    let (gone, _) = duplex(64);
    let mut silent = authenticator(Silent::default(), Told::default());
    let (input, _) = tokio::io::split(ours);
    let (mut client, input_with_request) = duplex(64);
    drop(input);
    client.write_all(&Command::Cbor.frame(SELECTION)).await.unwrap();
    let served = silent.serve(input_with_request, gone).await;
    assert!(matches!(served, Err(Error::PipeBroke(_))), "{served:?}");
}

/// authenticatorConfig, toggleAlwaysUv: a change that needs nobody.
const TOGGLE_ALWAYS_UV: &[u8] = &[0x0d, 0xa1, 0x01, 0x02];

/// In real time, which a wait for another program's lock takes.
#[tokio::test]
async fn while_another_program_holds_the_vault_the_client_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::in_file(folder.path().join("vault"), None);
    let passphrase = Passphrase::new(b"x".to_vec()).unwrap();
    vault.create(&passphrase, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let before = std::fs::read(folder.path().join("vault")).unwrap();
    let told = Told::default();
    let mut authenticator = authenticator(SELECTED, told.clone());
    let device = Device::new(vault.unlock(&passphrase).unwrap(), false, &mut OsRng).unwrap();
    authenticator.engine = Engine::new(device, OsRng);
    let lock = std::fs::File::open(folder.path().join("vault.lock")).unwrap();
    lock.lock().unwrap();
    let (client, mut first) = ends();
    let ask = async {
        first.send(Command::Cbor, TOGGLE_ALWAYS_UV).await;
        assert_eq!(first.frame().await.unwrap(), (Command::Keepalive, vec![1]));
        first.send(Command::Ping, b"there?").await;
        assert_eq!(first.frame().await.unwrap(), (Command::Ping, b"there?".to_vec()));
        first.send(Command::Cbor, SELECTION).await;
        assert_eq!(first.frame().await.unwrap(), (Command::Error, vec![Fault::Busy.byte()]));
        let cancelled = Instant::now();
        first.send(Command::Cancel, &[]).await;
        assert_eq!(first.frame().await.unwrap(), (Command::Cbor, Status::KEEPALIVE_CANCEL.with(&[])));
        // 50 ms, and what a machine with much to do adds; the lock is waited for for 3 s.
        assert!(cancelled.elapsed() < Duration::from_millis(500), "{:?}", cancelled.elapsed());
        // A client that leaves takes its request with it, too.
        first.send(Command::Cbor, TOGGLE_ALWAYS_UV).await;
        assert_eq!(first.frame().await.unwrap(), (Command::Keepalive, vec![1]));
        first.stream.shutdown().await.unwrap();
        while first.frame().await.is_some() {}
    };
    let (served, ()) = tokio::join!(serve(&mut authenticator, client), ask);
    assert!(served.is_ok(), "{served:?}");
    assert_eq!(std::fs::read(folder.path().join("vault")).unwrap(), before);
    assert_eq!(told.0.lock().unwrap()[..], ["NotServed(Cancelled)"]);
    // Not cancelled, it goes on when the other program is done.
    let (client, mut second) = ends();
    let ask = async {
        second.send(Command::Cbor, TOGGLE_ALWAYS_UV).await;
        assert_eq!(second.frame().await.unwrap(), (Command::Keepalive, vec![1]));
        lock.unlock().unwrap();
        let answer = loop {
            match second.frame().await.unwrap() {
                (Command::Keepalive, status) => assert_eq!(status, [1]),
                answer => break answer,
            }
        };
        assert_eq!(answer, (Command::Cbor, Status::OK.with(&[])));
        second.stream.shutdown().await.unwrap();
    };
    let (served, ()) = tokio::join!(serve(&mut authenticator, client), ask);
    assert!(served.is_ok() && vault.unlock(&passphrase).unwrap().state().always_uv, "{served:?}");
}

/// Both ends of a pipe.
fn ends() -> (DuplexStream, Client) {
    let (ours, stream) = duplex(4 * defaults::MAX_MESSAGE);
    (ours, Client { stream, reader: Reader::new(defaults::MAX_MESSAGE), read: Vec::new() })
}

async fn serve<C: Consent>(
    authenticator: &mut Authenticator<C, AnyVerifier, Told, fn() -> Moment>,
    client: DuplexStream,
) -> Result<(), Error> {
    let (input, output) = tokio::io::split(client);
    authenticator.serve(input, output).await
}
