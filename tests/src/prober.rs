//! A computer that sends what it likes: for whatever a well-behaved one never
//! says.

use cablecar::proximity::Scanner;
use cablecar::tunnel::{Dialer, Line};
use cablecar_protocol::channel::{Channel, ClientEnd, ClientEvent, Request};
use cablecar_protocol::client_platform::Heard;
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::Hint;
use rand_chacha::ChaCha20Rng;

use crate::meddler::ComputerDialer;
use crate::world::{BEGINNING, World};

/// A session with the phone of a world.
#[derive(Debug)]
pub struct Prober {
    channel: Channel<ClientEnd>,
    line: crate::meddler::Line,
    /// What the phone said of itself.
    pub hello: Hello,
}

/// A code shown to the phone, which has not come yet.
#[derive(Debug)]
pub struct Probing {
    waiting: ExpectAdvert,
    ear: crate::air::Ear,
    dialer: ComputerDialer,
    rng: ChaCha20Rng,
}

impl Probing {
    /// Shows the phone a code with this hint.
    pub fn show(world: &mut World, hint: Hint) -> Self {
        let mut rng = world.rng();
        let (waiting, invitation) = ExpectAdvert::invite(hint, BEGINNING, &mut rng).unwrap();
        let ear = world.air.ear();
        let dialer = world.relay.for_computers();
        let notice = cablecar::screen::Notice::Code(&invitation);
        cablecar::screen::Screen::notice(&mut world.glass, &notice);
        Self { waiting, ear, dialer, rng }
    }

    /// Meets the phone.
    pub async fn meet(mut self) -> Prober {
        let nearby = loop {
            match self.waiting.hear(&self.ear.heard().await.unwrap()) {
                Heard::Ours(nearby) => break nearby,
                Heard::NotOurs(waiting) => self.waiting = waiting,
            }
        };
        let mut line = self.dialer.dial(nearby.tunnel()).await.unwrap();
        let (expect_reply, greeting) = nearby.greet(&mut self.rng).unwrap();
        line.send(greeting.to_vec()).await.unwrap();
        let expect_hello = expect_reply.read(&line.receive().await.unwrap().unwrap()).unwrap();
        let (channel, hello) = expect_hello.read(&line.receive().await.unwrap().unwrap()).unwrap();
        Prober { channel, line, hello }
    }
}

impl Prober {
    /// Sends a CTAP message and gives the answer, or nothing if the phone
    /// hangs up.
    pub async fn ask(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let record = self.channel.send(Request::Ctap(message)).unwrap();
        self.line.send(record).await.unwrap();
        loop {
            match self.channel.receive(&self.line.receive().await.unwrap()?).unwrap() {
                ClientEvent::Ctap(answer) => return Some(answer),
                ClientEvent::Update(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whether the phone is gone.
    pub async fn is_hung_up(&mut self) -> bool {
        self.line.receive().await.unwrap().is_none()
    }

    /// Says goodbye.
    pub async fn leave(self) {
        let Prober { channel, mut line, .. } = self;
        line.send(channel.shutdown().unwrap()).await.unwrap();
        line.close().await;
    }
}
