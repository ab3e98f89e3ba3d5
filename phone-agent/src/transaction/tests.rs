//! Whole transactions in memory, the clock paused and turned by hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cablecar_protocol::channel::{ClientEnd, ClientEvent, Request};
use cablecar_protocol::client_platform::Heard;
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::ctap::{ES256, Options, RelyingParty, User, get_assertion, make_credential};
use cablecar_protocol::eid::{Advert, ServiceData};
use cablecar_protocol::qr::Hint;
use rand_core::OsRng;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::*;
use crate::consent::Question;
use crate::consent::scripted::Scripted;
use crate::passphrase::Passphrase;
use crate::vault::Kdf;

const NOW: u64 = 1_795_000_000;

fn domain() -> TunnelServiceDomain {
    TunnelServiceDomain::new(266).unwrap()
}

/// One end of a tunnel in memory.
struct Pipe {
    to: mpsc::UnboundedSender<Vec<u8>>,
    from: mpsc::UnboundedReceiver<Vec<u8>>,
}

fn pipes() -> (Pipe, Pipe) {
    let ((a_to, b_from), (b_to, a_from)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    (Pipe { to: a_to, from: a_from }, Pipe { to: b_to, from: b_from })
}

impl Line for Pipe {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), Error> {
        self.to.send(message).map_err(|_| Error::TunnelBroke("gone".into()))
    }

    async fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.from.recv().await)
    }

    async fn close(self) {}
}

/// A tunnel service with one line to give, or a word of refusal.
struct Relay(Option<Result<Pipe, Error>>);

impl Dialer for Relay {
    type Line = Pipe;

    async fn open(&mut self, dial: &Dial) -> Result<(Pipe, RoutingId), Error> {
        assert!(dial.url().starts_with("wss://cable.wufkweyy3uaxb.com/cable/new/"));
        self.0.take().unwrap().map(|line| (line, RoutingId::new([1, 2, 3])))
    }
}

/// Carries adverts; the beacon says when it is dropped.
struct Air {
    adverts: mpsc::UnboundedSender<Advert>,
    on: Arc<Mutex<bool>>,
}

struct Beacon(Arc<Mutex<bool>>);

impl Drop for Beacon {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = false;
    }
}

impl Advertiser for Air {
    type Beacon = Beacon;

    async fn advertise(&mut self, advert: Advert) -> Result<Beacon, Error> {
        *self.on.lock().unwrap() = true;
        let _ = self.adverts.send(advert);
        Ok(Beacon(Arc::clone(&self.on)))
    }
}

/// Passphrases to be given one after the other.
struct Typed(VecDeque<Result<&'static str, NoPassphrase>>);

impl Passphrases for Typed {
    async fn ask(&mut self, _: u32) -> Result<Passphrase, NoPassphrase> {
        let next = self.0.pop_front().unwrap_or(Err(NoPassphrase::CannotAsk))?;
        Passphrase::new(next.into())
    }

    fn tries(&self) -> u32 {
        3
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Screen for Log {
    fn notice(&mut self, notice: Notice<'_>) {
        self.0.lock().unwrap().push(match notice {
            Notice::Stage(stage, _) => format!("{stage:?}"),
            Notice::Asked(what) => format!("asked to {what}"),
            Notice::Served(served) => served.to_string(),
            Notice::Caution(caution) => caution.id().into(),
        });
    }
}

/// A person who never answers, and says when the question is withdrawn.
struct Thinking(Option<oneshot::Sender<()>>);

struct Withdrawn(Option<oneshot::Sender<()>>);

impl Drop for Withdrawn {
    fn drop(&mut self) {
        let _ = self.0.take().map(|sender| sender.send(()));
    }
}

impl Consent for Thinking {
    async fn ask(&mut self, _: Question) -> Answer {
        let _withdrawn = Withdrawn(self.0.take());
        std::future::pending().await
    }
}

type Typing = [Result<&'static str, NoPassphrase>];

/// A phone and the computer that it meets.
struct World<C> {
    phone: Phone<Relay, Air, C, Typed, Log>,
    log: Log,
    beacon: Arc<Mutex<bool>>,
    adverts: mpsc::UnboundedReceiver<Advert>,
    computer: Pipe,
    expect: ExpectAdvert,
    invitation: QrInvitation,
}

fn world<C: Consent>(consent: C, typing: &Typing) -> World<C> {
    let vault = Vault::in_memory();
    vault.create(&Passphrase::new(b"right".to_vec()).unwrap(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let (line, computer) = pipes();
    let (sender, adverts) = mpsc::unbounded_channel();
    let (log, beacon) = (Log::default(), Arc::new(Mutex::new(false)));
    let (expect, invitation) = ExpectAdvert::invite(Hint::MakeCredential, NOW, &mut OsRng).unwrap();
    let phone = Phone {
        dialer: Relay(Some(Ok(line))),
        advertiser: Air { adverts: sender, on: Arc::clone(&beacon) },
        consent,
        passphrases: Typed(typing.iter().copied().collect()),
        screen: log.clone(),
        vault,
    };
    World { phone, log, beacon, adverts, computer, expect, invitation }
}

/// The computer's end, connected.
struct Computer {
    line: Pipe,
    channel: Channel<ClientEnd>,
}

impl Computer {
    async fn meet(
        mut adverts: mpsc::UnboundedReceiver<Advert>,
        mut line: Pipe,
        expect: ExpectAdvert,
    ) -> Self {
        let advert = adverts.recv().await.unwrap();
        let Heard::Ours(nearby) = expect.hear(&ServiceData::from(advert)) else { panic!("not ours") };
        let (expect, greeting) = nearby.greet(&mut OsRng).unwrap();
        line.send(greeting.to_vec()).await.unwrap();
        let expect = expect.read(&line.receive().await.unwrap().unwrap()).unwrap();
        let (mut channel, hello) = expect.read(&line.receive().await.unwrap().unwrap()).unwrap();
        assert_eq!(hello.get_info(), Some(&ctap2::get_info()));
        let update = line.receive().await.unwrap().unwrap();
        assert_eq!(update.len(), 528);
        assert!(matches!(channel.receive(&update), Ok(ClientEvent::Update(_))));
        Self { line, channel }
    }

    async fn send(&mut self, request: &[u8]) {
        let record = self.channel.send(Request::Ctap(request)).unwrap();
        self.line.send(record).await.unwrap();
    }

    async fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.send(request).await;
        let answer = self.line.receive().await.unwrap().unwrap();
        let ClientEvent::Ctap(answer) = self.channel.receive(&answer).unwrap() else { panic!("no answer") };
        answer
    }

    async fn shutdown(mut self) {
        let last = self.channel.shutdown().unwrap();
        let _ = self.line.send(last).await;
        assert_eq!(self.line.receive().await.unwrap(), None);
    }
}

fn register() -> Vec<u8> {
    make_credential::Request {
        client_data_hash: [7; 32],
        rp: RelyingParty { id: "example.com".into(), name: None },
        user: User { id: b"1".to_vec(), name: Some("alice".into()), display_name: None },
        algorithms: vec![ES256],
        exclude: Vec::new(),
        prf: None,
        options: Options { rk: Some(true), up: None, uv: Some(true) },
        pin_uv_auth: false,
    }
    .to_bytes()
}

fn sign_in() -> Vec<u8> {
    get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: [9; 32],
        allow: Vec::new(),
        has_allow_list: false,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
    .to_bytes()
}

/// Runs the phone against what the computer does.
async fn play<C: Consent + Send, F: Future<Output = ()>>(
    world: World<C>,
    computer: impl FnOnce(Computer) -> F,
) -> (Result<Outcome, Error>, Vec<String>) {
    let World { mut phone, log, adverts, computer: line, expect, invitation, .. } = world;
    let mut rng = OsRng;
    let run = async {
        let outcome = phone.run(invitation, domain(), &mut rng, NOW).await;
        drop(phone);
        outcome
    };
    let (outcome, ()) =
        tokio::join!(run, async { computer(Computer::meet(adverts, line, expect).await).await });
    let log = log.0.lock().unwrap().clone();
    (outcome, log)
}

fn id(error: Error) -> &'static str {
    error.advice().1
}

#[tokio::test(start_paused = true)]
async fn a_passkey_is_made_and_used_in_one_session() {
    let world = world(Scripted::Allow, &[Ok("right"), Ok("right")]);
    let (outcome, log) = play(world, async |mut computer| {
        assert_eq!(computer.ask(&register()).await[0], 0x00);
        assert_eq!(computer.ask(&[0x04]).await[0], 0x00);
        assert_eq!(computer.ask(&sign_in()).await[0], 0x00);
        computer.shutdown().await;
    })
    .await;
    let outcome = outcome.unwrap();
    assert!(matches!(outcome.requests[..], [Ok(Served::Registered), Ok(Served::SignedIn)]));
    assert!(outcome.verdict().is_ok());
    assert_eq!(
        log,
        [
            "Connecting",
            "WaitingForComputer",
            "Connected",
            "VerifyingOnPhone",
            "asked to make a passkey for example.com",
            "registered",
            "VerifyingOnPhone",
            "asked to sign in to example.com",
            "signed-in",
            "Done",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_passphrase_is_asked_for_again_for_each_request() {
    let world = world(
        Scripted::Allow,
        &[
            Ok("right"),
            Ok("wrong"),
            Ok("wrong"),
            Ok("right"),
            Ok("wrong"),
            Ok("wrong"),
            Ok("wrong"),
            Ok("right"),
        ],
    );
    let (outcome, _) = play(world, async |mut computer| {
        assert_eq!(computer.ask(&register()).await[0], 0x00);
        assert_eq!(computer.ask(&sign_in()).await[0], 0x00);
        assert_eq!(computer.ask(&sign_in()).await, [0x27]);
        assert_eq!(computer.ask(&sign_in()).await[0], 0x00);
        computer.shutdown().await;
    })
    .await;
    let mut requests = outcome.unwrap().requests;
    assert!(matches!(requests.remove(2), Err(Error::Vault(vault::Error::WrongPassphrase))));
    assert!(requests.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn why_nothing_was_served_is_the_verdict() {
    for (consent, typing, request, status, verdict) in [
        (Scripted::Deny, &[Ok("right")][..], sign_in(), 0x27, "consent.declined"),
        (Scripted::CannotAsk, &[Ok("right")], sign_in(), 0x27, "consent.cannot-ask"),
        (Scripted::Allow, &[Ok("right")], sign_in(), 0x2e, "passkey.none"),
        (
            Scripted::Allow,
            &[Ok("wrong"), Ok("wrong"), Ok("wrong")],
            sign_in(),
            0x27,
            "vault.wrong-passphrase",
        ),
        (Scripted::Allow, &[], sign_in(), 0x27, "passphrase.cannot-ask"),
        (Scripted::Allow, &[Err(NoPassphrase::Declined)], register(), 0x27, "passphrase.declined"),
        (Scripted::Allow, &[], vec![0x02], 0x12, "request.refused"),
        (Scripted::After(Duration::from_secs(121)), &[Ok("right")], register(), 0x2f, "consent.no-answer"),
        (Scripted::Allow, &[], vec![0x04], 0x00, "peer.left"),
        (Scripted::Allow, &[], vec![0x06], 0x01, "peer.left"),
    ] {
        let (outcome, _) = play(world(consent, typing), async |mut computer| {
            assert_eq!(computer.ask(&request).await[0], status, "{verdict}");
            computer.shutdown().await;
        })
        .await;
        assert_eq!(id(outcome.unwrap().verdict().unwrap_err()), verdict);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_its_time_is_waited_for() {
    let world = world(Scripted::After(Duration::from_secs(100)), &[Ok("right")]);
    let (outcome, _) = play(world, async |mut computer| {
        assert_eq!(computer.ask(&register()).await[0], 0x00);
        computer.shutdown().await;
    })
    .await;
    assert!(outcome.unwrap().verdict().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_computer_that_leaves_while_the_person_thinks_withdraws_the_question() {
    for politely in [true, false] {
        let (sender, withdrawn) = oneshot::channel();
        let world = world(Thinking(Some(sender)), &[Ok("right")]);
        let (outcome, _) = play(world, async |mut computer: Computer| {
            computer.send(&register()).await;
            sleep(Duration::from_secs(5)).await;
            if politely { computer.shutdown().await } else { drop(computer) }
        })
        .await;
        assert_eq!(id(outcome.unwrap().verdict().unwrap_err()), "peer.cancelled");
        assert_eq!(withdrawn.await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_open_while_the_person_thinks_ends_it() {
    let world = world(Thinking(None), &[Ok("right")]);
    let (outcome, _) = play(world, async |mut computer: Computer| {
        computer.send(&register()).await;
        sleep(Duration::from_secs(5)).await;
        computer.line.send(vec![0; 48]).await.unwrap();
        assert_eq!(computer.line.receive().await.unwrap(), None);
    })
    .await;
    assert_eq!(id(outcome.unwrap_err()), "peer.bad-tag");
}

#[tokio::test(start_paused = true)]
async fn the_phone_hangs_up_after_the_last_straw_and_after_silence() {
    for requests in [vec![vec![0x06]; 3], vec![]] {
        let (outcome, _) = play(world(Scripted::Allow, &[]), async |mut computer: Computer| {
            for request in &requests {
                assert_eq!(computer.ask(request).await, [0x01]);
            }
            assert_eq!(computer.line.receive().await.unwrap(), None);
        })
        .await;
        assert_eq!(id(outcome.unwrap().verdict().unwrap_err()), "peer.left");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_who_heard_the_advert_means_not_confirmed() {
    let World { mut phone, beacon, adverts, computer, invitation, .. } = world(Scripted::Allow, &[]);
    let started = Instant::now();
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!((error.advice().0.code(), id(error)), (3, "proximity.not-confirmed"));
    assert_eq!(started.elapsed(), Duration::from_secs(60));
    assert!(!*beacon.lock().unwrap());
    drop((adverts, computer));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_gives_up_first_means_not_confirmed_too() {
    let World { mut phone, computer, invitation, .. } = world(Scripted::Allow, &[]);
    drop(computer);
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!(id(error), "proximity.not-confirmed");
}

#[tokio::test(start_paused = true)]
async fn a_greeting_from_somebody_else_ends_it_and_the_advert_stops() {
    let World { mut phone, beacon, mut computer, invitation, .. } = world(Scripted::Allow, &[]);
    let (stranger, other) = ExpectAdvert::invite(Hint::MakeCredential, NOW, &mut OsRng).unwrap();
    let expect = ExpectRoutingId::accept(other, domain());
    let (_, advert) = expect.routed(RoutingId::new([1, 2, 3]), &mut OsRng).unwrap();
    let Heard::Ours(nearby) = stranger.hear(&ServiceData::from(advert)) else { panic!("not ours") };
    let (_, greeting) = nearby.greet(&mut OsRng).unwrap();
    computer.send(greeting.to_vec()).await.unwrap();
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!(id(error), "peer.bad-tag");
    // Nothing is answered, and nothing is on the air any more.
    assert_eq!(computer.receive().await.unwrap(), None);
    assert!(!*beacon.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_knows_the_code_already_is_named_and_nothing_is_advertised() {
    let World { mut phone, mut adverts, invitation, .. } = world(Scripted::Allow, &[]);
    phone.dialer = Relay(Some(Err(Error::CodeInUse)));
    let error = phone.run(invitation, domain(), &mut OsRng, NOW).await.unwrap_err();
    assert_eq!(id(error), "relay.code-in-use");
    assert!(adverts.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_code_from_yesterday_is_not_even_dialled() {
    let World { mut phone, log, invitation, .. } = world(Scripted::Allow, &[]);
    let error = phone.run(invitation, domain(), &mut OsRng, NOW + 90_000).await.unwrap_err();
    assert_eq!(id(error), "qr.too-old");
    assert!(phone.dialer.0.is_some() && log.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_transaction_can_be_handed_to_another_thread() {
    let World { mut phone, computer, invitation, .. } = world(Scripted::Allow, &[]);
    drop(computer);
    let run = tokio::spawn(async move { phone.run(invitation, domain(), &mut OsRng, NOW).await });
    assert_eq!(id(run.await.unwrap().unwrap_err()), "proximity.not-confirmed");
}
