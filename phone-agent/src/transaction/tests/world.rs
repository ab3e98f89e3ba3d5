//! A phone, a computer and what is between them, in memory.

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

use super::super::*;
use crate::consent::Question;
use crate::passphrase::Passphrase;
use crate::vault::Kdf;

pub(super) const NOW: u64 = 1_795_000_000;

pub(super) fn domain() -> TunnelServiceDomain {
    TunnelServiceDomain::new(266).unwrap()
}

/// One end of a tunnel in memory.
pub(super) struct Pipe {
    pub(super) to: mpsc::UnboundedSender<Vec<u8>>,
    pub(super) from: mpsc::UnboundedReceiver<Vec<u8>>,
}

pub(super) fn pipes() -> (Pipe, Pipe) {
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
pub(super) struct Relay(pub(super) Option<Result<Pipe, Error>>);

impl Dialer for Relay {
    type Line = Pipe;

    async fn open(&mut self, dial: &Dial) -> Result<(Pipe, RoutingId), Error> {
        assert!(dial.url().starts_with("wss://cable.wufkweyy3uaxb.com/cable/new/"));
        self.0.take().unwrap().map(|line| (line, RoutingId::new([1, 2, 3])))
    }
}

/// Carries adverts; the beacon says when it is dropped.
pub(super) struct Air {
    pub(super) adverts: mpsc::UnboundedSender<Advert>,
    pub(super) on: Arc<Mutex<bool>>,
    /// It is taken off the air by somebody else after this time.
    pub(super) lost_after: Option<Duration>,
}

pub(super) struct Beacon(Arc<Mutex<bool>>);

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

    async fn lost(&mut self, _: &mut Beacon) -> Error {
        match self.lost_after {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
        crate::proximity::Error::Off("hci0".into()).into()
    }
}

/// Passphrases to be given one after the other.
pub(super) struct Typed(VecDeque<Result<&'static str, NoPassphrase>>);

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
pub(super) struct Log(pub(super) Arc<Mutex<Vec<String>>>);

impl Screen for Log {
    fn notice(&mut self, notice: Notice<'_>) {
        self.0.lock().unwrap().push(match notice {
            Notice::Stage(stage, _) => format!("{stage:?}"),
            Notice::Asked(what) => format!("asked to {what}"),
            Notice::Verify(what) => what.into(),
            Notice::Served(served) => served.to_string(),
            Notice::NotServed(error) => format!("not served: {}", error.advice().1),
            Notice::Caution(caution) => caution.id().into(),
        });
    }
}

/// A person who never answers, and says when the question is withdrawn.
pub(super) struct Thinking(pub(super) Option<oneshot::Sender<()>>);

pub(super) struct Withdrawn(Option<oneshot::Sender<()>>);

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

pub(super) type Typing = [Result<&'static str, NoPassphrase>];

/// A phone and the computer that it meets.
pub(super) struct World<C> {
    pub(super) phone: Phone<Relay, Air, C, Typed, Log>,
    pub(super) log: Log,
    pub(super) beacon: Arc<Mutex<bool>>,
    pub(super) adverts: mpsc::UnboundedReceiver<Advert>,
    pub(super) computer: Pipe,
    pub(super) expect: ExpectAdvert,
    pub(super) invitation: QrInvitation,
}

pub(super) fn world<C: Consent>(consent: C, typing: &Typing) -> World<C> {
    let vault = Vault::in_memory();
    vault.create(&Passphrase::new(b"right".to_vec()).unwrap(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let (line, computer) = pipes();
    let (sender, adverts) = mpsc::unbounded_channel();
    let (log, beacon) = (Log::default(), Arc::new(Mutex::new(false)));
    let (expect, invitation) = ExpectAdvert::invite(Hint::MakeCredential, NOW, &mut OsRng).unwrap();
    let phone = Phone {
        dialer: Relay(Some(Ok(line))),
        advertiser: Air { adverts: sender, on: Arc::clone(&beacon), lost_after: None },
        consent,
        passphrases: Typed(typing.iter().copied().collect()),
        screen: log.clone(),
        vault,
    };
    World { phone, log, beacon, adverts, computer, expect, invitation }
}

/// The computer's end, connected.
pub(super) struct Computer {
    pub(super) line: Pipe,
    pub(super) channel: Channel<ClientEnd>,
}

impl Computer {
    pub(super) async fn meet(
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

    pub(super) async fn send(&mut self, request: &[u8]) {
        let record = self.channel.send(Request::Ctap(request)).unwrap();
        self.line.send(record).await.unwrap();
    }

    pub(super) async fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.send(request).await;
        let answer = self.line.receive().await.unwrap().unwrap();
        let ClientEvent::Ctap(answer) = self.channel.receive(&answer).unwrap() else { panic!("no answer") };
        answer
    }

    pub(super) async fn shutdown(mut self) {
        let last = self.channel.shutdown().unwrap();
        let _ = self.line.send(last).await;
        assert_eq!(self.line.receive().await.unwrap(), None);
    }
}

pub(super) fn register() -> Vec<u8> {
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

pub(super) fn sign_in() -> Vec<u8> {
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
pub(super) async fn play<C: Consent + Send, F: Future<Output = ()>>(
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

pub(super) fn id(error: Error) -> &'static str {
    error.advice().1
}
