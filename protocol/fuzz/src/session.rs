//! A session: its handshake, its records, and the stream that carries them
//! where there is no websocket.

use std::sync::LazyLock;

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::cbor;
use cablecar_protocol::channel::{
    AuthenticatorEnd, AuthenticatorEvent, Channel, ClientEnd, ClientEvent, Request,
};
use cablecar_protocol::client_platform::{Heard, qr_initiated::ExpectAdvert};
use cablecar_protocol::ctap::GetInfo;
use cablecar_protocol::danger::{
    Counters, Door, SessionKeys, authenticator_channel, client_channel, initiate, open_record, respond,
    seal_record,
};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::linking::Offer;
use cablecar_protocol::message::{Features, Hello};
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::secrets::{IdentityKey, Psk, TrafficKey};
use cablecar_protocol::stream::{Deframer, frame};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use cablecar_protocol::{Error, error::Which};
use rand_core::{CryptoRng, RngCore};

/// `ExpectGreeting::read`. The right greeting is in the corpus.
pub fn greeting(data: &[u8]) {
    let heard = Hello::new(get_info_of_ours());
    if let Ok((phone, [reply, _])) = expect_greeting().read(data, &heard, &mut Constant(5)) {
        assert_eq!((data.len(), reply.len()), (81, 81));
        drop(phone);
    }
}

fn invited() -> (ExpectAdvert, QrInvitation) {
    ExpectAdvert::invite(Hint::GetAssertion, 0, &mut Constant(3)).unwrap()
}

fn expect_greeting() -> cablecar_protocol::handshake::ExpectGreeting {
    static SHOWN: LazyLock<String> = LazyLock::new(|| invited().1.to_text().to_string());
    let scanned = QrInvitation::parse(&SHOWN).unwrap();
    let phone = ExpectRoutingId::accept(scanned, TunnelServiceDomain::new(266).unwrap());
    phone.routed(RoutingId::new([1, 2, 3]), &mut Constant(4)).unwrap().0
}

/// The greeting and the reply that the two targets take.
pub fn good_handshake() -> ([u8; 81], [u8; 81]) {
    let (waiting, shown) = invited();
    let phone = ExpectRoutingId::accept(shown, TunnelServiceDomain::new(266).unwrap());
    let (_, advert) = phone.routed(RoutingId::new([1, 2, 3]), &mut Constant(4)).unwrap();
    let Heard::Ours(nearby) = waiting.hear(&advert.into()) else { panic!("not ours") };
    let (_, greeting) = nearby.greet(&mut Constant(6)).unwrap();
    let own = IdentityKey::from_scalar(&[3; 32]).unwrap();
    let psk = Psk::new(&[8; 32]);
    let (_, message) = initiate(Door::QrClient(&own), &psk, &mut Constant(6)).unwrap();
    let door = Door::QrAuthenticator(own.public());
    (greeting, respond(door, &psk, &message, &mut Constant(5)).unwrap().1)
}

/// What `ExpectReply::read` does first. The right reply is in the corpus.
pub fn reply(data: &[u8]) {
    static OWN: LazyLock<IdentityKey> = LazyLock::new(|| IdentityKey::from_scalar(&[3; 32]).unwrap());
    let (initiator, _) = initiate(Door::QrClient(&OWN), &Psk::new(&[8; 32]), &mut Constant(6)).unwrap();
    if initiator.finish(data).is_ok() {
        assert_eq!(data, good_handshake().1);
    }
}

/// A record with the input as the record, as what was padded, and as the
/// message; both ends hear it.
pub fn record(data: &[u8]) {
    assert!(open_record(&KEYS[0], 0, data).is_err(), "forged");
    let sealed = Aes256Gcm::new(&KEYS[0].into()).encrypt(&[0; 12].into(), data).unwrap();
    let length = data.last().and_then(|zeros| data.len().checked_sub(usize::from(*zeros) + 1));
    assert_eq!(open_record(&KEYS[0], 0, &sealed).ok().as_deref(), length.map(|length| &data[..length]));

    let both = Features { ctap: true, dc: true };
    let sealed = seal_record(&KEYS[0], 0, data).unwrap();
    assert_eq!(sealed.len(), (data.len() / 32 + 1) * 32 + 16);
    let mut phone: Channel<AuthenticatorEnd> = authenticator_channel(keys(), Counters::default(), both, None);
    match phone.receive(&sealed) {
        Ok(AuthenticatorEvent::Ctap(body)) => assert_eq!([&[1], &*body].concat(), data),
        Ok(AuthenticatorEvent::Json(body)) => assert_eq!([&[3], &*body].concat(), data),
        Ok(AuthenticatorEvent::Update) => assert_eq!(data[0], 2),
        Ok(AuthenticatorEvent::Shutdown) => assert_eq!(data[0], 0),
        Err(_) => assert_eq!(phone.update(None), Err(Error::Misuse(Which::Poisoned))),
    }
    let mut client = client(both, false);
    client.send(Request::Ctap(&[4])).unwrap();
    match client.receive(&seal_record(&KEYS[1], 0, data).unwrap()) {
        Ok(ClientEvent::Ctap(body)) => assert_eq!([&[1], &*body].concat(), data),
        Ok(ClientEvent::Json(_)) => panic!("no answer to a CTAP request"),
        Ok(ClientEvent::Update(_)) => assert_eq!(data[0], 2),
        Ok(ClientEvent::Shutdown) => assert_eq!(data[0], 0),
        Err(_) => assert_eq!(client.shutdown(), Err(Error::Misuse(Which::Poisoned))),
    }
}

const KEYS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

fn keys() -> SessionKeys {
    SessionKeys {
        client_to_authenticator: TrafficKey::new(&KEYS[0]),
        authenticator_to_client: TrafficKey::new(&KEYS[1]),
        handshake_hash: LINKING.1,
    }
}

/// A client; one that can check a proof costs a multiplication.
fn client(features: Features, linking: bool) -> Channel<ClientEnd> {
    let domain = TunnelServiceDomain::new(266).unwrap();
    let own = linking.then(|| (IdentityKey::from_scalar(&LINKING.0).unwrap(), domain));
    client_channel(keys(), Counters::default(), features, own)
}

/// An update, as the client hears it. Keys and hash are those of the linking
/// vectors, so that a proof can hold.
pub fn update(data: &[u8]) {
    let message = [&[2], data].concat();
    let map = cbor::parse(data, cbor::CTAP_DEPTH).ok().and_then(|item| item.as_map());
    let mut client = client(Features::CTAP, map.is_some_and(|map| map.get(1).is_some()));
    match client.receive(&seal_record(&KEYS[1], 0, &message).unwrap()) {
        Ok(ClientEvent::Update(offer)) => {
            let map = map.unwrap();
            assert_eq!(matches!(offer, Offer::Nothing), map.get(1).is_none());
            if let Offer::Link(link) = offer {
                let map = map.get(1).unwrap().as_map().unwrap();
                let bytes = |key| map.get(key).unwrap().as_bytes().unwrap();
                assert_eq!(link.contact_id.as_bytes(), bytes(1));
                assert_eq!(link.link_id.as_bytes(), bytes(2));
                assert_eq!(link.link_secret.expose(), bytes(3));
                assert_eq!(link.public_key.to_uncompressed(), *bytes(4));
                assert_eq!(Some(&*link.name), map.get(5).unwrap().as_text());
            }
        }
        Ok(other) => panic!("heard {other:?}"),
        Err(_) => assert!(client.shutdown().is_err()),
    }
}

/// A stream, in pieces and at once. A record "opens" by its own bytes.
pub fn deframer(data: &[u8]) {
    let Some((step, stream)) = data.split_first() else { return };
    let opens = |record: &[u8]| record.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) % 4 == 0;
    let run = |step: usize| {
        let (mut deframer, mut found) = (Deframer::default(), Vec::new());
        for piece in stream.chunks(step) {
            deframer.push(piece);
            if found.is_empty() {
                match deframer.handshake_message() {
                    Ok(message) => found.extend(message),
                    Err(_) => return found,
                }
            }
            while !found.is_empty() {
                match deframer.record(opens) {
                    Ok(Some(record)) => found.push(record),
                    Ok(None) => break,
                    Err(_) => return found,
                }
            }
        }
        found
    };
    let (whole, pieces) = (run(stream.len().max(1)), run(usize::from(*step) + 1));
    assert!(whole.starts_with(&pieces));
    let written: Vec<u8> = whole.iter().flat_map(|message| frame(message)).collect();
    assert!(stream.starts_with(&written));
}

/// A getInfo like that of the project's own phone.
fn get_info_of_ours() -> GetInfo {
    GetInfo {
        versions: vec!["FIDO_2_0".into(), "FIDO_2_1".into()],
        extensions: vec!["prf".into()],
        aaguid: [9; 16],
        options: vec![("rk".into(), true), ("uv".into(), true)],
        transports: vec!["internal".into(), "hybrid".into()],
    }
}

/// A source of one byte, over and over.
struct Constant(u8);

impl CryptoRng for Constant {}

impl RngCore for Constant {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes([self.0; 4])
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes([self.0; 8])
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.fill(self.0);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        dest.fill(self.0);
        Ok(())
    }
}

/// `client_static_private` and `handshake_hash` of `error_base` in the linking
/// vectors.
const LINKING: ([u8; 32], [u8; 32]) = (
    [
        0x5f, 0xd8, 0x17, 0x09, 0xb9, 0x54, 0x97, 0xd1, 0x94, 0x60, 0xa3, 0x35, 0xe6, 0x2b, 0xfa, 0xe4, 0x9c,
        0xee, 0x53, 0x8a, 0x5c, 0xec, 0xb1, 0x4c, 0x7c, 0x4f, 0x13, 0x05, 0x2f, 0xf4, 0x73, 0x5d,
    ],
    [
        0x98, 0xa3, 0x51, 0x0a, 0x0d, 0xca, 0x7a, 0x6d, 0x58, 0xc9, 0xb9, 0xb5, 0x8d, 0xad, 0x15, 0x09, 0xbb,
        0x97, 0x64, 0x4b, 0x49, 0xe0, 0x07, 0x81, 0x97, 0xf3, 0x61, 0xf4, 0xbc, 0x6e, 0xb9, 0xa8,
    ],
);
