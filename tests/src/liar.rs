//! A phone that says what it likes: it shakes hands as it must, and then
//! gives one answer, prepared beforehand.

use cablecar_phone::proximity::Advertiser;
use cablecar_phone::transaction::{Dialer, Line};
use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::channel::AuthenticatorEvent;
use cablecar_protocol::ctap::GetInfo;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::QrInvitation;
use cablecar_protocol::tunnel::TunnelServiceDomain;

use crate::world::{DOMAIN, World};

/// What a good phone says of itself.
pub fn good_hello() -> Hello {
    Hello::new(GetInfo {
        versions: vec!["FIDO_2_0".into(), "FIDO_2_1".into()],
        extensions: vec!["prf".into()],
        aaguid: [0; 16],
        options: vec![("rk".into(), true), ("uv".into(), true)],
        transports: vec!["internal".into(), "hybrid".into()],
    })
}

/// Scans whatever the computer shows, and answers its request with this.
pub fn lie(world: &mut World, hello: Hello, answer: Vec<u8>) -> impl Future<Output = ()> + use<> {
    let (mut dialer, mut voice) = (world.relay.for_phones(), world.phone_air.voice());
    let (glass, mut rng) = (world.glass.clone(), world.rng());
    async move {
        let invitation = QrInvitation::parse(&glass.code().await).unwrap();
        let expect = ExpectRoutingId::accept(invitation, TunnelServiceDomain::new(DOMAIN).unwrap());
        let (mut line, routing) = dialer.open(&expect.tunnel()).await.unwrap();
        let (expect, advert) = expect.routed(routing, &mut rng).unwrap();
        let beacon = voice.advertise(advert).await.unwrap();
        let greeting = line.receive().await.unwrap().unwrap();
        drop(beacon);
        let (mut channel, [reply, hello]) = expect.read(&greeting, &hello, &mut rng).unwrap();
        line.send(reply).await.unwrap();
        line.send(hello).await.unwrap();
        let Some(request) = line.receive().await.unwrap() else { return };
        let AuthenticatorEvent::Ctap(_) = channel.receive(&request).unwrap() else { return };
        line.send(channel.send(&answer).unwrap()).await.unwrap();
        // Whatever the computer thinks of it, it leaves.
        let _ = line.receive().await;
    }
}
