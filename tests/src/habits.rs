//! Phones of others: each serves a request as it should, and has habits of its
//! own around that.

use cablecar_phone::ctap2::{self, Next, Session};
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::proximity::Advertiser;
use cablecar_phone::transaction::{Dialer, Line};
use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::channel::{AuthenticatorEnd, AuthenticatorEvent, Channel};
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use rand_chacha::ChaCha20Rng;

use crate::meddler;
use crate::people::PASSPHRASE;
use crate::world::{BEGINNING, DOMAIN, World};

/// What a phone does around its answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habits {
    /// Updates that it sends before a request comes: most send none, ever.
    pub updates_before: usize,
    /// Updates that it sends behind its answer.
    pub updates_after: usize,
    /// Whether it hangs up after one answer, or waits for the computer to.
    pub hangs_up: bool,
}

/// How far a phone comes before nothing more is heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// It is in the tunnel, and does not even reply to the greeting.
    Greeting,
    /// It replies, and sends no hello.
    Reply,
    /// It takes the request, and does not answer.
    Request,
}

/// Scans whatever the computer shows and serves one request, with habits.
pub fn serve(world: &mut World, habits: Habits) -> impl Future<Output = ()> + use<> {
    let arriving = arrive(world);
    let (vault, mut rng) = (world.vault.clone(), world.rng());
    async move {
        let mut met = arriving.await;
        met.shake_hands().await;
        for _ in 0..habits.updates_before {
            met.update().await;
        }
        let request = met.request().await;
        let Next::Verify(checked) = Session::new(met.hint).take(&request) else { panic!("no request") };
        let unlocked = vault.unlock(&Passphrase::new(PASSPHRASE.to_vec()).unwrap()).unwrap();
        let (question, ready) = checked.look_up(unlocked);
        let reply = ready.act(question.approve(0), &mut rng, BEGINNING);
        let answer = met.channel.send(&reply.bytes).unwrap();
        met.line.send(answer).await.unwrap();
        for _ in 0..habits.updates_after {
            met.update().await;
        }
        if !habits.hangs_up {
            // Whatever comes until the computer has left.
            while let Ok(Some(_)) = met.line.receive().await {}
        }
        met.line.close().await;
    }
}

/// Scans whatever the computer shows and comes this far; then it hangs up, or
/// stays without a word until the computer has left.
pub fn stop(world: &mut World, until: Until, hangs_up: bool) -> impl Future<Output = ()> + use<> {
    let arriving = arrive(world);
    async move {
        let mut met = arriving.await;
        match until {
            Until::Greeting => {}
            Until::Reply => met.reply().await,
            Until::Request => {
                met.shake_hands().await;
                met.request().await;
            }
        }
        if !hangs_up {
            while let Ok(Some(_)) = met.line.receive().await {}
        }
        met.line.close().await;
    }
}

/// A phone whose computer has greeted it.
struct Met {
    line: meddler::Line,
    hint: Hint,
    hello: Vec<u8>,
    reply: Vec<u8>,
    channel: Channel<AuthenticatorEnd>,
}

impl Met {
    async fn reply(&mut self) {
        self.line.send(self.reply.clone()).await.unwrap();
    }

    async fn shake_hands(&mut self) {
        self.reply().await;
        self.line.send(self.hello.clone()).await.unwrap();
    }

    async fn update(&mut self) {
        let update = self.channel.update(None).unwrap();
        // The computer may have left by then.
        let _ = self.line.send(update).await;
    }

    async fn request(&mut self) -> Vec<u8> {
        let record = self.line.receive().await.unwrap().unwrap();
        match self.channel.receive(&record).unwrap() {
            AuthenticatorEvent::Ctap(request) => request,
            other => panic!("{other:?} for a request"),
        }
    }
}

fn arrive(world: &mut World) -> impl Future<Output = Met> + use<> {
    let (mut dialer, mut voice) = (world.relay.for_phones(), world.phone_air.voice());
    let glass = world.glass.clone();
    let mut rng: ChaCha20Rng = world.rng();
    async move {
        let invitation = QrInvitation::parse(&glass.code().await).unwrap();
        let hint = invitation.hint;
        let expect = ExpectRoutingId::accept(invitation, TunnelServiceDomain::new(DOMAIN).unwrap());
        let (mut line, routing) = dialer.open(&expect.tunnel()).await.unwrap();
        let (expect, advert) = expect.routed(routing, &mut rng).unwrap();
        let beacon = voice.advertise(advert).await.unwrap();
        let greeting = line.receive().await.unwrap().unwrap();
        drop(beacon);
        let said = Hello::new(ctap2::get_info());
        let (channel, [reply, hello]) = expect.read(&greeting, &said, &mut rng).unwrap();
        Met { line, hint, hello, reply, channel }
    }
}
