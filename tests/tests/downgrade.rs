//! Old forms of the protocol (T8): records and greetings of before 2022, and
//! answers of a tunnel service that are not what they should be. None is
//! understood, because whoever understands them can be talked into them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic is a verdict")]

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use cablecar::webauthn::Get;
use cablecar_phone::proximity::Advertiser;
use cablecar_phone::transaction::{Dialer, Line};
use cablecar_protocol::danger::{Door, SessionKeys, initiate, respond, seal_record};
use cablecar_protocol::eid::{Eid, ServiceData};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::secrets::{IdentityKey, Psk, QrSecret};
use cablecar_protocol::tunnel::{Dial, Route, TunnelServiceDomain};
use cablecar_tests::World;
use cablecar_tests::liar::good_hello;
use cablecar_tests::world::{BEGINNING, DOMAIN, origin, request};
use hkdf::Hkdf;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

/// PSK = HKDF-SHA-256(secret, salt = EID, info = 3), written a second time.
fn psk(secret: &QrSecret, eid: &Eid) -> Psk {
    let mut psk = [0; 32];
    Hkdf::<Sha256>::new(Some(eid.as_bytes()), secret.expose()).expand(&3u32.to_le_bytes(), &mut psk).unwrap();
    Psk::new(&psk)
}

/// A record as version 2.0 sealed it: counter little-endian in front, and the
/// associated data 02.
fn old_record(key: &[u8; 32], counter: u32, padded: &[u8]) -> Vec<u8> {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&counter.to_le_bytes());
    let cipher = Aes256Gcm::new(key.into());
    cipher.encrypt(Nonce::from_slice(&nonce), Payload { msg: padded, aad: &[2] }).unwrap()
}

fn padded(message: &[u8]) -> Vec<u8> {
    let mut padded = message.to_vec();
    let zeros = 31 - message.len() % 32;
    padded.resize(padded.len() + zeros, 0);
    padded.push(u8::try_from(zeros).unwrap());
    padded
}

/// A phone of another age: shakes hands as it must, and then says `first`,
/// and to whatever it is asked, `second`.
async fn computer_meets(
    first: impl Fn(&SessionKeys) -> Vec<u8>,
    second: impl Fn(&SessionKeys) -> Vec<u8>,
) -> &'static str {
    let mut world = World::default();
    let (mut dialer, mut voice) = (world.relay.for_phones(), world.phone_air.voice());
    let (glass, mut rng) = (world.glass.clone(), world.rng());
    let phone = async move {
        let invitation = QrInvitation::parse(&glass.code().await).unwrap();
        let domain = TunnelServiceDomain::new(DOMAIN).unwrap();
        let route = Route::New(invitation.secret.tunnel_id());
        let (mut line, routing) = dialer.open(&Dial { domain, route }).await.unwrap();
        let eid = Eid::routed(routing, domain, &mut rng).unwrap();
        let _beacon = voice.advertise(eid.seal(&invitation.secret.eid_key())).await.unwrap();
        let greeting = line.receive().await.unwrap().unwrap();
        let door = Door::QrAuthenticator(&invitation.client_key);
        let (keys, reply) = respond(door, &psk(&invitation.secret, &eid), &greeting, &mut rng).unwrap();
        line.send(reply.to_vec()).await.unwrap();
        line.send(first(&keys)).await.unwrap();
        if line.receive().await.unwrap().is_some() {
            line.send(second(&keys)).await.unwrap();
            let _ = line.receive().await;
        }
    };
    let get = Get::from_json(request(&[]).to_string().as_bytes(), &origin()).unwrap();
    let (answer, ()) = tokio::join!(world.computer(&get.ask()), phone);
    answer.and_then(|answer| get.finish(&answer)).unwrap_err().advice().1
}

fn hello(keys: &SessionKeys) -> Vec<u8> {
    seal_record(keys.authenticator_to_client.expose(), 0, &good_hello().to_bytes()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn t8_the_hello_of_version_2_0_is_refused() {
    let old_hello = |keys: &SessionKeys| {
        let mut message = good_hello().to_bytes();
        let zeros = 512 - message.len() - 2;
        message.resize(512 - 2, 0);
        message.extend(u16::try_from(zeros).unwrap().to_le_bytes());
        seal_record(keys.authenticator_to_client.expose(), 0, &message).unwrap()
    };
    assert_eq!(computer_meets(old_hello, |_| vec![]).await, "peer.malformed");
}

#[tokio::test(start_paused = true)]
async fn t8_old_records_are_refused_by_the_computer() {
    let old = |keys: &SessionKeys| {
        old_record(keys.authenticator_to_client.expose(), 0, &padded(&good_hello().to_bytes()))
    };
    assert_eq!(computer_meets(old, |_| vec![]).await, "peer.bad-tag");
    let later =
        |keys: &SessionKeys| old_record(keys.authenticator_to_client.expose(), 1, &padded(&[1, 0x2e]));
    assert_eq!(computer_meets(hello, later).await, "peer.bad-tag");
}

#[tokio::test(start_paused = true)]
async fn t8_answers_without_a_type_byte_are_refused() {
    // Revision 0 sent the CTAP response bare: its status stands where the
    // type should.
    let bare = |status: u8| {
        move |keys: &SessionKeys| {
            seal_record(keys.authenticator_to_client.expose(), 1, &[status, 0xa0]).unwrap()
        }
    };
    assert_eq!(computer_meets(hello, bare(0x2e)).await, "peer.misbehaved");
    assert_eq!(computer_meets(hello, bare(0x00)).await, "phone.hung-up");
}

#[tokio::test(start_paused = true)]
async fn t8_old_records_are_refused_by_the_phone() {
    let mut world = World::default();
    let mut rng = world.rng();
    let own = IdentityKey::random(&mut rng).unwrap();
    let secret = QrSecret::random(&mut rng).unwrap();
    let invitation = QrInvitation {
        client_key: *own.public(),
        secret: QrSecret::new(secret.expose()),
        known_domains: 2,
        made_at: Some(BEGINNING),
        state_assisted: None,
        hint: Hint::GetAssertion,
        channels: vec![0],
    };
    let mut ear = world.air.ear();
    let dialer = world.relay.for_computers();
    cablecar::screen::Screen::notice(&mut world.glass, &cablecar::screen::Notice::Code(&invitation));
    let phone = tokio::spawn(world.phone());

    let heard: ServiceData = cablecar::proximity::Scanner::heard(&mut ear).await.unwrap();
    let eid = heard.open(&secret.eid_key()).unwrap();
    let route = Route::Connect(eid.routing_id(), secret.tunnel_id());
    let dial = Dial { domain: eid.domain().unwrap(), route };
    let mut line = cablecar::tunnel::Dialer::dial(&dialer, &dial).await.unwrap();
    let (initiator, greeting) = initiate(Door::QrClient(&own), &psk(&secret, &eid), &mut rng).unwrap();
    cablecar::tunnel::Line::send(&mut line, greeting.to_vec()).await.unwrap();
    let reply = cablecar::tunnel::Line::receive(&mut line).await.unwrap().unwrap();
    let keys = initiator.finish(&reply).unwrap();
    let request = old_record(keys.client_to_authenticator.expose(), 0, &padded(&[1, 4]));
    cablecar::tunnel::Line::send(&mut line, request).await.unwrap();
    let error = phone.await.unwrap().expect_err("an old record was served");
    assert_eq!(error.advice().1, "peer.bad-tag");
}

/// A tunnel service that answers one upgrade with these headers.
async fn phone_is_answered(headers: &'static str) -> Result<RoutingId, &'static str> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("ws://{}", listener.local_addr().unwrap())).unwrap();
    let service = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tcp.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        );
        tcp.write_all(answer.as_bytes()).await.unwrap();
        let _ = tcp.read_u8().await;
    });
    let mut network = cablecar_phone::tunnel::Network::new(None, vec![], Some(url)).unwrap();
    let route = Route::New(cablecar_protocol::ids::TunnelId::new([7; 16]));
    let dial = Dial { domain: TunnelServiceDomain::new(DOMAIN).unwrap(), route };
    let opened = network.open(&dial).await;
    let result = opened.map(|(_, routing)| routing).map_err(|error| error.advice().1);
    service.abort();
    result
}

const CHOSEN: &str = "Sec-WebSocket-Protocol: fido.cable\r\n";

#[tokio::test]
async fn t8_a_routing_id_must_be_there_once_and_be_three_bytes() {
    let answered = |routing: &'static str| async move {
        let headers: String = [CHOSEN, routing].concat();
        phone_is_answered(headers.leak()).await
    };
    assert_eq!(answered("X-Cable-Routing-Id: a1b2c3\r\n").await, Ok(RoutingId::new([0xa1, 0xb2, 0xc3])));
    for bad in [
        "",
        "X-caBLE-Routing-ID: \r\n",
        "X-caBLE-Routing-ID: A1B2\r\n",
        "X-caBLE-Routing-ID: A1B2C3D4\r\n",
        "X-caBLE-Routing-ID: A1B2CG\r\n",
        "X-caBLE-Routing-ID: A1B2C3\r\nX-caBLE-Routing-ID: A1B2C3\r\n",
        "X-caBLE-Routing-ID: A1B2C3, A1B2C3\r\n",
    ] {
        assert_eq!(answered(bad).await, Err("peer.misbehaved"), "{bad:?}");
    }
}

#[tokio::test]
async fn t8_a_service_that_does_not_choose_the_subprotocol_is_refused() {
    let routing = "X-caBLE-Routing-ID: A1B2C3\r\n";
    assert_eq!(phone_is_answered(routing).await, Err("relay.answer"));
    let other: String = ["Sec-WebSocket-Protocol: chat\r\n", routing].concat();
    assert_eq!(phone_is_answered(other.leak()).await, Err("relay.answer"));
}
